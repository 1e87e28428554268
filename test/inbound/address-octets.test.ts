import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressOctets, isSameAddress, reverseTreeName } from '../../src/inbound/address-octets.ts'
import { reverseNames } from '../../src/index.ts'
import { fakeDns } from '../../src/testing/index.ts'

describe('addressOctets', () => {
  it.each<readonly [string, readonly number[] | undefined]>([
    ['192.0.2.1', [192, 0, 2, 1]],
    ['::ffff:192.0.2.1', [192, 0, 2, 1]],
    ['::FFFF:c000:201', [192, 0, 2, 1]],
    ['64:ff9b::192.0.2.1', [192, 0, 2, 1]],
    ['::1', [...Array<number>(15).fill(0), 1]],
    ['::', Array<number>(16).fill(0)],
    ['2001:db8::', [0x20, 1, 0xd, 0xb8, ...Array<number>(12).fill(0)]],
    ['fe80::1%eth0', [0xfe, 0x80, ...Array<number>(13).fill(0), 1]],
    ['1:2:3:4:5:6:7:8', [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]],
    ['2001:db8::1.2.3.4', [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]],
    ['', undefined], ['1.2.3', undefined], ['1.2.3.256', undefined], ['01.2.3.4', undefined], ['1:2', undefined],
    [':::', undefined], ['x::1', undefined], ['localhost', undefined], ['1.2.3.4:25', undefined],
  ])('%s', (address, octets) => {
    expect(addressOctets(address)).toEqual(octets)
  })

  it('never throws', () => {
    const text = fc.string({ unit: fc.constantFrom('1', 'f', ':', '.', '%', '::', '255', 'g', '[', ']') })
    fc.assert(fc.property(text, text, (one, other) => {
      expect([undefined, 4, 16]).toContain(addressOctets(one)?.length)
      expect(isSameAddress(one, other)).toBe(isSameAddress(other, one))
    }), { numRuns: 300 })
  })
})

describe('reverseTreeName', () => {
  it.each([
    ['192.0.2.1', '1.2.0.192.in-addr.arpa'],
    ['2001:db8::567:89ab', 'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
    ['nonsense', undefined],
  ])('%s', (address, name) => {
    expect(reverseTreeName(address)).toBe(name)
  })
})

describe('reverseNames', () => {
  it.each<readonly [string, object]>([
    ['192.0.2.1', { result: 'pass', name: 'two.test', names: ['one.test', 'two.test'] }],
    ['192.0.2.2', { result: 'fail', name: 'one.test' }],
    ['192.0.2.3', { result: 'permerror', name: undefined, names: [] }],
    ['192.0.2.4', { result: 'temperror', names: [] }],
    ['192.0.2.5', { result: 'temperror', name: 'one.test' }],
    ['2001:db8::1', { result: 'pass', name: 'six.test' }],
    ['no address', { result: 'none' }],
  ])('%s', async (address, found) => {
    const dns = fakeDns({
      '192.0.2.1': { PTR: ['One.test', 'two.test'] },
      '192.0.2.2': { PTR: ['one.test', '.'] },
      '192.0.2.4': 'TIMEOUT',
      '192.0.2.5': { PTR: ['one.test', 'broken.test'] },
      '2001:db8::1': { PTR: 'six.test' },
      'one.test': { A: '198.51.100.1' },
      'two.test': { A: ['198.51.100.2', '192.0.2.1'] },
      'six.test': { AAAA: '2001:DB8:0:0::1', A: '192.0.2.1' },
      'broken.test': 'SERVFAIL',
    })
    expect(await reverseNames(address, dns)).toMatchObject(found)
  })
})
