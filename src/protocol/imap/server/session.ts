import { channelOf, type SaslChannel } from '../../sasl/channel.ts'
import { type Awaited, CommandSession, WAIT } from '../../session/command-session.ts'
import { Outbox } from '../../session/outbox.ts'
import type { TlsFacts } from '../../session/tls.ts'
import type { Tell } from '../../session/told.ts'
import { capabilitiesOf } from '../capabilities.ts'
import type { ImapServerConfig } from '../config.ts'
import { responseText } from '../encode.ts'
import type { ImapCloseReason, ImapServerEvent } from '../events.ts'
import { type Announced, Fragments } from '../fragments.ts'
import type { NameForm } from '../mailbox-name.ts'
import type { Reader } from '../reader.ts'
import type { Asked, ImapQuestion, Wait } from '../run.ts'
import { CommandReading } from './command-reading.ts'
import { commandNamed } from './commands/index.ts'
import type { Enabled, Invocation, Selected } from './context.ts'
import { greeting } from './greeting.ts'
import type { Notified } from './notified.ts'
import { tellNews } from './notifying.ts'
import { execute, heard, isWait, type Runner, type Said } from './running.ts'
import type { ImapPeer, ImapServerSession } from './session-types.ts'
import { SpareSet } from './spare.ts'
import { deadlineOf } from './waiting.ts'

/*
 * The server's side of an IMAP conversation. A command runs once it is whole or, where it streams, once it has begun; at its end
 * what is new in the mailbox is told, then the tagged response. The states of RFC 9051 §3 follow from what is known: no account,
 * an account, a selected mailbox.
 */

const NOTHING_SAID: ReadonlyMap<string, string | undefined> = new Map()

/** Begins a conversation: its first event is the `connect` question. */
export function imapServerSession(config: ImapServerConfig, peer: ImapPeer, now: number): ImapServerSession {
  return new ServerSession(config, peer, now)
}

class ServerSession
  extends CommandSession<ImapServerEvent, Wait, ImapCloseReason, Fragments>
  implements ImapServerSession, Runner
{
  readonly config: ImapServerConfig
  channel: SaslChannel
  client: ReadonlyMap<string, string | undefined> = NOTHING_SAID
  account: string | undefined
  selected: Selected | undefined
  readonly enabled = new SpareSet<Enabled>()
  notify: Notified | undefined
  accountChanged = false
  quietUntil = 0
  compressed = false
  failedAuth = 0
  logIns = 0
  readonly reading: CommandReading
  /** Messages have come in, or come in, that were not appended. */
  private uploading = false
  private errors = 0
  private commands = 0
  /** What is said where it is to end at a safe point. */
  private parting = 'Server shutting down'
  /** While something is told between two commands: when the last of them ended. */
  private heardAt: number | undefined

  constructor(config: ImapServerConfig, peer: ImapPeer, now: number) {
    super(now, new Fragments(), new Outbox())
    this.config = config
    this.channel = channelOf(peer.secure ?? peer.tls !== undefined, peer.tls)
    this.reading = new CommandReading(this.input, config.literals)
    this.run = greeting(this)
  }

  get fragments(): Fragments {
    return this.input
  }

  override receive(now: number, bytes: Uint8Array): void {
    // A message that nobody wants any more takes the time it takes (I2).
    if (this.begunAt !== undefined && this.account !== undefined && this.input.inLiteral) this.begunAt = now
    super.receive(now, bytes)
  }

  dismiss(now: number, text: string): void {
    this.parting = text
    this.drain(now)
  }

  changed(mailbox: string): void {
    if (this.selected?.mailbox === mailbox) this.selected.changed = true
  }

  changedAnywhere(now: number): void {
    this.now = now
    this.accountChanged = true
  }

  noted(now: number, mailbox: string | undefined, entries: readonly string[]): void {
    this.now = now
    this.notify?.note(mailbox, entries)
  }

  // What commands use.

  get nameForm(): NameForm {
    return this.enabled.has('UTF8=ACCEPT') || this.enabled.has('IMAP4REV2') ? 'utf-8' : 'utf-7'
  }

  say(line: string): void {
    this.write(`${line}\r\n`)
  }

  writeBody(message: string, start: number, end: number): void {
    this.outbox.writeBody(message, start, end)
  }

  override emit(event: ImapServerEvent): void {
    if (event.kind === 'upload') this.uploading = true
    else if (event.kind === 'abandoned') this.uploading = false
    super.emit(event)
  }

  close(why: ImapCloseReason, text: string, limit?: string): void {
    if (this.isOver) return
    if (text !== '') this.say(`* BYE ${responseText(text)}`)
    if (limit !== undefined || why === 'protocol') this.tellRefusal('BYE', undefined, text, limit)
    this.end(why)
  }

  forgetAccount(): void {
    this.account = undefined
    this.enabled.clear()
    this.notify = undefined
    // As if it had just connected.
    this.began = this.now
    this.commands = 0
  }

  capabilities(): string {
    const { account, client, channel, compressed } = this
    return capabilitiesOf(this.config, { secure: channel.secure, account, client, compressed }, channel)
  }

  // How it goes on.

  protected get tell(): Tell | undefined {
    return this.config.tell
  }

  protected get unavailable(): string {
    return 'UNAVAILABLE'
  }

  protected isWait(step: Asked | Wait): step is Wait {
    return isWait(step)
  }

  protected lastMoment(): number {
    const at = deadlineOf(this)
    // What is due is told as soon as there is room for it, and needs no alarm.
    return this.newsAt > this.now ? Math.min(at, this.newsAt) : at
  }

  protected late(waiting: Wait | undefined): void {
    if (waiting?.kind === 'news') this.resume('time')
    else if (waiting?.kind === 'pause') this.resume(undefined)
    else this.close('timeout', this.account !== undefined && this.begunAt === undefined ? 'Idle timeout' : 'Too slow', 'timeout')
  }

  /** RFC 9051 §6.2.1: nothing that was learned in the clear counts. */
  protected secured(tls: TlsFacts): void {
    this.client = NOTHING_SAID
    this.enabled.clear()
    this.channel = channelOf(true, tls)
  }

  protected override end(why: ImapCloseReason): void {
    if (this.isOver) return
    const isAsked = this.waiting !== undefined && 'id' in this.waiting
    super.end(why)
    if (this.uploading && !isAsked) this.emit({ kind: 'abandoned', why: 'end' })
    if (this.selected !== undefined) this.emit({ kind: 'unselected', mailbox: this.selected.mailbox })
    this.selected = undefined
  }

  protected override begin(wanted: Awaited<ImapServerEvent, Wait>): void {
    super.begin(wanted)
    if (wanted.kind === 'append' || wanted.kind === 'replace') this.uploading = false
    if (wanted.kind !== 'literal' && wanted.kind !== 'stream' && wanted.kind !== 'skip') return
    const { octets, waits } = wanted.announced
    this.input[wanted.kind === 'literal' ? 'collect' : wanted.kind](octets)
    if (waits) this.say('+ Go on')
  }

  protected hear(waiting: Wait | ImapQuestion): ImapServerEvent | undefined | typeof WAIT {
    switch (waiting.kind) {
      case 'room':
        return void this.resume(undefined)
      case 'line':
        // Of an exchange that is to log somebody in nothing is lost.
        if (this.draining && this.input.begun === 0) return void this.close('drained', this.parting)
        return this.hearLine()
      case 'rest':
        return this.hearLine()
      case 'news':
        if (this.newsAt <= this.now) return void this.resume('changed')
        if (this.draining) return void this.close('drained', this.parting)
        return this.hearLine()
      case 'literal':
      case 'stream':
      case 'skip':
        return this.hearLiteral()
      default:
        return this.inputEnded && waiting.kind === 'tls' ? void this.end('end') : WAIT
    }
  }

  private hearLine(): undefined | typeof WAIT {
    const piece = this.input.next(this.most[0])
    if (piece === undefined) return this.starved()
    this.since = this.now
    if (piece.kind === 'misannounced') return void this.close('protocol', 'A literal that cannot be')
    this.reading.announced = 'literal' in piece ? (piece.literal as Announced | undefined) : undefined
    this.resume(heard(piece))
    return undefined
  }

  private hearLiteral(): ImapServerEvent | undefined | typeof WAIT {
    const piece = this.input.next(0)
    if (piece === undefined) return this.starved()
    this.waitingSince = this.now
    if (piece.kind === 'octets') return { kind: 'body', bytes: piece.bytes }
    return void this.resume(piece.kind === 'literal' ? piece.octets : undefined)
  }

  /** Octets of a line, and of the literals of a command. */
  private get most(): readonly [line: number, literals: number] {
    const { limits } = this.config
    if (this.account === undefined) return [limits.lineOctetsBefore, limits.literalOctetsBefore]
    return [limits.lineOctets, limits.literalOctets]
  }

  /** When the client is to hear what is new, where it does not wait for a command's end. */
  private get newsAt(): number {
    const { selected, notify, config } = this
    const isWanted = notify === undefined ? this.waiting?.kind === 'news' : notify.wanted.selected !== undefined
    const here = isWanted && selected?.changed === true ? this.quietUntil : Infinity
    return Math.min(here, notify?.dueAt(this.accountChanged, config.timeouts.alive) ?? Infinity)
  }

  protected readCommand(): ImapServerEvent | undefined | typeof WAIT {
    const { reading } = this
    // What was told meanwhile is no sign of life of the client's.
    if (this.heardAt !== undefined) this.since = this.heardAt
    this.heardAt = undefined
    if (this.draining && reading.between) return void this.close('drained', this.parting)
    const read = reading.next(...this.most)
    if (read === undefined) {
      if (this.input.begun > 0 || !reading.between) this.begunAt ??= this.now
      if (reading.between && !this.inputEnded && this.newsAt <= this.now) return this.beginNews()
      return this.starved()
    }
    this.since = this.now
    switch (read.kind) {
      case 'continue':
        this.say('+ Go on')
        return undefined
      case 'refused':
        this.tellCommand(undefined, reading.octets)
        this.complain(read.tag, { text: read.text, limit: this.limitNamed(read.limit) })
        if (read.fatal) this.close('protocol', read.text)
        return undefined
      default:
        this.begunAt = undefined
        return this.begunCommand(read.tag, read.name, read.reader, { tag: read.tag, announced: read.announced })
    }
  }

  private beginNews(): undefined {
    this.heardAt = this.since
    this.run = tellNews(this, false)
    return undefined
  }

  private begunCommand(tag: string, name: string, reader: Reader, invocation: Invocation): undefined {
    const command = commandNamed(name)
    this.tellCommand(command && name, this.reading.octets)
    if (++this.commands > this.config.limits.commandsBefore && this.account === undefined) {
      return void this.close('limit', 'Too many commands before log-in', 'commandsBefore')
    }
    const state = this.selected ? 'selected' : this.account !== undefined ? 'authenticated' : 'not authenticated'
    if (command === undefined) this.refuseCommand(tag, { text: 'Unknown command' }, invocation)
    else if (!command.states.includes(state)) this.refuseCommand(tag, { text: `Not in this state: ${state}` }, invocation)
    else if (command.bySequence === true && this.enabled.has('UIDONLY')) {
      // RFC 9586 §3.2.
      this.refuseCommand(tag, { text: 'Sequence numbers mean nothing any more', code: 'UIDREQUIRED' }, invocation)
    }
    else this.run = execute(this, command, reader, invocation)
    return undefined
  }

  private refuseCommand(tag: string, why: Said, invocation: Invocation): void {
    this.reading.passOver(invocation.announced)
    this.complain(tag, why)
  }

  complain(tag: string, { text, code, told = text, limit }: Said): void {
    this.say(`${tag} BAD ${code === undefined ? '' : `[${code}] `}${responseText(text)}`)
    this.tellRefusal('BAD', code, told, limit)
    if (++this.errors >= this.config.limits.errors) this.close('errors', 'Too many errors', 'errors')
  }

  /** A bound that differs before and after log-in. */
  private limitNamed(limit: 'lineOctets' | 'literalOctets' | undefined): string | undefined {
    return limit !== undefined && this.account === undefined ? `${limit}Before` : limit
  }
}
