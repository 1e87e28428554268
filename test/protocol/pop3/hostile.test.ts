import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { octets } from '../../../src/protocol/bytes/text.ts'
import { cramMd5, plain } from '../../../src/protocol/sasl/index.ts'
import { nodeCrypto } from '../../../src/adapters/node/index.ts'
import { loggedIn, Talk, type TalkOptions } from './talk.ts'

const words = fc.constantFrom(
  'USER', 'PASS', 'AUTH', 'PLAIN', 'CRAM-MD5', 'STLS', 'UTF8', 'CAPA', 'STAT', 'LIST', 'UIDL', 'RETR', 'TOP', 'DELE', 'RSET',
  'NOOP', 'QUIT', ' ', ' ', ' ', '\r\n', '\r\n', '\r\n', '\n', '\r', '1', '2', '3', '-1', 'alice', 'secret', '=', '*',
  'AGEAc2VjcmV0', '.', '\0', 'é', '[',
)
const noise = fc.oneof(
  fc.string({ unit: words, maxLength: 60 }),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
)
const begin = 'USER alice\r\nPASS secret\r\n'

const options: TalkOptions = {
  mail: ['a: b\r\n\r\n.\r\n', 'x'],
  limits: { errors: 1000, commandsBefore: 1000, authAttempts: 1000, pieceOctets: 5 },
  timeouts: { authDelay: 0 },
  startTls: true,
  auth: {
    mechanisms: [plain, cramMd5({ crypto: { ...nodeCrypto, random: (count) => new Uint8Array(count) }, hostname: 'x' })],
    withoutTls: true,
  },
}

/** What is said to octets in these pieces, and what is asked. */
function played(text: string, sizes: readonly number[]): unknown {
  const talk = new Talk(options)
  talk.pump()
  for (let at = 0, piece = 0; at < text.length; piece++) {
    const size = sizes.length === 0 ? text.length : sizes[piece % sizes.length]!
    talk.send(text.slice(at, at + size))
    at += size
  }
  talk.wait(0)
  talk.session.receiveEnd(0)
  talk.pump()
  talk.wait(0)
  expect(talk.session.closed).toBe(true)
  return [talk.said, talk.events]
}

describe('whatever a client says', () => {
  it('is answered the same in any pieces, and ends when it ends', () => {
    fc.assert(
      fc.property(fc.boolean(), noise, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (first, text, sizes) => {
        const all = first ? begin + text : text
        expect(played(all, sizes)).toEqual(played(all, []))
      }),
      { numRuns: 300 },
    )
  })

  it('leads to lines of 512 octets at most, which say +OK, -ERR or are part of a response', () => {
    fc.assert(
      fc.property(noise, (text) => {
        const talk = new Talk({ ...options, mail: [] })
        talk.pump()
        talk.send(text)
        for (const line of talk.said.split('\r\n')) expect(line.length).toBeLessThanOrEqual(510)
        expect(talk.said === '' || talk.said.endsWith('\r\n')).toBe(true)
      }),
    )
  })

  it('deletes nothing without QUIT', () => {
    fc.assert(
      fc.property(noise.filter((text) => !/quit/i.test(text)), (text) => {
        const talk = loggedIn(options)
        talk.say('DELE 1')
        talk.send(text)
        talk.session.receiveEnd(0)
        talk.pump()
        expect(talk.deleted).toEqual([])
      }),
    )
  })
})

describe('a client that', () => {
  it('sends and never reads makes us hold no more than a little', () => {
    const talk = loggedIn({ mail: ['x'.repeat(300_000)] })
    talk.stalls = true
    let sent = 0
    while (talk.session.wantsInput && sent < 10_000_000) {
      talk.send('RETR 1\r\n'.repeat(100))
      sent += 800
    }
    expect(sent).toBeLessThan(70_000)
    const held = talk.session.takeOutput().reduce((sum, piece) => sum + (piece as Uint8Array).length, 0)
    expect(held).toBeLessThan(256 * 1024 + 65_536 + 1024)
  })

  it('sends octet by octet makes us hold no more either', () => {
    const talk = loggedIn({ answers: { octets: () => 'wait' }, mail: ['x'] })
    talk.say('RETR 1')
    let sent = 0
    for (; talk.session.wantsInput && sent < 10_000; sent++) talk.session.receive(0, octets('N'))
    expect(sent).toBeLessThan(200)
  })

  it('guesses gets five tries', () => {
    const talk = new Talk({ timeouts: { authDelay: 0 } })
    talk.pump()
    for (let tries = 0; tries < 10; tries++) {
      talk.say('USER alice', 'PASS guess')
      talk.wait(0)
    }
    expect(talk.all('auth')).toHaveLength(5)
    expect(talk.ended()).toBe('limit')
  })

  it('repeats a command for ever cannot before log-in', () => {
    const talk = new Talk()
    talk.pump()
    talk.send('CAPA\r\n'.repeat(200))
    expect(talk.said.match(/^\+OK Capabilities/gm)).toHaveLength(100)
    expect(talk.ended()).toBe('limit')
  })
})
