import { octets as octetsOf, octetString } from '../../../src/protocol/bytes/text.ts'
import {
  type Pop3Peer,
  pop3ServerConfig,
  type Pop3ServerEvent,
  type Pop3ServerOptions,
  pop3ServerSession,
} from '../../../src/protocol/pop3/index.ts'
import { plain } from '../../../src/protocol/sasl/index.ts'
import type { AnswerTo } from '../../../src/protocol/session/session.ts'

export type Kind = Pop3ServerEvent['kind']
export type EventOf<K extends Kind> = Extract<Pop3ServerEvent, { kind: K }>

/** What the host of a talk says to each kind of question, instead of what it would; `'wait'` leaves it open. */
export type Answers = { readonly [K in Kind]?: (event: EventOf<K>) => AnswerTo<EventOf<K>> | undefined | 'wait' }

export interface TalkOptions extends Partial<Pop3ServerOptions> {
  readonly peer?: Pop3Peer
  readonly answers?: Answers
  /** Messages in the maildrop, strings of octets; their UIDs are 1, 4, 9, 16 and so on. */
  readonly mail?: readonly string[]
  /** Whoever drives the session takes its output only when told to. */
  readonly stalls?: boolean
}

/** The password of everybody. */
export const PASSWORD = 'secret'

export const uidOf = (message: number): number => message * message

/** A session, its host and its driver in one hand: what is sent is answered at once, and the output comes back as text. */
export class Talk {
  readonly session
  readonly events: Pop3ServerEvent[] = []
  /** UIDs that were deleted. */
  readonly deleted: number[] = []
  now = 0
  /** All output so far. */
  said = ''
  stalls: boolean
  private readonly answers: Answers
  private readonly mail: readonly string[]

  constructor({ peer = {}, answers = {}, mail = [], stalls = false, ...options }: TalkOptions = {}) {
    this.answers = answers
    this.mail = mail
    this.stalls = stalls
    const config = pop3ServerConfig({ hostname: 'pop.example.org', auth: { mechanisms: [plain], withoutTls: true }, ...options })
    this.session = pop3ServerSession(config, peer, this.now)
  }

  /** The client sends octets (a string's code units). */
  send(data: string): string {
    this.session.receive(this.now, octetsOf(data))
    return this.pump()
  }

  /** The client sends lines. */
  say(...lines: readonly string[]): string {
    return this.send(lines.map((line) => `${line}\r\n`).join(''))
  }

  /** The client says one line, and hears lines. */
  ask(line: string): string[] {
    return this.say(line).split('\r\n').slice(0, -1)
  }

  /** Time passes. */
  wait(milliseconds: number): string {
    this.now += milliseconds
    this.session.advance(this.now)
    return this.pump()
  }

  /** Takes all events and answers those that are not to wait; what the session said. */
  pump(): string {
    let out = ''
    for (;;) {
      for (let event = this.session.next(); event; event = this.session.next()) this.take(event)
      if (this.stalls) break
      const output = this.session.takeOutput() as readonly (string | Uint8Array)[]
      if (output.length === 0) break
      out += output.map((piece) => (typeof piece === 'string' ? piece : octetString(piece))).join('')
    }
    this.said += out
    return out
  }

  all<K extends Kind>(kind: K): EventOf<K>[] {
    return this.events.filter((event): event is EventOf<K> => event.kind === kind)
  }

  /** Why the conversation ended, or nothing. */
  ended(): string | undefined {
    return this.all('closed').at(-1)?.why
  }

  private take(event: Pop3ServerEvent): void {
    this.events.push(event)
    if (!('id' in event)) return
    const other = this.answers[event.kind] as ((event: Pop3ServerEvent) => unknown) | undefined
    const answer = other ? other(event) : this.answerTo(event)
    if (answer !== 'wait') this.session.answer(event, answer as never)
  }

  private answerTo(event: Pop3ServerEvent): unknown {
    switch (event.kind) {
      case 'auth': {
        const { credentials } = event
        const fits = credentials.kind === 'proven' || (credentials.kind === 'password' && credentials.password === PASSWORD)
        return fits ? { account: credentials.username } : undefined
      }
      case 'open': {
        const { mail } = this
        return { uidValidity: 77, uids: mail.map((_, at) => uidOf(at + 1)), sizes: mail.map(({ length }) => length) }
      }
      case 'octets':
        return octetsOf(this.mail[Math.sqrt(event.uid) - 1]!).subarray(event.start, event.end)
      case 'expunge':
        for (const { first, last } of event.uids) for (let uid = first; uid <= last; uid++) this.deleted.push(uid)
        return true
      default:
        return undefined
    }
  }
}

/** A conversation that has been greeted. */
export function greeted(options: TalkOptions = {}): Talk {
  const talk = new Talk(options)
  talk.pump()
  return talk
}

/** A conversation after log-in. */
export function loggedIn(options: TalkOptions = {}): Talk {
  const talk = greeted(options)
  talk.say('USER alice', `PASS ${PASSWORD}`)
  return talk
}

/** The octets that a client takes out of a multi-line response, by lines that end in LF; its first line left out. */
export function unstuffed(response: string): string {
  const [, ...lines] = response.split('\n')
  const end = lines.indexOf('.\r')
  return lines.slice(0, end).map((line) => `${line.startsWith('.') ? line.slice(1) : line}\n`).join('')
}
