import type { Authentication } from '../../contracts/authentication.ts'
import type { AuthenticateBy, AuthenticateWhat, Authenticator } from '../../contracts/authenticator.ts'
import type { ReceivedMessage } from '../../contracts/received.ts'
import { parseHeaderBlock } from '../../message/headers.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { authorsOf } from './authors.ts'
import { lookUpBimi } from './bimi.ts'
import { BodyHashes } from './body-hashes.ts'
import { ArcChain } from './chain.ts'
import { checkDmarc, type DmarcResult } from './dmarc.ts'
import { headFirst } from './head-first.ts'
import { lookupOf } from './lookup.ts'
import { type Lookup, loadVerifying, type SignatureVerifier, type Verifying } from './package.ts'
import { Signatures } from './signatures.ts'
import { checkSpf } from './spf.ts'
import { turn } from './turn.ts'

/** RFC 8301 §3.2. */
const LEAST_BITS = 1024
/**
 * Questions about one message: keys of ten signatures and fifty seals, and, of five authors, a policy, whether they exist, and
 * the organizations of ten identities, eight names each. More than a message can make us ask: who gets us there must not win.
 */
const MOST_QUESTIONS = 600
/** Octets that are hashed between two turns of the event loop. */
const PIECE = 64 * 1024

type Found = Omit<Authentication, 'spf' | 'iprev'>

/**
 * Finds out who sent a message through mailauth, which is loaded at the first question. Bounded: of SPF ten look-ups and two that
 * find nothing; ten signatures, each over 500 fields at most and all together over half a megabyte of the header; fifty ARC sets;
 * no turn of the event loop that grows with the message. Time is the caller's to bound, by the signal.
 */
export function mailauthAuthenticator(): Authenticator {
  let loaded: Verifying | undefined
  const mailauth = (): Verifying => (loaded ??= loadVerifying())
  return {
    spf: async (subject, by) => sure(by, checkSpf(mailauth(), subject, by)),
    message: async (message, what, by) => sure(by, new Looking(mailauth(), message, what, by).all()),
    ready: () => void mailauth(),
  }
}

/** What was found after nobody wanted it any more is of questions that nobody answered. */
async function sure<T>({ signal }: AuthenticateBy, finding: Promise<T>): Promise<T> {
  const found = await finding
  if (signal.aborted) throw new MailError('closed', 'Nobody wants to know any more who sent it.')
  return found
}

/** Looks at one message. */
class Looking {
  readonly #mailauth: Verifying
  readonly #message: ReceivedMessage
  readonly #what: AuthenticateWhat
  readonly #resolver: Lookup
  readonly #signal: AbortSignal
  readonly #verifier: SignatureVerifier

  constructor(mailauth: Verifying, message: ReceivedMessage, what: AuthenticateWhat, { resolver, signal }: AuthenticateBy) {
    this.#mailauth = mailauth
    this.#message = message
    this.#what = what
    this.#signal = signal
    this.#resolver = lookupOf(resolver, signal, MOST_QUESTIONS)
    const verifier = new mailauth.DkimVerifier({
      resolver: this.#resolver, minBitLength: LEAST_BITS, strict: true, curTime: new Date(message.received),
    })
    this.#verifier = yielding(verifier, this.#resolver)
  }

  async all(): Promise<Found> {
    const { dkim, arc, dmarc, bimi, spf } = this.#what
    const { head, rest, isCut } = await headFirst(this.#message.raw())
    const header = parseHeaderBlock(head)
    // What was not kept may be what is signed, or what others read.
    const isWhole = !isCut && !header.oddities.includes('too-many-fields')
    if (head.length > PIECE) await turn()
    const hashes = new BodyHashes()
    const signatures = new Signatures(this.#mailauth, this.#verifier, { header, isWhole, hashes })
    if (dkim) signatures.read()
    const chain = arc ? new ArcChain(this.#mailauth, header, signatures) : undefined
    await this.#hash(head.subarray(header.end), rest, hashes)
    signatures.ready()
    const dkimFindings = dkim ? await signatures.findings() : undefined
    const arcFinding = await chain?.finding(this.#verifier, this.#resolver)
    let result: DmarcResult | undefined
    if (dmarc || bimi) {
      const subject = { authors: authorsOf(header, isWhole), spf, dkim: dkimFindings ?? [], id: this.#message.id }
      result = await checkDmarc(this.#mailauth, this.#resolver, subject)
    }
    return {
      dkim: dkimFindings,
      arc: arcFinding,
      dmarc: dmarc ? result?.finding : undefined,
      bimi: bimi && result ? await lookUpBimi(this.#resolver, header, result) : undefined,
    }
  }

  /** Goes through the body, where anybody has signed it. */
  async #hash(first: Uint8Array, rest: AsyncIterator<Uint8Array>, hashes: BodyHashes): Promise<void> {
    try {
      if (hashes.isEmpty) return
      for (let chunk = first; ; ) {
        for (let from = 0; from < chunk.length; from += PIECE) {
          hashes.push(chunk.subarray(from, from + PIECE))
          if (chunk.length - from > PIECE) await turn()
        }
        // A body that is read from a file comes in pieces, each in a turn of its own.
        const next = this.#signal.aborted ? undefined : await rest.next()
        if (!next || next.done) return
        chunk = next.value
      }
    } finally {
      await rest.return?.()
    }
  }
}

/** Lets others have their turn before each signature: one may be of a key that takes its time. */
function yielding(verifier: SignatureVerifier, resolver: Lookup): SignatureVerifier {
  const cache = verifier.keyCache as { get(...question: readonly unknown[]): Promise<unknown> }
  const keyCache = {
    resolver,
    get(...question: readonly unknown[]): Promise<unknown> {
      const answer = cache.get(...question).then((key) => turn().then(() => key))
      // Some are asked for before they are needed.
      answer.catch(() => undefined)
      return answer
    },
  }
  return Object.assign(verifier, { keyCache })
}
