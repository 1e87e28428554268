import { createHash, sign } from 'node:crypto'
import { readRange } from '../../contracts/read-body.ts'
import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { Sign } from '../../contracts/sign.ts'
import { type HeaderBlock, parseHeaderBlock } from '../../message/headers.ts'
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
import { type FieldRows, loadMailauth, type Mailauth } from './package.ts'
import { authorDomain, overSigned, signedFields, signedWherePresent, type Unsigned } from './signed-fields.ts'

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
  return { sign: (message) => signing.sign(message), reload: (keys) => signing.replace(keys) }
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
    return found.keys.map((key) => this.#signature(key, found.fields, hash)).join('')
  }

  async #toSign({ body, facts }: OutgoingMessage): Promise<ToSign | { readonly reason: Unsigned }> {
    const end = facts.structure.body
    if (end > MOST_HEADER) return { reason: 'header-too-large' }
    const header = parseHeaderBlock(await readRange(body, { start: 0, end }))
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

  #signature({ domain, selector, secret, type }: LoadedKey, fields: FieldRows, hash: string): string {
    const { generateCanonicalizedHeader, formatSignatureHeaderLine } = this.#package
    const now = this.#now()
    const { expires } = this.#options
    const { canonicalizedHeader: octets, dkimHeaderOpts: tags } = generateCanonicalizedHeader('DKIM', fields, {
      signingDomain: domain,
      selector,
      algorithm: `${type}-sha256`,
      canonicalization: 'relaxed/relaxed',
      bodyHash: hash,
      timestamp: Math.floor(now / 1000),
      expiration: expires === undefined ? false : Math.floor((now + expires) / 1000),
    })
    // RFC 8463 §3: Ed25519 signs the hash.
    const signature = type === 'rsa'
      ? sign('sha256', octets, secret)
      : sign(null, createHash('sha256').update(octets).digest(), secret)
    return `${formatSignatureHeaderLine('DKIM', { ...tags, b: signature.toString('base64') }, true)}\r\n`
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
  readonly fields: FieldRows
}

/** Whether the header is one that everybody reads alike, and that arrives as it is: a CR alone becomes a line end on the way. */
function isSound({ oddities }: HeaderBlock): boolean {
  return !oddities.some((each) => each === 'bare-cr' || each === 'no-colon' || each === 'stray-line' || each === 'mbox-from')
}
