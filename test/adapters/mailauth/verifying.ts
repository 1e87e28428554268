import { createRequire } from 'node:module'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'

/** What a verifier finds of one signature. */
export interface Verdict {
  readonly signingDomain: string
  readonly selector: string
  readonly algo: string
  readonly status: { readonly result: string; readonly comment?: string }
}

interface Verifier {
  dkimVerify(message: Buffer, options: object): Promise<{ readonly results: readonly Verdict[] }>
}

const { dkimVerify } = createRequire(import.meta.url)('mailauth/lib/dkim/verify.js') as Verifier

/** Verifies all signatures of a message; `keys` are TXT records by their names. */
export async function verdictsOn(message: Uint8Array, keys: ReadonlyMap<string, string>, at?: Date): Promise<readonly Verdict[]> {
  const resolver = (name: string): Promise<string[][]> => {
    const record = keys.get(name)
    if (record !== undefined) return Promise.resolve([[record]])
    return Promise.reject(Object.assign(new Error(`${name} is not there`), { code: 'ENOTFOUND' }))
  }
  const { results } = await dkimVerify(Buffer.from(message), { resolver, ...(at ? { curTime: at } : {}) })
  return results
}

/** A key as PEM, and what is published of it. */
export interface TestKey {
  readonly pem: string
  readonly record: string
}

/** Makes a key. */
export function testKey(type: 'rsa' | 'ed25519'): TestKey {
  const pair = type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519')
  return keyOf(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, type)
}

/** A key of which the private half is known. */
export function keyOf(pem: string, type: 'rsa' | 'ed25519'): TestKey {
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' })
  const published = type === 'rsa' ? spki : spki.subarray(-32)
  return { pem, record: `v=DKIM1; k=${type}; p=${published.toString('base64')}` }
}
