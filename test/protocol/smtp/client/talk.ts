import type { AnswerTo, BodyRange, Output } from '../../../../src/protocol/session/session.ts'
import type { TlsFacts } from '../../../../src/protocol/session/tls.ts'
import {
  type ClientMessage,
  type SmtpClientEvent,
  smtpClientConfig,
  type SmtpClientOptions,
  type SmtpClientPeer,
  smtpClientSession,
} from '../../../../src/protocol/smtp/index.ts'

export type ClientKind = SmtpClientEvent['kind']
export type ClientEventOf<K extends ClientKind> = Extract<SmtpClientEvent, { kind: K }>

export const facts: TlsFacts = { protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }

/** Octets of a text whose code units are octets. */
export const octetsOf = (text: string): Uint8Array => Uint8Array.from(text, (unit) => unit.charCodeAt(0))

/** What a session says, an octet a code unit. */
export function textOf(output: readonly (Output | BodyRange)[]): string {
  return output.map((piece) => (typeof piece === 'string' ? piece : Buffer.from(piece as Uint8Array).toString('latin1'))).join('')
}

/** `b@example.org` as an address. */
export function addressOf(text: string): { local: string; domain: string } {
  const at = text.lastIndexOf('@')
  return { local: text.slice(0, at), domain: text.slice(at + 1) }
}

/** A message from `a@client.example`, in plain text. */
export function messageTo(to: readonly string[], more: Partial<ClientMessage> = {}): ClientMessage {
  return { sender: addressOf('a@client.example'), recipients: to.map(addressOf), content: { encoding: '7bit' }, ...more }
}

/** What the host of a talk says to each kind of question; `'wait'` leaves it open. */
export type ClientAnswers = {
  readonly [K in ClientKind]?: (event: ClientEventOf<K>) => AnswerTo<ClientEventOf<K>> | undefined | 'wait'
}

export interface ClientTalkOptions extends Partial<SmtpClientOptions> {
  readonly peer?: SmtpClientPeer
  readonly answers?: ClientAnswers
  /** Messages that `ready` is answered with, and their content; when there is none left, nothing is. */
  readonly messages?: readonly ClientMessage[]
  readonly content?: readonly string[]
}

/** A client's session and its host in one hand: what the server says comes as text, what the session says too. */
export class ClientTalk {
  readonly session
  readonly events: SmtpClientEvent[] = []
  now = 0
  /** All output so far. */
  said = ''
  private readonly answers: ClientAnswers
  private readonly messages: ClientMessage[]

  constructor(options: ClientTalkOptions = {}) {
    const { peer = {}, answers = {}, messages = [], content = ['Subject: x\r\n\r\nText\r\n'], ...rest } = options
    this.messages = [...messages]
    let given = 0
    this.answers = {
      ready: () => this.messages.shift() ?? 'wait',
      content: () => {
        const bytes = octetsOf(content[given++ % content.length]!)
        return { bytes, last: given % content.length === 0 }
      },
      ...answers,
    }
    this.session = smtpClientSession(smtpClientConfig({ hello: 'client.example', tls: 'never', ...rest }), peer, this.now)
  }

  /** The server says these lines. */
  hear(...lines: readonly string[]): string {
    return this.send(lines.map((line) => `${line}\r\n`).join(''))
  }

  /** The server sends octets; what comes of it. */
  send(text: string): string {
    this.session.receive(this.now, octetsOf(text))
    return this.pump()
  }

  /** The server closes its side. */
  end(): string {
    this.session.receiveEnd(this.now)
    return this.pump()
  }

  /** The connection breaks. */
  cut(): string {
    this.session.disconnect(this.now)
    return this.pump()
  }

  wait(milliseconds: number): string {
    this.now += milliseconds
    this.session.advance(this.now)
    return this.pump()
  }

  secured(): string {
    this.session.tlsEstablished(this.now, facts)
    return this.pump()
  }

  answer<K extends ClientKind>(question: ClientEventOf<K>, answer?: AnswerTo<ClientEventOf<K>>): string {
    this.session.answer(question, answer as AnswerTo<ClientEventOf<K>>)
    return this.pump()
  }

  pump(): string {
    let out = ''
    for (;;) {
      for (let event = this.session.next(); event; event = this.session.next()) {
        this.events.push(event)
        if (!('id' in event)) continue
        const answer = (this.answers[event.kind] as ((event: SmtpClientEvent) => unknown) | undefined)?.(event)
        if (answer !== 'wait') this.session.answer(event, answer as never)
      }
      const output = this.session.takeOutput()
      if (output.length === 0) break
      out += textOf(output)
    }
    this.said += out
    return out
  }

  kinds(): string[] {
    return this.events.map((event) => event.kind)
  }

  all<K extends ClientKind>(kind: K): ClientEventOf<K>[] {
    return this.events.filter((event): event is ClientEventOf<K> => event.kind === kind)
  }

  last<K extends ClientKind>(kind: K): ClientEventOf<K> {
    const found = this.all(kind).at(-1)
    if (!found) throw new Error(`no ${kind} among ${this.kinds().join(', ')}`)
    return found
  }

  /** What became of the recipients, one text each: `0: accepted content 250 2.0.0`. */
  outcomes(): string[] {
    return this.all('outcome').map(({ recipient, result, phase, reason, code, status }) =>
      [`${recipient}: ${result}`, phase, ...(reason === undefined ? [] : [reason]), code, status].join(' '))
  }

  /** How the conversation ended, or nothing: `failed tls tls-not-offered`. */
  ended(): string | undefined {
    const failed = this.all('failed').at(-1)
    const closed = this.all('closed').at(-1)
    if (failed !== undefined) return `failed ${failed.phase} ${failed.reason}${closed === undefined ? ', open' : ''}`
    return closed?.why
  }
}

/** A conversation behind the server's greeting and its answer to EHLO. */
export function greeted(options: ClientTalkOptions = {}, ...offers: readonly string[]): ClientTalk {
  const talk = new ClientTalk(options)
  talk.pump()
  talk.hear('220 mx.example.org ESMTP')
  talk.hear(...ehlo(...offers))
  return talk
}

/** The reply to EHLO that offers this. */
export function ehlo(...offers: readonly string[]): string[] {
  const lines = ['mx.example.org', ...offers]
  return lines.map((line, at) => `250${at === lines.length - 1 ? ' ' : '-'}${line}`)
}
