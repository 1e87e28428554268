import { describe, expect, it } from 'vitest'
import { linksOf } from '../../src/testing/links.ts'

describe('links of a text', () => {
  it.each([
    ['See https://x.test/a?b=c&d=e.', ['https://x.test/a?b=c&d=e']],
    ['<https://x.test/a>', ['https://x.test/a']],
    ['(https://x.test/a), or [http://y.test]', ['https://x.test/a', 'http://y.test']],
    [
      'https://en.wikipedia.org/wiki/A_(b) and (https://x.test/a_(b))',
      ['https://en.wikipedia.org/wiki/A_(b)', 'https://x.test/a_(b)'],
    ],
    ['twice https://x.test twice https://x.test', ['https://x.test']],
    ['"https://x.test/a" \'https://x.test/b\'', ['https://x.test/a', 'https://x.test/b']],
    ['https://x.test/a\nhttps://x.test/b', ['https://x.test/a', 'https://x.test/b']],
    ['https://x.test/r?to=https://y.test/z', ['https://x.test/r?to=https://y.test/z']],
    ['ftp://x.test mailto:a@x.test www.x.test', []],
    ['https://', ['https://']],
  ])('%s', (text, links) => {
    expect(linksOf(text, undefined)).toEqual(links)
  })
})

describe('links of HTML', () => {
  it.each([
    ['<a href="https://x.test/a?b=c&amp;d=e">x</a>', ['https://x.test/a?b=c&d=e']],
    ["<a class=x href = 'https://x.test/a'>x</a>", ['https://x.test/a']],
    ['<A HREF=https://x.test/a>x</A>', ['https://x.test/a']],
    ['<a href="mailto:a@x.test"><a href="#top"><a href="/rel"><a data-href="https://no.test">', ['https://no.test']],
    ['<img src="https://x.test/pixel.gif">', []],
    ['<a href="https://x.test/a', []],
  ])('%s', (html, links) => {
    expect(linksOf('', html)).toEqual(links)
  })

  it('come before those that the text alone has', () => {
    expect(linksOf('https://b.test https://a.test', '<a href="https://a.test">')).toEqual(['https://a.test', 'https://b.test'])
  })
})
