import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isMailError } from '../../../src/protocol/session/index.ts'
import type { AuthAnswer, SecretAnswer } from '../../../src/protocol/smtp/index.ts'
import { namedMechanisms } from '../../../src/testing/transcripts-sasl.ts'
import { greeted, ready, type TalkOptions } from './talk.ts'

const names =
  'EXTERNAL SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 OAUTHBEARER XOAUTH2 CRAM-MD5 PLAIN LOGIN ANONYMOUS'
const mechanisms = namedMechanisms(names)
const binding = (): Uint8Array => Uint8Array.of(1)
const clientCertificate = { authorized: true, subject: '', fingerprint: '', names: [] }
const tls = { protocol: 'TLSv1.3', cipher: '', channelBinding: binding, clientCertificate }
const options: TalkOptions = { auth: { mechanisms }, peer: { tls } }
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const word = fc.oneof(
  fc.constantFrom(
    '', '=', '*', 'x', 'n,,n=user,r=abc', 'p=tls-exporter,,n=user,r=abc', 'y,a=b,n=user,r=abc', 'c=biws,r=abc,p=AAAA', 'user',
    '\0user\0secret', 'n,a=user,\u0001auth=Bearer x\u0001\u0001', 'user=user\u0001auth=Bearer x\u0001\u0001', '\u0001',
    'user 00000000000000000000000000000000',
  ).map(base64),
  fc.constantFrom('*', '=', '====', 'QUIT', ' ', 'AUTH PLAIN'),
  fc.base64String({ maxLength: 40 }),
)
const line = fc.oneof(
  { weight: 3, arbitrary: word },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom(...names.split(' ')), word).map(([name, more]) => `AUTH ${name} ${more}`) },
  { weight: 1, arbitrary: fc.constantFrom(...names.split(' ')).map((name) => `AUTH ${name}`) },
  { weight: 1, arbitrary: fc.constantFrom('NOOP', 'EHLO again', 'MAIL FROM:<a@b.example>', 'RSET', 'wait') },
)
const keys = { salt: Uint8Array.of(1), iterations: 4096, storedKey: new Uint8Array(32), serverKey: new Uint8Array(32) }
const answer = fc.constantFrom<AuthAnswer | SecretAnswer | 'wait' | undefined>(
  undefined, 'wait', { code: 535, text: 'No' }, { code: 454, text: 'Later' }, { code: 535, text: 'No', delay: 9000 },
  { keys }, { password: 'secret' },
)

describe('AUTH with every mechanism', () => {
  it('never throws, never lets in whom the host does not name, and answers every line', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.infiniteStream(answer), (lines, answers) => {
        const next = (kind: 'auth' | 'secret') => () => {
          const given = answers.next().value as AuthAnswer | SecretAnswer | 'wait' | undefined
          const isSecret = typeof given === 'object' && !('code' in given)
          return (isSecret && kind === 'auth' ? undefined : given) as never
        }
        const talk = ready({ ...options, answers: { auth: next('auth'), secret: next('secret') } })
        for (const one of lines) {
          if (one === 'wait') talk.wait(60_000)
          else talk.say(one)
        }
        // Everything that is open comes to its end.
        for (let time = 0; time < 40; time++) talk.wait(10_000)
        expect(talk.said).not.toMatch(/^235/m)
        expect(talk.said).toMatch(/^(\d{3}[ -].*\r\n)*$/)
        const asked = talk.events.filter((event) => 'id' in event)
        expect(new Set(asked.map(({ id }) => id)).size).toBe(asked.length)
      }),
      { numRuns: 300 },
    )
  })

  it('counts a refused token as a failed attempt, however its exchange ends', () => {
    const bad = `AUTH OAUTHBEARER ${base64('n,,\u0001auth=Bearer x\u0001\u0001')}`
    for (const end of ['*', 'AQ==', 'no base64', 'x'.repeat(13_000), 'a\u0007b']) {
      const talk = ready(options)
      for (let attempt = 0; attempt < 3; attempt++) {
        talk.say(bad, end)
        talk.wait(16_000)
      }
      expect(talk.said.match(/^535/gm)).toHaveLength(3)
      expect(talk.ended()).toBe('limit')
    }
  })

  it('does not believe a host that names an account for refuted credentials', () => {
    const talk = ready({ ...options, answers: { auth: () => 'wait', secret: () => ({ password: 'secret' }) } })
    talk.say('AUTH CRAM-MD5', base64('user 00000000000000000000000000000000'))
    const question = talk.last('auth')
    expect(question.credentials.kind).toBe('refuted')
    try {
      talk.answer(question, { account: 'user' })
      expect.unreachable()
    } catch (error) {
      expect(isMailError(error) && error.code).toBe('misuse')
    }
    talk.session.fail(question)
    expect(talk.pump()).toMatch(/^451 /)
  })

  it('waits as long as the host wants, and never less than by itself', () => {
    const refused = (delay: number) => {
      const talk = ready({ ...options, answers: { auth: () => ({ code: 535, enhanced: '5.7.8', text: 'No', delay }) } })
      talk.say(`AUTH PLAIN ${base64('\0user\0wrong')}`)
      let waited = 0
      while (!talk.said.includes('535')) talk.wait((waited += 500) && 500)
      return waited
    }
    expect([0, 1000, 5000].map(refused)).toEqual([1000, 1000, 5000])
  })

  it('offers anew behind STARTTLS, by what is known of TLS', () => {
    const talk = greeted({ auth: { mechanisms }, startTls: true })
    expect(talk.say('EHLO client.example')).toContain('250-AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 ANONYMOUS\r\n')
    talk.say('STARTTLS')
    talk.session.tlsEstablished(0, { protocol: 'TLSv1.3', cipher: '' })
    const offered = talk.say('EHLO client.example')
    expect(offered).toContain('AUTH SCRAM-SHA-256 SCRAM-SHA-1 OAUTHBEARER XOAUTH2 CRAM-MD5 PLAIN LOGIN ANONYMOUS\r\n')
  })
})
