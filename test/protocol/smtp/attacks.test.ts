import { describe, expect, it } from 'vitest'
import { login } from '../../../src/protocol/sasl/index.ts'
import { addressed, codes, greeted, ready, Talk } from './talk.ts'

describe('what the host hears of a transaction', () => {
  it('tells it once that a refused content is void', () => {
    const talk = addressed({ limits: { messageOctets: 100 } })
    talk.say('DATA')
    talk.say('x'.repeat(200))
    talk.end()
    expect(talk.all('abandoned')).toEqual([{ kind: 'abandoned', why: 'refused' }])
  })

  it('hands the transaction over with the message question', () => {
    const talk = addressed({ answers: { message: () => 'wait' } })
    talk.say('DATA', '.')
    talk.session.disconnect(0)
    talk.pump()
    expect(talk.all('abandoned')).toEqual([{ kind: 'abandoned', why: 'end', question: talk.last('message').id }])
    expect(talk.session.answer(talk.last('message'), undefined)).toBe(false)
  })

  it('keeps the transaction when EHLO is refused', () => {
    const talk = addressed({ answers: { hello: ({ name }) => (name === 'bad' ? { code: 550, text: 'no' } : undefined) } })
    expect(talk.say('EHLO bad', 'RCPT TO:<c@example.org>')).toBe('550 no\r\n250 2.1.5 Recipient ok\r\n')
  })
})

describe('what is said once', () => {
  it('says 554 and nothing else to who speaks before the greeting', () => {
    const talk = greeted({ answers: { connect: () => 'wait' } })
    expect(talk.say('EHLO x')).toBe('554 5.5.1 Wait for the greeting before you speak\r\n')
    expect(talk.ended()).toBe('protocol')
  })

  it('says nothing behind a 421 of the host', () => {
    const talk = ready({ answers: { recipient: () => 'wait' } })
    talk.say('MAIL FROM:<>', 'RCPT TO:<a@b.c>', 'RCPT TO:<b@b.c>', 'RCPT TO:<c@b.c>')
    const [, second] = talk.all('recipient')
    expect(talk.answer(second!, { code: 421, text: 'gone' })).toBe('451 4.3.0 Temporary failure, try again later\r\n421 gone\r\n')
    const [first, , third] = talk.all('recipient')
    expect(talk.all('abandoned').map(({ question }) => question)).toEqual([third!.id, first!.id, undefined])
  })
})

describe('pipelining in vain is no error', () => {
  const limits = { errors: 2 }

  it('behind a refused sender', () => {
    const talk = ready({ answers: { sender: () => ({ code: 450, text: 'later' }) }, limits })
    const rcpt = Array.from({ length: 20 }, (_, at) => `RCPT TO:<u${at}@example.org>`)
    expect(codes(talk.say('MAIL FROM:<>', ...rcpt, 'DATA'))).toEqual(['450', ...rcpt.map(() => '503'), '503'])
    expect(talk.ended()).toBeUndefined()
  })

  it('behind recipients that were refused, by the host or by us', () => {
    const talk = ready({ answers: { recipient: () => ({ code: 550, text: 'no' }) }, limits })
    const [data, rset] = [['DATA', 'DATA', 'DATA'], 'RSET']
    expect(codes(talk.say('MAIL FROM:<>', 'RCPT TO:<a@b.c>', ...data, rset)).join()).toBe('250,550,554,554,554,250')
    // The address itself is one.
    expect(codes(talk.say('MAIL FROM:<>', 'RCPT TO:<nobody>', ...data, rset)).join()).toBe('250,501,554,554,554,250')
  })

  it('but is one behind EHLO and RSET, which began anew', () => {
    for (const again of ['EHLO x', 'RSET']) {
      const talk = ready({ answers: { sender: () => ({ code: 450, text: 'later' }) }, limits })
      expect(codes(talk.say('MAIL FROM:<>', again, 'RCPT TO:<a@b.c>', 'DATA'))).toEqual(['450', '250', '503', '503', '421'])
    }
  })
})

describe('plaintext before TLS', () => {
  it('is never taken for what came over it, even where nobody looked at it in between', () => {
    const talk = ready({ startTls: true })
    talk.say('STARTTLS')
    talk.session.receive(0, Buffer.from('MAIL FROM:<evil@x>\r\n'))
    talk.session.tlsEstablished(0, { protocol: 'TLSv1.3', cipher: 'x' })
    expect(talk.pump()).toBe('')
    expect(talk.say('EHLO x', 'RCPT TO:<a@b.c>').split('\r\n').at(-2)).toBe('503 5.5.1 MAIL first')
  })

  it('is fatal, however little it is', () => {
    const talk = ready({ startTls: true })
    talk.say('STARTTLS')
    expect(talk.send('\n')).toBe('')
    expect(talk.ended()).toBe('protocol')
    talk.session.tlsEstablished(0, { protocol: 'TLSv1.3', cipher: 'x' })
    expect(talk.say('EHLO x')).toBe('')
  })
})

describe('lines as long as they may be, and a little longer', () => {
  const lengths = [4095, 4096, 4097, 12_287, 12_288, 12_289, 65_535, 65_536, 65_537, 65_538]

  it.each(lengths)('%i octets are judged the same, wherever they are cut', (length) => {
    for (const start of ['NOOP ', 'AUTH PLAIN ']) {
      const line = `${start}${'A'.repeat(length - start.length - 2)}\r\nNOOP\r\n`
      const whole = ready({ profile: 'submission', auth: { mechanisms: [login], withoutTls: true } })
      const said = whole.send(line)
      for (const cut of [1, 5, 4095, 4096, 4097, 12_288, 65_535, 65_536, length - 2, length - 1, length]) {
        if (cut > line.length) continue
        const talk = ready({ profile: 'submission', auth: { mechanisms: [login], withoutTls: true } })
        expect(talk.send(line.slice(0, cut)) + talk.send(line.slice(cut))).toBe(said)
        expect(talk.ended()).toBe(whole.ended())
      }
    }
  })
})

it('refuses paths that are longer than anybody needs', () => {
  const route = Array.from({ length: 20 }, () => '@hosts.example').join(',')
  const path = (octets: number): string => `${route}:${'b'.repeat(250)}@${'c'.repeat(octets - 551)}`
  expect(path(600)).toHaveLength(600)
  expect(ready().say(`MAIL FROM:<${path(600)}>`)).toBe('250 2.1.0 Sender ok\r\n')
  expect(ready().say(`MAIL FROM:<${path(601)}>`)).toBe('501 5.1.7 Bad address: it is too long\r\n')
})

it('keeps nothing of a long line but what was asked for', () => {
  const talk = ready()
  talk.say('MAIL FROM:<>', `RCPT TO:<somebody.with.a.name@example.org>${' '.repeat(3000)}`)
  expect(talk.last('recipient').recipient).toEqual({
    local: 'somebody.with.a.name',
    domain: 'example.org',
    wire: 'somebody.with.a.name@example.org',
  })
})

it('takes no letters from beyond ASCII for those of a command', () => {
  const talk = ready()
  expect(codes(talk.send('NOOP\r\nQU\u00c4\u00b1T\r\n'))).toEqual(['250', '500'])
})

it('takes LOGIN with the name as initial response', () => {
  const talk = ready({ profile: 'submission', auth: { mechanisms: [login], withoutTls: true } })
  expect(talk.say('AUTH LOGIN dXNlcg==')).toBe('334 UGFzc3dvcmQ6\r\n')
})

it('begins', () => {
  expect(new Talk().pump()).toBe('220 mx.example.org ESMTP\r\n')
})
