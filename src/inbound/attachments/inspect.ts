import { isEncryptedArchive } from '../../message/encrypted-archive.ts'
import { readFileName } from '../../message/file-name.ts'
import { type FileKind, fileType, TYPE_OCTETS } from '../../message/file-type.ts'
import { parseTransferEncoding } from '../../message/content.ts'
import { listTar } from '../../message/tar.ts'
import { transferDecoder } from '../../message/transfer.ts'
import { listZip, type ZipEntry } from '../../message/zip.ts'
import { indexMessage } from '../../message/indexer.ts'
import { joinedOctets } from '../../protocol/bytes/joined.ts'
import { type NamedPart, namedParts, type Parts } from '../parts.ts'
import type { FoundFile, Inspection } from './found.ts'
import { OleMarks } from './ole-marks.ts'

/** Inflates octets piece by piece, no further than is read. Throws where they are no such stream. */
export type Inflate = (octets: Uint8Array, format: 'raw' | 'gzip') => AsyncIterable<Uint8Array>

/** What a look at a message may cost. */
export interface InspectionBudget {
  /** Octets of archives and messages that are held at once. */
  readonly held: number
  /** Octets that are inflated, of the whole message. */
  readonly inflated: number
  /** Files that are listed, and files in archives whose content is looked at. */
  readonly files: number
  readonly looks: number
  /** Archives in one another that are opened. */
  readonly depth: number
}

/** Bounds that mail of people does not come near. */
export const inspectionBudget: InspectionBudget = {
  held: 32 * 1024 * 1024, inflated: 64 * 1024 * 1024, files: 10_000, looks: 1000, depth: 8,
}

/** What is odd about a message whose parts were not all read. */
const CUTS: ReadonlySet<string> = new Set(['over-parts', 'over-depth', 'over-work'])

/** Formats of archives that are opened. */
const OPENED: ReadonlySet<string> = new Set(['zip', 'gzip', 'tar', 'rar', '7z'])

/** A message, and whether all of its parts are known. */
export interface Inspected extends Parts {
  readonly facts: Parts['facts'] & { readonly oddities: readonly { readonly kind: string }[] }
}

/** Looks at all that a message brings, once. Rejects where its octets cannot be read. */
export async function inspect(message: Inspected, inflate: Inflate, budget = inspectionBudget): Promise<Inspection> {
  const inspector = new Inspector(inflate, budget)
  await inspector.message(message, [], 0)
  const { files, archiveDepth, messageDepth, unreadable, isCut } = inspector
  return { files, archiveDepth, messageDepth, unreadable, isCut }
}

class Inspector implements Inspection {
  readonly files: FoundFile[] = []
  readonly unreadable: { path: readonly string[]; why: string }[] = []
  archiveDepth = 0
  messageDepth = 0
  isCut = false
  readonly #inflate: Inflate
  readonly #budget: InspectionBudget
  #held = 0
  #inflated = 0
  #looks = 0
  #isFull = false

  constructor(inflate: Inflate, budget: InspectionBudget) {
    this.#inflate = inflate
    this.#budget = budget
  }

  /** All that a message brings; `depth`: in how many others it lies that were attached as files. */
  async message(message: Inspected, within: readonly string[], depth: number): Promise<void> {
    if (message.facts.oddities.some(({ kind }) => CUTS.has(kind))) this.isCut = true
    for (const part of await namedParts(message)) {
      this.messageDepth = Math.max(this.messageDepth, depth + part.depth)
      if (part.attached) await this.#part(part, message, within, depth + part.depth)
    }
  }

  /** An attachment: decoded while it is read, held only where it is an archive, or a message. */
  async #part({ part, media, names }: NamedPart, message: Parts, within: readonly string[], depth: number): Promise<void> {
    const decoder = transferDecoder(parseTransferEncoding(part.encoding))
    const isMessage = media.startsWith('message/') || names.some((name) => readFileName(name).extension === 'eml')
    const look = this.#look(0, isMessage)
    if (part.body < part.end) {
      for await (const piece of message.raw({ start: part.body, end: part.end })) look.push(decoder.push(piece))
    }
    look.push(decoder.end())
    const path = [...within, names[0] ?? '']
    this.#add(path, names, look, media, true)
    if (!isMessage) return this.#within(path, look, 1)
    if (depth >= this.#budget.depth) this.unreadable.push({ path, why: 'it lies in too many messages' })
    else await this.#hold(path, look, (octets) => this.message(inMemory(octets), path, depth + 1))
  }

  /** Opens a file that is an archive. */
  async #within(path: readonly string[], look: Look, depth: number): Promise<void> {
    await this.#hold(path, look, (octets) => this.#open(path, octets, look.format!, depth))
  }

  /** Holds a file while something is done with it. What is held at once has a bound. */
  async #hold(path: readonly string[], look: Look, act: (octets: Uint8Array) => Promise<void>): Promise<void> {
    if (look.isTooLarge) this.unreadable.push({ path, why: 'it is larger than can be looked at' })
    const octets = look.take()
    if (!octets) return
    this.#held += octets.length
    await act(octets)
    this.#held -= octets.length
  }

  #look(octets = 0, holds = false): Look {
    return new Look(this.#budget.held - this.#held, octets, holds)
  }

  /** `isPart`: of a message. Those are all listed, whatever archives before them hold: nobody hides behind ten thousand files. */
  #add(path: readonly string[], names: readonly string[], look: Look, media = '', isPart = false): void {
    look.end()
    if (!isPart && this.files.length >= this.#budget.files) {
      if (!this.#isFull) this.#tooMany(path.slice(0, -1))
      this.#isFull = true
      return
    }
    const read = names.map(readFileName)
    const kinds = new Set<FileKind>(look.kinds)
    for (const { kind } of read) if (kind) kinds.add(kind)
    const claimed = byMedia.get(media)
    if (claimed) kinds.add(claimed)
    const { octets, isEncrypted: encrypted } = look
    const deceptive = read.find((name) => name.deceptive !== undefined)?.deceptive
    this.files.push({ path, kinds, extensions: read.map(({ extension }) => extension), deceptive, encrypted, octets })
  }

  async #open(path: readonly string[], bytes: Uint8Array, format: string, depth: number): Promise<void> {
    if (format !== 'zip') this.archiveDepth = Math.max(this.archiveDepth, depth)
    if (depth > this.#budget.depth) {
      this.unreadable.push({ path, why: 'it lies in too many archives' })
      return
    }
    if (format === 'zip') return this.#zip(path, bytes, depth)
    if (format === 'tar') return this.#tar(path, bytes, depth)
    if (format === 'gzip') {
      const name = path.at(-1)!.replace(/\.tgz$/i, '.tar').replace(/\.gz$/i, '')
      return this.#packed([...path, name], [name], bytes, 'gzip', 0, depth)
    }
    if ((format === 'rar' || format === '7z') && isEncryptedArchive(bytes, format)) this.#mark(path, { encrypted: true })
  }

  async #zip(path: readonly string[], bytes: Uint8Array, depth: number): Promise<void> {
    const { entries, more } = listZip(bytes, this.#budget.files)
    if (more || entries.length + this.files.length > this.#budget.files) this.#tooMany(path)
    // Documents of Office and the like are ZIP archives too, and no archives to people.
    if (entries.some(({ name }) => name === '[Content_Types].xml' || name === 'mimetype')) this.#mark(path, { document: true })
    else this.archiveDepth = Math.max(this.archiveDepth, depth)
    // Office's own: what carries programs has them in a file of this name.
    if (entries.some(({ name }) => /vbaproject\.bin$/i.test(name))) this.#mark(path, { kind: 'macro' })
    if (entries.some(({ encrypted }) => encrypted)) this.#mark(path, { encrypted: true })
    for (const entry of entries) await this.#zipEntry([...path, entry.name], entry, depth)
  }

  async #zipEntry(path: readonly string[], { name, encrypted, method, octets, stored }: ZipEntry, depth: number): Promise<void> {
    if (name.endsWith('/') && octets === 0) return
    if (!encrypted && stored && method === 8) return this.#packed(path, [name], stored, 'raw', octets, depth)
    const look = this.#look(octets)
    if (!encrypted && stored && method === 0) look.push(stored.subarray(0, octets))
    look.isEncrypted ||= encrypted
    this.#add(path, [name], look)
    await this.#within(path, look, depth + 1)
  }

  async #tar(path: readonly string[], bytes: Uint8Array, depth: number): Promise<void> {
    const { entries, more } = listTar(bytes, this.#budget.files)
    if (more) this.#tooMany(path)
    for (const { name, octets, content } of entries) {
      const look = this.#look(octets)
      look.push(content)
      const inner = [...path, name]
      this.#add(inner, [name], look)
      await this.#within(inner, look, depth + 1)
    }
  }

  /** What is compressed: no more of it is inflated than tells what it is, and all of it where it is an archive itself. */
  async #packed(
    path: readonly string[], names: readonly string[], packed: Uint8Array, format: 'raw' | 'gzip', octets: number, depth: number,
  ): Promise<void> {
    const look = this.#look(octets)
    const mayLook = this.#looks++ < this.#budget.looks && this.#inflated <= this.#budget.inflated
    if (mayLook) await this.#inflateInto(look, path, packed, format)
    this.#add(path, names, look)
    await this.#within(path, look, depth + 1)
  }

  async #inflateInto(look: Look, path: readonly string[], packed: Uint8Array, format: 'raw' | 'gzip'): Promise<void> {
    try {
      for await (const piece of this.#inflate(packed, format)) {
        this.#inflated += piece.length
        look.push(piece)
        if (look.isKnown) return
        if (this.#inflated > this.#budget.inflated) {
          this.unreadable.push({ path, why: 'the message unpacks to more than can be looked at' })
          return look.drop()
        }
      }
    } catch {
      this.unreadable.push({ path, why: 'it is damaged' })
    }
  }

  /** Something that is known of a file once it was opened. */
  #mark(path: readonly string[], { kind, encrypted = false, document = false }: Opened): void {
    const at = this.files.findLastIndex((file) => file.path === path)
    const file = this.files[at]
    if (!file) return
    const kinds = new Set([...file.kinds, ...(kind ? [kind] : [])])
    // What is called an archive stays one, whatever is put into it.
    if (document && !readFileName(path.at(-1)!).kind) kinds.delete('archive')
    this.files[at] = { ...file, kinds, encrypted: file.encrypted || encrypted }
  }

  #tooMany(path: readonly string[]): void {
    this.unreadable.push({ path, why: `it holds more than ${this.#budget.files} files` })
  }
}

function inMemory(octets: Uint8Array): Inspected {
  return {
    facts: indexMessage(octets),
    async *raw({ start, end } = { start: 0, end: octets.length }) {
      if (start < end) yield octets.subarray(start, end)
    },
  }
}

/** What is known of an archive once it was opened. */
interface Opened {
  readonly kind?: FileKind
  readonly encrypted?: boolean
  readonly document?: boolean
}

/** What types claim that mail programs may believe. */
const byMedia: ReadonlyMap<string, FileKind> = new Map([
  ['application/x-msdownload', 'executable'], ['application/x-msdos-program', 'executable'],
  ['application/x-dosexec', 'executable'], ['application/x-executable', 'executable'], ['application/java-archive', 'executable'],
  ['application/vnd.android.package-archive', 'executable'], ['application/x-sh', 'script'], ['application/hta', 'script'],
  ['application/javascript', 'script'], ['application/x-javascript', 'script'], ['text/javascript', 'script'],
  ['application/vnd.ms-word.document.macroenabled.12', 'macro'], ['application/vnd.ms-excel.sheet.macroenabled.12', 'macro'],
  ['application/vnd.ms-powerpoint.presentation.macroenabled.12', 'macro'],
])

/** A file while its octets stream by. */
class Look {
  readonly kinds = new Set<FileKind>()
  isEncrypted = false
  isTooLarge = false
  format: string | undefined
  #count = 0
  #head: Uint8Array = new Uint8Array(0)
  #isTyped = false
  #pieces: Uint8Array[] | undefined
  #ole: OleMarks | undefined
  readonly #most: number
  readonly #announced: number
  readonly #holds: boolean

  /** `holds`: it is held whatever it is. */
  constructor(most: number, announced: number, holds: boolean) {
    this.#most = most
    this.#announced = announced
    this.#holds = holds
  }

  get octets(): number {
    return Math.max(this.#count, this.#announced)
  }

  /** Nothing more can be learned of it. */
  get isKnown(): boolean {
    return this.#isTyped && !this.#pieces && !this.#ole
  }

  /** All of a file that is to be opened; once. */
  take(): Uint8Array | undefined {
    const pieces = this.#pieces
    this.#pieces = undefined
    return pieces && joinedOctets(pieces)
  }

  push(piece: Uint8Array): void {
    if (piece.length === 0) return
    this.#count += piece.length
    if (!this.#isTyped) {
      this.#head = joinedOctets([this.#head, piece])
      if (this.#head.length >= TYPE_OCTETS) this.#type()
      return
    }
    this.#more(piece)
  }

  /** It is not looked at any further. */
  drop(): void {
    this.end()
    this.#pieces = undefined
  }

  /** No more comes. */
  end(): void {
    if (!this.#isTyped) this.#type()
  }

  #type(): void {
    this.#isTyped = true
    const type = fileType(this.#head)
    this.format = type?.format
    if (type?.kind) this.kinds.add(type.kind)
    if (this.#holds || (type && OPENED.has(type.format))) this.#pieces = []
    if (type?.format === 'ole') this.#ole = new OleMarks()
    this.#more(this.#head)
    this.#head = new Uint8Array(0)
  }

  #more(piece: Uint8Array): void {
    const ole = this.#ole
    if (ole) {
      ole.push(piece)
      if (ole.hasMacros) this.kinds.add('macro')
      if (ole.isInstaller) this.kinds.add('executable')
      this.isEncrypted ||= ole.isEncrypted
    }
    if (!this.#pieces) return
    this.#pieces.push(piece)
    if (this.#count <= this.#most) return
    this.#pieces = undefined
    this.isTooLarge = true
  }
}
