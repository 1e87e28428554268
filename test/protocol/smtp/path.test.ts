import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeMailbox, encodePath, isDomain, parseLiteral, parsePath, type PathRules } from '../../../src/protocol/smtp/index.ts'
import { isIpv6 } from '../../../src/protocol/smtp/literal.ts'

const strict: PathRules = { lenient: false, recipient: false }
const recipient: PathRules = { lenient: false, recipient: true }

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/)
const domain = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 4, size: 'max' }).map((labels) => labels.join('.')),
  fc.ipV4().map((address) => `[${address}]`),
  fc.ipV6().map((address) => `[IPv6:${address}]`),
  fc.constantFrom('b\u00fccher.example', 'my_host.example'),
)
/** Anything that may stand between quotes: printable ASCII, space, and what lies beyond ASCII. */
const local = fc.string({
  unit: fc
    .oneof(fc.integer({ min: 32, max: 126 }), fc.integer({ min: 160, max: 0xd7ff }))
    .map((unit) => String.fromCharCode(unit)),
  maxLength: 30, size: 'max',
})

describe('a path', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(local, domain, (name, host) => {
        const wire = encodePath({ local: name, domain: host })
        const inside = wire.slice(1, -1)
        expect(parsePath(wire, 0, recipient)).toEqual({ path: { local: name, domain: host, wire: inside }, end: wire.length })
        expect(encodeMailbox({ local: name, domain: host })).toBe(inside)
      }),
    )
    expect(parsePath(encodePath(null), 0, strict)).toEqual({ path: null, end: 2 })
  })

  it('S22 has one meaning however its local part was quoted', () => {
    fc.assert(
      fc.property(local, (name) => {
        const quoted = `<"${[...name].map((unit) => `\\${unit}`).join('')}"@b.example>`
        const parsed = parsePath(quoted, 0, recipient)
        expect(parsed).toMatchObject({ path: { local: name, domain: 'b.example' } })
      }),
    )
  })

  it('is never taken from what is none, and its encoding is always one', () => {
    const unit = fc.constantFrom(...'<>@,:"\\.[] ab1-_\u00e9'.split(''))
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 30, size: 'max' }), fc.boolean(), fc.boolean(), (text, lenient, forRecipient) => {
        const parsed = parsePath(text, 0, { lenient, recipient: forRecipient })
        if ('error' in parsed || parsed.path === null) return
        expect(parsed.end).toBeLessThanOrEqual(text.length)
        const again = parsePath(encodePath(parsed.path), 0, recipient)
        if (parsed.path.domain !== '') {
          expect(again).toMatchObject({ path: { local: parsed.path.local, domain: parsed.path.domain } })
        }
      }),
      { numRuns: 5000 },
    )
  })

  const locals = ['a.', '.a', 'a..b', '.', '', ' ', 'a b', 'a"b', 'a\\b', 'a@b', '\u00fc', 'a.b', "o'hara"]

  it.each(locals)('has any local part: %j', (name) => {
    const wire = encodePath({ local: name, domain: 'b.example' })
    expect(parsePath(wire, 0, strict)).toMatchObject({ path: { local: name, domain: 'b.example' }, end: wire.length })
  })

  it('has bounds', () => {
    const long = (octets: number): string => 'a'.repeat(octets)
    expect(parsePath(`<${long(256)}@b.example>`, 0, strict)).toHaveProperty('path')
    expect(parsePath(`<${long(257)}@b.example>`, 0, strict)).toHaveProperty('error')
    expect(parsePath(`<"${long(256)}"@b.example>`, 0, strict)).toHaveProperty('path')
    expect(parsePath(`<"${long(257)}"@b.example>`, 0, strict)).toHaveProperty('error')
    const labels = (count: number): string => Array.from({ length: count }, () => long(63)).join('.')
    expect(isDomain(labels(4).slice(0, 255))).toBe(true)
    expect(isDomain(labels(5).slice(0, 256))).toBe(false)
    expect(isDomain(long(63))).toBe(true)
    expect(isDomain(long(64))).toBe(false)
  })

  it('is read in time that grows with its length, not with its square', () => {
    for (const open of ['"\\', '<@a,', '<"', '<[', '<a.', '<@a:@a:']) {
      const text = open.repeat(20_000)
      expect(parsePath(text, 0, { lenient: true, recipient: true })).toHaveProperty('error')
    }
  })
})

describe('an address literal', () => {
  it.each([
    ['[192.0.2.1]', { kind: 'ipv4', address: '192.0.2.1' }],
    ['[IPv6:2001:db8::1]', { kind: 'ipv6', address: '2001:db8::1' }],
    ['[ipv6:::]', { kind: 'ipv6', address: '::' }],
    ['[X-Tag:content]', { kind: 'general', tag: 'X-Tag', content: 'content' }],
    ['[192.0.2.256]', undefined],
    ['[192.0.2]', undefined],
    ['[1e1.0.2.1]', undefined],
    ['[+1.0.2.1]', undefined],
    ['[0192.0.2.1]', undefined],
    ['[IPv6:]', undefined],
    ['[IPv6:1:2:3:4:5:6:7]', undefined],
    ['[IPv6:1:2:3:4:5:6:7:8:9]', undefined],
    ['[IPv6:1::2::3]', undefined],
    ['[IPv6:12345::]', undefined],
    ['[IPv6:::g]', undefined],
    ['[IPv6:::192.0.2.1:1]', undefined],
    ['[tag-:content]', undefined],
    ['[tag:]', undefined],
    ['[:content]', undefined],
    ['[tag:a b]', undefined],
    ['[tag:a[b]', undefined],
    ['[tag:a\\b]', undefined],
    ['192.0.2.1', undefined],
    ['[]', undefined],
    ['[', undefined],
  ])('%s', (text, wanted) => {
    expect(parseLiteral(text)).toEqual(wanted)
  })

  it('holds every IPv6 address', () => {
    fc.assert(fc.property(fc.ipV6(), (address) => void expect(isIpv6(address)).toBe(true)))
  })

  it('holds no more than eight groups', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('0', 'ffff', '::', ':', '1.2.3.4'), { maxLength: 12, size: 'max' }), (parts) => {
        const text = parts.join('')
        if (isIpv6(text)) expect(() => new URL(`http://[${text}]/`)).not.toThrow()
      }),
      { numRuns: 3000 },
    )
  })
})
