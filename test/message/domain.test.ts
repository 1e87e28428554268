import { domainToASCII } from 'node:url'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { asciiDomain } from '../../src/message/index.ts'

it.each([
  ['example.org', 'example.org'],
  ['EXAMPLE.org.', 'example.org'],
  ['XN--MLLER-KVA.Example', 'xn--mller-kva.example'],
  ['müller.example', 'xn--mller-kva.example'],
  ['MÜLLER.example', 'xn--mller-kva.example'],
  ['mu\u0308ller.example', 'xn--mller-kva.example'],
  ['straße.example', 'xn--strae-oqa.example'],
  ['例子.广告', 'xn--fsqu00a.xn--4rr70v'],
  ['例子。广告', 'xn--fsqu00a.xn--4rr70v'],
  ['ｅｘａｍｐｌｅ．ｏｒｇ', 'example.org'],
  ['ex\u00adam\u200bple.org', 'example.org'],
  ['[IPv6:2001:DB8::1]', '[ipv6:2001:db8::1]'],
  ['a_b.example', 'a_b.example'],
  ['', ''],
  ['.', ''],
])('%s is %s', (domain, expected) => {
  expect(asciiDomain(domain)).toBe(expected)
  expect(asciiDomain(expected)).toBe(expected)
})

it('agrees with the platform on domains that it knows', () => {
  const names = [
    'bücher.example', 'ÅNGSTRÖM.example', 'пример.испытание', 'उदाहरण.परीक्षा', '한국.example', 'ΜΕΣΟΣ.example', '例子.广告',
    'ＡＢＣ.example',
  ]
  for (const name of names) expect(asciiDomain(name)).toBe(domainToASCII(name))
})

it('never throws, whatever it is given', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
    expect(typeof asciiDomain(text)).toBe('string')
  }))
})
