import { decodeText } from '../../message/charset.ts'
import { withoutMarkup } from '../../message/preview.ts'
import { bodyText, partsOf } from '../../message/search-text.ts'
import { isMessage, isMultipart, type Part } from '../../message/structure.ts'
import { joinedOctets } from '../../protocol/bytes/joined.ts'
import type { SieveMessage } from './message.ts'

const LF = 10

/** The octets of a body that scripts look at: the first so many; read once. */
export class BodyTexts {
  readonly #root: Part
  readonly #octets: Uint8Array
  readonly #texts = new Map<Part, string>()
  #raw: readonly string[] | undefined
  #text: readonly string[] | undefined

  constructor(root: Part, octets: Uint8Array) {
    this.#root = root
    this.#octets = octets
  }

  /** RFC 5173 §5.1: all of it, undecoded. */
  raw(): readonly string[] {
    this.#raw ??= [oneLineEnd(decodeText(this.#octets))]
    return this.#raw
  }

  /** §5.3: what people read; of HTML without its markup. */
  text(): readonly string[] {
    this.#text ??= leavesOf(this.#root).filter((part) => typeOf(part).startsWith('text/')).map((part) => {
      const text = this.#textOf(part)
      return typeOf(part) === 'text/html' ? withoutMarkup(text) : text
    })
    return this.#text
  }

  /** §5.2: what parts of these types hold of their own. */
  content(types: readonly string[]): readonly string[] {
    const wanted = types.map((type) => type.toLowerCase()).filter((type) => !/^\/|\/$|\/.*\//.test(type))
    const isWanted = (part: Part): boolean => {
      const type = typeOf(part)
      return wanted.some((one) => one === '' || one === type || (!one.includes('/') && type.startsWith(`${one}/`)))
    }
    return partsOf(this.#root).filter(isWanted).flatMap((part) => this.#ownTexts(part))
  }

  #ownTexts(part: Part): readonly string[] {
    if (isMultipart(part)) return this.#frame(part).map(([from, to]) => oneLineEnd(decodeText(this.#cut(from, to))))
    if (isMessage(part)) return [oneLineEnd(decodeText(this.#cut(part.body, part.parts![0]!.body)))]
    return [this.#textOf(part)]
  }

  #textOf(part: Part): string {
    let text = this.#texts.get(part)
    if (text === undefined) {
      text = oneLineEnd(bodyText(part, this.#cut(part.body, part.end)))
      this.#texts.set(part, text)
    }
    return text
  }

  /** What stands before the first part of a multipart, and behind its last one: without the lines that delimit. */
  #frame({ body, end, parts = [] }: Part): readonly (readonly [number, number])[] {
    const [first] = parts
    if (!first) return [[body, end]]
    const bytes = this.#octets
    const base = this.#root.body
    let before = first.header - 1
    while (before > body && bytes[before - 1 - base] !== LF) before--
    let behind = parts.at(-1)!.end
    // The line end before the delimiter, and the delimiter.
    for (let lines = 0; lines < 2 && behind < end; behind++) if ((bytes[behind - base] ?? LF) === LF) lines++
    return [[body, Math.max(body, before)], [Math.min(behind, end), end]]
  }

  #cut(from: number, to: number): Uint8Array {
    const base = this.#root.body
    return this.#octets.subarray(Math.max(0, from - base), Math.max(0, to - base))
  }
}

/** Reads the body of a message, up to so many octets. */
export async function readBodyTexts(message: SieveMessage, most: number): Promise<BodyTexts> {
  const { structure } = message.facts
  const start = structure.body
  const end = Math.min(message.octets, start + most)
  const chunks: Uint8Array[] = []
  if (start < end) for await (const chunk of message.raw({ start, end })) chunks.push(chunk)
  return new BodyTexts(structure, joinedOctets(chunks))
}

function typeOf({ type, subtype }: Part): string {
  return `${type}/${subtype}`.toLowerCase()
}

function leavesOf(root: Part): Part[] {
  return partsOf(root).filter((part) => part.parts === undefined)
}

/** Line ends as scripts have them. */
function oneLineEnd(text: string): string {
  return text.replaceAll('\r\n', '\n')
}
