import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/adapters/node/index.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex')

describe('the cryptography of Node', () => {
  it('hashes', () => {
    expect(hex(nodeCrypto.hash('SHA-1', bytes('abc')))).toBe('a9993e364706816aba3e25717850c26c9cd0d89d')
    expect(hex(nodeCrypto.hash('SHA-256', bytes('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(hex(nodeCrypto.hash('MD5', bytes('abc')))).toBe('900150983cd24fb0d6963f7d28e17f72')
  })

  it('authenticates (RFC 2202 §2, case 2)', () => {
    const data = bytes('what do ya want for nothing?')
    expect(hex(nodeCrypto.hmac('MD5', bytes('Jefe'), data))).toBe('750c783e6ab0b503eaa86e310a5db738')
    expect(hex(nodeCrypto.hmac('SHA-1', bytes('Jefe'), data))).toBe('effcdf6ae5eb2fa2d27416d5f184df9c259a7c79')
  })

  it('derives keys (RFC 6070; RFC 7914 §11)', async () => {
    expect(hex(await nodeCrypto.pbkdf2('SHA-1', bytes('password'), bytes('salt'), 4096))).toBe(
      '4b007901b765489abead49d926f721d065a429c1',
    )
    expect(hex(await nodeCrypto.pbkdf2('SHA-256', bytes('passwd'), bytes('salt'), 1))).toBe(
      '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc',
    )
  })

  it('draws as many octets as wanted', () => {
    expect(nodeCrypto.random(18)).toHaveLength(18)
    expect(nodeCrypto.random(18)).not.toEqual(nodeCrypto.random(18))
  })
})
