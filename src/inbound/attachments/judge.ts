import type { FileKind } from '../../message/file-type.ts'
import type { Fault } from '../consequence.ts'
import type { FoundFile, Inspection } from './found.ts'

/** Which attachments are taken. */
export interface AttachmentLimits {
  /**
   * Kinds that are not taken, known by content, by name, and by what they call themselves; in archives too, as far as those can
   * be opened (zip, gzip, tar). Default: `executable`, `script`, `macro` and `disk`.
   */
  readonly refuse?: readonly FileKind[]
  /** Extensions that are not taken either: `['html', 'svg']`. */
  readonly extensions?: readonly string[]
  /** Names that deceive are taken (default false): `invoice.pdf.exe`, names that turn the direction of writing. */
  readonly deceptive?: boolean
  /** Archives and documents are taken that need a password (default false). Those of 7z rarely tell. */
  readonly encrypted?: boolean
  /** What cannot be looked into, because it is damaged or too large for that, is taken (default true). */
  readonly unreadable?: boolean
  /** How deep archives may lie in archives (default 3), messages in messages (default 5). */
  readonly archiveDepth?: number
  readonly messageDepth?: number
  /** Octets of one attachment, and of all together, decoded (default: no bound). */
  readonly octets?: number
  readonly totalOctets?: number
  /** Attachments (default: no bound). */
  readonly count?: number
  /** Octets that archives say they unpack to, together (default 1 GiB). */
  readonly unpackedOctets?: number
}

const REFUSED: readonly FileKind[] = ['executable', 'script', 'macro', 'disk']
const GIBIBYTE = 1024 ** 3

/** What a person reads of a kind. */
const words: Readonly<Record<FileKind, string>> = {
  executable: 'a program', script: 'a script', macro: 'a document with macros', archive: 'an archive', disk: 'a disk image',
}

/** Why a message is not taken for what it brings; `undefined` where it is. */
export function judge(inspection: Inspection, limits: AttachmentLimits): Fault | undefined {
  const { files, unreadable, archiveDepth, messageDepth, isCut } = inspection
  const refused = new Set(limits.refuse ?? REFUSED)
  const extensions = new Set((limits.extensions ?? []).map((one) => one.toLowerCase().replace(/^\./, '')))
  for (const file of files) {
    const why = fileFault(file, refused, extensions, limits)
    if (why !== undefined) return { text: `Attachment ${shownPath(file.path)} is not taken here: it is ${why}` }
  }
  const tooLarge = sizeFault(inspection, limits)
  if (tooLarge) return tooLarge
  if (archiveDepth > (limits.archiveDepth ?? 3)) return { text: 'An archive lies in too many others to be taken here' }
  if (messageDepth > (limits.messageDepth ?? 5)) return { text: 'A message lies in too many others to be taken here' }
  if (isCut) return { text: 'The message has more parts than can be looked at' }
  const [closed] = unreadable
  if (!closed || limits.unreadable !== false) return undefined
  return { text: `Attachment ${shownPath(closed.path)} is not taken here: ${closed.why}` }
}

function fileFault(
  { kinds, extensions, deceptive, encrypted }: FoundFile, refused: ReadonlySet<FileKind>, others: ReadonlySet<string>,
  limits: AttachmentLimits,
): string | undefined {
  if (deceptive !== undefined && limits.deceptive !== true) return `named to deceive (${deceptive})`
  const kind = [...kinds].find((one) => refused.has(one))
  if (kind) return words[kind]
  const extension = extensions.find((one) => others.has(one))
  if (extension !== undefined) return `of the kind .${extension}`
  return encrypted && limits.encrypted !== true ? 'encrypted' : undefined
}

/** RFC 3463 X.3.4: it is larger than this server takes. */
function sizeFault({ files }: Inspection, limits: AttachmentLimits): Fault | undefined {
  const { octets = Infinity, totalOctets = Infinity, count = Infinity, unpackedOctets = GIBIBYTE } = limits
  const attached = files.filter(({ path }) => path.length === 1)
  const sum = (some: readonly FoundFile[]): number => some.reduce((all, file) => all + file.octets, 0)
  const fault = (text: string): Fault => ({ text, code: 552, detail: '3.4' })
  if (attached.length > count) return fault(`More than ${count} attachments are not taken here`)
  const large = attached.find((file) => file.octets > octets)
  if (large) return fault(`Attachment ${shownPath(large.path)} has more than ${octets} octets`)
  if (sum(attached) > totalOctets) return fault(`Attachments have more than ${totalOctets} octets together`)
  const isBomb = sum(files.filter(({ path }) => path.length > 1)) > unpackedOctets
  return isBomb ? fault(`Archives unpack to more than ${unpackedOctets} octets`) : undefined
}

/** Characters of a name that are shown. */
const MOST_SHOWN = 60

/** Names in ASCII, which a reply of SMTP has to be. */
function shownPath(path: readonly string[]): string {
  const text = path.map((name) => (name === '' ? 'without a name' : name).replace(/[^ -~]/gu, '?')).join(' > ')
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN / 2)}...${text.slice(-MOST_SHOWN / 2)}`
}
