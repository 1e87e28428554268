import { MailError } from '../protocol/session/errors.ts'
import { anObject, checkOptions, having, oneOf, orFalse, shownValue } from '../protocol/session/options.ts'
import type { MarkedEvent, Observer, ServerEvent } from './events.ts'

/** From the most to the least talkative. */
export const logLevels: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error']

/** How much a line matters. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/** Writes a line: facts, and what they are about. */
export type LogMethod = (facts: object, message: string) => void

/** What pino and its like offer: a method for each level. */
export type Logger = { readonly [Level in LogLevel]: LogMethod }

/** What of a server's events goes to the log. */
export interface LoggerOptions {
  /** The least level that is written (default `info`). From `debug` on every command is told. */
  readonly level?: LogLevel
  /** Levels other than those of {@link levelOf}; `false` leaves a kind of event out. */
  readonly levels?: { readonly [Kind in ServerEvent['kind']]?: LogLevel | false }
}

type Levels = { readonly [Kind in ServerEvent['kind']]: LogLevel }

/** A connection that misbehaves is no trouble of ours; a delivery that fails is. */
const usual: Levels = {
  listening: 'info',
  connected: 'debug',
  proxied: 'debug',
  turnedAway: 'info',
  secured: 'debug',
  compressed: 'debug',
  authenticated: 'info',
  denied: 'info',
  guessing: 'warn',
  command: 'debug',
  refused: 'info',
  limited: 'info',
  accepted: 'info',
  filtered: 'info',
  explained: 'debug',
  marked: 'info',
  attempt: 'info',
  reported: 'info',
  site: 'warn',
  bounced: 'info',
  quota: 'warn',
  certificate: 'debug',
  certificatesReloaded: 'info',
  keysReloaded: 'info',
  unsigned: 'info',
  scanner: 'info',
  failed: 'warn',
  closed: 'debug',
  stopped: 'info',
}

/** What a line of the log says. */
const messages: Readonly<Record<ServerEvent['kind'], string>> = {
  listening: 'listening',
  connected: 'connected',
  proxied: 'speaks for another client',
  turnedAway: 'turned away',
  secured: 'TLS established',
  compressed: 'compression established',
  authenticated: 'logged in',
  denied: 'log-in refused',
  guessing: 'passwords are being guessed',
  command: 'command',
  refused: 'refused',
  limited: 'limit reached',
  accepted: 'message accepted',
  filtered: 'message filtered',
  explained: 'explained',
  marked: 'marked as junk',
  attempt: 'delivery tried',
  reported: 'sender told',
  site: 'site changed',
  bounced: 'message came back',
  quota: 'mailbox is filling up',
  certificate: 'certificate',
  certificatesReloaded: 'certificates reloaded',
  keysReloaded: 'DKIM keys reloaded',
  unsigned: 'sent unsigned',
  scanner: 'scanner answers again',
  failed: 'failed',
  closed: 'connection closed',
  stopped: 'stopped',
}

/** What it says where it tells an error. */
const refused = new Map<ServerEvent['kind'], string>([
  ['certificatesReloaded', 'new certificates are no good'],
  ['keysReloaded', 'new DKIM keys are no good'],
  ['scanner', 'scanner is not asked for a while'],
])

/**
 * How much an event matters:
 *
 * - `debug`: the course of connections, commands, refusals for breaking the protocol
 * - `info`: start and stop, log-ins, acceptance, refusals, limits, what people mark as junk and as not junk
 * - `warn`: what failed, scanners that do not answer, passwords being guessed, quotas, conversations cut off by a stop, a
 *   certificate that ends within 14 days
 * - `error`: a delivery that failed, certificates and keys that cannot be used, certificates that are over within a day
 */
export function levelOf(event: ServerEvent): LogLevel {
  switch (event.kind) {
    case 'failed':
      return event.what.startsWith('deliver') ? 'error' : 'warn'
    case 'refused':
      return event.stage === 'protocol' ? 'debug' : 'info'
    case 'certificate':
      return event.within === undefined ? 'debug' : event.within <= 1 ? 'error' : event.within <= 14 ? 'warn' : 'info'
    case 'certificatesReloaded':
    case 'keysReloaded':
      return event.error === undefined ? 'info' : 'error'
    case 'scanner':
      return event.error === undefined ? 'info' : 'warn'
    case 'stopped':
      return event.cut > 0 ? 'warn' : 'info'
    default:
      return usual[event.kind]
  }
}

/** The line that an event makes. Beside what the event says there is `err` in place of `error`, which is where pino looks. */
function lineOf(event: ServerEvent): { readonly facts: object; readonly message: string } {
  if (event.kind === 'marked') return lineOfMarks(event)
  const { kind, at: _, ...facts } = event
  if (kind === 'failed') {
    const { what, error, ...rest } = facts as Omit<Extract<ServerEvent, { kind: 'failed' }>, 'kind' | 'at'>
    return { facts: { ...rest, err: error }, message: `failed: ${what}` }
  }
  if (!('error' in facts)) return { facts, message: messages[kind] }
  const { error, ...rest } = facts
  const message = (error === undefined ? undefined : refused.get(kind)) ?? messages[kind]
  return { facts: error === undefined ? rest : { ...rest, err: error }, message }
}

/** Which messages they are a log need not know: there may be hundreds. */
function lineOfMarks({ kind: _1, at: _2, uids: _3, messages: ids, ...facts }: MarkedEvent): { facts: object; message: string } {
  return { facts: { ...facts, messages: ids.length }, message: facts.as === 'junk' ? messages.marked : 'marked as not junk' }
}

/**
 * Writes what happens to a log: pino's, or anything else with its five methods. Without it a server is silent.
 *
 * @throws MailError `config` for what is no log
 */
export function logger(log: Logger, options: LoggerOptions = {}): Observer {
  if (!having('a log', ...logLevels).is(log)) {
    throw new MailError('config', `logger: ${shownValue(log)} is no log; one has the methods ${logLevels.join(', ')}.`)
  }
  const aLevel = oneOf(...logLevels)
  checkOptions('logger', options, { level: aLevel, levels: anObject })
  const { level: least = 'info', levels = {} } = options
  checkOptions('levels', levels, Object.fromEntries(Object.keys(usual).map((kind) => [kind, orFalse(aLevel)])))
  const from = logLevels.indexOf(least)
  const isWritten = (level: LogLevel | false): level is LogLevel => level !== false && logLevels.indexOf(level) >= from
  const observe = (event: ServerEvent): void => {
    const level = levels[event.kind] ?? levelOf(event)
    if (!isWritten(level)) return
    const { facts, message } = lineOf(event)
    log[level](facts, message)
  }
  return isWritten(levels.command ?? usual.command) ? Object.assign(observe, { commands: true }) : observe
}
