import { createHash, createPublicKey, generateKeyPair, X509Certificate } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MailError } from '../../protocol/session/errors.ts'

const generate = promisify(generateKeyPair)

/** The keys of a domain by what is published of them. RSA is for everybody, Ed25519 for those who know it (RFC 8463 §6). */
const kinds = [
  { selector: 'posthorn', type: 'rsa' },
  { selector: 'posthorn-ed', type: 'ed25519' },
] as const

/** A key for signatures of DKIM that rests in a file. */
export interface DkimKeyFile {
  readonly domain: string
  readonly selector: string
  readonly type: 'rsa' | 'ed25519'
  /** The path of a PEM file. */
  readonly key: string
}

/** The keys of domains in a folder, whether they are there or not. Names of domains are file names: A-labels, in lower case. */
export function dkimKeyFiles(folder: string, domains: readonly string[]): DkimKeyFile[] {
  return domains.flatMap((domain) => {
    return kinds.map(({ selector, type }) => ({ domain, selector, type, key: join(folder, `${domain}.${selector}.pem`) }))
  })
}

/** Makes the keys that are not there; the machine does so beside the event loop. What is there is never written to. */
export async function makeDkimKeys(folder: string, files: readonly DkimKeyFile[]): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // One after the other: they are only made once.
  for (const { key, type } of files) {
    if ((await textOf(key)) !== undefined) continue
    const { privateKey } = type === 'rsa' ? await generate('rsa', { modulusLength: 2048 }) : await generate('ed25519')
    // Nobody ever sees half a key, nor anybody but the owner a whole one.
    await writeFile(`${key}.new`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    await rename(`${key}.new`, key)
  }
}

/** What is published of a key, in base64; `undefined` where there is none. Throws a `config` MailError where it is no key. */
export async function publishedKey({ key, type }: DkimKeyFile): Promise<string | undefined> {
  const pem = await textOf(key)
  if (pem === undefined) return undefined
  try {
    const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' })
    // RFC 8463 §4: of an Ed25519 key the 32 octets alone.
    return (type === 'rsa' ? spki : spki.subarray(-32)).toString('base64')
  } catch (cause) {
    throw new MailError('config', `${key} holds no private key that can be read`, { cause })
  }
}

/** SHA-256 of the public key of the certificate in a PEM file, in hex: TLSA 3 1 1 (RFC 7671 §5.1). `undefined`: no such file. */
export async function publicKeyHash(certificate: string): Promise<string | undefined> {
  const pem = await textOf(certificate)
  if (pem === undefined) return undefined
  try {
    const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' })
    return createHash('sha256').update(spki).digest('hex')
  } catch (cause) {
    throw new MailError('config', `${certificate} holds no certificate that can be read`, { cause })
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const { code, message } = cause as { code?: unknown; message: string }
    if (code === 'ENOENT') return undefined
    throw new MailError('config', `${path} cannot be read: ${message}`, { cause })
  }
}
