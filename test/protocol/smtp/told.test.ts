import { describe, expect, it } from 'vitest'
import { plain } from '../../../src/protocol/sasl/plain.ts'
import {
  smtpServerConfig,
  type SmtpServerEvent,
  type SmtpServerOptions,
  smtpServerSession,
} from '../../../src/protocol/smtp/index.ts'

/** What a session tells of lines and refusals; its questions are all answered by yes. Octets come in pieces of `size`. */
function told(lines: string, size: number, options: Partial<SmtpServerOptions> = {}): unknown[] {
  const config = smtpServerConfig({ hostname: 'mx.test', profile: 'submission', tell: 'commands', ...options })
  const session = smtpServerSession(config, {}, 0)
  const events: unknown[] = []
  const pump = (): void => {
    for (let event = session.next(); event !== undefined; event = session.next()) {
      if (event.kind === 'line') events.push([event.verb, event.octets])
      else if (event.kind === 'refusal') events.push([event.code, event.enhanced, event.text, event.limit])
      else if ('id' in event) session.answer(event as SmtpServerEvent, undefined)
    }
    session.takeOutput()
  }
  pump()
  const octets = Buffer.from(lines.replaceAll('\n', '\r\n'))
  for (let at = 0; at < octets.length; at += size) {
    session.receive(1, octets.subarray(at, at + size))
    pump()
  }
  return events
}

const mail = 'EHLO x\nMAIL FROM:<>\nRCPT TO:<a@x.test>\nDATA\n'
const auth = { mechanisms: [plain], withoutTls: true }

describe('what a session tells', () => {
  const commands = 'ehlo x.test\nHUNTER2 secret\nMAIL FROM:<a@x.test>\nRCPT TO:<b@x.test> PASSWORD=1\nRCPT TO:<b@x.test>\n'
  const lines = `${commands}DATA\n${'x'.repeat(70)}\n.\nNOOP\nQUIT\n`

  it.each([1, 2, 7, 1000])('is the same however the octets come: in pieces of %d', (size) => {
    expect(told(lines, size, { limits: { messageOctets: 20 } })).toEqual([
      ['EHLO', 13],
      [undefined, 16],
      [500, '5.5.1', 'Command not recognised', undefined],
      ['MAIL', 22],
      ['RCPT', 31],
      [555, '5.5.4', '', undefined],
      ['RCPT', 20],
      ['DATA', 6],
      [552, '5.3.4', 'Message is larger than accepted here', 'messageOctets'],
      ['NOOP', 6],
      ['QUIT', 6],
    ])
  })

  it('is no line of an AUTH exchange, nor what a client says there', () => {
    expect(told('EHLO x.test\nAUTH PLAIN\nsecret!\nAUTH PLAIN c2VjcmV0\nAUTH SECRET\n', 1000, { auth })).toEqual([
      ['EHLO', 13],
      ['AUTH', 12],
      [501, '5.5.2', 'Cannot decode base64', undefined],
      ['AUTH', 21],
      [501, '5.5.2', '', undefined],
      ['AUTH', 13],
      [504, '5.5.4', 'Mechanism not offered', undefined],
    ])
  })

  it('is refusals alone, or nothing, where that is asked for', () => {
    expect(told('NOOP\nFOO\n', 1000, { tell: 'refusals' })).toEqual([[500, '5.5.1', 'Command not recognised', undefined]])
    const session = smtpServerSession(smtpServerConfig({ hostname: 'mx.test' }), {}, 0)
    const seen: string[] = []
    for (const bytes of ['', 'FOO\r\n']) {
      if (bytes !== '') session.receive(1, Buffer.from(bytes))
      for (let event = session.next(); event !== undefined; event = session.next()) {
        seen.push(event.kind)
        if (event.kind === 'connect') session.answer(event, undefined)
      }
    }
    expect(seen).toEqual(['connect'])
  })

  it.each([
    ['errors', 'FOO\nFOO\n', { limits: { errors: 2 } }],
    ['commands', 'NOOP\nNOOP\nNOOP\n', { limits: { commands: 2 } }],
    ['transactions', 'EHLO x\nMAIL FROM:<>\nRSET\nMAIL FROM:<>\n', { limits: { transactions: 1 } }],
    ['recipients', 'EHLO x\nMAIL FROM:<>\nRCPT TO:<a@x.test>\nRCPT TO:<b@x.test>\n', { limits: { recipients: 1 } }],
    ['commandOctets', `${'x'.repeat(5000)}\n`, {}],
    ['authOctets', `EHLO x\nAUTH PLAIN ${'x'.repeat(13_000)}\n`, { auth }],
    ['headerOctets', `${mail}A: ${'x'.repeat(90)}\n\n.\n`, { limits: { headerOctets: 50 } }],
    ['hops', `${mail}Received: a\nReceived: b\n\n.\n`, { limits: { hops: 1 } }],
  ] as const)('names the limit: %s', (limit, said, options) => {
    const limits = told(said, 1000, options).map((one) => (one as unknown[])[3])
    expect(limits.filter((one) => one !== undefined)).toEqual([limit])
  })
})
