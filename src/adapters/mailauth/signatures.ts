import type { AuthenticationResult, DkimFinding } from '../../contracts/authentication.ts'
import { asciiDomain } from '../../message/domain.ts'
import type { HeaderBlock } from '../../message/headers.ts'
import type { BodyHashes } from './body-hashes.ts'
import { isReadable, rowOf, SignedFields } from './header-rows.ts'
import type { ReadSignature, SignatureVerdict, SignatureVerifier, Verifying } from './package.ts'

/** Signatures of a message that are looked at, from the top; RFC 6376 §6.1 lets a verifier stop there. */
const MOST_SIGNATURES = 10

/** Characters of a reason, and of what a signature says of itself. */
const MOST_WHY = 200
const MOST_NAME = 255

/** A signature, and why it is not verified, if it is not. */
interface Candidate {
  readonly signature: ReadSignature
  readonly why: string | undefined
}

/** What is signed. */
export interface Signed {
  readonly header: HeaderBlock
  /** `false`: there are fields that `header` does not have. */
  readonly isWhole: boolean
  readonly hashes: BodyHashes
}

/**
 * The DKIM signatures of one message (RFC 6376), and what else is verified as one. Read first, so that it is known which hashes
 * of the body they need; verified when those are there.
 */
export class Signatures {
  readonly #mailauth: Verifying
  readonly #verifier: SignatureVerifier
  readonly #header: HeaderBlock
  readonly #isWhole: boolean
  readonly #hashes: BodyHashes
  readonly #fields = new SignedFields()
  readonly #candidates: Candidate[] = []
  #hasRows = true

  constructor(mailauth: Verifying, verifier: SignatureVerifier, { header, isWhole, hashes }: Signed) {
    this.#mailauth = mailauth
    this.#verifier = verifier
    this.#header = header
    this.#isWhole = isWhole
    this.#hashes = hashes
  }

  /** Reads the fields. */
  read(): void {
    for (const field of this.#header.all('dkim-signature').slice(0, MOST_SIGNATURES)) {
      const row = rowOf(this.#header, field)
      if (!isReadable(row)) {
        this.#candidates.push({ signature: {}, why: 'the signature is too long' })
        continue
      }
      const signature = this.#mailauth.parseDkimHeaders(row.line, { strict: true })
      this.#candidates.push({ signature, why: this.prepare(signature, 'DKIM') })
    }
  }

  /** Takes a signature among those to be verified; gives what is wrong with it. */
  prepare(signature: ReadSignature, type: 'DKIM' | 'ARC'): string | undefined {
    signature.type = type
    this.#verifier.prepareSignature(signature)
    if (signature.skip !== undefined || signature.invalid !== undefined) return signature.skip ?? signature.invalid
    if (!this.#isWhole) return 'the header is too long'
    if (!this.#fields.add(signature)) return 'the signature covers too many fields'
    signature.bodyHashKey = this.#hashes.want(signature)
    if (type === 'ARC' && !signature.parsed?.c) {
      // Drafts of RFC 8617 had another default than RFC 6376 §3.5, and there are programs that go by them.
      signature.fallbackCanonicalization = 'relaxed/relaxed'
      signature.fallbackBodyHashKey = this.#hashes.want({ ...signature, bodyCanon: 'relaxed' })
    }
    return undefined
  }

  /** The hashes of the body are there. */
  ready(): void {
    const rows = this.#fields.rows(this.#header)
    this.#hasRows = rows !== undefined
    this.#verifier.headers = { parsed: rows ?? [] }
    for (const [key, hash] of this.#hashes.end()) this.#verifier.bodyHashes.set(key, hash)
  }

  /** Verifies one that was prepared, and had nothing wrong with it. */
  async verify(signature: ReadSignature): Promise<SignatureVerdict> {
    if (!this.#hasRows) return { status: { result: 'neutral', comment: 'the fields that are signed are too long' } }
    const verdict = await this.#verifier.verifySignature(signature)
    const isOver = verdict.status.result === 'pass' || signature.fallbackCanonicalization === undefined
    return isOver ? verdict : this.#verifier.verifySignature(signature, true)
  }

  /** What all of them are worth, in the order in which they stand in the header. */
  async findings(): Promise<DkimFinding[]> {
    const found: DkimFinding[] = []
    for (const { signature, why } of this.#candidates) {
      const verdict = why === undefined ? await this.verify(signature) : { status: { result: 'neutral', comment: why } }
      found.push(findingOf(signature, verdict))
    }
    return found
  }
}

function findingOf(signature: ReadSignature, { status, modulusLength }: SignatureVerdict): DkimFinding {
  const { d, s, a, b } = signature.parsed ?? {}
  const algorithm = textOf(a?.value).toLowerCase()
  const result = results.has(status.result) ? (status.result as AuthenticationResult) : 'neutral'
  const why = status.comment ?? status.policy?.['dkim-rules']
  return {
    result,
    domain: asciiDomain(textOf(d?.value)),
    selector: textOf(s?.value),
    algorithm,
    signature: textOf(b?.value).slice(0, 8),
    bits: modulusLength ?? (result === 'pass' && algorithm.startsWith('ed25519') ? 256 : undefined),
    // Whatever its value: nobody who signs all of a body says how long that is.
    covers: signature.parsed?.l === undefined ? 'all' : 'part',
    why: result === 'pass' ? undefined : why?.slice(0, MOST_WHY),
  }
}

const results: ReadonlySet<string> =
  new Set<AuthenticationResult>(['none', 'neutral', 'pass', 'fail', 'policy', 'temperror', 'permerror'])

const textOf = (value: unknown): string => (value === undefined ? '' : String(value).slice(0, MOST_NAME))
