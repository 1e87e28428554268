import type { AnswerTo } from '../../../src/protocol/session/session.ts'
import {
  type BodyEvent,
  type SmtpPeer,
  smtpServerConfig,
  type SmtpServerEvent,
  type SmtpServerOptions,
  smtpServerSession,
} from '../../../src/protocol/smtp/index.ts'

export type Kind = SmtpServerEvent['kind']
export type EventOf<K extends Kind> = Extract<SmtpServerEvent, { kind: K }>

/** What the host of a talk says to each kind of question; `'wait'` leaves it open. */
export type Answers = { readonly [K in Kind]?: (event: EventOf<K>) => AnswerTo<EventOf<K>> | undefined | 'wait' }

export interface TalkOptions extends Partial<SmtpServerOptions> {
  readonly peer?: SmtpPeer
  readonly answers?: Answers
}

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')

/** A session and its host in one hand: what is sent is answered at once, and the output comes back as text. */
export class Talk {
  readonly session
  readonly events: SmtpServerEvent[] = []
  now = 0
  answers: Answers
  /** All output so far. */
  said = ''

  constructor(options: TalkOptions = {}) {
    const { peer, answers, ...rest } = options
    this.answers = answers ?? {}
    this.session = smtpServerSession(smtpServerConfig({ hostname: 'mx.example.org', ...rest }), peer ?? {}, this.now)
  }

  /** The peer sends octets (a string's code units). */
  send(data: string | Uint8Array): string {
    this.session.receive(this.now, typeof data === 'string' ? latin1(data) : data)
    return this.pump()
  }

  /** The peer sends command lines. */
  say(...lines: readonly string[]): string {
    return this.send(lines.map((line) => `${line}\r\n`).join(''))
  }

  /** The peer sends no more. */
  end(): string {
    this.session.receiveEnd(this.now)
    return this.pump()
  }

  /** Time passes. */
  wait(milliseconds: number): string {
    this.now += milliseconds
    this.session.advance(this.now)
    return this.pump()
  }

  /** The host answers an open question. */
  answer<K extends Kind>(question: EventOf<K>, answer?: AnswerTo<EventOf<K>>): string {
    this.session.answer(question, answer as AnswerTo<EventOf<K>>)
    return this.pump()
  }

  /** Takes all events and answers those that are not to wait; what the session said. */
  pump(): string {
    let out = ''
    for (;;) {
      for (let event = this.session.next(); event; event = this.session.next()) {
        this.events.push(event)
        if (!('id' in event)) continue
        const answer = (this.answers[event.kind] as ((event: SmtpServerEvent) => unknown) | undefined)?.(event)
        if (answer !== 'wait') this.session.answer(event, answer as never)
      }
      const output = this.session.takeOutput()
      if (output.length === 0) break
      out += output.join('')
    }
    this.said += out
    return out
  }

  kinds(): string[] {
    return this.events.map((event) => event.kind)
  }

  all<K extends Kind>(kind: K): EventOf<K>[] {
    return this.events.filter((event): event is EventOf<K> => event.kind === kind)
  }

  last<K extends Kind>(kind: K): EventOf<K> {
    const found = this.all(kind).at(-1)
    if (!found) throw new Error(`no ${kind} among ${this.kinds().join(', ')}`)
    return found
  }

  /** The content so far, as a string of octets. */
  body(): string {
    return this.all('body').map(({ bytes }: BodyEvent) => Buffer.from(bytes).toString('latin1')).join('')
  }

  /** Why the conversation ended, or nothing. */
  ended(): string | undefined {
    return this.all('closed').at(-1)?.why
  }
}

/** A conversation that has been greeted. */
export function greeted(options: TalkOptions = {}): Talk {
  const talk = new Talk(options)
  talk.pump()
  return talk
}

/** A conversation behind EHLO (LHLO over LMTP). */
export function ready(options: TalkOptions = {}): Talk {
  const talk = greeted(options)
  talk.say(options.profile === 'lmtp' ? 'LHLO client.example' : 'EHLO client.example')
  return talk
}

/** A conversation with a transaction and one recipient. */
export function addressed(options: TalkOptions = {}, mail = 'MAIL FROM:<a@client.example>'): Talk {
  const talk = ready(options)
  talk.say(mail, 'RCPT TO:<b@example.org>')
  return talk
}

/** The codes of the replies in a piece of output, one for each reply. */
export function codes(output: string): string[] {
  return output.split('\r\n').filter((line) => line.charAt(3) === ' ').map((line) => line.slice(0, 3))
}
