import { octets as octetsOf } from '../../../src/protocol/bytes/text.ts'
import type { Pop3ServerEvent, Pop3ServerOptions } from '../../../src/protocol/pop3/index.ts'
import { namedMechanisms, readSecret, readTlsFacts } from '../../../src/testing/transcripts-sasl.ts'
import { parseTranscripts, type Transcript, type TranscriptStep } from '../../../src/testing/transcripts.ts'
import { type Answers, type Kind, Talk, type TalkOptions } from './talk.ts'

/** What came of a step. */
export interface Played {
  readonly output: string
  readonly events: readonly string[]
}

/** The octets of a step, in pieces; `burst`: all of them before the session is asked for events. */
export interface Cut {
  readonly pieces: (octets: string) => readonly string[]
  readonly burst?: boolean
}

/** The conversations of a text in Markdown, in blocks `pop3`. */
export function pop3Transcripts(text: string): Transcript[] {
  return parseTranscripts(text.replaceAll('```pop3\n', '```smtp\n'))
}

/** Plays a conversation; what came of each of its steps. */
export function play({ config, steps }: Transcript, cut: Cut): Played[] {
  const talk = new Talk(optionsOf(config))
  let seen = 0
  return steps.map((step) => {
    const before = talk.said.length
    happen(talk, step, cut, config)
    talk.pump()
    const events = talk.events.slice(seen).map(described)
    seen = talk.events.length
    return { output: talk.said.slice(before), events }
  })
}

function happen(talk: Talk, { octets, happens = '' }: TranscriptStep, cut: Cut, config: Transcript['config']): void {
  if (octets !== undefined) {
    for (const piece of cut.pieces(octets)) {
      talk.session.receive(talk.now, octetsOf(piece))
      if (cut.burst !== true) talk.pump()
    }
    return
  }
  const { session, now } = talk
  const [what = '', argument = ''] = happens.split(' ')
  const open = talk.events.filter((event) => event.kind === argument).at(-1)
  if (what === 'wait') talk.wait(Number(argument))
  else if (what === 'end') session.receiveEnd(now)
  else if (what === 'disconnect') session.disconnect(now)
  else if (what === 'drain') session.drain(now)
  else if (what === 'tls') session.tlsEstablished(now, readTlsFacts(config.get('tls') ?? '{}'))
  else if (what === 'fail' && open) session.fail(open)
  else if (what === 'answer' && open) session.answer(open, readAnswer(happens.split(' ').slice(2).join(' ')) as never)
  else if (what !== '') throw new Error(`nothing can ${happens}`)
}

function optionsOf(config: Transcript['config']): TalkOptions {
  const options: Record<string, unknown> = {}
  const answers: Record<string, () => unknown> = {}
  let mechanisms = namedMechanisms('PLAIN')
  let withoutTls = true
  for (const [name, value] of config) {
    const [group = '', key = ''] = name.split('.')
    if (name.startsWith('answer ')) answers[name.slice(7)] = () => (value === 'wait' ? 'wait' : readAnswer(value))
    else if (name === 'auth') mechanisms = namedMechanisms(value)
    else if (name === 'auth without TLS') withoutTls = value === 'yes'
    else if (name === 'peer.tls') options['peer'] = { tls: readTlsFacts(value) }
    else if (key !== '') options[group] = { ...(options[group] as object | undefined), [key]: JSON.parse(value) as unknown }
    else if (name !== 'tls') options[name] = word(value)
  }
  const auth: Pop3ServerOptions['auth'] = { mechanisms, withoutTls }
  return { ...options, auth, answers: answers as Answers }
}

function word(value: string): unknown {
  return /^(true|false|\d+|\[.*)$/.test(value) ? (JSON.parse(value) as unknown) : value
}

/** `refuse CODE text`, `temporary CODE text`, `account NAME`, `gone`, or a secret. */
function readAnswer(text: string): unknown {
  const [what = '', code = '', ...rest] = text.split(' ')
  if (what === 'refuse') return { refused: rest.join(' '), ...(code === '-' ? {} : { code }) }
  if (what === 'temporary') return { refused: rest.join(' '), code, temporary: true }
  if (what === 'account') return { account: code }
  if (what === 'gone') return null
  return readSecret(text)
}

function described(event: Pop3ServerEvent): string {
  switch (event.kind) {
    case 'auth':
      return `auth ${event.credentials.kind} ${event.credentials.mechanism} ${event.credentials.username}`
    case 'secret':
      return `secret ${event.lookUp.mechanism} ${event.lookUp.username}`
    case 'octets':
      return `octets ${event.uid} ${event.start}-${event.end}`
    case 'expunge':
      return `expunge ${event.uids.map(({ first, last }) => (first === last ? first : `${first}-${last}`)).join(' ')}`
    case 'abandoned':
    case 'closed':
      return `${event.kind} ${event.why}`
    default:
      return event.kind satisfies Kind
  }
}
