import { createHash, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls'
import { TlsFailure, type TlsaRecord, type TlsDemand, type TlsFailureReason } from '../../protocol/session/dial.ts'
import { publicKeyOctets } from './channel-binding.ts'

/** What a certificate satisfies; `undefined` where nothing was demanded, or nothing that can be looked at. */
export type Satisfied = 'pkix' | 'tlsa' | undefined

/**
 * Judges the certificate of a server, before anything is said to it. Throws a {@link TlsFailure}. `now`: milliseconds since the
 * Unix epoch.
 */
export function judge(secure: TLSSocket, demand: TlsDemand, now: number): Satisfied {
  if (demand.trust === 'none') return undefined
  const [certificate, ...more] = certificatesOf(secure)
  if (certificate === undefined) throw new TlsFailure('validation-failure', 'the server has shown no certificate')
  if (demand.trust !== 'pkix') return judgeByRecords(certificate, more, demand.trust.tlsa, demand, now)
  if (!secure.authorized) throw untrusted(secure.authorizationError)
  checkNames(certificate, demand)
  return 'pkix'
}

/** Why OpenSSL does not trust it, by its name for that. */
function untrusted(why: unknown): TlsFailure {
  const code = why instanceof Error ? why.message : String(why)
  const isOld = code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID'
  const reason: TlsFailureReason = isOld ? 'certificate-expired' : 'certificate-not-trusted'
  return new TlsFailure(reason, `the server's certificate is not to be trusted: ${code}`)
}

/** RFC 6125, RFC 8461 §4.1: a wildcard stands for one label, as a whole. */
function checkNames(certificate: X509Certificate, { serverName, names = [] }: TlsDemand): void {
  const wanted = [...(serverName === undefined ? [] : [serverName]), ...names]
  const isOurs = wanted.some((name) =>
    isIP(name) === 0 ? certificate.checkHost(name, { partialWildcards: false }) : certificate.checkIP(name))
  if (isOurs) return
  throw new TlsFailure('certificate-host-mismatch', `the server's certificate is not for ${wanted.join(' or ')}`)
}

const hashes: ReadonlyMap<number, readonly [name: string, octets: number]> = new Map([[1, ['sha256', 32]], [2, ['sha512', 64]]])

/** RFC 7672 §3.1.3: the others say nothing of SMTP, or nothing that we understand. */
function isUsable({ usage, selector, matching, data }: TlsaRecord): boolean {
  if ((usage !== 2 && usage !== 3) || (selector !== 0 && selector !== 1)) return false
  return matching === 0 ? data.length > 0 : hashes.get(matching)?.[1] === data.length
}

function judgeByRecords(
  leaf: X509Certificate,
  more: readonly X509Certificate[],
  records: readonly TlsaRecord[],
  demand: TlsDemand,
  now: number,
): Satisfied {
  const usable = records.filter(isUsable)
  // RFC 7672 §2.2: encrypted, to whomever.
  if (usable.length === 0) return undefined
  // RFC 7672 §3.1.1: DANE-EE needs neither name nor date.
  if (usable.some((record) => record.usage === 3 && fits(record, leaf))) return 'tlsa'
  const anchors = usable.filter(({ usage }) => usage === 2)
  if (!isAnchored(leaf, more, anchors, now)) throw new TlsFailure('tlsa-invalid', 'the server\'s certificate fits no TLSA record')
  // RFC 7672 §3.1.2: DANE-TA needs both.
  checkNames(leaf, demand)
  return 'tlsa'
}

function fits({ selector, matching, data }: TlsaRecord, certificate: X509Certificate): boolean {
  const octets = selector === 0 ? certificate.raw : publicKeyOctets(certificate.raw)
  const hash = hashes.get(matching)
  return Buffer.compare(hash === undefined ? octets : createHash(hash[0]).update(octets).digest(), data) === 0
}

/** Certificates of a chain that are looked at. */
const LONGEST = 10

/** Whether one signs the other, up to an anchor (RFC 7671 §5.2.2); all of them valid now, all issuers authorities. */
function isAnchored(
  leaf: X509Certificate,
  more: readonly X509Certificate[],
  anchors: readonly TlsaRecord[],
  now: number,
): boolean {
  const shown = [...more]
  for (const { selector, matching, data } of anchors) {
    // RFC 7671 §5.2.3: the record may hold the authority itself, which the server need not show then.
    const inRecord = selector === 0 && matching === 0 ? certificateOf(data) : undefined
    if (inRecord !== undefined) shown.push(inRecord)
  }
  let certificate = leaf
  for (let links = 0; links < LONGEST; links++) {
    if (!isValid(certificate, now)) {
      throw new TlsFailure('certificate-expired', 'a certificate of the server\'s chain is not valid now')
    }
    if (links > 0 && anchors.some((record) => fits(record, certificate))) return true
    const issuer = shown.find((other) => other.ca && certificate.checkIssued(other) && certificate.verify(other.publicKey))
    if (issuer === undefined || issuer.raw.equals(certificate.raw)) return false
    certificate = issuer
  }
  return false
}

/** What the server has shown: its own, and those of its issuers. */
function certificatesOf(secure: TLSSocket): X509Certificate[] {
  const all: X509Certificate[] = []
  // Not `getPeerX509Certificate`: on the client's side it takes the certificate out of the connection, for nobody to find again.
  let shown: Partial<DetailedPeerCertificate> | undefined = secure.getPeerCertificate(true)
  while (shown?.raw !== undefined && all.length < LONGEST) {
    all.push(new X509Certificate(shown.raw))
    if (shown.issuerCertificate === shown) break
    shown = shown.issuerCertificate
  }
  return all
}

function certificateOf(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}

const isValid = (certificate: X509Certificate, now: number): boolean =>
  Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo)
