import { describe, expect, it } from 'vitest'
import { plain } from '../../../src/protocol/sasl/index.ts'
import { defaultLimits, defaultTimeouts, type SmtpLimits, type SmtpTimeouts } from '../../../src/protocol/smtp/index.ts'
import { addressed, codes, greeted, ready, type Talk, type TalkOptions } from './talk.ts'

/*
 * Each limit and each time-out at its default, from both sides: what is just within it, and what is just beyond.
 */

const times = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at))
const auth = { mechanisms: [plain], withoutTls: true }
const wrong = 'AUTH PLAIN AHVzZXIAd3Jvbmc='

/** Sends a message and gives the reply to its end. */
function sent(content: string, options: TalkOptions = {}): string {
  const talk = addressed(options)
  talk.say('DATA')
  for (let at = 0; at < content.length; at += 65_536) talk.send(content.slice(at, at + 65_536))
  return talk.send('.\r\n')
}

const lines = (octets: number): string => {
  const full = Math.floor((octets - 2) / 1000)
  return `${'x'.repeat(998)}\r\n`.repeat(full) + `${'x'.repeat(octets - 1000 * full - 2)}\r\n`
}

const limits: { readonly [Name in keyof SmtpLimits]: (limit: number) => void } = {
  messageOctets: (limit) => {
    expect(sent(`\r\n${lines(limit - 2)}`)).toBe('250 2.0.0 Message accepted\r\n')
    expect(sent(`\r\n${lines(limit - 1)}`)).toBe('552 5.3.4 Message is larger than accepted here\r\n')
    expect(ready().say(`MAIL FROM:<> SIZE=${limit}`)).toBe('250 2.1.0 Sender ok\r\n')
    expect(ready().say(`MAIL FROM:<> SIZE=${limit + 1}`)).toBe('552 5.3.4 Message is larger than accepted here\r\n')
  },
  recipients: (limit) => {
    const talk = ready()
    talk.say('MAIL FROM:<>')
    expect(codes(talk.say(...times(limit, (at) => `RCPT TO:<u${at}@example.org>`)))).toEqual(times(limit, () => '250'))
    expect(talk.say('RCPT TO:<more@example.org>')).toBe('452 4.5.3 Too many recipients\r\n')
    expect(codes(talk.say('DATA', '.'))).toEqual(['354', '250'])
  },
  commandOctets: (limit) => {
    expect(greeted().say(`NOOP ${'x'.repeat(limit - 7)}`)).toBe('250 2.0.0 Ok\r\n')
    expect(greeted().say(`NOOP ${'x'.repeat(limit - 6)}`)).toBe('500 5.5.2 Line too long\r\n')
  },
  authOctets: (limit) => {
    const talk = ready({ profile: 'submission', auth })
    expect(talk.say(`AUTH PLAIN ${'!'.repeat(limit - 13)}`)).toBe('501 5.5.2 Cannot decode base64\r\n')
    expect(talk.say(`AUTH PLAIN ${'!'.repeat(limit - 12)}`)).toBe('500 5.5.6 Authentication line too long\r\n')
    talk.say('AUTH PLAIN')
    expect(talk.say('!'.repeat(limit - 2))).toBe('501 5.5.2 Cannot decode base64\r\n')
    talk.say('AUTH PLAIN')
    expect(talk.say('!'.repeat(limit - 1))).toBe('500 5.5.6 Authentication line too long\r\n')
  },
  skippedOctets: (limit) => {
    const within = greeted()
    expect(within.say('x'.repeat(limit - 2), 'NOOP')).toBe('500 5.5.2 Line too long\r\n250 2.0.0 Ok\r\n')
    const beyond = greeted()
    expect(beyond.say('x'.repeat(limit - 1), 'NOOP')).toBe('500 5.5.2 Line too long\r\n')
    expect(beyond.ended()).toBe('limit')
    const open = greeted()
    open.send('x'.repeat(limit))
    expect(open.ended()).toBeUndefined()
    expect(open.send('x')).toBe('500 5.5.2 Line too long\r\n')
    expect(open.ended()).toBe('limit')
  },
  textLineOctets: (limit) => {
    const rules = { longLines: 'reject' } as const
    expect(sent(`${'x'.repeat(limit - 2)}\r\n`, { rules })).toBe('250 2.0.0 Message accepted\r\n')
    expect(sent(`${'x'.repeat(limit - 1)}\r\n`, { rules })).toBe('550 5.6.0 Message holds a line that is too long\r\n')
    expect(sent(`${'x'.repeat(limit - 1)}\r\n`)).toBe('250 2.0.0 Message accepted\r\n')
  },
  headerOctets: (limit) => {
    const field = `X: ${'x'.repeat(995)}\r\n`
    const header = field.repeat(Math.floor(limit / 1000) - 1)
    const rest = (octets: number): string => `X: ${'x'.repeat(octets - header.length - 7)}\r\n\r\n`
    expect(sent(`${header}${rest(limit)}body\r\n`)).toBe('250 2.0.0 Message accepted\r\n')
    expect(sent(`${header}${rest(limit + 1)}body\r\n`)).toBe('552 5.3.4 Message header is larger than accepted here\r\n')
  },
  headerFieldOctets: (limit) => {
    const field = (octets: number): string => `X: ${'x'.repeat(900)}\r\n ${'x'.repeat(octets - 908)}\r\n\r\nbody\r\n`
    expect(sent(field(limit))).toBe('250 2.0.0 Message accepted\r\n')
    expect(sent(field(limit + 1))).toBe('552 5.3.4 Message header is larger than accepted here\r\n')
  },
  hops: (limit) => {
    expect(sent(`${'Received: x\r\n'.repeat(limit)}\r\n`)).toBe('250 2.0.0 Message accepted\r\n')
    expect(sent(`${'Received: x\r\n'.repeat(limit + 1)}\r\n`)).toBe('554 5.4.6 Too many hops, this is a mail loop\r\n')
  },
  commands: (limit) => {
    const talk = greeted()
    expect(codes(talk.say(...times(limit, () => 'NOOP')))).toEqual(times(limit, () => '250'))
    expect(talk.say('NOOP')).toBe('421 4.7.0 Too many commands, closing connection\r\n')
    expect(talk.ended()).toBe('limit')
  },
  errors: (limit) => {
    const talk = greeted()
    expect(codes(talk.say(...times(limit - 1, () => 'NONSENSE')))).toEqual(times(limit - 1, () => '500'))
    expect(codes(talk.say('NONSENSE'))).toEqual(['500', '421'])
    expect(talk.ended()).toBe('errors')
  },
  refusedRecipients: (limit) => {
    const talk = ready({ answers: { recipient: () => ({ code: 550, text: 'no' }) } })
    talk.say('MAIL FROM:<>')
    expect(codes(talk.say(...times(limit - 1, () => 'RCPT TO:<x@y.z>')))).toEqual(times(limit - 1, () => '550'))
    expect(codes(talk.say('RCPT TO:<x@y.z>'))).toEqual(['550', '421'])
    expect(talk.ended()).toBe('limit')
    // None at all is none after the first, not none before it.
    expect(codes(ready({ limits: { refusedRecipients: 0 } }).say('MAIL FROM:<>'))).toEqual(['250'])
  },
  transactions: (limit) => {
    expect(limit).toBe(Infinity)
    const talk = ready({ limits: { transactions: 3 } })
    expect(codes(talk.say('MAIL FROM:<>', 'RSET', 'MAIL FROM:<>', 'RSET', 'MAIL FROM:<>', 'RSET'))).toEqual(times(6, () => '250'))
    expect(talk.say('MAIL FROM:<>')).toBe('421 4.5.3 Too many messages on one connection, closing\r\n')
  },
  authAttempts: (limit) => {
    const talk = ready({ profile: 'submission', auth, limits: { errors: 100 } })
    for (let attempt = 1; attempt < limit; attempt++) {
      talk.say(wrong)
      expect(codes(talk.wait(100_000))).toEqual(['535'])
    }
    talk.say(wrong)
    expect(codes(talk.wait(100_000))).toEqual(['535', '421'])
    expect(talk.ended()).toBe('limit')
  },
  window: (limit) => {
    const talk = ready({ answers: { recipient: () => 'wait' } })
    talk.say('MAIL FROM:<>', ...times(limit + 5, (at) => `RCPT TO:<u${at}@example.org>`))
    expect(talk.all('recipient')).toHaveLength(limit)
    talk.answer(talk.all('recipient')[0]!)
    expect(talk.all('recipient')).toHaveLength(limit + 1)
  },
}

/** It lives up to the moment, and not at it. */
function endsAfter(talk: Talk, milliseconds: number, wire = '421 4.4.2 Timeout, closing connection\r\n'): void {
  expect(talk.wait(milliseconds - 1)).toBe('')
  expect(talk.ended()).toBeUndefined()
  expect(talk.wait(1)).toBe(wire)
  expect(talk.ended()).toBe('timeout')
}

const late = '451 4.3.0 Temporary failure, try again later\r\n'

const timeouts: { readonly [Name in keyof SmtpTimeouts]: (timeout: number) => void } = {
  greeting: (timeout) => endsAfter(greeted(), timeout),
  command: (timeout) => {
    const talk = ready()
    talk.wait(10_000)
    talk.send('NOO')
    endsAfter(talk, timeout)
  },
  idle: (timeout) => endsAfter(ready(), timeout),
  data: (timeout) => {
    const talk = addressed({ timeouts: { dataRate: 0 } })
    talk.say('DATA')
    talk.wait(timeout - 1)
    talk.send('x')
    endsAfter(talk, timeout)
  },
  dataRate: (rate) => {
    for (const octets of [1, 500, 5000, 100_000]) {
      const talk = addressed({ timeouts: { data: 60_000 } })
      talk.say('DATA')
      // All at once, then a little now and then: what counts is the whole.
      talk.send('x'.repeat(octets))
      const grace = 60_000 + (octets * 1000) / rate
      while (talk.now < grace - 2000) {
        talk.wait(1000)
        talk.send('x')
      }
      const due = 60_000 + (talk.body().length * 1000) / rate
      talk.wait(due - talk.now - 1)
      expect(talk.ended()).toBeUndefined()
      talk.wait(2)
      expect(talk.ended()).toBe('timeout')
    }
  },
  total: (timeout) => {
    const talk = ready()
    while (talk.now + 200_000 < timeout) {
      talk.wait(200_000)
      expect(talk.say('NOOP')).toBe('250 2.0.0 Ok\r\n')
    }
    endsAfter(talk, timeout - talk.now, '421 4.4.2 Connection has lasted too long, closing\r\n')
  },
  answer: (timeout) => {
    const talk = ready({ answers: { sender: () => 'wait' } })
    talk.say('MAIL FROM:<>')
    expect(talk.wait(timeout - 1)).toBe('')
    expect(talk.wait(1)).toBe(late)
    expect(talk.session.answer(talk.last('sender'), undefined)).toBe(false)
  },
  message: (timeout) => {
    const talk = addressed({ answers: { message: () => 'wait' } })
    talk.say('DATA', '.')
    expect(talk.wait(timeout - 1)).toBe('')
    expect(talk.wait(1)).toBe(late)
    expect(talk.session.answer(talk.last('message'), undefined)).toBe(false)
  },
  handshake: (timeout) => {
    const talk = ready({ startTls: true })
    talk.say('STARTTLS')
    endsAfter(talk, timeout, '')
  },
  farewell: (timeout) => endsAfter(greeted({ answers: { connect: () => ({ code: 554, text: 'no' }) } }), timeout),
  authDelay: (delay) => {
    const talk = ready({ profile: 'submission', auth, limits: { authAttempts: 100, errors: 100 } })
    for (const factor of [1, 2, 4, 8, 16, 16]) {
      talk.say(wrong)
      expect(talk.wait(factor * delay - 1)).toBe('')
      expect(codes(talk.wait(1))).toEqual(['535'])
    }
  },
}

describe('each limit', () => {
  it.each(Object.entries(limits))('%s', (name, check) => check(defaultLimits[name as keyof SmtpLimits]))

  it('has its test', () => {
    expect(Object.keys(limits).sort()).toEqual(Object.keys(defaultLimits).sort())
  })
})

describe('each time-out', () => {
  it.each(Object.entries(timeouts))('%s', (name, check) => check(defaultTimeouts[name as keyof SmtpTimeouts]))

  it('has its test', () => {
    expect(Object.keys(timeouts).sort()).toEqual(Object.keys(defaultTimeouts).sort())
  })
})

describe('refused content', () => {
  const limits = { messageOctets: 1000 }

  it('is read on, so that the reply is heard, but not without end', () => {
    const within = addressed({ limits })
    within.say('DATA')
    within.send('x'.repeat(2 * 1000 + 65_536 - 2))
    expect(within.ended()).toBeUndefined()
    expect(within.send('\r\n.\r\n')).toBe('552 5.3.4 Message is larger than accepted here\r\n')
    expect(within.say('NOOP')).toBe('250 2.0.0 Ok\r\n')
    for (const pieces of [[67_537, '\r\n.\r\n'], [67_535, 'xx', '\r\n.\r\n']] as const) {
      const beyond = addressed({ limits })
      beyond.say('DATA')
      expect(pieces.map((piece) => beyond.send(typeof piece === 'number' ? 'x'.repeat(piece) : piece)).join('')).toBe(
        '552 5.3.4 Message is larger than accepted here\r\n',
      )
      expect(beyond.ended()).toBe('limit')
    }
  })

  it('may be a chunk up to the same size', () => {
    const within = ready({ limits })
    within.say('BDAT 67536')
    expect(within.send('x'.repeat(67_536))).toBe('503 5.5.1 MAIL first\r\n')
    expect(within.ended()).toBeUndefined()
    expect(within.say('BDAT 67537')).toBe('503 5.5.1 MAIL first\r\n')
    expect(within.ended()).toBe('limit')
  })
})
