import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/adapters/node/index.ts'
import { scramKeysOf } from '../../../src/protocol/sasl/index.ts'

const base64 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'))
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

describe('keys for SCRAM', () => {
  // Derived from the exchanges of RFC 5802 §5 and RFC 7677 §3: user `user`, password `pencil`.
  it.each([
    ['SHA-1', 'QSXCR+Q6sek8bf92', '6dlGYMOdZcOPutkcNY8U2g7vK9Y=', 'D+CSWLOshSulAsxiupA+qs2/fTE='],
    [
      'SHA-256',
      'W22ZaJ0SNY7soEsUEjb6gQ==',
      'WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=',
      'wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
    ],
  ] as const)('are those of the RFC with %s', async (hash, salt, stored, server) => {
    const keys = await scramKeysOf(nodeCrypto, hash, 'pencil', { salt: base64(salt), iterations: 4096 })
    expect([text(keys.storedKey), text(keys.serverKey)]).toEqual([stored, server])
  })

  it('come of the prepared password', async () => {
    const options = { salt: base64('c2FsdA=='), iterations: 1 }
    const keys = (password: string) => scramKeysOf(nodeCrypto, 'SHA-256', password, options)
    expect(await keys('I\u00adX')).toEqual(await keys('\u2168'))
    expect(await keys('a\tb')).not.toEqual(await keys('ab'))
  })

  it('have a salt of their own where none is given', async () => {
    const [one, other] = await Promise.all(['x', 'x'].map((password) => scramKeysOf(nodeCrypto, 'SHA-1', password)))
    expect(one!.salt).toHaveLength(16)
    expect(one!.salt).not.toEqual(other!.salt)
    expect(one!.iterations).toBe(10_000)
  })
})
