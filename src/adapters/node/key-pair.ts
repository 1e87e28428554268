import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { MailError } from '../../protocol/session/errors.ts'
import type { KeyPair } from './self-signed.ts'
import { alternativeNames } from './x509.ts'

/** A certificate with its chain and key, found fit for a server. */
export interface CheckedPair extends KeyPair {
  /** The DNS names it is good for, lower case, wildcards as they stand. */
  readonly names: readonly string[]
  /** When its validity ends: milliseconds since the Unix epoch. */
  readonly expires: number
  /** The file it came from, or `the certificate` where it was given as text. */
  readonly source: string
}

/** Gives the text of a setting: of the file where it is a path, itself where it is PEM. */
export type ReadPem = (pathOrPem: string) => string

/** Whether a setting is PEM text rather than the path of a file. */
export const isPem = (text: string): boolean => text.includes('-----BEGIN ')

/** What to call a setting in a message. */
export const nameOf = (pathOrPem: string, what: string): string => (isPem(pathOrPem) ? `the ${what}` : pathOrPem)

/**
 * Reads a certificate with its chain and key and checks what a TLS library would only find out with the first client, or never.
 * Throws a `config` MailError that names the file. `now` in milliseconds since the Unix epoch.
 */
export function checkPair(pair: KeyPair, read: ReadPem, now: number): CheckedPair {
  const source = nameOf(pair.cert, 'certificate')
  const keySource = nameOf(pair.key, 'key')
  const cert = read(pair.cert)
  const key = read(pair.key)
  const [leaf, ...issuers] = parseChain(cert, source)
  checkOrder([leaf, ...issuers], source)
  if (!leaf.checkPrivateKey(parseKey(key, keySource))) {
    const fix = 'give the key that it was issued for'
    throw new MailError('config', `${keySource} is not the key of the certificate in ${source}; ${fix}`)
  }
  if (!servesTls(leaf)) {
    const fix = 'have one issued that is'
    const why = 'the certificate is not meant for servers (extended key usage lacks serverAuth)'
    throw new MailError('config', `${source}: ${why}; ${fix}`)
  }
  const begins = Date.parse(leaf.validFrom)
  if (begins > now) {
    const fix = `use an older one until then; or is the date of this machine, ${dateOf(now)}, wrong?`
    throw new MailError('config', `${source}: the certificate is not valid before ${dateOf(begins)}; ${fix}`)
  }
  const { dns } = alternativeNames(leaf.subjectAltName)
  return { cert, key, source, names: dns.length > 0 ? dns : commonName(leaf), expires: Date.parse(leaf.validTo) }
}

/** A date for messages: `2026-11-20`. */
export const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** All certificates of a PEM text. Throws a `config` MailError that names the source and which of them cannot be read. */
export function parseCertificates(text: string, source: string): X509Certificate[] {
  return pemBlocks(text, 'CERTIFICATE').map((block, index) => {
    try {
      return new X509Certificate(block)
    } catch (cause) {
      throw new MailError('config', `${source}: certificate ${index + 1} cannot be read; is the file whole?`, { cause })
    }
  })
}

function parseChain(text: string, source: string): [X509Certificate, ...X509Certificate[]] {
  const [leaf, ...issuers] = parseCertificates(text, source)
  if (leaf === undefined) throw noCertificate(source)
  return [leaf, ...issuers]
}

/** For a setting that should hold certificates. */
export const noCertificate = (source: string): MailError =>
  new MailError('config', `${source} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`)

/** RFC 5246 §7.4.2: each certificate is signed by the one that follows. */
function checkOrder(chain: readonly X509Certificate[], source: string): void {
  for (let i = 0; i + 1 < chain.length; i++) {
    const [subject, issuer] = [chain[i], chain[i + 1]] as [X509Certificate, X509Certificate]
    if (!subject.checkIssued(issuer) || !subject.verify(issuer.publicKey)) {
      const rule = 'put the server\'s own certificate first, and behind it each issuer in turn'
      throw new MailError('config', `${source}: certificate ${i + 2} did not sign certificate ${i + 1}; ${rule}`)
    }
  }
}

function parseKey(text: string, source: string): KeyObject {
  try {
    return createPrivateKey(text)
  } catch (cause) {
    throw new MailError('config', `${source} holds no private key that can be read (PEM, without a pass phrase)`, { cause })
  }
}

/** RFC 5280 §4.2.1.12: without the extension any purpose is fine. */
function servesTls(certificate: X509Certificate): boolean {
  // Node has it under the name of another extension; @types/node knows it by neither.
  const purposes = certificate.keyUsage as readonly string[] | undefined
  return purposes === undefined || purposes.includes('1.3.6.1.5.5.7.3.1') || purposes.includes('2.5.29.37.0')
}

/** Certificates without alternative names are of private CAs, and old. */
function commonName(certificate: X509Certificate): readonly string[] {
  const line = certificate.subject?.split('\n').find((part) => part.startsWith('CN='))
  return line === undefined ? [] : [line.slice(3).toLowerCase()]
}

/** The blocks of one kind in a PEM text (RFC 7468); whatever stands around them is explanatory. */
function pemBlocks(text: string, label: string): string[] {
  const begin = `-----BEGIN ${label}-----`
  const end = `-----END ${label}-----`
  const blocks: string[] = []
  let at = text.indexOf(begin)
  while (at >= 0) {
    const stop = text.indexOf(end, at)
    if (stop < 0) break
    blocks.push(text.slice(at, stop + end.length))
    at = text.indexOf(begin, stop)
  }
  return blocks
}
