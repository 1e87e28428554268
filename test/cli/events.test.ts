import { describe, expect, it } from 'vitest'
import type { ReceivedMessage } from '../../src/contracts/received.ts'
import { messageLine, readyLine } from '../../src/cli/events.ts'
import { jsonLog } from '../../src/cli/log.ts'
import { logger, type LogLevel } from '../../src/observe/logger.ts'
import { MailError } from '../../src/protocol/session/errors.ts'

/** What is logged at a level, as data. */
function logged(level: LogLevel, say: (log: ReturnType<typeof jsonLog>) => void): unknown[] {
  const lines: string[] = []
  say(jsonLog(level, () => 0, (line) => lines.push(line)))
  return lines.map((line) => JSON.parse(line) as unknown)
}

describe('lines on standard output', () => {
  it('that say ready', () => {
    expect(readyLine({ mx: 25 }, 7, '0.1.0')).toBe('{"event":"ready","ports":{"mx":25},"pid":7,"version":"0.1.0"}')
  })

  it.each([
    ['an ordinary one', { local: 'joe', domain: 'b.test' }, 'joe@b.test'],
    ['the null sender', null, null],
    ['one that needs quotes', { local: 'a "b"', domain: 'b.test' }, '"a \\"b\\""@b.test'],
    ['one in UTF-8', { local: 'zoë', domain: 'b.test' }, 'zoë@b.test'],
  ])('that tell of a message, its sender %s', (_, sender, shown) => {
    const recipients = [{ local: 'x', domain: 'a.test' }, { local: 'y z', domain: 'a.test' }]
    const message = { id: 'c-1.1', received: 0, octets: 5, envelope: { sender } } as unknown as ReceivedMessage
    expect(JSON.parse(messageLine(message, recipients, '"7"'))).toEqual({
      event: 'message',
      id: '"7"',
      transaction: 'c-1.1',
      received: '1970-01-01T00:00:00.000Z',
      sender: shown,
      recipients: ['x@a.test', '"y z"@a.test'],
      octets: 5,
    })
  })
})

describe('the log', () => {
  const time = '1970-01-01T00:00:00.000Z'

  it('leaves out what is below its level', () => {
    const said = logged('warn', (log) => {
      log.info({}, 'a')
      log.warn({ c: 1 }, 'b')
      log.error({}, 'd')
    })
    expect(said).toEqual([{ time, level: 'warn', msg: 'b', c: 1 }, { time, level: 'error', msg: 'd' }])
  })

  it('has errors in words, with their cause', () => {
    const error = new MailError('temporary', 'committing', { cause: new Error('disk full') })
    const said = logged('info', (log) => {
      const observe = logger(log)
      observe({ kind: 'failed', at: 0, connection: 'c', what: 'deliver to a@b.test', error })
      observe({ kind: 'failed', at: 0, what: 'listen', error: 'EMFILE' })
      observe({ kind: 'certificatesReloaded', at: 0, error: new Error('no key') })
    })
    expect(said).toEqual([
      { time, level: 'error', msg: 'failed: deliver to a@b.test', connection: 'c', error: 'committing (disk full)' },
      { time, level: 'warn', msg: 'failed: listen', error: 'EMFILE' },
      { time, level: 'error', msg: 'new certificates are no good', error: 'no key' },
    ])
  })
})
