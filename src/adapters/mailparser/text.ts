import { MailError } from '../../protocol/session/errors.ts'
import { withoutMarkup } from '../../message/preview.ts'

/** Turns what is not plain text into what people read. */
export interface TextReader {
  /** The text that HTML shows. */
  fromHtml(html: string): Promise<string>
  /** Lines that were broken for transport, put together again (RFC 3676). */
  fromFlowed(text: string, delSp: boolean): Promise<string>
}

type Parser = typeof import('mailparser')

/**
 * Characters of HTML, tags in it, and elements inside each other, up to which mailparser converts it. It works in one go, which
 * no connection should have to wait for longer than some 50 ms, and takes more than linear time: a megabyte of nested elements
 * would take half a minute. Newsletters have a tag every twenty or thirty characters.
 */
const MOST_HTML = 100_000
const MOST_TAGS = 8_000
const MOST_DEPTH = 100

/** @throws MailError `unavailable`, which names the command that installs mailparser */
export async function loadTextReader(): Promise<TextReader> {
  return new MailparserText(await load())
}

async function load(): Promise<Parser> {
  try {
    return await import('mailparser')
  } catch (cause) {
    throw new MailError('unavailable', 'parsed() needs mailparser, which is not installed: npm install mailparser', { cause })
  }
}

class MailparserText implements TextReader {
  readonly #parser: Parser

  constructor(parser: Parser) {
    this.#parser = parser
  }

  async fromHtml(html: string): Promise<string> {
    const isCheap = html.length <= MOST_HTML && !isDense(html)
    return (isCheap ? await this.#parse('text/html', html) : undefined) ?? withoutMarkup(html).trim()
  }

  async fromFlowed(text: string, delSp: boolean): Promise<string> {
    return (await this.#parse(`text/plain; format=flowed; delsp=${delSp ? 'yes' : 'no'}`, text)) ?? text
  }

  /** The text of a message that is this one part; `undefined` where the parser gives up. */
  #parse(type: string, content: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const parser = new this.#parser.MailParser({ skipTextToHtml: true, skipImageLinks: true })
      let text: string | undefined = ''
      parser.on('data', (found: { readonly type: string; readonly text?: string }) => {
        if (text !== undefined && found.type === 'text') text = found.text ?? ''
      })
      parser.on('error', () => {
        text = undefined
        resolve(undefined)
      })
      parser.on('end', () => resolve(text))
      parser.end(`Content-Type: ${type.replace(';', '; charset=utf-8;')}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${content}`)
    })
  }
}

/** Elements that hold nothing, and those that end where the next one begins. */
const FLAT = new Set([
  'area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'param', 'source', 'track', 'wbr',
  'p', 'li', 'dt', 'dd', 'tr', 'td', 'th', 'option',
])

/** Whether there are too many tags, or elements inside each other. Counts too many rather than too few. One pass. */
function isDense(html: string): boolean {
  let depth = 0
  let tags = 0
  for (let at = html.indexOf('<'); at >= 0; at = html.indexOf('<', at + 1)) {
    if (++tags > MOST_TAGS) return true
    const name = nameAt(html, html[at + 1] === '/' ? at + 2 : at + 1)
    if (name === '') continue
    if (html[at + 1] === '/') depth = Math.max(0, depth - (FLAT.has(name) ? 0 : 1))
    else if (!FLAT.has(name) && ++depth > MOST_DEPTH) return true
  }
  return false
}

function nameAt(html: string, from: number): string {
  let end = from
  while (end - from < 12 && isLetterOrDigit(html.charCodeAt(end))) end++
  return html.slice(from, end).toLowerCase()
}

function isLetterOrDigit(unit: number): boolean {
  return (unit >= 48 && unit <= 57) || ((unit | 32) >= 97 && (unit | 32) <= 122)
}
