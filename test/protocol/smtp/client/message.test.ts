import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MailError } from '../../../../src/protocol/session/errors.ts'
import { compose } from '../../../../src/protocol/smtp/client/composing.ts'
import { type ClientMessage, smtpClientConfig } from '../../../../src/protocol/smtp/index.ts'
import {
  mailReaders, plainMail, plainRecipient, readParameters, recipientReaders,
} from '../../../../src/protocol/smtp/parameters.ts'
import { parsePath } from '../../../../src/protocol/smtp/path.ts'
import { greeted, messageTo } from './talk.ts'

const PIPE = 'PIPELINING'
const one = messageTo(['b@example.org'])
const lines = (text: string): string[] => text.split('\r\n').slice(0, -1)

describe('what a server does not offer', () => {
  const NO_UTF8 = '0: permanent sender smtputf8 553 5.6.7'
  const soon = { seconds: 9, mode: 'return', trace: false } as const
  const cases: readonly (readonly [string, Partial<ClientMessage>, readonly string[], string])[] = [
    ['too large', { content: { encoding: '7bit', size: 1001 } }, ['SIZE 1000'], '0: permanent sender size 552 5.3.4'],
    ['8-bit', { content: { encoding: '8bit' } }, [], '0: permanent sender 8bitmime 554 5.6.3'],
    ['binary', { content: { encoding: 'binary' } }, ['8BITMIME', 'BINARYMIME'], '0: permanent sender binarymime 554 5.6.1'],
    ['UTF-8 in the header', { content: { encoding: '8bit', utf8: true } }, ['8BITMIME'], NO_UTF8],
    ['UTF-8 in the sender', { sender: { local: 'ü', domain: 'a.example' } }, [], NO_UTF8],
    ['UTF-8 in a recipient', messageTo(['ü@a.example']), [], '0: permanent recipient smtputf8 553 5.6.7'],
    ['REQUIRETLS without TLS', { requireTls: true }, ['REQUIRETLS'], '0: permanent sender requiretls 550 5.7.30'],
    ['DELIVERBY', { deliverBy: soon }, [], '0: permanent sender deliverby 554 5.4.7'],
    ['DELIVERBY so soon', { deliverBy: soon }, ['DELIVERBY 60'], '0: permanent sender deliverby 554 5.4.7'],
  ]
  it.each(cases)('%s', (_, more, offers, outcome) => {
    const talk = greeted({ messages: [messageTo(['b@example.org'], more)] }, PIPE, ...offers)
    expect(talk.outcomes()).toEqual([outcome])
    expect(lines(talk.said)).toEqual(['EHLO client.example'])
    expect(talk.kinds().filter((kind) => kind === 'ready')).toHaveLength(2)
  })

  it('asks whether the content can be another', () => {
    const message = messageTo(['b@example.org'], { content: { encoding: '8bit', size: 10 } })
    const talk = greeted({ messages: [message], answers: { convert: () => ({ encoding: '7bit', size: 30 }) } }, 'SIZE')
    expect(talk.last('convert')).toMatchObject({ to: '7bit', message: 1 })
    expect(lines(talk.said).at(-1)).toBe('MAIL FROM:<a@client.example> SIZE=30')
  })

  it('is not told what it does not know', () => {
    const message: ClientMessage = {
      ...messageTo([], { ret: 'FULL', envid: 'x', priority: 1, auth: null }),
      recipients: [{ local: 'b', domain: 'bücher.example', notify: [], originalRecipient: { type: 'rfc822', address: 'x@y' } }],
      deliverBy: { seconds: 9, mode: 'notify', trace: false },
    }
    const talk = greeted({ messages: [message] }, PIPE)
    expect(lines(talk.said).slice(1, 3)).toEqual(['MAIL FROM:<a@client.example>', 'RCPT TO:<b@xn--bcher-kva.example>'])
    const offers = ['DSN', 'MT-PRIORITY', 'DELIVERBY', 'SMTPUTF8', 'AUTH PLAIN']
    const knowing = greeted({ messages: [message] }, PIPE, ...offers)
    expect(lines(knowing.said).slice(1, 3)).toEqual([
      'MAIL FROM:<a@client.example> RET=FULL ENVID=x BY=9;N MT-PRIORITY=1',
      'RCPT TO:<b@xn--bcher-kva.example> NOTIFY=NEVER ORCPT=rfc822;x@y',
    ])
  })

  const untilNoon = { until: '2026-11-20T12:00:00Z' }
  it.each<[string, NonNullable<ClientMessage['hold']>, string | undefined, string | undefined]>([
    ['for as long as is offered', { seconds: 9 }, 'FUTURERELEASE 9 2026-11-20T12:00:00Z', ' HOLDFOR=9'],
    ['longer', { seconds: 10 }, 'FUTURERELEASE 9 2026-11-20T12:00:00Z', undefined],
    ['until the time that is offered', untilNoon, 'FUTURERELEASE 9 2026-11-20T13:00:00+01:00', ' HOLDUNTIL=2026-11-20T12:00:00Z'],
    ['later', untilNoon, 'FUTURERELEASE 9 2026-11-20T11:59:59Z', undefined],
    ['where no bound can be read', untilNoon, 'FUTURERELEASE x y', ' HOLDUNTIL=2026-11-20T12:00:00Z'],
    ['where nothing is offered', { seconds: 1 }, undefined, undefined],
  ])('is kept %s, or not sent', (_, hold, offer, said) => {
    const talk = greeted({ messages: [messageTo(['b@example.org'], { hold })] }, PIPE, ...(offer === undefined ? [] : [offer]))
    expect(lines(talk.said)[1]).toBe(said && `MAIL FROM:<a@client.example>${said}`)
    expect(talk.outcomes()).toEqual(said === undefined ? ['0: permanent sender futurerelease 554 5.5.4'] : [])
  })

  it('limits of the server are kept (RFC 9422)', () => {
    const three = messageTo(['b@a.example', 'c@b.example', 'd@a.example', 'e@a.example'])
    const talk = greeted({ messages: [three, one] }, PIPE, 'LIMITS MAILMAX=1 RCPTMAX=2 RCPTDOMAINMAX=1')
    expect(talk.last('ready').recipients).toBe(2)
    const later = 'temporary recipient recipients 452 4.5.3'
    expect(talk.outcomes()).toEqual([`1: ${later}`, `3: ${later}`])
    expect(talk.hear('250 ok', '250 ok', '250 ok', '354 go')).toContain('\r\n.\r\n')
    expect(talk.hear('250 taken')).toBe('QUIT\r\n')
  })
})

describe('what cannot be said', () => {
  const a = { local: 'a', domain: 'b' }
  const host = (more: Partial<ClientMessage>): (() => void) => () => {
    const talk = greeted({ messages: [] }, PIPE, 'DSN')
    talk.session.answer(talk.last('ready'), messageTo(['b@example.org'], more))
  }
  it.each<[string, Partial<ClientMessage>]>([
    ['a line end in the sender', { sender: { local: 'a\r\nRCPT TO:<x@y>', domain: 'b.example' } }],
    ['one in a domain', { recipients: [{ local: 'a', domain: 'b.example>\r\nDATA' }] }],
    ['a bracket in a domain', { recipients: [{ local: 'a', domain: 'b.example> NOTIFY=NEVER' }] }],
    ['NUL in a local part', { recipients: [{ local: 'a\0', domain: 'b.example' }] }],
    ['nobody', { recipients: [] }],
    ['a line end in ENVID', { envid: 'a\r\nb' }],
    ['a line end in ORCPT', { recipients: [{ ...a, originalRecipient: { type: 'rfc822', address: 'a\nb' } }] }],
    ['a type that is none', { recipients: [{ local: 'a', domain: 'b', originalRecipient: { type: 'a b', address: 'a' } }] }],
    ['a word that is none', { recipients: [{ local: 'a', domain: 'b', notify: ['X\r\n' as 'DELAY'] }] }],
    ['a size that is none', { content: { encoding: '7bit', size: '1\r\n' as unknown as number } }],
    ['a priority that is none', { priority: 10 }],
    ['a hold that is none', { hold: { until: 'x\r\n' } }],
    ['an account with a line end', { auth: { local: 'a\n', domain: 'b' } }],
  ])('%s', (_, more) => {
    expect(host(more)).toThrow(MailError)
  })

  it('a name of ours that is none', () => {
    for (const hello of ['a b', 'a\r\n', '', 'ü.example']) expect(() => smtpClientConfig({ hello })).toThrow(/hello/)
    expect(smtpClientConfig({ hello: '[192.0.2.1]' }).hello).toBe('[192.0.2.1]')
  })
})

describe('what our own server takes', () => {
  const octet = fc.constantFrom(...'aB-."\\ +=@\u00fc\u6771[];:0_\x7f\u0085', '2B', '20')
  const text = fc.array(octet, { maxLength: 70 }).map((parts) => parts.join(''))
  const given = { lenient: true, recipient: false }

  it('can be said to the next one', () => {
    fc.assert(fc.property(text, text, text, text, (local, domain, orcpt, envid) => {
      const addresses = [`<${local}@${domain}>`, `<"${local}"@a.example>`, `<a@${domain}.example>`, '<""@a.example>']
      for (const address of addresses) {
        const parsed = parsePath(address, 0, given)
        if (!('path' in parsed) || parsed.path === null) continue
        const named = readParameters(` ORCPT=${orcpt};${orcpt}`, 0, plainRecipient, recipientReaders)
        const mail = readParameters(` ENVID=${envid}`, 0, plainMail, mailReaders)
        const dsn = 'parameters' in named ? named.parameters : {}
        const { envid: id } = 'parameters' in mail ? mail.parameters : {}
        compose({ sender: parsed.path, recipients: [{ ...parsed.path, ...dsn }], content: { encoding: '7bit' }, envid: id })
      }
    }), { numRuns: 500 })
  })

  it.each(['rfc822-', 'x'.repeat(80), 'utf-8'])('of a type %s too', (type) => {
    const named = readParameters(` ORCPT=${type};x`, 0, plainRecipient, recipientReaders)
    expect(named).toHaveProperty('parameters')
    const recipient = { local: 'a', domain: 'b', ...('parameters' in named ? named.parameters : {}) }
    expect(compose({ sender: null, recipients: [recipient], content: { encoding: '7bit' } }).recipients[0]?.dsn)
      .toBe(` ORCPT=${type};x`)
  })

  it('is no domain that is too long in ASCII', () => {
    const name = `${'\u00fc'.repeat(60)}.example`
    expect(parsePath(`<a@${name}>`, 0, given)).toEqual({ error: 'the domain is malformed' })
  })
})
