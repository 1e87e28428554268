import { describe, expect, it } from 'vitest'
import { addressSet, plainAddress, serverName } from '../../../src/adapters/node/addresses.ts'

describe('plainAddress', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1', '::1'],
    [undefined, undefined],
  ])('%s is %s', (address, expected) => {
    expect(plainAddress(address)).toBe(expected)
  })
})

describe('serverName', () => {
  it.each([
    ['MX.Example.test', 'mx.example.test'],
    ['_25._tcp.a-b.example', '_25._tcp.a-b.example'],
    ['', ''],
    ['a\r\nX-Injected: yes', undefined],
    ['a b', undefined],
    ['b\u00fccher.example', undefined],
    ['a\0.example', undefined],
    ['a'.repeat(253), 'a'.repeat(253)],
    ['a'.repeat(254), undefined],
  ])('%j is %j', (given, expected) => {
    expect(serverName(given)).toBe(expected)
  })
})

describe('addressSet', () => {
  const set = addressSet('proxy.from', ['10.0.0.0/8', '192.0.2.7', ' 2001:db8::/32 ', '::1', '::ffff:198.51.100.0/120'])

  it.each([
    ['10.255.0.1', true],
    ['11.0.0.1', false],
    ['192.0.2.7', true],
    ['192.0.2.8', false],
    ['2001:db8:ffff::1', true],
    ['2001:db9::1', false],
    ['::1', true],
    ['::2', false],
    ['198.51.100.9', true],
    ['198.51.101.9', false],
    ['::ffff:10.1.2.3', true],
    [undefined, false],
    ['', false],
    ['mail.example.org', false],
  ])('%s: %s', (address, expected) => {
    expect(set(address)).toBe(expected)
  })

  it('tells of one address after another, however often', () => {
    const asked = ['10.0.0.1', '10.0.0.1', '11.0.0.1', '11.0.0.1', undefined, '10.0.0.1', undefined]
    expect(asked.map(set)).toEqual([true, true, false, false, false, true, false])
  })

  it('is empty when nothing is in it', () => {
    expect(addressSet('proxy.from', [])('10.0.0.1')).toBe(false)
  })

  it.each([
    '', '10', '10.1', '0x7f000001', '010.0.0.1', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '::/129', 'example.org',
    '10.0.0.0/8,11.0.0.0/8',
  ])(
    'refuses "%s" with an error that names setting and entry',
    (cidr) => {
      expect(() => addressSet('proxy.from', ['10.0.0.0/8', cidr])).toThrow(`proxy.from: "${cidr}" is no address or CIDR`)
    },
  )
})
