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
  it('lets a client pipeline behind a refused sender', () => {
    const talk = ready({ answers: { sender: () => ({ code: 450, text: 'later' }) }, limits: { errors: 2 } })
    const rcpt = Array.from({ length: 20 }, (_, at) => `RCPT TO:<u${at}@example.org>`)
    expect(codes(talk.say('MAIL FROM:<>', ...rcpt, 'DATA'))).toEqual(['450', ...rcpt.map(() => '503'), '503'])
    expect(talk.ended()).toBeUndefined()
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
