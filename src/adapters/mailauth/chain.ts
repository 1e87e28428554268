import type { ArcFinding } from '../../contracts/authentication.ts'
import { asciiDomain } from '../../message/domain.ts'
import type { HeaderBlock } from '../../message/headers.ts'
import { isReadable, rowOf } from './header-rows.ts'
import type { ArcSet, FieldRow, Lookup, SignatureVerifier, Verifying } from './package.ts'
import type { Signatures } from './signatures.ts'

const names = ['arc-seal', 'arc-message-signature', 'arc-authentication-results']
/** RFC 8617 §4.2.1: fifty sets of three fields. One more breaks the chain. */
const MOST_FIELDS = 151
/** Octets of all of them: each seal is over all that came before it. */
const MOST_OCTETS = 256 * 1024
const MOST_WHY = 200

type Chain = { readonly sets: readonly ArcSet[]; readonly why: string | undefined }

/** The ARC chain of one message (RFC 8617 §5.2). */
export class ArcChain {
  readonly #mailauth: Verifying
  readonly #signatures: Signatures
  readonly #chain: Chain | undefined

  constructor(mailauth: Verifying, header: HeaderBlock, signatures: Signatures) {
    this.#mailauth = mailauth
    this.#signatures = signatures
    const fields = header.fields.filter((field) => names.some((name) => field.is(name)))
    const rows = fields.slice(0, MOST_FIELDS).map((field) => rowOf(header, field))
    this.#chain = this.#read(rows)
  }

  /** What it is worth. The hashes of the body must be there. */
  async finding(verifier: SignatureVerifier, resolver: Lookup): Promise<ArcFinding> {
    const { sets, why: broken } = this.#chain ?? { sets: [], why: undefined }
    const sealers = sets.map((set) => asciiDomain(String(set['arc-seal'].parsed?.d?.value ?? '')))
    const last = sets.at(-1)
    if (broken !== undefined) return { result: 'fail', sealers, said: undefined, why: broken.slice(0, MOST_WHY) }
    if (!last) return { result: 'none', sealers, said: undefined, why: undefined }
    const messageSignature = await this.#signatures.verify(last['arc-message-signature'])
    const { status } = await this.#mailauth.arc(
      { chain: sets, lastEntry: { ...last, messageSignature }, keyCache: verifier.keyCache },
      { resolver, minBitLength: 1024, strict: true },
    )
    if (status.result === 'pass') return { result: 'pass', sealers, said: saidBy(last), why: undefined }
    return { result: 'fail', sealers, said: undefined, why: (status.comment ?? 'the chain is broken').slice(0, MOST_WHY) }
  }

  #read(rows: readonly FieldRow[]): Chain | undefined {
    if (rows.length === 0) return undefined
    const octets = rows.reduce((sum, { line }) => sum + line.length, 0)
    if (octets > MOST_OCTETS || !rows.every(isReadable)) return { sets: [], why: 'the chain is too long' }
    try {
      const sets = this.#mailauth.getARChain({ parsed: rows }, { strict: true }) || []
      const last = sets.at(-1)
      return { sets, why: last && this.#signatures.prepare(last['arc-message-signature'], 'ARC') }
    } catch (error) {
      return { sets: [], why: error instanceof Error ? error.message : 'the chain is broken' }
    }
  }
}

/**
 * What the last sealer says: the field of that very set, wherever it stands, since no seal is over the order of fields. Nothing
 * where he has left a part of the body to whoever comes behind him (`l=`).
 */
function saidBy(last: ArcSet): string | undefined {
  if (last['arc-message-signature'].parsed?.l !== undefined) return undefined
  const field = last['arc-authentication-results'].original.toString('utf8')
  return field.slice(field.indexOf(':') + 1).replaceAll('\r\n', '').trim()
}
