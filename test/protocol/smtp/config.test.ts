import { describe, expect, it } from 'vitest'
import { isMailError } from '../../../src/protocol/session/index.ts'
import { smtpServerConfig, type SmtpServerOptions } from '../../../src/protocol/smtp/index.ts'

const refused: [string, Partial<SmtpServerOptions>, string][] = [
  ['a profile that is none', { profile: 'relay' as 'mx' }, 'profile'],
  ['a hostname that is none', { hostname: 'no name' }, 'hostname'],
  ['a hostname that is not ASCII (RFC 6531 §3.7.1)', { hostname: 'b\u00fccher.example' }, 'hostname'],
  ['an empty hostname', { hostname: '' }, 'hostname'],
  ['a banner of two lines', { banner: 'hello\r\n220 world' }, 'banner'],
  ['a limit that is none', { limits: { recipient: 5 } as object }, 'limits'],
  ['a limit below zero', { limits: { recipients: -1 } }, 'limits: recipients'],
  ['a limit that is no number', { limits: { recipients: Number.NaN } }, 'limits: recipients'],
  ['a limit in words', { limits: { recipients: '5' as unknown as number } }, 'limits: recipients'],
  ['text lines too short to be measured', { limits: { textLineOctets: 63 } }, 'limits.textLineOctets'],
  ['a time-out that is none', { timeouts: { idel: 5 } as object }, 'timeouts'],
  ['a verb that is none', { verbs: ['X PING'] }, 'verbs'],
  ['a verb that is not ASCII', { verbs: ['\u017fIZE'] }, 'verbs'],
  ['a verb of the standard', { verbs: ['data'] }, 'verbs'],
  ['a keyword that is none', { keywords: ['-X'] }, 'keywords'],
  ['a keyword of two lines', { keywords: ['X\r\n250 Y'] }, 'keywords'],
  ['a parameter of the standard', { mailParameters: [{ keyword: 'size' }] }, 'mailParameters'],
  ['a parameter that is none', { recipientParameters: [{ keyword: 'a=b' }] }, 'recipientParameters'],
  ['a priority profile of two lines', { extensions: { priority: 'A\r\nB' } }, 'extensions'],
  ['a release of two lines', { extensions: { futureRelease: { seconds: 1, until: '\r\n' } } }, 'extensions'],
]

describe('a configuration', () => {
  it.each(refused)('is refused with %s', (_what, options, name) => {
    try {
      smtpServerConfig({ hostname: 'mx.example.org', ...options })
      expect.unreachable()
    } catch (error) {
      expect(isMailError(error) && error.code).toBe('config')
      expect((error as Error).message).toContain(name)
    }
  })

  it('has the strictness of its profile, but where it says otherwise', () => {
    const rules = (options: Partial<SmtpServerOptions>) => smtpServerConfig({ hostname: 'mx.example.org', ...options }).rules
    expect(rules({})).toEqual({
      bareLineFeed: false,
      lenientPaths: false,
      earlyTalk: 'refuse',
      pipelining: 'flag',
      bareLineEnds: 'reject',
      longLines: 'accept',
    })
    expect(rules({ profile: 'submission' })).toEqual({ ...rules({}), earlyTalk: 'accept', bareLineEnds: 'normalize' })
    expect(rules({ profile: 'lmtp' })).toEqual(rules({ profile: 'submission' }))
    expect(rules({ profile: 'test' })).toEqual({ ...rules({ profile: 'submission' }), bareLineFeed: true, lenientPaths: true })
    expect(rules({ profile: 'test', rules: { bareLineFeed: false } }).bareLineFeed).toBe(false)
  })

  it('takes verbs and keywords in any case', () => {
    const { verbs, keywords } = smtpServerConfig({ hostname: 'localhost', verbs: ['x-Ping'], keywords: ['x-Ping 1.0'] })
    expect([...verbs]).toEqual(['X-PING'])
    expect(keywords).toEqual(['x-Ping 1.0'])
  })
})
