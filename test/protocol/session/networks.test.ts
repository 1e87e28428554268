import { describe, expect, it } from 'vitest'
import { clientOf, networkOf, sameAddress } from '../../../src/protocol/session/networks.ts'

describe('networkOf', () => {
  it.each([
    ['203.0.113.9', '203.0.113.0/24'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0DB8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
  ])('%s is in %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})

describe('clientOf', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9'],
    ['2001:db8:1:2::1', '2001:db8:1:2::'],
    ['2001:DB8:1:2:ffff::9', '2001:db8:1:2::'],
    ['64:ff9b::192.0.2.1', '64:ff9b::192.0.2.1'],
    ['64:FF9B::C000:201', '64:ff9b::c000:201'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ])('%s counts as %s', (address, client) => {
    expect(clientOf(address)).toBe(client)
  })
})

describe('sameAddress', () => {
  it.each([
    ['203.0.113.9', '203.0.113.9', true],
    ['203.0.113.9', '203.0.113.10', false],
    ['2001:db8::9', '2001:DB8:0:0:0:0:0:9', true],
    ['2001:db8::9', '2001:0db8::0009', true],
    ['2001:db8::9', '2001:db8::a', false],
    ['::ffff:192.0.2.1', '::FFFF:192.0.2.1', true],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['192.0.2.1', '::ffff:192.0.2.1', false],
    ['x', '2001:db8::9', false],
    ['', '::', false],
  ])('%s and %s: %s', (one, other, same) => {
    expect(sameAddress(one, other)).toBe(same)
    expect(sameAddress(other, one)).toBe(same)
  })
})
