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
  const { load, version } = found(from)
  if (!isRecent(version)) {
    const why = `mailauth ${version} is installed, which passes mail that should fail`
    throw new MailError('config', `${why}. Install a newer one: npm install mailauth@^7.1`)
  }
  return { ...(load('lib/dkim/header/index.js') as object), ...(load('lib/tools.js') as object) } as Mailauth
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
