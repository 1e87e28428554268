import { withoutMarkup } from '../message/preview.ts'

const schemes = ['https://', 'http://']
/** What may stand behind a link in a sentence and is no part of it. */
const behind = new Set(['.', ',', ';', ':', '!', '?', ')', ']', '}', '>', "'", '"', '*', '_'])

/** The web links of a message, each once: those of the HTML in its order, then those that the text alone has. */
export function linksOf(text: string, html: string | undefined): string[] {
  return [...new Set([...(html === undefined ? [] : hrefsOf(html)), ...linksOfText(text)])]
}

/** The web links in plain text. */
export function linksOfText(text: string): string[] {
  const found: string[] = []
  for (let at = nextLink(text, 0); at >= 0;) {
    let end = at
    while (end < text.length && !ends(text.charAt(end))) end++
    const next = nextLink(text, end)
    while (behind.has(text.charAt(end - 1)) && !closes(text, at, end)) end--
    found.push(text.slice(at, end))
    at = next
  }
  return found
}

function nextLink(text: string, from: number): number {
  let at = text.indexOf('http', from)
  while (at >= 0 && !schemes.some((scheme) => text.startsWith(scheme, at))) at = text.indexOf('http', at + 4)
  return at
}

/** Blanks, control characters, and what RFC 3986 lets nobody write in a link. */
const ends = (character: string): boolean => character <= ' ' || '<>"`|\\^{}\u00a0'.includes(character)

/** A parenthesis that the link itself has opened belongs to it. */
function closes(text: string, from: number, end: number): boolean {
  if (text.charAt(end - 1) !== ')') return false
  const link = text.slice(from, end)
  return link.split('(').length === link.split(')').length
}

/** The `href`s of web links in HTML, entities undone. */
function hrefsOf(html: string): string[] {
  const hrefs = html.matchAll(/\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))/gi)
  const links = Array.from(hrefs, ([, one, other, bare]) => withoutMarkup(one ?? other ?? bare ?? '').trim())
  return links.filter((link) => schemes.some((scheme) => link.toLowerCase().startsWith(scheme)))
}
