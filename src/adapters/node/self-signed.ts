import { createHash, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import ipaddr from 'ipaddr.js'
import { bitString, integer, octetString, oid, sequence, set, tagged, time, truth, utf8String } from './der.ts'
import { randomBytes } from './random.ts'

/** What the certificate is to say. */
export interface SelfSignedOptions {
  /** The name (or IP address) that clients connect to. */
  readonly hostname: string
  /** Further names or addresses. */
  readonly names?: readonly string[]
  /** Days of validity, from a day ago on (default 825, the longest that all clients take). */
  readonly days?: number
  /** Milliseconds since the Unix epoch (default: now). */
  readonly now?: number
}

/** A certificate and its key, PEM text. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

const day = 86_400_000
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))

/**
 * A certificate that its own key has signed (ECDSA, P-256; RFC 5280). Good enough between mail servers, which seldom verify, and
 * for tests; a mail client will ask its user about it once.
 */
export function selfSigned({ hostname, names = [], days = 825, now = Date.now() }: SelfSignedOptions): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  // RFC 5280 §4.1.2.2: positive, at most 20 octets. A leading 01 keeps it so.
  const serial = integer(Buffer.concat([Buffer.from([1]), randomBytes(15)]))
  // ub-common-name is 64 characters; clients look at the alternative names anyway.
  const name = sequence(set(sequence(oid('2.5.4.3'), utf8String(hostname.slice(0, 64)))))
  const toSign = sequence(
    tagged(0, true, integer(Uint8Array.of(2))),
    serial,
    ecdsaWithSha256,
    name,
    sequence(time(now - day), time(now + days * day)),
    name,
    spki,
    tagged(3, true, sequence(...extensions([hostname, ...names], spki))),
  )
  const signature = sign('sha256', toSign, privateKey)
  const cert = pem('CERTIFICATE', sequence(toSign, ecdsaWithSha256, bitString(signature)))
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
}

/**
 * RFC 5280 §4.2.1: names, purpose, and that it is no CA. Without a key usage, for which a verifier may hold it against the
 * certificate that it has signed itself.
 */
function extensions(names: readonly string[], spki: Uint8Array): Buffer[] {
  const general = [...new Set(names)].map((name) =>
    isIP(name) ? tagged(7, false, Uint8Array.from(ipaddr.parse(name).toByteArray())) : tagged(2, false, Buffer.from(name)))
  const keyId = createHash('sha1').update(spki).digest()
  return [
    sequence(oid('2.5.29.17'), octetString(sequence(...general))),
    sequence(oid('2.5.29.19'), truth, octetString(sequence())),
    sequence(oid('2.5.29.37'), octetString(sequence(oid('1.3.6.1.5.5.7.3.1')))),
    sequence(oid('2.5.29.14'), octetString(octetString(keyId))),
  ]
}

function pem(label: string, contents: Buffer): string {
  const lines = contents.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/**
 * The self-signed certificate that rests in `directory` (`self-signed.crt`, `self-signed.key`; made if need be), as paths for
 * `certificates()`. A new one is made when the old one does not cover the host name or ends within 30 days.
 */
export function selfSignedFiles(directory: string, options: SelfSignedOptions): KeyPair {
  const files = { cert: join(directory, 'self-signed.crt'), key: join(directory, 'self-signed.key') }
  if (isUsable(files, options)) return files
  mkdirSync(directory, { recursive: true })
  const made = selfSigned(options)
  replace(files.key, made.key, 0o600)
  replace(files.cert, made.cert, 0o644)
  return files
}

function isUsable(files: KeyPair, { hostname, names = [], now = Date.now() }: SelfSignedOptions): boolean {
  try {
    const certificate = new X509Certificate(readFileSync(files.cert))
    readFileSync(files.key)
    const covers = (name: string): boolean =>
      (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name, { subject: 'never' })) !== undefined
    return [hostname, ...names].every(covers) && Date.parse(certificate.validTo) > now + 30 * day
  } catch {
    return false
  }
}

/** A reader never sees half a file, and nobody but the owner ever sees a key. */
function replace(path: string, text: string, mode: number): void {
  writeFileSync(`${path}.new`, text, { mode })
  chmodSync(`${path}.new`, mode)
  renameSync(`${path}.new`, path)
}
