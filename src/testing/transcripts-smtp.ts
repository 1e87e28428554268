import { octets, octetString } from '../protocol/bytes/text.ts'
import type { SaslSecret } from '../protocol/sasl/index.ts'
import { MailError } from '../protocol/session/errors.ts'
import type { TlsFacts } from '../protocol/session/tls.ts'
import {
  encodePath,
  type MailParameters,
  parseReply,
  type RecipientParameters,
  type Reply,
  smtpServerConfig,
  type SmtpServerConfig,
  type SmtpServerEvent,
  type SmtpServerOptions,
  smtpServerSession,
} from '../protocol/smtp/index.ts'
import { namedMechanisms, readSecret, readTlsFacts } from './transcripts-sasl.ts'
import type { Transcript, TranscriptStep } from './transcripts.ts'

/** What came of one step. */
export interface StepResult {
  readonly output: string
  readonly events: readonly string[]
}

/** How the octets of a step are handed over: in pieces; `burst`: all pieces before the session is asked for events. */
export interface Cut {
  readonly pieces: (octets: string, step: number) => readonly string[]
  readonly burst?: boolean
}

/** A transcript made ready to be run as often as wanted. */
export interface SmtpPlay {
  readonly transcript: Transcript
  /** Runs it; what came of each step. */
  run(steps: readonly TranscriptStep[], cut: Cut): StepResult[]
}

/** Reads the settings of a transcript: options of `smtpServerConfig`, facts of the peer, answers of the host. */
export function smtpPlay(transcript: Transcript): SmtpPlay {
  const options: Record<string, unknown> = { hostname: 'mx.example.org' }
  const peer: Record<string, unknown> = {}
  const answers: [string, string][] = []
  let tls = readTlsFacts('{}')
  for (const [name, value] of transcript.config) {
    if (name.startsWith('answer ')) answers.push([name.slice(7), value])
    else if (name === 'peer.tls') peer['tls'] = readTlsFacts(value)
    else if (name.startsWith('peer.')) peer[name.slice(5)] = JSON.parse(value)
    else if (name === 'auth') set(options, 'auth.mechanisms', namedMechanisms(value))
    else if (name === 'tls') tls = readTlsFacts(value)
    else if (name !== 'splits') set(options, name, parsed(value))
  }
  // What says more about an event goes before what says less.
  answers.sort(([one], [other]) => other.length - one.length)
  const config = smtpServerConfig(options as unknown as SmtpServerOptions)
  return { transcript, run: (steps, cut) => new Run(config, peer, answers, tls).all(steps, cut) }
}

function set(options: Record<string, unknown>, name: string, value: unknown): void {
  const dot = name.indexOf('.')
  if (dot < 0) options[name] = value
  else set((options[name.slice(0, dot)] ??= {}) as Record<string, unknown>, name.slice(dot + 1), value)
}

function parsed(value: string): unknown {
  if (value === 'Infinity') return Infinity
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

/** One run of one transcript. */
class Run {
  private readonly session
  private readonly answers: readonly (readonly [string, string])[]
  private readonly tls: TlsFacts
  private readonly asked: (SmtpServerEvent & { id: number })[] = []
  private events: string[] = []
  private body: string | undefined
  private output = ''
  private now = 0

  constructor(config: SmtpServerConfig, peer: object, answers: readonly (readonly [string, string])[], tls: TlsFacts) {
    this.answers = answers
    this.tls = tls
    this.session = smtpServerSession(config, peer, this.now)
  }

  all(steps: readonly TranscriptStep[], cut: Cut): StepResult[] {
    return steps.map((step, at) => {
      if (step.happens !== undefined) this.happen(step.happens)
      else if (step.octets !== undefined) this.send(cut.pieces(step.octets, at), cut.burst ?? false)
      this.pump()
      this.closeBody()
      const result = { output: this.output, events: this.events }
      this.output = ''
      this.events = []
      return result
    })
  }

  private send(pieces: readonly string[], burst: boolean): void {
    for (const piece of pieces) {
      this.session.receive(this.now, octets(piece))
      if (!burst) this.pump()
    }
  }

  private pump(): void {
    const { session } = this
    for (;;) {
      for (let event = session.next(); event; event = session.next()) this.take(event)
      const [output] = session.takeOutput()
      if (output === undefined) return
      this.output += output as string
    }
  }

  private take(event: SmtpServerEvent): void {
    if (event.kind === 'body') {
      this.body = (this.body ?? '') + octetString(event.bytes)
      return
    }
    this.closeBody()
    // How much of a refused content came before depends on how it was cut.
    if (event.kind === 'abandoned' && event.why === 'refused' && this.events.at(-1)?.startsWith('body ')) this.events.pop()
    const told = describeEvent(event, this.asked)
    this.events.push(told)
    if (!('id' in event)) return
    this.asked.push(event)
    const answer = this.answers.find(([about]) => told === about || told.startsWith(`${about} `))?.[1]
    if (answer !== 'wait') this.session.answer(event, (answer === undefined ? undefined : readAnswer(answer)) as never)
  }

  private closeBody(): void {
    if (this.body !== undefined) this.events.push(`body ${JSON.stringify(this.body)}`)
    this.body = undefined
  }

  private happen(words: string): void {
    const { session } = this
    const [what = '', first = '', second = '', ...rest] = words.split(' ')
    const question = (): SmtpServerEvent & { id: number } => this.asked.filter(({ kind }) => kind === first)[Number(second) - 1]!
    if (what === 'wait') session.advance((this.now += Number(first)))
    else if (what === 'end') session.receiveEnd(this.now)
    else if (what === 'disconnect') session.disconnect(this.now)
    else if (what === 'drain') session.drain(this.now)
    else if (what === 'tls') session.tlsEstablished(this.now, this.tls)
    else if (what === 'fail') session.fail(question())
    else if (what === 'answer') session.answer(question(), readAnswer(rest.join(' ')) as never)
    else throw new MailError('config', `nothing happens that is called ${JSON.stringify(words)}.`)
  }
}

/** `account NAME`, a secret, or replies with ` | ` between them; `ok` is no answer at all. */
function readAnswer(text: string): { account: string } | SaslSecret | Reply | readonly Reply[] | undefined {
  if (text === 'ok') return undefined
  if (text.startsWith('account ')) return { account: text.slice(8) }
  const secret = readSecret(text)
  if (secret) return secret
  const answers = text.split(' | ').map((line) => {
    const reply = parseReply([line])
    if (!reply) throw new MailError('config', `${JSON.stringify(line)} is no reply.`)
    return reply
  })
  return answers.length === 1 ? answers[0] : answers
}

/** An event in a line, as transcripts write it. */
function describeEvent(event: SmtpServerEvent, asked: readonly (SmtpServerEvent & { id: number })[]): string {
  switch (event.kind) {
    case 'hello':
      return `hello ${event.verb} ${event.name}`
    case 'auth': {
      const { kind, mechanism, username, authorizeAs } = event.credentials
      const shown = kind === 'password' ? event.credentials.password : kind === 'token' ? event.credentials.token : kind
      const other = authorizeAs === undefined ? '' : ` as ${authorizeAs}`
      return `auth ${mechanism} ${username === '' ? '-' : username} ${shown}${other}`
    }
    case 'secret':
      return `secret ${event.lookUp.mechanism} ${event.lookUp.username}`
    case 'sender':
      return `sender ${encodePath(event.sender)}${route(event.sender?.wire)}${parameters(event.parameters)}`
    case 'recipient':
      return `recipient ${encodePath(event.recipient)}${route(event.recipient.wire)}${parameters(event.parameters)}`
    case 'body':
      return `body ${event.bytes.length}`
    case 'message':
      return `message for ${event.recipients}:${values(event.facts)}`
    case 'verify':
    case 'expand':
      return `${event.kind} ${event.text}`
    case 'command':
      return `command ${event.verb} ${event.text}`.trimEnd()
    case 'xclient':
    case 'xforward':
      return `${event.kind}${[...event.attributes].map(([name, value]) => ` ${name}=${value ?? '?'}`).join('')}`
    case 'abandoned': {
      const question = asked.find(({ id }) => id === event.question)
      return `abandoned ${event.why}${question ? ` ${question.kind}` : ''}`
    }
    case 'closed':
      return `closed ${event.why}`
    default:
      return event.kind
  }
}

/** A source route, which the address itself no longer shows. */
const route = (wire: string | undefined): string => (wire?.startsWith('@') ? ` by ${wire.slice(0, wire.indexOf(':'))}` : '')

function parameters(given: MailParameters | RecipientParameters): string {
  const { other, ...rest } = given
  return values({ ...rest, ...Object.fromEntries(other) })
}

/** `name=value` of all that says something. */
function values(facts: object): string {
  let out = ''
  for (const [name, value] of Object.entries(facts)) {
    if (value === false || value === 0 || (name === 'body' && value === '7BIT')) continue
    const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
    out += value === true ? ` ${name}` : ` ${name}=${text}`
  }
  return out
}
