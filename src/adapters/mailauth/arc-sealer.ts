import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import { readRange } from '../../contracts/read-body.ts'
import type { Sign } from '../../contracts/sign.ts'
import { type AuthenticationResults, parseAuthenticationResults } from '../../message/authentication-results.ts'
import { type HeaderBlock, parseHeaderBlock } from '../../message/headers.ts'
import { octetString } from '../../protocol/bytes/text.ts'
import { aFunction, anObject, aText, checkOptions, type OptionKinds, required } from '../../protocol/session/options.ts'
import { bodyHash } from './body-hash.ts'
import { isReadable, rowOf } from './header-rows.ts'
import { pathsOf, readFiles } from './key-files.ts'
import { checkKeys, type DkimKey, type LoadedKey, readKeys } from './keys.ts'
import { type ArcSet, type FieldRow, loadSealing, type Sealing } from './package.ts'
import { overSigned, signedWherePresent } from './signed-fields.ts'

/** What {@link arcSealer} is told. */
export interface ArcSealerOptions {
  /** The key that seals, of a domain of ours; published as those of DKIM are. */
  readonly key: DkimKey
  /** The name under which `authentication()` writes its results: the server's hostname, unless it was told another. */
  readonly authservId: string
  /** Milliseconds since the Unix epoch. Default: those of this machine. */
  readonly now?: () => number
}

/** Seals mail that is passed on (RFC 8617). */
export interface ArcSealer {
  /** For `outgoing.seal`. */
  readonly seal: Sign
  /** Reads the key again. Rejects with a `config` MailError, and then the old one stays in use. */
  reload(): Promise<void>
}

const kinds: OptionKinds<ArcSealerOptions> = {
  key: required({ ...anObject, takes: "a key, such as { domain: 'example.org', selector: 'a', key: 'dkim.pem' }" }),
  authservId: required({ ...aText, takes: 'the name that results are written under' }),
  now: aFunction,
}

/** Octets of a header that is sealed, fields of it, and sets that a chain may have (RFC 8617 §4.2.1). */
const MOST_HEADER = 1024 * 1024
const MOST_FIELDS = 500
const MOST_SETS = 50

const ARC = ['arc-seal', 'arc-message-signature', 'arc-authentication-results']

/** RFC 8617 §4.1.2: what DKIM signs, and its signatures; never Authentication-Results, which are taken out on the way. */
const signedNames: readonly string[] = [...overSigned, ...signedWherePresent, 'DKIM-Signature']

/**
 * Tells whoever gets forwarded mail what this server found out about it before it changed anything: the results that
 * `authentication()` has written are sealed along with the message. A message without such results is not sealed: nothing is
 * known of it; nor is one whose chain was broken before.
 *
 * ```ts
 * import { arcSealer } from 'posthorn/mailauth'
 *
 * const key = { domain: 'example.org', selector: 'a', key: 'dkim.pem' }
 * const { seal } = await arcSealer({ key, authservId: 'mx.example.org' })
 * const outgoing = { seal }
 * console.log(outgoing)
 * ```
 *
 * Rejects with a MailError: `unavailable` where mailauth is not installed, `config` where that or the key is no good.
 */
export async function arcSealer(options: ArcSealerOptions): Promise<ArcSealer> {
  checkOptions('arcSealer', options, kinds)
  const mailauth = loadSealing()
  const read = async (): Promise<LoadedKey> => {
    checkKeys([options.key])
    return readKeys([options.key], await readFiles(pathsOf([options.key])))[0]!
  }
  let key = await read()
  const { authservId, now = Date.now } = options
  return {
    seal: (message) => sealed(message, { mailauth, key, authservId, now: now() }),
    reload: async () => void (key = await read()),
  }
}

interface Means {
  readonly mailauth: Sealing
  readonly key: LoadedKey
  readonly authservId: string
  readonly now: number
}

async function sealed({ body, facts }: OutgoingMessage, { mailauth, key, authservId, now }: Means): Promise<string> {
  const end = facts.structure.body
  if (end > MOST_HEADER) return ''
  const header = parseHeaderBlock(await readRange(body, { start: 0, end }))
  const found = ownResults(header, authservId)
  const chain = found && chainOf(mailauth, header)
  if (!found || !chain) return ''
  const cv = chain.length === 0 ? 'none' : found.results.some(isArcPass) ? 'pass' : 'fail'
  const { headers } = await mailauth.createSeal(null, {
    headers: { parsed: rowsOf(header, signedNames) },
    arc: { chain },
    seal: {
      i: chain.length + 1,
      cv,
      algorithm: `${key.type}-sha256`,
      signingDomain: key.domain,
      selector: key.selector,
      privateKey: key.secret.export({ type: 'pkcs8', format: 'pem' }) as string,
      bodyHash: await bodyHash(body, end),
      signTime: new Date(now),
      authResults: found.value,
      headerList: signedNames,
    },
  })
  return headers.map((field) => `${field}\r\n`).join('')
}

const isArcPass = ({ method, result }: AuthenticationResults['results'][number]): boolean => method === 'arc' && result === 'pass'

/** What this server has found out; the topmost, since it takes out what others have written under its name. */
function ownResults(header: HeaderBlock, authservId: string): (AuthenticationResults & { readonly value: string }) | undefined {
  for (const field of header.all('authentication-results')) {
    const found = parseAuthenticationResults(field.value)
    if (found?.authservId.toLowerCase() === authservId.toLowerCase()) return { ...found, value: unfolded(field.raw) }
  }
  return undefined
}

/** The value as it stands there, in one line. */
function unfolded(raw: Uint8Array): string {
  return octetString(raw).replaceAll('\r', '').replaceAll('\n', '').replaceAll('\t', ' ').trim()
}

/** The sets of the chain so far; `undefined` where there is no going on with it (RFC 8617 §5.1.2). */
function chainOf(mailauth: Sealing, header: HeaderBlock): readonly ArcSet[] | undefined {
  const rows = rowsOf(header, ARC)
  if (!rows.every(isReadable)) return undefined
  try {
    const sets = mailauth.getARChain({ parsed: rows }, { strict: true }) || []
    const status = String(sets.at(-1)?.['arc-seal'].parsed?.['cv']?.value ?? '')
    return sets.length >= MOST_SETS || status.toLowerCase() === 'fail' ? undefined : sets
  } catch {
    return undefined
  }
}

function rowsOf(header: HeaderBlock, names: readonly string[]): FieldRow[] {
  const wanted = new Set(names.map((name) => name.toLowerCase()))
  const fields = header.fields.filter(({ name }) => wanted.has(name.toLowerCase()))
  return fields.slice(0, MOST_FIELDS).map((field) => rowOf(header, field))
}
