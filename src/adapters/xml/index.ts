import type { XMLParser } from 'fast-xml-parser'
import { MailError } from '../../protocol/session/errors.ts'

/** Deeper than this nothing is that anybody means us to read. */
const MOST_DEPTH = 40

/**
 * Reads XML into plain data: each element is an object of its children, each child a list of all with that name, and an element
 * of text alone is that text. Attributes are left out. Nothing where it is no XML, or declares a document type, which could have
 * entities that hold each other.
 *
 * @throws MailError `unavailable`, which names the command that installs fast-xml-parser
 */
export async function parseXml(text: string): Promise<unknown> {
  const parser = await load()
  if (text.includes('<!DOCTYPE') || text.includes('<!ENTITY') || isTooDeep(text)) return undefined
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

/** Counts what opens and closes, roughly: what nests without end is not even parsed. */
function isTooDeep(text: string): boolean {
  let depth = 0
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at + 1)) {
    const next = text.charAt(at + 1)
    if (next === '/') depth--
    else if (next !== '?' && next !== '!' && text.charAt(text.indexOf('>', at) - 1) !== '/') depth++
    if (depth > MOST_DEPTH) return true
  }
  return false
}
