import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { linkHosts } from '../../src/message/link-hosts.ts'

describe('linkHosts', () => {
  it.each<readonly [what: string, text: string, hosts: readonly string[]]>([
    ['nothing', 'Hello there. How are you?a.b', []],
    ['a link', 'See http://www.Bad.Test/path?x=y#z.', ['www.bad.test']],
    ['a link at the end of a sentence', 'See https://bad.test. Really (https://worse.test)!', ['bad.test', 'worse.test']],
    ['links in a row', 'http://a.test,http://b.test;http://c.test', ['a.test', 'b.test', 'c.test']],
    ['other schemes', 'ftp://a.test/ hxxp://b.test/', ['a.test', 'b.test']],
    ['a name that begins as web sites do',
      'www.bad.test, WWW.worse.test/x; not awww.a.test, x@www.b.test', ['www.bad.test', 'www.worse.test']],
    ['a port, and credentials', 'http://bank.test:80@bad.test:8080/', ['bad.test']],
    ['credentials of two parts', 'http://a@b@bad.test/', ['bad.test']],
    ['slashes of the other kind',
      'http:\\\\bad.test\\x http:/one.test/ http:////many.test', ['bad.test', 'one.test', 'many.test']],
    ['escapes', 'http://%62ad%2Etest/ http://b%C3%BCcher.test', ['bad.test', 'xn--bcher-kva.test']],
    ['letters that are not ASCII', 'http://b\u00fccher\u3002test/', ['xn--bcher-kva.test']],
    ['full width, and what is not seen', 'http://\uff42ad.te\u00adst/', ['bad.test']],
    ['the same twice', 'http://a.test http://A.TEST. http://a.test/x', ['a.test']],
    ['addresses', 'http://192.0.2.1/ http://[2001:db8::1]/ http://3221225985/', []],
    ['what is no name', 'http://localhost/ http://-/ http://a..b/ http:// http://%zz.test/ ://a http://x_y.z!', []],
    ['no scheme', 'x ://a.test, : //a.test, 10://a.test', []],
    ['a message for no browser', 'mailto:x@a.test', []],
  ])('finds in text %s', (_, text, hosts) => {
    expect(linkHosts(text, false)).toEqual(hosts)
  })

  it.each<readonly [what: string, html: string, hosts: readonly string[]]>([
    ['a link', '<a href="http://bad.test/x">http://bank.test/</a>', ['bad.test', 'bank.test']],
    ['a picture', '<img src=//bad.test/pixel.gif>', ['bad.test']],
    ['a style', '<p style="background:url(//bad.test/x)">', ['bad.test']],
    ['references to characters', '<a href="&#104;ttp&#x3a;//b&#97;d.test">', ['bad.test']],
    ['line ends in an attribute', '<a href="http://ba\r\nd.te\tst/">', ['bad.test']],
    ['line ends outside of one', '<p>http://bad.test\nfine', ['bad.test']],
    ['a comment in text', '<p>either/or // neither.test', []],
  ])('finds in HTML %s', (_, html, hosts) => {
    expect(linkHosts(html, true)).toEqual(hosts)
  })

  it('stops at as many as are wanted', () => {
    const text = Array.from({ length: 1000 }, (_, at) => `http://a${at}.test `).join('')
    expect(linkHosts(text, false, 5)).toHaveLength(5)
    expect(linkHosts(text, false)).toHaveLength(100)
  })

  it('finds the link wherever it stands, and never throws', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'/:\\@%.wh "<&;#\u00fc\n=') })
    fc.assert(fc.property(noise, noise, fc.boolean(), (before, after, isHtml) => {
      expect(linkHosts(`${before} http://bad.test/ ${after}`, isHtml)).toContain('bad.test')
      for (const host of linkHosts(before + after, isHtml)) expect(host).toMatch(/^[a-z0-9_.-]+$/)
    }), { numRuns: 300 })
  })

  it.each<readonly [string, string]>([
    ['slashes', '/'.repeat(300_000)],
    ['schemes', 'http:'.repeat(60_000)],
    ['schemes with slashes', 'a://'.repeat(75_000)],
    ['credentials', `http://${'a@'.repeat(150_000)}`],
    ['escapes', `http://${'%41'.repeat(100_000)}`],
    ['references', '&#'.repeat(150_000)],
    ['names', 'www.'.repeat(75_000)],
    ['quotes', '"//'.repeat(100_000)],
    ['letters', `${'a'.repeat(300_000)}://x`],
  ])('reads 300 kB of %s', (_, text) => {
    for (const isHtml of [false, true]) expect(linkHosts(text, isHtml).length).toBeLessThanOrEqual(100)
  })
})
