import type { XMLParser } from 'fast-xml-parser'
import { MailError } from '../../protocol/session/errors.ts'

/** Deeper than this nothing is that anybody means us to read. */
const MOST_DEPTH = 40
/** Tags of a document: each costs a parser about a microsecond and half a kilobyte. A report of 20,000 rows has as many. */
const MOST_TAGS = 1_000_000
/** Characters from one tag to the next: the parser takes them one by one, and keeps each. */
const MOST_BETWEEN = 65_536

/**
 * Reads XML into plain data: each element is an object of its children, each child a list of all with that name, and an element
 * of text alone is that text. Attributes are left out. Nothing where it is no XML, or declares a document type, which could have
 * entities that hold each other; or has more than a million tags.
 *
 * @throws MailError `unavailable`, which names the command that installs fast-xml-parser
 */
export async function parseXml(text: string): Promise<unknown> {
  const parser = await load()
  if (text.includes('<!DOCTYPE') || text.includes('<!ENTITY') || isTooMuch(text)) return undefined
  try {
    return parser.parse(text)
  } catch {
    return undefined
  }
}

let loaded: XMLParser | undefined

async function load(): Promise<XMLParser> {
  try {
    const { XMLParser: Parser } = await import('fast-xml-parser')
    return (loaded ??= new Parser({
      ignoreAttributes: true,
      removeNSPrefix: true,
      parseTagValue: false,
      trimValues: true,
      ignoreDeclaration: true,
      isArray: () => true,
    }))
  } catch (cause) {
    const text = 'reading DMARC reports needs fast-xml-parser, which is not installed: npm install fast-xml-parser'
    throw new MailError('unavailable', text, { cause })
  }
}

/** Counts what opens and closes, roughly: what nests without end, or has no end, is not even parsed. */
function isTooMuch(text: string): boolean {
  let depth = 0
  let tags = 0
  let end = -1
  let before = 0
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at + 1)) {
    if (++tags > MOST_TAGS || at - before > MOST_BETWEEN) return true
    before = at
    const next = text.charAt(at + 1)
    // Looked for once: a text without another one is not gone through again from each tag.
    if (end < at) end = text.indexOf('>', at)
    if (end < 0) return true
    if (next === '/') depth--
    else if (next !== '?' && next !== '!' && text.charAt(end - 1) !== '/') depth++
    if (depth > MOST_DEPTH) return true
  }
  return text.length - before > MOST_BETWEEN
}
