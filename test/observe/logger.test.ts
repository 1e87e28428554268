import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  levelOf, type Logger, logger, type LoggerOptions, type LogLevel, type MarkedEvent, type ServerEvent,
} from '../../src/index.ts'

const whence = { at: 1, connection: 'c', session: 1, address: '192.0.2.1', port: 9, listener: 'mx', account: undefined }
const reply = { code: 550, enhanced: '5.7.1', text: 'No' }
const response = { code: undefined, enhanced: undefined, response: 'NO [LIMIT]', text: 'Too many keywords' }
const marks = { account: 'bob', mailbox: 'm', uids: [{ first: 1, last: 2 }], messages: ['x', 'y'] }
const certificate = { kind: 'certificate', at: 1, source: 'a.crt', names: ['a.test'], expires: 0 } as const
const error = new Error('broke')

/** Each kind of event, with the level and the message of its line. */
const table: readonly (readonly [ServerEvent, LogLevel, string])[] = [
  [
    {
      kind: 'listening', at: 1, listener: 'mx', protocol: 'smtp', address: '::', port: 25, path: undefined, tls: 'none',
    },
    'info',
    'listening',
  ],
  [{ ...whence, kind: 'connected', localPort: 25, proxy: undefined }, 'debug', 'connected'],
  [
    { ...whence, kind: 'proxied', by: 'XFORWARD', proxy: '192.0.2.1', client: '203.0.113.9' },
    'debug',
    'speaks for another client',
  ],
  [{ kind: 'turnedAway', at: 1, listener: 'mx', address: '192.0.2.1', reason: 'handshake', error }, 'info', 'turned away'],
  [
    { ...whence, kind: 'secured', protocol: 'TLSv1.3', cipher: 'x', serverName: undefined, clientCertificate: undefined },
    'debug',
    'TLS established',
  ],
  [{ ...whence, kind: 'compressed', mechanism: 'DEFLATE' }, 'debug', 'compression established'],
  [{ ...whence, kind: 'authenticated', account: 'bob', mechanism: 'PLAIN', username: 'bob' }, 'info', 'logged in'],
  [{ ...whence, kind: 'denied', mechanism: 'PLAIN', username: 'bob', code: 535 }, 'info', 'log-in refused'],
  [{ ...whence, kind: 'command', verb: 'MAIL', octets: 30 }, 'debug', 'command'],
  [{ ...whence, kind: 'refused', stage: 'recipient', policy: 'accepts', ...reply }, 'info', 'refused'],
  [{ ...whence, kind: 'refused', stage: 'protocol', policy: undefined, ...reply }, 'debug', 'refused'],
  [{ ...whence, kind: 'limited', limit: 'recipients', ...reply }, 'info', 'limit reached'],
  [{ ...whence, kind: 'limited', limit: 'keywords', ...response }, 'info', 'limit reached'],
  [{ ...whence, kind: 'marked', as: 'junk', ...marks }, 'info', 'marked as junk'],
  [{ ...whence, kind: 'marked', as: 'notJunk', ...marks }, 'info', 'marked as not junk'],
  [
    {
      ...whence, kind: 'accepted', message: 'c.1', sender: '<>', recipients: ['a@b.test'], octets: 5, took: 1, discarded: false,
    },
    'info',
    'message accepted',
  ],
  [{ kind: 'quota', at: 1, account: 'bob', percent: 90, of: 'octets', used: 9, limit: 10 }, 'warn', 'mailbox is filling up'],
  [{ ...certificate, days: 60, within: undefined }, 'debug', 'certificate'],
  [{ ...certificate, days: 29, within: 30 }, 'info', 'certificate'],
  [{ ...certificate, days: 13, within: 14 }, 'warn', 'certificate'],
  [{ ...certificate, days: 0, within: 1 }, 'error', 'certificate'],
  [{ ...certificate, days: -1, within: 0 }, 'error', 'certificate'],
  [{ kind: 'certificatesReloaded', at: 1, error: undefined }, 'info', 'certificates reloaded'],
  [{ kind: 'certificatesReloaded', at: 1, error }, 'error', 'new certificates are no good'],
  [{ kind: 'keysReloaded', at: 1, error: undefined }, 'info', 'DKIM keys reloaded'],
  [{ kind: 'keysReloaded', at: 1, error }, 'error', 'new DKIM keys are no good'],
  [{ kind: 'scanner', at: 1, scanner: 'clamd', error: undefined }, 'info', 'scanner answers again'],
  [{ kind: 'scanner', at: 1, scanner: 'clamd', error }, 'warn', 'scanner is not asked for a while'],
  [{ kind: 'unsigned', at: 1, reason: 'no-key', messageId: '<a@b>' }, 'info', 'sent unsigned'],
  [{ kind: 'failed', at: 1, what: 'listen', error }, 'warn', 'failed: listen'],
  [{ kind: 'failed', ...whence, what: 'deliver', error }, 'error', 'failed: deliver'],
  [{ ...whence, kind: 'closed', why: 'quit', lasted: 5 }, 'debug', 'connection closed'],
  [{ kind: 'stopped', at: 1, listener: 'mx', completed: 3, cut: 0, took: 7 }, 'info', 'stopped'],
  [{ kind: 'stopped', at: 1, listener: 'mx', completed: 3, cut: 1, took: 7 }, 'warn', 'stopped'],
]

/** How many messages were marked, in place of which. */
function counted({ uids: _, messages, ...event }: MarkedEvent): Record<string, unknown> & Pick<MarkedEvent, 'kind' | 'at'> {
  return { ...event, messages: messages.length }
}

/** What a logger writes, as `[level, facts, message]`. */
function written(options: LoggerOptions | undefined, ...events: readonly ServerEvent[]): [string, object, string][] {
  const lines: [string, object, string][] = []
  const at = (level: LogLevel) => (facts: object, message: string) => void lines.push([level, facts, message])
  const log: Logger = { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const observe = logger(log, options)
  for (const event of events) observe(event)
  return lines
}

describe('the log', () => {
  it.each(table)('of %o', (event, level, message) => {
    expect(levelOf(event)).toBe(level)
    const { kind: _, at: __, ...facts } = event.kind === 'marked' ? counted(event) : event
    const [[wrote, said, text] = ['', {}, '']] = written({ level: 'trace' }, event)
    expect([wrote, text]).toEqual([level, message])
    const { error: err, what: ___, ...rest } = facts as { error?: unknown; what?: string }
    expect(said).toEqual(err === undefined ? rest : { ...rest, err })
  })

  it('is told of in the manual, event by event', () => {
    const manual = readFileSync(new URL('../../docs/deploy/log.md', import.meta.url), 'utf8')
    const told = [...manual.matchAll(/^\| `(\w+)` \|/gm)].map(([, kind]) => kind)
    expect(told.sort()).toEqual([...new Set(table.map(([{ kind }]) => kind))].sort())
  })

  it('is written from info on, unless it is told otherwise', () => {
    const events = table.map(([event]) => event)
    const count = (options?: LoggerOptions): number => written(options, ...events).length
    const atLeast = (...levels: LogLevel[]): number => table.filter(([, level]) => levels.includes(level)).length
    expect(count()).toBe(atLeast('info', 'warn', 'error'))
    expect(count({ level: 'trace' })).toBe(table.length)
    expect(count({ level: 'error' })).toBe(atLeast('error'))
  })

  it('takes other levels for kinds of event, and leaves kinds out', () => {
    const [listening, , , , , , authenticated, denied] = table.map(([event]) => event)
    const options = { levels: { listening: 'error', authenticated: false, denied: 'trace' } } as const
    expect(written(options, listening!, authenticated!, denied!).map(([level]) => level)).toEqual(['error'])
  })

  it('asks for commands only where they would be written', () => {
    const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
    expect(logger(silent).commands).toBeUndefined()
    expect(logger(silent, { level: 'debug' }).commands).toBe(true)
    expect(logger(silent, { level: 'debug', levels: { command: false } }).commands).toBeUndefined()
    expect(logger(silent, { levels: { command: 'info' } }).commands).toBe(true)
  })

  it.each([
    [undefined, {}, 'logger: undefined is no log; one has the methods trace, debug, info, warn, error.'],
    [{ info() {} }, {}, 'logger: an object is no log; one has the methods trace, debug, info, warn, error.'],
    [console, { level: 'loud' }, "logger: level is \"loud\"; it takes 'trace' or 'debug' or 'info' or 'warn' or 'error'."],
    [console, { levels: { acepted: 'info' } }, 'levels: there is no option "acepted". Did you mean accepted?'],
    [
      console,
      { levels: { accepted: true } },
      "accepted is true; it takes 'trace' or 'debug' or 'info' or 'warn' or 'error', or false",
    ],
  ])('refuses %o with %o', (log, options, message) => {
    expect(() => logger(log as never, options as never)).toThrow(message)
  })
})
