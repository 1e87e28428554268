import type { MessageFacts } from './facts.ts'
import type { Envelope } from './envelope.ts'
import { bodyStructureText, envelopeText } from './imap-text.ts'
import { ImapTextReader } from './imap-text-reader.ts'
import type { OctetString } from './octet-string.ts'
import { type PartNumbers, isPlain, numbersOf, readStructure } from './packed-structure.ts'
import type { Part } from './structure.ts'

/*
 * Facts as stores keep them, in one line of printable ASCII:
 *
 *   F1 377 218 0 ("Mon, 2 Jan …" …)(("text" "plain" …)…)[6648,136,…]
 *
 * A mark that no JSON begins with, the lengths of the two texts, bits, the texts that IMAP answers for ENVELOPE and
 * BODYSTRUCTURE, and as JSON what they do not say. So a store that lists ten thousand messages parses nothing, and FETCH copies
 * what it says. What does not fit (octets above 126 in a text, facts that are none of the indexer's) stays JSON, which is read
 * as well.
 */

const MARK = 'F1 '

/** What the texts do not say: octets, lines, messageId, references, attachments, preview, oddities, parts. */
type Rest = readonly [
  octets: number,
  lines: number,
  /** 0: none; 1: the one in the envelope. */
  messageId: string | 0 | 1,
  references: MessageFacts['references'],
  attachments: number,
  preview: string,
  oddities: MessageFacts['oddities'],
  /** The numbers of each part, or the structure where its text does not say all the rest. */
  structure: PartNumbers | Part,
]

const EIGHT_BIT = 1
const NUL = 2
const SENDER = 4
const REPLY_TO = 8

const UNPRINTABLE = /[^ -~]/

/**
 * Facts as one line of printable ASCII, for stores to keep; {@link unpackFacts} reads it. The same facts give the same line.
 * Throws a TypeError where they are no plain JSON data.
 */
export function packFacts(facts: MessageFacts): string {
  if (facts instanceof PackedFacts) return facts.packed
  const { envelope, structure } = facts
  if (typeof envelope !== 'object' || typeof structure !== 'object') return asciiJson(facts)
  const said = envelopeText(envelope)
  const shown = bodyStructureText(structure)
  if (UNPRINTABLE.test(said) || UNPRINTABLE.test(shown)) return asciiJson(facts)
  return `${MARK}${said.length} ${shown.length} ${bitsOf(facts)} ${said}${shown}${asciiJson(restOf(facts))}`
}

/**
 * The facts that {@link packFacts} made the line of, or that are there as JSON. Nothing is parsed before it is asked for; so it
 * is no plain object: `JSON.stringify` gives all of it, a spread nothing. Its properties throw where the line is broken.
 */
export function unpackFacts(line: string): MessageFacts {
  return line.startsWith(MARK) ? new PackedFacts(line) : JSON.parse(line) as MessageFacts
}

/** What IMAP's FETCH answers for ENVELOPE: ready where facts were packed. */
export function envelopeTextOf(facts: MessageFacts): OctetString {
  return facts instanceof PackedFacts ? facts.envelopeText : envelopeText(facts.envelope)
}

/** What can be read of an envelope by itself. */
export type EnvelopeField = 'date' | 'subject' | 'from' | 'to' | 'cc' | 'bcc' | 'messageId'

/** One field of the envelope: where facts were packed nothing else is read, which is a fraction of the work. */
export function envelopeFieldOf<Name extends EnvelopeField>(facts: MessageFacts, name: Name): Envelope[Name] {
  return facts instanceof PackedFacts ? facts.field(name) : facts.envelope[name]
}

/** What IMAP's FETCH answers for BODYSTRUCTURE, with `message/global` as a leaf: ready where facts were packed. */
export function bodyStructureTextOf(facts: MessageFacts): OctetString {
  return facts instanceof PackedFacts ? facts.structureText : bodyStructureText(facts.structure)
}

function bitsOf({ eightBit, nul, envelope }: MessageFacts): number {
  return (eightBit ? EIGHT_BIT : 0) | (nul ? NUL : 0) | (envelope.sender ? SENDER : 0) | (envelope.replyTo ? REPLY_TO : 0)
}

function restOf({ octets, lines, structure, envelope, messageId, references, ...more }: MessageFacts): Rest {
  const { attachments, preview, oddities } = more
  const own = messageId === undefined ? 0 : messageId === envelope.messageId ? 1 : messageId
  const parts = isPlain(structure) ? numbersOf(structure) : structure
  return [octets, lines, own, references, attachments, preview, oddities, parts]
}

/** JSON without anything but printable ASCII: V8 and SQLite pass it on as it is, and a page of it is one octet a character. */
function asciiJson(value: unknown): string {
  const json = JSON.stringify(value)
  if (!UNPRINTABLE.test(json)) return json
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

class PackedFacts implements MessageFacts {
  readonly packed: string
  #restAt = 0
  #bits = 0
  #envelopeAt = 0
  #structureAt = 0
  #rest: Rest | undefined
  #envelope: Envelope | undefined
  #structure: Part | undefined

  constructor(packed: string) {
    this.packed = packed
  }

  get envelopeText(): OctetString {
    this.#measure()
    return this.packed.slice(this.#envelopeAt, this.#structureAt)
  }

  get structureText(): OctetString {
    this.#measure()
    return this.packed.slice(this.#structureAt, this.#restAt)
  }

  get octets(): number {
    return this.#said()[0]
  }

  get lines(): number {
    return this.#said()[1]
  }

  get eightBit(): boolean {
    this.#measure()
    return (this.#bits & EIGHT_BIT) !== 0
  }

  get nul(): boolean {
    this.#measure()
    return (this.#bits & NUL) !== 0
  }

  get messageId(): string | undefined {
    const own = this.#said()[2]
    return own === 0 ? undefined : own === 1 ? this.field('messageId') : own
  }

  get references(): MessageFacts['references'] {
    return this.#said()[3]
  }

  get attachments(): number {
    return this.#said()[4]
  }

  get preview(): string {
    return this.#said()[5]
  }

  get oddities(): MessageFacts['oddities'] {
    return this.#said()[6]
  }

  get envelope(): Envelope {
    if (this.#envelope) return this.#envelope
    this.#measure()
    const envelope = new ImapTextReader(this.packed, this.#envelopeAt).envelope()
    // ENVELOPE shows the author for both where the header does not have them.
    if ((this.#bits & SENDER) === 0) delete envelope.sender
    if ((this.#bits & REPLY_TO) === 0) delete envelope.replyTo
    return (this.#envelope = envelope)
  }

  field<Name extends EnvelopeField>(name: Name): Envelope[Name] {
    if (this.#envelope) return this.#envelope[name]
    this.#measure()
    return new ImapTextReader(this.packed, this.#envelopeAt).envelopeField(name) as Envelope[Name]
  }

  get structure(): Part {
    if (this.#structure) return this.#structure
    const parts = this.#said()[7]
    const structure = 'header' in parts ? parts : readStructure(new ImapTextReader(this.packed, this.#structureAt), parts)
    return (this.#structure = structure)
  }

  toJSON(): MessageFacts {
    const { octets, lines, structure, envelope, messageId, references, attachments, preview, eightBit, nul, oddities } = this
    const own = messageId === undefined ? {} : { messageId }
    return { octets, lines, structure, envelope, ...own, references, attachments, preview, eightBit, nul, oddities }
  }

  #measure(): void {
    if (this.#restAt > 0) return
    const { packed } = this
    const second = packed.indexOf(' ', MARK.length)
    const third = packed.indexOf(' ', second + 1)
    const fourth = packed.indexOf(' ', third + 1)
    this.#bits = Number(packed.slice(third + 1, fourth))
    this.#envelopeAt = fourth + 1
    this.#structureAt = this.#envelopeAt + Number(packed.slice(MARK.length, second))
    this.#restAt = this.#structureAt + Number(packed.slice(second + 1, third))
  }

  #said(): Rest {
    if (this.#rest) return this.#rest
    this.#measure()
    return (this.#rest = JSON.parse(this.packed.slice(this.#restAt)) as Rest)
  }
}
