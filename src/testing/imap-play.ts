import { MailError } from '../protocol/session/errors.ts'
import type { TlsFacts } from '../protocol/session/tls.ts'
import type { ImapServerOptions } from '../server/imap/options.ts'
import { equal, holds, type Runner } from './contracts/checks.ts'
import { ImapStage, type ImapStageOptions, type StageClient } from './imap-stage.ts'
import { imapDifference, type ImapStep, type ImapTranscript, parseImapTranscripts } from './transcripts-imap.ts'

/*
 * Settings of a transcript:
 *
 *   state: connected | logged in | selected NAME | examined NAME      where the conversation begins; `state 2`: for client 2
 *   enable: QRESYNC                                                   what each client enables before that
 *   mailbox NAME: mail mail(\Seen $x) -                               what is in it; `-` was there and was expunged
 *   use NAME: \Sent    subscribed: NAME, NAME                         what it is for; what is subscribed to
 *   quota: OCTETS MESSAGES    remembered: RANGES    without: METHOD METHOD
 *   secure: yes    startTls: yes    plaintextAuth: false    hide: CAPABILITY …    id: NAME VALUE
 *   limits.errors: 3    timeouts.idle: 1800000
 *   splits: no         not with the octets cut otherwise        pipelined: no      not without waiting for answers
 */

/** What {@link imapTranscripts} takes. */
export interface ImapTranscriptsOptions extends Pick<Runner, 'describe' | 'it'> {
  /** What the text is called in the names of the tests. */
  readonly name: string
  /** Markdown with `mail`, `config` and `imap` blocks. */
  readonly text: string
}

const facts: TlsFacts = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }

/**
 * Runs the conversations of a text in Markdown against an IMAP server over a store in memory: what they say must come, however
 * the client's octets are cut into pieces, and whether or not it waits for answers.
 */
export function imapTranscripts({ describe, it, name, text }: ImapTranscriptsOptions): void {
  describe(name, () => {
    for (const transcript of parseImapTranscripts(text)) it(transcript.title, () => check(transcript))
  })
}

/** Octets delivered at a time. */
const CHUNKS = [1, 2, 7, 40]

async function check(transcript: ImapTranscript): Promise<void> {
  const { title, steps } = transcript
  const heard = await new Play(transcript, undefined).all(steps)
  steps.forEach((step, at) => {
    for (const client of new Set([...heard[at]!.keys(), ...step.says.keys()])) {
      const difference = imapDifference(step.says.get(client) ?? [], heard[at]!.get(client) ?? '')
      holds(difference === undefined, `${title}, line ${step.line}: client ${client}: ${difference}`)
    }
  })
  const is = (name: string): boolean => !transcript.config.some(([key, value]) => key === name && value === 'no')
  if (is('splits')) {
    for (const chunk of CHUNKS) equal(await new Play(transcript, chunk).all(steps), heard, `${title}: cut at ${chunk}`)
  }
  if (is('pipelined')) await checkPipelined(transcript, heard)
}

type Heard = ReadonlyMap<number, string>

/** Batches of one client between which nothing else happens, sent at once. */
async function checkPipelined(transcript: ImapTranscript, heard: readonly Heard[]): Promise<void> {
  const joined: ImapStep[] = []
  const wanted: Map<number, string>[] = []
  transcript.steps.forEach((step, at) => {
    const last = joined.at(-1)
    if (step.octets !== undefined && last?.octets !== undefined && last.client === step.client) {
      joined[joined.length - 1] = { ...last, octets: last.octets + step.octets }
      for (const [client, said] of heard[at]!) wanted.at(-1)!.set(client, (wanted.at(-1)!.get(client) ?? '') + said)
    } else {
      joined.push(step)
      wanted.push(new Map(heard[at]!))
    }
  })
  equal(await new Play(transcript, undefined).all(joined), wanted, `${transcript.title}: all batches at once`)
}

/** One run of one transcript. */
class Play {
  private readonly stage: ImapStage
  private readonly transcript: ImapTranscript
  private readonly chunk: number | undefined
  private readonly clients = new Map<number, StageClient>()

  constructor(transcript: ImapTranscript, chunk: number | undefined) {
    this.transcript = transcript
    this.chunk = chunk
    this.stage = new ImapStage(optionsOf(transcript.config))
  }

  async all(steps: readonly ImapStep[]): Promise<Heard[]> {
    await this.furnish()
    const heard: Heard[] = []
    await this.client(1)
    for (const step of steps) {
      if (step.octets !== undefined) (await this.client(step.client)).send(step.octets)
      else if (step.happens !== undefined) await this.happen(step.happens)
      await this.stage.settle()
      const said = new Map<number, string>()
      for (const [number, client] of this.clients) {
        const text = client.take()
        if (text !== '') said.set(number, text)
      }
      heard.push(said)
    }
    return heard
  }

  private async furnish(): Promise<void> {
    const { stage } = this
    await stage.mailbox('INBOX')
    for (const [name, value] of this.transcript.config) {
      if (name.startsWith('use ')) await stage.mailbox(name.slice(4), value)
    }
    for (const [name, value] of this.transcript.config) {
      if (name === 'subscribed') {
        for (const path of value.split(', ')) await stage.store.subscribe!('alice', path.split('/'), true)
      } else if (name.startsWith('mailbox ') && value === this.transcript.config.findLast(([key]) => key === name)![1]) {
        await stage.mailbox(name.slice(8))
        for (const item of itemsOf(value)) await this.put(name.slice(8), item)
      }
    }
  }

  private async put(path: string, item: string): Promise<void> {
    const open = item.indexOf('(')
    const [name, flags] = open < 0 ? [item, []] : [item.slice(0, open), item.slice(open + 1, -1).split(' ')]
    const mail = this.transcript.mail.get(name === '-' ? 'plain' : name)
    if (mail === undefined) throw new MailError('config', `there is no mail ${name}.`)
    const uid = await this.stage.deliver(path, mail, flags)
    if (name === '-') await this.stage.store.expunge(await this.stage.mailbox(path), [{ first: uid, last: uid }])
  }

  /** A client, brought to where its conversation begins. */
  private async client(number: number): Promise<StageClient> {
    const there = this.clients.get(number)
    if (there) return there
    const of = (name: string): string | undefined => this.transcript.config.findLast(([key]) => key === name)?.[1]
    const state = of(`state ${number}`) ?? of('state') ?? 'connected'
    const client = this.stage.connect({
      ...(of('secure') === 'yes' ? { tls: facts } : {}),
      startTls: of('startTls') === 'yes',
      ...(this.chunk === undefined ? {} : { chunk: this.chunk }),
    })
    this.clients.set(number, client)
    await this.stage.settle()
    if (state === 'connected') return client
    const words = ['LOGIN alice secret', ...(of('enable') === undefined ? [] : [`ENABLE ${of('enable')}`])]
    if (state.startsWith('selected ')) words.push(`SELECT ${state.slice(9)}`)
    else if (state.startsWith('examined ')) words.push(`EXAMINE ${state.slice(9)}`)
    for (const line of words) client.send(`x ${line}\r\n`)
    await this.stage.settle()
    const said = client.take()
    const done = said.split('\r\n').filter((line) => line.startsWith('x OK')).length
    if (done < words.length) throw new MailError('config', `${state} cannot be: ${said}`)
    return client
  }

  private async happen(words: string): Promise<void> {
    const { store } = this.stage
    const [what = '', first = '', ...rest] = words.split(' ')
    const client = (): StageClient => this.clients.get(first === '' ? 1 : Number(first))!
    if (what === 'wait') await this.stage.settle(Number(first))
    else if (what === 'deliver') await this.put(rest[0]!, first + (rest.length > 1 ? `(${rest.slice(1).join(' ')})` : ''))
    else if (what === 'expunge') await store.expunge(await this.stage.mailbox(first), setOf(rest[0]!))
    else if (what === 'flag') await this.flag(first, rest)
    else if (what === 'remove') await store.remove(await this.stage.mailbox(first))
    else if (what === 'rename') await store.rename(await this.stage.mailbox(first), rest[0]!.split('/'))
    else if (what === 'drain') client().drain()
    else if (what === 'tls') client().secure()
    else if (what === 'end') client().finish()
    else if (what === 'reset') client().reset()
    else throw new MailError('config', `nothing happens that is called ${JSON.stringify(words)}.`)
  }

  private async flag(path: string, [uids, ...flags]: readonly string[]): Promise<void> {
    const kind = flags[0]!.startsWith('-') ? 'remove' : 'add'
    await this.stage.store.flag(await this.stage.mailbox(path), setOf(uids!), { kind, flags: flags.map((flag) => flag.slice(1)) })
  }
}

/** Words with blanks between them; those in parentheses belong to the word before. */
const itemsOf = (text: string): string[] => text.match(/[^\s(]+(?:\([^)]*\))?/g) ?? []

function setOf(text: string): { first: number; last: number }[] {
  return text.split(',').map((range) => {
    const [first, last = first] = range.split(':')
    return { first: Number(first), last: Number(last) }
  })
}

function optionsOf(config: ImapTranscript['config']): ImapStageOptions {
  const server: Record<string, unknown> = {}
  const imap: Record<string, Record<string, unknown>> = { limits: {}, timeouts: {} }
  const stage: Record<string, unknown> = {}
  for (const [name, value] of config) {
    if (name.startsWith('limits.') || name.startsWith('timeouts.')) {
      const [group, key] = name.split('.')
      imap[group!]![key!] = Number(value)
    } else if (name === 'literals') (imap as Record<string, unknown>)['literals'] = value
    else if (name === 'plaintextAuth') server['plaintextAuth'] = value === 'true'
    else if (name === 'hide') {
      const hidden = new Set(value.split(' '))
      ;(imap as Record<string, unknown>)['hide'] = (capability: string) => hidden.has(capability)
    } else if (name === 'id') server['id'] = Object.fromEntries([value.split(' ')])
    else if (name === 'remembered') stage['remembered'] = Number(value)
    else if (name === 'without') stage['without'] = value.split(' ')
    else if (name === 'quota') {
      const [octets, messages] = value.split(' ').map(Number)
      stage['quota'] = { octets, messages }
    }
  }
  return { ...stage, server: { ...server, imap: imap as unknown as NonNullable<ImapServerOptions['imap']> } }
}
