import { describe, expect, it } from 'vitest'
import { receiver, type ReceiverOptions } from '../../src/index.ts'
import { world } from '../../src/testing/index.ts'

const sound: ReceiverOptions = { hostname: 'mx.test', accepts: () => true, deliver: () => undefined }

describe('receiver()', () => {
  it.each([
    ['a hostname that is none', { hostname: 'mx test' }, /hostname/],
    ['a hostname that is not in A-labels', { hostname: 'm\u00fcx.test' }, /hostname/],
    ['a profile that is none', { profile: 'relay' as 'mx' }, /profile/],
    ['a trusted network that is none', { trusted: ['192.0.2.0/99'] }, /trusted/],
    ['a limit that is none', { smtp: { limits: { colour: 1 } as object } }, /colour/],
    ['a time-out that is no time', { smtp: { timeouts: { idle: -1 } } }, /idle/],
  ] as readonly (readonly [string, Partial<ReceiverOptions>, RegExp])[])('refuses %s, and names it', (_, options, message) => {
    expect(() => receiver({ ...sound, ...options })).toThrow(
      expect.objectContaining({ code: 'config', message: expect.stringMatching(message) }),
    )
  })

  it('refuses LMTP on port 25 (S38)', async () => {
    await expect(receiver({ ...sound, profile: 'lmtp' }).listen({ port: 25 })).rejects.toMatchObject({ code: 'config' })
  })

  it('offers nothing that it does not honour', async () => {
    const keywords = async (server: Partial<ReceiverOptions>, tls: boolean): Promise<string[]> => {
      const client = world({ server }).connect('203.0.113.9', { startTls: !tls, ...(tls ? { tls: true } : {}) })
      const [, hello] = await client.ask('EHLO x.test')
      return hello!
        .split('\n')
        .slice(1)
        .map((line) => line.slice(4))
    }
    const always = [
      'PIPELINING',
      'SIZE 52428800',
      '8BITMIME',
      'SMTPUTF8',
      'CHUNKING',
      'BINARYMIME',
      'ENHANCEDSTATUSCODES',
      'LIMITS RCPTMAX=1000',
    ]
    expect((await keywords({}, false)).sort()).toEqual([...always, 'STARTTLS'].sort())
    expect((await keywords({}, true)).sort()).toEqual(always.sort())
    expect(await keywords({ authenticate: () => undefined }, true)).toContain('AUTH PLAIN LOGIN')
  })
})
