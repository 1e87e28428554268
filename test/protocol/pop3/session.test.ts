import { describe, expect, it } from 'vitest'
import { octets } from '../../../src/protocol/bytes/text.ts'
import { greeted, loggedIn, Talk, unstuffed } from './talk.ts'

const mail = ['Subject: one\r\n\r\n.dot\r\n', 'Subject: two\r\n\r\n']

describe('commands by state', () => {
  // RFC 1939 §4 to §6, RFC 2449 §5 and §6, RFC 2595 §4, RFC 5034 §4, RFC 6856 §2.
  it.each([
    // command, before log-in, after it
    ['CAPA', '+OK', '+OK'],
    ['USER alice', '+OK', '-ERR'],
    ['PASS secret', '-ERR', '-ERR'],
    ['AUTH', '+OK', '-ERR'],
    ['AUTH PLAIN AGEAc2VjcmV0', '+OK', '-ERR'],
    ['STLS', '+OK', '-ERR'],
    ['UTF8', '+OK', '-ERR'],
    ['STAT', '-ERR', '+OK'],
    ['LIST', '-ERR', '+OK'],
    ['LIST 1', '-ERR', '+OK'],
    ['UIDL', '-ERR', '+OK'],
    ['UIDL 2', '-ERR', '+OK'],
    ['RETR 1', '-ERR', '+OK'],
    ['TOP 1 0', '-ERR', '+OK'],
    ['DELE 1', '-ERR', '+OK'],
    ['RSET', '-ERR', '+OK'],
    ['NOOP', '-ERR', '+OK'],
    ['QUIT', '+OK', '+OK'],
    ['LAST', '-ERR', '-ERR'],
    ['XTND XMIT', '-ERR', '-ERR'],
    ['\u0131', '-ERR', '-ERR'],
  ])('%s: %s, after log-in %s', (command, before, after) => {
    expect(greeted({ mail, startTls: true }).ask(command)[0]!.split(' ')[0]).toBe(before)
    expect(loggedIn({ mail, startTls: true }).ask(command)[0]!.split(' ')[0]).toBe(after)
  })
})

describe('a maildrop', () => {
  it('keeps its numbers to the end', () => {
    const talk = loggedIn({ mail })
    talk.say('DELE 1')
    expect(talk.ask('LIST')).toEqual(['+OK 1 messages (16 octets)', '2 16', '.'])
    expect(unstuffed(talk.say('RETR 2'))).toBe(mail[1])
  })

  it.each([
    ['QUIT', [1]],
    ['RSET\r\nQUIT', []],
    ['', []],
    ['NOOP', []],
    ['QUIT now', []],
  ])('loses what is marked through %j: %j', (words, deleted) => {
    const talk = loggedIn({ mail })
    talk.say('DELE 1', words)
    talk.session.receiveEnd(0)
    talk.pump()
    expect(talk.deleted).toEqual(deleted)
    expect(talk.session.closed).toBe(true)
  })

  it('tells what is to be deleted in ranges', () => {
    const talk = loggedIn({
      mail: ['', '', '', ''],
      answers: { open: () => ({ uidValidity: 1, uids: [5, 6, 7, 9], sizes: [0, 0, 0, 0] }) },
    })
    talk.say('DELE 4', 'DELE 2', 'DELE 1', 'QUIT')
    expect(talk.all('expunge')[0]!.uids).toEqual([{ first: 5, last: 6 }, { first: 9, last: 9 }])
  })

  it('has unique ids that fit', () => {
    const most = 2 ** 32 - 1
    const talk = loggedIn({ answers: { open: () => ({ uidValidity: most, uids: [most], sizes: [1] }) } })
    expect(talk.ask('UIDL 1')).toEqual(['+OK 1 4294967295-4294967295'])
  })

  it('may be large', () => {
    const count = 100_000
    const uids = Array.from({ length: count }, (_, at) => at + 1)
    const talk = loggedIn({ answers: { open: () => ({ uidValidity: 1, uids, sizes: uids }) } })
    expect(talk.ask('UIDL')).toHaveLength(count + 2)
  })
})

describe('a message', () => {
  const long = 'Subject: long\r\n\r\n' + `${'.x'.repeat(20)}\r\n`.repeat(50_000)

  it('is asked for in pieces, each once there is room for it', () => {
    const talk = loggedIn({ mail: [long] })
    talk.stalls = true
    talk.say('RETR 1')
    expect(talk.all('octets')).toHaveLength(1)
    for (let pieces = 1; talk.all('octets').at(-1)!.end < long.length; pieces++) {
      expect(talk.all('octets')).toHaveLength(pieces)
      // Whatever else happens, nothing more is asked for.
      talk.session.receive(0, octets('NOOP\r\n'))
      talk.pump()
      expect(talk.all('octets')).toHaveLength(pieces)
      talk.session.takeOutput()
      talk.pump()
    }
    expect(talk.all('octets').every(({ start, end }) => end - start <= 256 * 1024)).toBe(true)
  })

  it('that fits leaves as the octets that the host gave', () => {
    const bytes = octets('a: b\r\n\r\n')
    const talk = loggedIn({ mail: ['12345678'], answers: { octets: () => bytes } })
    talk.stalls = true
    talk.say('RETR 1')
    expect(talk.session.takeOutput()[1]).toBe(bytes)
  })

  it('that breaks off ends the connection without the last dot', () => {
    for (const broken of [{ refused: 'Gone' }, null, undefined, octets('short')]) {
      const talk = loggedIn({
        mail: ['123456789'],
        limits: { pieceOctets: 6 },
        answers: { octets: ({ start }) => (start === 0 ? octets('123456') : broken) },
      })
      expect(talk.say('RETR 1', 'NOOP')).toBe('+OK 9 octets\r\n123456')
      expect(talk.ended()).toBe('fault')
    }
  })

  it('pipelined comes in order', () => {
    const talk = loggedIn({ mail })
    const said = talk.say('RETR 2', 'DELE 2', 'RETR 2', 'RETR 1', 'QUIT')
    expect(said).toBe([
      '+OK 16 octets', 'Subject: two', '', '.', '+OK Marked', '-ERR There is no such message',
      '+OK 22 octets', 'Subject: one', '', '..dot', '.', '+OK Good bye', '',
    ].join('\r\n'))
    expect(talk.deleted).toEqual([4])
  })
})

describe('patience', () => {
  it('is ten minutes with who does not read', () => {
    const talk = loggedIn({ mail: ['x'.repeat(1_000_000)] })
    talk.stalls = true
    talk.say('RETR 1')
    expect(talk.session.deadline).toBe(600_000)
    talk.wait(600_000)
    expect(talk.ended()).toBe('timeout')
  })

  it('begins anew whenever something is taken', () => {
    const talk = loggedIn({ mail: ['x'.repeat(1_000_000)] })
    talk.stalls = true
    talk.say('RETR 1')
    for (let times = 1; times < 4; times++) {
      talk.session.takeOutput()
      talk.wait(599_999)
      expect(talk.session.deadline).toBe(talk.now + 600_000)
    }
    expect(talk.ended()).toBeUndefined()
  })

  it('ends with the conversation', () => {
    const talk = greeted()
    talk.say('QUIT')
    expect([talk.session.deadline, talk.session.wantsInput]).toEqual([undefined, false])
  })
})

describe('a question', () => {
  it('is answered once', () => {
    const talk = greeted({ answers: { auth: () => 'wait' } })
    talk.say('USER a', 'PASS b')
    const [question] = talk.all('auth')
    expect(talk.session.answer(question!, { account: 'a' })).toBe(true)
    expect(talk.session.answer(question!, { account: 'a' })).toBe(false)
    talk.pump()
    expect(talk.session.fail(question!)).toBe(false)
  })

  it('that fails is a fault of ours', () => {
    const talk = greeted({ answers: { auth: () => 'wait' } })
    talk.say('USER a', 'PASS b')
    talk.session.fail(talk.all('auth')[0]!)
    expect(talk.pump()).toBe('-ERR [SYS/TEMP] Temporary failure, try again later\r\n')
  })

  it('stops no server from being stopped', () => {
    const talk = new Talk({ answers: { connect: () => 'wait' } })
    talk.pump()
    talk.session.drain(0)
    expect(talk.pump()).toBe('')
    talk.session.answer(talk.all('connect')[0]!, undefined)
    expect(talk.pump()).toBe('+OK pop.example.org ready\r\n-ERR [SYS/TEMP] Server shutting down\r\n')
  })
})
