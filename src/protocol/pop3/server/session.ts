import { Input } from '../../bytes/input.ts'
import { asciiUpper } from '../../bytes/text.ts'
import { channelOf, type SaslChannel } from '../../sasl/channel.ts'
import { CommandSession, MOST_HELD, WAIT } from '../../session/command-session.ts'
import { Outbox } from '../../session/outbox.ts'
import { Refused } from '../../session/refusal.ts'
import type { Session } from '../../session/session.ts'
import type { TlsFacts } from '../../session/tls.ts'
import type { Tell } from '../../session/told.ts'
import type { Pop3ServerConfig } from '../config.ts'
import type { Pop3CloseReason, Pop3ServerEvent } from '../events.ts'
import type { Maildrop } from '../maildrop.ts'
import { replyLine } from '../reply.ts'
import { type Asked, err, Mistaken, mistake, type Pop3Question, type Result, type Run, tooLong, type Wait } from '../run.ts'
import { commandNamed } from './commands/index.ts'
import type { Command, Pop3Context } from './context.ts'
import { greeting } from './greeting.ts'
import { deadlineOf, type Patience } from './waiting.ts'

/*
 * The server's side of a POP3 conversation. One command runs at a time, in the order in which they came; what the client
 * pipelines waits in the input.
 *
 *   state (RFC 1939 §3)   what is known        commands                            ends with
 *   AUTHORIZATION         no maildrop          USER PASS AUTH STLS UTF8 CAPA QUIT   the maildrop that `open` gives; QUIT
 *   TRANSACTION           a maildrop           STAT LIST UIDL RETR TOP DELE …       QUIT
 *   UPDATE                QUIT is at work      none                                 the answer to `expunge`
 *
 * Any other end deletes nothing.
 */

/** What the session must know of its connection. */
export interface Pop3Peer {
  readonly tls?: TlsFacts
  /** Encrypted, though nothing is known of how. */
  readonly secure?: boolean
}

const waits: ReadonlySet<string> = new Set<Wait['kind']>(['line', 'pause', 'room', 'tls'])

/** Begins a conversation: its first event is the `connect` question. */
export function pop3ServerSession(config: Pop3ServerConfig, peer: Pop3Peer, now: number): Session<Pop3ServerEvent> {
  return new ServerSession(config, peer, now)
}

class ServerSession
  extends CommandSession<Pop3ServerEvent, Wait, Pop3CloseReason, Input>
  implements Session<Pop3ServerEvent>, Pop3Context, Patience
{
  readonly config: Pop3ServerConfig
  channel: SaslChannel
  username: string | undefined
  utf8 = false
  maildrop: Maildrop | undefined
  failedAuth = 0
  private errors = 0
  private commands = 0

  constructor(config: Pop3ServerConfig, peer: Pop3Peer, now: number) {
    super(now, new Input(), new Outbox())
    this.config = config
    this.channel = channelOf(peer.secure ?? peer.tls !== undefined, peer.tls)
    this.run = greeting(this)
  }

  get isLoggedIn(): boolean {
    return this.maildrop !== undefined
  }

  close(why: Pop3CloseReason, last?: Result): void {
    if (last !== undefined) this.reply(last)
    this.end(why)
  }

  // How it goes on.

  protected get tell(): Tell | undefined {
    return this.config.tell
  }

  protected get unavailable(): string {
    return 'SYS/TEMP'
  }

  protected isWait(step: Asked | Wait): step is Wait {
    return waits.has(step.kind)
  }

  protected lastMoment(): number {
    return deadlineOf(this)
  }

  protected late(waiting: Wait | undefined): void {
    if (waiting?.kind === 'pause') this.resume(undefined)
    // RFC 1939 §3: without a response, and without the UPDATE state.
    else {
      this.tellRefusal('', undefined, '', 'timeout')
      this.end('timeout')
    }
  }

  /** RFC 2595 §4: nothing that was learned in the clear counts. */
  protected secured(tls: TlsFacts): void {
    this.username = undefined
    this.utf8 = false
    this.channel = channelOf(true, tls)
  }

  protected override end(why: Pop3CloseReason): void {
    super.end(why)
    this.maildrop = undefined
  }

  protected hear(waiting: Wait | Pop3Question): undefined | typeof WAIT {
    if (waiting.kind === 'room') return void this.resume(undefined)
    if (waiting.kind === 'line') {
      const line = this.readLine()
      if (line === undefined) return this.starved()
      return void this.resume(line.octets > this.config.limits.authOctets ? undefined : line.text)
    }
    return waiting.kind === 'tls' ? this.starved() : WAIT
  }

  /** The next line without its end, as far as any line may be long. None of any length is waited for. */
  private readLine(): { readonly text: string; readonly octets: number } | undefined {
    const { input } = this
    const { lineOctets, authOctets } = this.config.limits
    const line = input.line(Math.max(lineOctets, authOctets))
    if ((line === undefined ? input.begun : input.lineOctets) > MOST_HELD) {
      this.close('limit', tooLong('lineOctets'))
      return undefined
    }
    return line === undefined ? undefined : { text: line.endsWith('\r') ? line.slice(0, -1) : line, octets: input.lineOctets }
  }

  protected readCommand(): undefined | typeof WAIT {
    if (this.draining) return void this.close('drained', err('Server shutting down', 'SYS/TEMP'))
    const line = this.readLine()
    if (line === undefined) {
      if (this.input.begun > 0) this.begunAt ??= this.now
      return this.starved()
    }
    this.begunAt = undefined
    this.since = this.waitingSince = this.now
    if (++this.commands > this.config.limits.commandsBefore && !this.isLoggedIn) {
      return void this.close('limit', { ...err('Too many commands before log-in'), limit: 'commandsBefore' })
    }
    this.run = this.execute(line.text, line.octets)
    return undefined
  }

  private *execute(line: string, octets: number): Run<void> {
    const result = yield* this.result(line, octets)
    if (result === undefined || this.isOver) return
    this.reply(result)
    if (result.mistaken !== true || ++this.errors < this.config.limits.errors) return
    this.tellRefusal('', undefined, '', 'errors')
    this.end('errors')
  }

  /** Says how a command ends, and tells those who watch where that concerns them. */
  private reply(result: Result): void {
    if (this.isOver) return
    this.write(replyLine(result))
    const { fine, mistaken, told, limit, code, text } = result
    if (!fine && (mistaken === true || told === true || limit !== undefined)) this.tellRefusal('-ERR', code, text, limit)
  }

  private *result(line: string, octets: number): Run<Result | undefined> {
    const space = line.indexOf(' ')
    const name = asciiUpper(space < 0 ? line : line.slice(0, space))
    const command: Command | undefined = commandNamed(name)
    this.tellCommand(command?.name, octets)
    const most = name === 'AUTH' ? 'authOctets' : 'lineOctets'
    if (octets > this.config.limits[most]) return tooLong(most)
    if (command === undefined) return mistake('Unknown command')
    if (!command.states.includes(this.isLoggedIn ? 'transaction' : 'authorization')) {
      return mistake(this.isLoggedIn ? 'Only before log-in' : 'Log in first')
    }
    try {
      return yield* command.run(this, space < 0 ? '' : line.slice(space + 1))
    } catch (error) {
      if (error instanceof Mistaken) return mistake(error.message)
      if (error instanceof Refused) return err(error.message, error.code)
      throw error
    }
  }
}
