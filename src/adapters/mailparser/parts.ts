import type { Part } from '../../message/structure.ts'
import { isMultipart } from '../../message/structure.ts'

/** Octets of text, as it is encoded, that are read; and the parts it may be in. */
const MOST_TEXT = 2 * 1024 * 1024
const MOST_TEXTS = 100

/** A part that is read as text, from its beginning for so many octets. */
export interface TextPart {
  readonly part: Part
  readonly octets: number
}

/** Text that stands in one place of the message: as plain text, as HTML, or the same as both. */
export interface Section {
  readonly plain: TextPart[]
  readonly html: TextPart[]
}

/** The parts of a message, each leaf in one place or, where it is longer than what is read of it, in both. */
export interface Sorted {
  readonly sections: readonly Section[]
  readonly attachments: readonly Part[]
}

/** Tells the parts that people read from those that they open. A message in the message is one attachment. */
export function sortParts(root: Part): Sorted {
  const sorting = new Sorting(root)
  sorting.visit(root, undefined)
  const { sections, attachments } = sorting
  // A multipart in which nothing was found says something none the less.
  if (sections.length + attachments.length > 0 || root.body === root.end) return { sections, attachments }
  return { sections: [{ plain: [{ part: root, octets: Math.min(root.end - root.body, MOST_TEXT) }], html: [] }], attachments: [] }
}

class Sorting {
  readonly sections: Section[] = []
  readonly attachments: Part[] = []
  readonly #root: Part
  #octets = MOST_TEXT
  #texts = MOST_TEXTS

  constructor(root: Part) {
    this.#root = root
  }

  /** `alternative`: the section of the multipart/alternative around the part. As deep as the structure, which has a bound. */
  visit(part: Part, alternative: Section | undefined): void {
    if (isMultipart(part)) {
      const into = alternative ?? (part.subtype.toLowerCase() === 'alternative' ? this.#section() : undefined)
      for (const child of part.parts ?? []) this.visit(child, into)
      return
    }
    const kind = this.#kindOf(part, alternative !== undefined)
    const size = part.end - part.body
    const octets = kind && this.#texts > 0 ? Math.min(size, this.#octets) : 0
    if (kind && (octets > 0 || size === 0)) {
      this.#texts--
      this.#octets -= octets
      ;(alternative ?? this.#section())[kind].push({ part, octets })
    }
    if (!kind || octets < size) this.attachments.push(part)
  }

  #section(): Section {
    const section: Section = { plain: [], html: [] }
    this.sections.push(section)
    return section
  }

  /** What the part is read as; `undefined`: it is an attachment. */
  #kindOf(part: Part, isAlternative: boolean): 'plain' | 'html' | undefined {
    const type = part.type.toLowerCase()
    const isRoot = part === this.#root
    // A multipart that could not be taken apart, or a type that makes no sense: who wrote it meant something to be read.
    if (isRoot && (type === 'multipart' || type === '')) return 'plain'
    if (type !== 'text') return undefined
    const disposition = part.disposition?.type.toLowerCase() ?? 'inline'
    if (disposition !== 'inline') return undefined
    // A name makes it a file, unless there is nothing else that it could be.
    if (!isRoot && !isAlternative && hasName(part)) return undefined
    const subtype = part.subtype.toLowerCase()
    if (subtype === 'html') return 'html'
    return subtype === 'plain' || subtype === '' ? 'plain' : undefined
  }
}

function hasName(part: Part): boolean {
  const isName = ([name]: readonly [string, string]): boolean => /^(file)?name\b/i.test(name)
  return (part.disposition?.params.some(isName) ?? false) || (part.params?.some(isName) ?? false)
}
