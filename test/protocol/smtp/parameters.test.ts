import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeXtext, encodeXtext } from '../../../src/protocol/smtp/index.ts'
import {
  mailReaders,
  otherReader,
  plainMail,
  plainRecipient,
  readParameters,
  recipientReaders,
} from '../../../src/protocol/smtp/parameters.ts'

const octetText = fc.string({ unit: fc.nat(255).map((unit) => String.fromCharCode(unit)) })

describe('xtext (RFC 3461 §4)', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(octetText, (text) => {
        expect(encodeXtext(text)).toMatch(/^[!-~]*$/)
        expect(decodeXtext(encodeXtext(text))).toBe(text)
      }),
    )
  })

  it.each(['+', '+4', '+4g', '+4a', 'a=b', 'a b', '\u00e9', '+\u0000A', '+ 41'])('refuses %j', (text) => {
    expect(decodeXtext(text)).toBeUndefined()
  })
})

const mail = (text: string) => readParameters(text, 0, plainMail, mailReaders)
const rcpt = (text: string) => readParameters(text, 0, plainRecipient, recipientReaders)

describe('parameters', () => {
  it('are read together', () => {
    expect(
      mail(' SIZE=10 BODY=8BITMIME SMTPUTF8 REQUIRETLS AUTH=a@b.example RET=full ENVID=x BY=5;N MT-PRIORITY=9 HOLDFOR=0'),
    ).toEqual({
      parameters: {
        size: 10,
        body: '8BITMIME',
        smtpUtf8: true,
        requireTls: true,
        auth: { local: 'a', domain: 'b.example', wire: 'a@b.example' },
        ret: 'FULL',
        envid: 'x',
        deliverBy: { seconds: 5, mode: 'notify', trace: false },
        priority: 9,
        hold: { seconds: 0 },
        other: new Map(),
      },
    })
    expect(rcpt(' NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=utf-8;gr\u00fc\u00dfe@b.example')).toEqual({
      parameters: {
        notify: ['SUCCESS', 'FAILURE', 'DELAY'],
        originalRecipient: { type: 'utf-8', address: 'gr\u00fc\u00dfe@b.example' },
        other: new Map(),
      },
    })
  })

  it('leave what they do not touch, and share nothing', () => {
    expect(mail('')).toEqual({ parameters: plainMail })
    const readers = new Map([['X-A', otherReader<typeof plainMail>('X-A')]])
    const one = readParameters(' X-A=1', 0, plainMail, readers)
    expect(one).toEqual({ parameters: { ...plainMail, other: new Map([['X-A', '1']]) } })
    expect(plainMail.other.size).toBe(0)
  })

  it("are refused in the host's words", () => {
    const readers = new Map([
      ['X-A', otherReader<typeof plainMail>('X-A', (value) => (value === undefined ? 'takes a value' : undefined))],
    ])
    expect(readParameters(' X-A', 0, plainMail, readers)).toEqual({
      refusal: { code: 501, enhanced: '5.5.4', text: 'Syntax error: X-A takes a value' },
    })
  })

  it('end in a refusal or in parameters, whatever the text', () => {
    const word = fc.constantFrom(
      'SIZE', 'BODY', 'AUTH', 'ENVID', 'BY', 'MT-PRIORITY', 'HOLDFOR', 'HOLDUNTIL', 'RET', 'NOTIFY', 'ORCPT', '=', ' ', '1',
      '-', ';R', 'T', '<>', '+2B', '+', 'NEVER', ',', '2030-01-01T00:00:00', 'Z', '\u00e9',
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 12, size: 'max' }), (words) => {
        for (const read of [mail, rcpt]) {
          const result = read(` ${words.join('')}`)
          if ('refusal' in result) expect([501, 555]).toContain(result.refusal.code)
        }
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    ['2030-01-01T00:00:00Z', true],
    ['2030-01-01t00:00:00z', true],
    ['2030-01-01T00:00:00.123456+05:30', true],
    ['2030-01-01T00:00:00-00:00', true],
    ['2030-01-01T00:00:00', false],
    ['2030-01-01 00:00:00Z', false],
    ['2030-01-01T00:00:00.Z', false],
    ['2030-01-01T00:00:00+0530', false],
    ['2030-01-01T00:00:00+5:30', false],
    ['2030-1-1T00:00:00Z', false],
    ['\u0662030-01-01T00:00:00Z', false],
  ])('HOLDUNTIL=%s', (value, sound) => {
    expect('parameters' in mail(` HOLDUNTIL=${value}`)).toBe(sound)
  })
})
