import { describe, expect, it } from 'vitest'
import { pop3ServerConfig } from '../../../src/protocol/pop3/index.ts'

const given = { hostname: 'pop.example.org', auth: { mechanisms: [] } }

describe('options', () => {
  it.each([
    [{ ...given, hostname: 7 }, 'hostname'],
    [{ ...given, auth: {} }, 'mechanisms'],
    [{ ...given, startTLS: true }, 'startTls'],
    [{ ...given, expire: -1 }, 'expire'],
    [{ ...given, expire: 'NEVER' }, 'expire'],
    [{ ...given, implementation: 'two words' }, 'implementation'],
    [{ ...given, implementation: '' }, 'implementation'],
    [{ ...given, utf8Headers: 'drop' }, 'utf8Headers'],
    [{ ...given, limits: { lineOctets: 254 } }, 'lineOctets'],
    [{ ...given, limits: { pieceOctets: 0 } }, 'pieceOctets'],
    [{ ...given, timeouts: { idel: 1 } }, 'idle'],
  ])('%j: %s', (options, name) => {
    expect(() => pop3ServerConfig(options as never)).toThrow(name)
  })

  it('have defaults', () => {
    expect(pop3ServerConfig(given)).toMatchObject({
      startTls: false, authWithoutTls: false, implementation: 'posthorn', refusesUtf8: false, expire: undefined,
      limits: { lineOctets: 512, authOctets: 12_288, pieceOctets: 262_144 },
      timeouts: { idle: 600_000 },
    })
    expect(pop3ServerConfig({ ...given, implementation: false }).implementation).toBeUndefined()
  })
})
