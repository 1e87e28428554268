import { createHash, type Hash } from 'node:crypto'
import { CanonicalBody } from './canonical-body.ts'
import type { ReadSignature } from './package.ts'

/** The hash of a body, or, where `l=` says so, of its beginning. */
interface Sink {
  readonly hash: Hash
  /** Octets that may still be hashed. */
  left: number
}

/** Hashes a body for several signatures, each canonicalization gone through once (RFC 6376 §3.7). */
export class BodyHashes {
  readonly #sinks = new Map<string, Sink>()
  readonly #bodies = new Map<'simple' | 'relaxed', { readonly body: CanonicalBody; readonly sinks: Sink[] }>()

  /** Whether there is nothing to be hashed. */
  get isEmpty(): boolean {
    return this.#sinks.size === 0
  }

  /** A signature needs its hash; gives the key under which it will be. */
  want({ bodyCanon = 'simple', hashAlgo = 'sha256', maxBodyLength = '' }: ReadSignature): string {
    const key = `${bodyCanon}:${hashAlgo}:${maxBodyLength}`
    if (this.#sinks.has(key)) return key
    const sink: Sink = { hash: createHash(hashAlgo), left: maxBodyLength === '' ? Infinity : maxBodyLength }
    this.#sinks.set(key, sink)
    const known = this.#bodies.get(bodyCanon)
    if (known) known.sinks.push(sink)
    else {
      const sinks = [sink]
      const body = new CanonicalBody(bodyCanon, (bytes) => sinks.forEach((each) => take(each, bytes)))
      this.#bodies.set(bodyCanon, { body, sinks })
    }
    return key
  }

  /** Takes octets of the body. */
  push(bytes: Uint8Array): void {
    for (const { body } of this.#bodies.values()) body.push(bytes)
  }

  /** That was all: the hashes by their keys, in base64. */
  end(): Map<string, { readonly hash: string }> {
    for (const { body } of this.#bodies.values()) body.end()
    return new Map([...this.#sinks].map(([key, { hash }]) => [key, { hash: hash.digest('base64') }]))
  }
}

function take(sink: Sink, bytes: Uint8Array): void {
  if (sink.left === 0) return
  sink.hash.update(bytes.length > sink.left ? bytes.subarray(0, sink.left) : bytes)
  sink.left = Math.max(0, sink.left - bytes.length)
}
