import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MailError } from '../../protocol/session/errors.ts'

/** A header field as the package takes it. */
export interface FieldRow {
  /** Its name in lower case. */
  readonly key: string
  /** Its name as it goes into `h=`. */
  readonly casedKey: string
  /** All of it, without the line end that ends it. */
  readonly line: Buffer
}

/** A key as the package takes it. */
export interface SignatureData {
  readonly signingDomain: string
  readonly selector: string
  /** PEM. */
  readonly privateKey: string
}

/** The class that makes signatures, given a header that was read and the hash of the body. */
export interface SignerOptions {
  readonly strict: true
  readonly canonicalization: 'relaxed/relaxed'
  readonly headers: { readonly parsed: readonly FieldRow[] }
  readonly headerList: readonly string[]
  readonly bodyHash: string
  readonly signTime: Date
  readonly expires: Date | undefined
  readonly signatureData: readonly SignatureData[]
}

/** What comes of it. */
export interface Signer {
  /** Whole fields, without the line end that ends each. */
  readonly signatureHeaders: readonly string[]
  readonly errors: readonly { readonly err: Error }[]
  finalize(): Promise<void>
}

/** The part of mailauth that is used here. */
export interface Mailauth {
  readonly DkimSigner: new (options: SignerOptions) => Signer
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
  const { load, version } = found(from)
  if (!isRecent(version)) {
    const why = `mailauth ${version} is installed, which passes mail that should fail`
    throw new MailError('config', `${why}. Install a newer one: npm install mailauth@^7.1`)
  }
  return load('lib/dkim/dkim-signer.js') as Mailauth
}

/** Whether a version is one that can be worked with. Majors yet to come are another matter: their insides will be others. */
export function isRecent(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major === OLDEST[0] && minor >= OLDEST[1]
}

function found(from: readonly string[]): { load: (module: string) => unknown; version: string } {
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
  throw new MailError('unavailable', 'DKIM needs mailauth, which is not installed: npm install mailauth', { cause })
}

/** Where packages are looked for: from this file, as an import would; then from the folder the program was started in. */
function places(): string[] {
  return [import.meta.url, pathToFileURL(join(process.cwd(), 'package.json')).href]
}
