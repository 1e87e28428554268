import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MailError } from '../../protocol/session/errors.ts'

/** The fields that a signature covers, as the package takes them. */
export interface FieldRows {
  /** Their names as they go into `h=`; `: ` between them. */
  readonly keys: string
  /** The fields that there are, in the order of their names, each without the line end that ends it. */
  readonly headers: readonly { readonly line: Buffer }[]
}

/** What a signature says, but for itself. */
export interface SignatureTags {
  readonly signingDomain: string
  readonly selector: string
  readonly algorithm: string
  readonly canonicalization: 'relaxed/relaxed'
  /** Base64. */
  readonly bodyHash: string
  /** Seconds since the Unix epoch. */
  readonly timestamp: number
  readonly expiration: number | false
}

/** The part of mailauth that is used here. */
export interface Mailauth {
  /** The octets that are signed, and the tags of the field. */
  generateCanonicalizedHeader(
    type: 'DKIM', fields: FieldRows, tags: SignatureTags,
  ): { readonly canonicalizedHeader: Buffer; readonly dkimHeaderOpts: object }
  /** The field, without the line end that ends it. `values`: its tags, and `b`, the signature in base64. */
  formatSignatureHeaderLine(type: 'DKIM', values: object, folded: true): string
}

/** The first line of versions whose verdicts can be trusted. */
const OLDEST = [7, 1] as const

/**
 * Finds mailauth, from one of these places (URLs). Its inner modules are loaded one by one: all of it together cannot be loaded
 * by Node 20.
 *
 * @throws MailError `unavailable`, which names the command that installs it; `config` where what is installed is too old
 */
export function loadMailauth(from: readonly string[] = places()): Mailauth {
  const load = loader('DKIM', from)
  return { ...(load('lib/dkim/header/index.js') as object), ...(load('lib/tools.js') as object) } as Mailauth
}

/** A header field as the package takes it. */
export interface FieldRow {
  /** Its name in lower case, and as it is written. */
  readonly key: string
  readonly casedKey: string
  /** All of it, without the line end that ends it. */
  readonly line: Buffer
}

/** A signature that was read, before it is verified. The package writes to it. */
export interface ReadSignature {
  type?: 'DKIM' | 'ARC'
  bodyHashKey?: string
  /** What else it is tried with, where it does not say how it was made. */
  fallbackCanonicalization?: 'relaxed/relaxed'
  fallbackBodyHashKey?: string
  readonly parsed?: Readonly<Record<string, { readonly value?: unknown } | undefined>>
  /** Tags in order, as they are written. */
  readonly tags?: readonly { readonly name: string; readonly value: string }[]
  /** Why it is not even looked at, or no good. */
  readonly skip?: string
  readonly invalid?: string
  readonly bodyCanon?: 'simple' | 'relaxed'
  readonly hashAlgo?: 'sha1' | 'sha256'
  /** `l=`; `''` where there is none. */
  readonly maxBodyLength?: number | ''
}

/** What the package makes of a signature. */
export interface SignatureVerdict {
  readonly modulusLength?: number
  readonly status: { readonly result: string; readonly comment?: string; readonly policy?: Readonly<Record<string, string>> }
}

/** Verifies signatures one by one; made for one message. */
export interface SignatureVerifier {
  /** What there is of the header. */
  headers: { readonly parsed: readonly FieldRow[] }
  /** Hashes of the body, by {@link ReadSignature.bodyHashKey}. */
  readonly bodyHashes: Map<string, { readonly hash: string }>
  readonly keyCache: object
  /** Reads the tags; sets `skip` or `invalid` where they are no good. */
  prepareSignature(signature: ReadSignature): void
  verifySignature(signature: ReadSignature, fallback?: true): Promise<SignatureVerdict>
}

/** Asks the DNS as `node:dns` does, errors included. */
export type Lookup = (name: string, type: string) => Promise<readonly unknown[]>

/** A set of ARC fields (RFC 8617 §4.2). */
export interface ArcSet {
  readonly i: number
  readonly 'arc-seal': ReadSignature
  readonly 'arc-message-signature': ReadSignature
  readonly 'arc-authentication-results': { readonly original: Buffer }
}

/** What the package makes of a From domain. */
export interface DmarcVerdict {
  readonly status: { readonly result: string }
  /** The organizational domain. */
  readonly domain: string
  readonly policyDomain?: string
  /** What holds for the message, `sp`, `np` and `t` considered; and what is published. */
  readonly policy?: 'none' | 'quarantine' | 'reject'
  readonly p?: 'none' | 'quarantine' | 'reject'
  readonly rr?: string
  readonly error?: string
  readonly alignment?: {
    readonly spf: { readonly result?: string; readonly strict: boolean }
    readonly dkim: { readonly result?: string; readonly strict: boolean }
  }
}

/** The part of mailauth by which it is found out who sent a message. */
export interface Verifying {
  spf(options: {
    readonly sender: string; readonly ip: string; readonly helo: string; readonly mta: string; readonly resolver: Lookup
    readonly maxResolveCount: number; readonly maxVoidCount: number; readonly strict: true
  }): Promise<{
    readonly domain: string; readonly explanation?: string
    readonly status: { readonly result: string; readonly comment?: string }
  }>
  readonly DkimVerifier: new (options: {
    readonly resolver: Lookup; readonly minBitLength: number; readonly strict: true; readonly curTime: Date
  }) => SignatureVerifier
  parseDkimHeaders(line: Buffer, options: { readonly strict: true }): ReadSignature
  /** Throws for a chain whose structure is broken; `false` where there is none. */
  getARChain(headers: { readonly parsed: readonly FieldRow[] }, options: { readonly strict: true }): readonly ArcSet[] | false
  arc(
    data: {
      readonly chain: readonly ArcSet[]; readonly lastEntry: ArcSet & { readonly messageSignature: SignatureVerdict }
      readonly keyCache: object
    },
    options: { readonly resolver: Lookup; readonly minBitLength: number; readonly strict: true },
  ): Promise<{ readonly status: { readonly result: string; readonly comment?: string } }>
  evaluateDmarc(options: {
    readonly headerFrom: readonly string[]; readonly fromFields: 1; readonly resolver: Lookup; readonly strict: true
    readonly spfDomains: readonly string[]; readonly dkimDomains: readonly string[]
  }): Promise<{ readonly response: DmarcVerdict | false }>
  /** Whether domains share an organizational domain by the Public Suffix List; `false` where they do not. */
  getAlignment(domain: string, others: readonly string[]): object | false
}

/** The part of mailauth by which a chain goes on. */
export interface Sealing extends Pick<Verifying, 'getARChain'> {
  /** The three fields of a new set, each without the line end that ends it; none where it cannot be. */
  createSeal(input: null, data: {
    readonly headers: { readonly parsed: readonly FieldRow[] }
    readonly arc: { readonly chain: readonly ArcSet[] }
    readonly seal: {
      readonly i: number; readonly cv: 'none' | 'pass' | 'fail'; readonly algorithm: string; readonly signingDomain: string
      readonly selector: string; readonly privateKey: string; readonly bodyHash: string; readonly signTime: Date
      readonly authResults: string; readonly headerList: readonly string[]
    }
  }): Promise<{ readonly headers: readonly string[] }>
}

/**
 * The same for what seals.
 *
 * @throws MailError `unavailable`, which names the command that installs it; `config` where what is installed is too old
 */
export function loadSealing(from: readonly string[] = places()): Sealing {
  return loader('ARC', from)('lib/arc/index.js') as Sealing
}

const verifyingModules = [
  'lib/spf/index.js', 'lib/dkim/dkim-verifier.js', 'lib/arc/index.js', 'lib/dmarc/index.js', 'lib/tools.js',
]

/**
 * The same for what verifies.
 *
 * @throws MailError `unavailable`, which names the command that installs it; `config` where what is installed is too old
 */
export function loadVerifying(from: readonly string[] = places()): Verifying {
  const load = loader('authentication', from)
  const loaded = Object.assign({}, ...verifyingModules.map((module) => load(module) as object)) as Verifying
  const { prepareSignature, verifySignature } = loaded.DkimVerifier.prototype as SignatureVerifier
  if (typeof prepareSignature !== 'function' || typeof verifySignature !== 'function') {
    throw new MailError('config', 'The mailauth that is installed is another inside than 7.1: npm install mailauth@7.1')
  }
  return loaded
}

function loader(what: string, from: readonly string[]): (module: string) => unknown {
  const { load, version } = found(what, from)
  if (!isRecent(version)) {
    const why = `mailauth ${version} is installed, which passes mail that should fail`
    throw new MailError('config', `${why}. Install a newer one: npm install mailauth@^7.1`)
  }
  return load
}

/** Whether a version is one that can be worked with. Majors yet to come are another matter: their insides will be others. */
export function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major === OLDEST[0] && minor >= OLDEST[1]
}

function found(what: string, from: readonly string[]): { load: (module: string) => unknown; version: string } {
  let cause: unknown
  for (const place of from) {
    const require = createRequire(place)
    try {
      const { version } = require('mailauth/package.json') as { readonly version: string }
      return { load: (module) => require(`mailauth/${module}`), version }
    } catch (error) {
      cause = error
    }
  }
  throw new MailError('unavailable', `${what} needs mailauth, which is not installed: npm install mailauth`, { cause })
}

/** Where packages are looked for: from this file, as an import would; then from the folder the program was started in. */
function places(): string[] {
  return [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json')).href]
}
