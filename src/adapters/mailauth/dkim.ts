import type { Body } from '../../contracts/bodies.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { Sign } from '../../contracts/sign.ts'
import { type HeaderBlock, parseHeaderBlock } from '../../message/headers.ts'
import { MailError } from '../../protocol/session/errors.ts'
import {
  aFunction,
  aList,
  aNumberAboveZero,
  checkOptions,
  type OptionKinds,
  required,
  texts,
} from '../../protocol/session/options.ts'
import { bodyHash } from './body-hash.ts'
import { pathsOf, readFiles, stampOf } from './key-files.ts'
import { checkKeys, type DkimKey, keysFor, type LoadedKey, readKeys } from './keys.ts'
import { loadMailauth, type Mailauth } from './package.ts'
import { authorDomain, overSigned, type SignedFields, signedFields, signedWherePresent, type Unsigned } from './signed-fields.ts'

/**
 * - `reloaded`: new key files are in use.
 * - `refused`: new key files are no good; the old keys stay in use. `error` names the file.
 * - `unsigned`: a message was not signed: it has no From field (or several of them), its authors are of several domains, there is
 *   no key for their domain, its header is one that programs read differently, or has more than a megabyte or 500 fields.
 */
export type DkimEvent =
  | { readonly kind: 'reloaded' }
  | { readonly kind: 'refused'; readonly error: unknown }
  | { readonly kind: 'unsigned'; readonly reason: Unsigned; readonly messageId: string | undefined }

/** What {@link dkim} is told. */
export interface DkimOptions {
  /** Several of one domain all sign: RSA for everybody, and Ed25519 for those who know it. */
  readonly keys: readonly DkimKey[]
  /** Fields that are signed where they are. Default: those that RFC 6376 §5.4.1 recommends. */
  readonly headers?: readonly string[]
  /** Fields that are signed once more than they are there, so that nobody adds one; `From` always is. */
  readonly overSigned?: readonly string[]
  /** Milliseconds after which a signature is no longer good (`x=`). Default: it always is. A week is short enough. */
  readonly expires?: number
  /** Milliseconds between looks for changed files (default 10,000), when there is something to sign. */
  readonly every?: number
  /** Milliseconds since the Unix epoch. Default: those of this machine. */
  readonly now?: () => number
  /** What it throws is dropped. */
  readonly onEvent?: (event: DkimEvent) => void
}

/** Signs mail (RFC 6376). */
export interface Dkim {
  readonly sign: Sign
  /** Reads the keys again at once, or takes others. Rejects with a `config` MailError, and then the old ones stay in use. */
  reload(keys?: readonly DkimKey[]): Promise<void>
}

const kinds: OptionKinds<DkimOptions> = {
  keys: required({ ...aList, takes: "a list of keys, such as { domain: 'example.org', selector: 'a', key: 'dkim.pem' }" }),
  headers: texts,
  overSigned: texts,
  expires: aNumberAboveZero,
  every: aNumberAboveZero,
  now: aFunction,
  onEvent: aFunction,
}

/** Octets of a header that is signed. */
const MOST_HEADER = 1024 * 1024

/**
 * A signer of mail: `rsa-sha256` and `ed25519-sha256`, `relaxed/relaxed`, all of the body. Each message is signed for the domain
 * of its From field, as it is: a server that lacks 8BITMIME cannot take what is signed and not in 7 bits. Key files are read
 * again when they change.
 *
 * Rejects with a MailError: `unavailable` where mailauth is not installed, `config` where that or a key is no good.
 */
export async function dkim(options: DkimOptions): Promise<Dkim> {
  checkOptions('dkim', options, kinds)
  const signing = new Signing(loadMailauth(), options)
  await signing.reload(options.keys)
  const sign: Sign = (message) => signing.sign(message)
  return { sign, reload: (keys) => signing.replace(keys) }
}

class Signing {
  readonly #package: Mailauth
  readonly #options: DkimOptions
  readonly #now: () => number
  #settings: readonly DkimKey[]
  #keys: readonly LoadedKey[] = []
  /** What the files looked like when they were last read, and when anybody last looked. */
  #stamp = ''
  #looked = -Infinity
  #looking: Promise<void> | undefined

  constructor(mailauth: Mailauth, options: DkimOptions) {
    this.#package = mailauth
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#settings = options.keys
  }

  async reload(settings: readonly DkimKey[]): Promise<void> {
    checkKeys(settings)
    const paths = pathsOf(settings)
    // Before reading: a change that comes in between is seen at the next look.
    const stamp = await stampOf(paths)
    this.#keys = readKeys(settings, await readFiles(paths))
    this.#settings = settings
    this.#stamp = stamp
    this.#looked = this.#now()
  }

  async replace(settings = this.#settings): Promise<void> {
    await this.reload(settings)
    this.#tell({ kind: 'reloaded' })
  }

  async sign(message: OutgoingMessage): Promise<string> {
    await this.#look()
    const found = await this.#toSign(message)
    if ('reason' in found) {
      this.#tell({ kind: 'unsigned', reason: found.reason, messageId: message.facts.messageId })
      return ''
    }
    const hash = await bodyHash(message.body, message.facts.structure.body)
    return this.#signatures(found.keys, found.fields, hash)
  }

  async #toSign({ body, facts }: OutgoingMessage): Promise<ToSign | { readonly reason: Unsigned }> {
    const end = facts.structure.body
    if (end > MOST_HEADER) return { reason: 'header-too-large' }
    const header = parseHeaderBlock(await octetsOf(body, end))
    // Each program makes something else of these, and some of what follows them.
    if (!isSound(header)) return { reason: 'unsound-header' }
    const domain = authorDomain(header)
    if (typeof domain !== 'string') return domain
    const keys = keysFor(this.#keys, domain)
    if (keys.length === 0) return { reason: 'no-key' }
    const over = this.#options.overSigned ?? overSigned
    const isFrom = (name: string): boolean => name.toLowerCase() === 'from'
    const fields = signedFields(header, this.#options.headers ?? signedWherePresent, over.some(isFrom) ? over : ['From', ...over])
    return fields ? { keys, fields } : { reason: 'header-too-large' }
  }

  async #signatures(keys: readonly LoadedKey[], { rows, names }: SignedFields, hash: string): Promise<string> {
    const now = this.#now()
    const { expires } = this.#options
    const signer = new this.#package.DkimSigner({
      strict: true,
      canonicalization: 'relaxed/relaxed',
      headers: { parsed: rows },
      headerList: rows.map(({ key }) => key),
      bodyHash: hash,
      signTime: new Date(now),
      expires: expires === undefined ? undefined : new Date(now + expires),
      signatureData: keys.map(({ domain, selector, pem }) => ({ signingDomain: domain, selector, privateKey: pem })),
    })
    await signer.finalize()
    const [failure] = signer.errors
    const signatures = signer.signatureHeaders
    const isWhole = signatures.length === keys.length && signatures.every((field) => namesOf(field) === names)
    if (failure || !isWhole) {
      const why = failure?.err.message ?? 'mailauth has signed other fields than it was told'
      throw new MailError('temporary', `DKIM: ${why}`, { cause: failure?.err })
    }
    return signatures.map((field) => `${field}\r\n`).join('')
  }

  /** Looks for changed files, once for all who ask at the same time. Never rejects. */
  async #look(): Promise<void> {
    const since = this.#now() - this.#looked
    // A clock that was set back would have to catch up first.
    if (since >= 0 && since < (this.#options.every ?? 10_000)) return this.#looking
    this.#looked = this.#now()
    this.#looking = this.#lookNow().finally(() => (this.#looking = undefined))
    return this.#looking
  }

  async #lookNow(): Promise<void> {
    const stamp = await stampOf(pathsOf(this.#settings))
    if (stamp === this.#stamp) return
    try {
      await this.replace()
    } catch (error) {
      // Told once, until the files change again.
      this.#stamp = stamp
      this.#tell({ kind: 'refused', error })
    }
  }

  /** Whoever listens cannot break what it listens to. */
  #tell(event: DkimEvent): void {
    try {
      this.#options.onEvent?.(event)
    } catch {
      // It listens at its own risk.
    }
  }
}

/** What is signed of a message, and with what. */
interface ToSign {
  readonly keys: readonly LoadedKey[]
  readonly fields: SignedFields
}

/** Whether the header is one that everybody reads alike, and that arrives as it is: a CR alone becomes a line end on the way. */
function isSound({ oddities }: HeaderBlock): boolean {
  return !oddities.some((each) => each === 'bare-cr' || each === 'no-colon' || each === 'stray-line' || each === 'mbox-from')
}

/** The names in `h=` of a signature, in lower case. */
function namesOf(field: string): string | undefined {
  const tag = field.split(';').find((each) => each.trimStart().startsWith('h='))
  return tag?.replace(/\s+/g, '').slice(2).toLowerCase()
}

async function octetsOf(body: Body, end: number): Promise<Uint8Array> {
  if (body.bytes) return body.bytes.subarray(0, end)
  const pieces: Uint8Array[] = []
  if (end > 0) for await (const piece of body.read({ start: 0, end })) pieces.push(piece)
  return Buffer.concat(pieces)
}
