/** A key that mail of a domain is signed with, as it is published. */
export interface PublishedKey {
  readonly selector: string
  readonly type: 'rsa' | 'ed25519'
  /** Base64: SubjectPublicKeyInfo of an RSA key (RFC 6376 §3.6.1), the 32 octets of an Ed25519 key (RFC 8463 §4). */
  readonly publicKey: string
}

/** What the records of a domain are made of. Names in A-labels, without a dot at the end. */
export interface PublishedDomain {
  readonly domain: string
  /** The server that takes its mail. */
  readonly hostname: string
  /** `none`: its mail is not signed. */
  readonly keys: readonly PublishedKey[] | 'none'
  /** Ports at which people read and submit their mail, over TLS from the start; `undefined`: they cannot. */
  readonly imaps: number | undefined
  readonly submissions: number | undefined
  /** What is offered to other servers that ask for MTA-STS; each other policy has another id (RFC 8461 §3.1). */
  readonly sts: { readonly id: string; readonly policy: string }
}

/** A record, or what is to be known about those that follow. */
export type ZoneLine = ZoneRecord | { readonly comment: string }

/** A record of the DNS; names without a dot at the end. */
export interface ZoneRecord {
  readonly name: string
  readonly type: 'MX' | 'TXT' | 'SRV' | 'TLSA'
  /** Of a TXT record its text, of others what a zone file has. */
  readonly value: string
}

/** A policy of MTA-STS for a domain whose mail goes to one server (RFC 8461 §3.2). Its lines end in CRLF. */
export function stsPolicyText(hostname: string, mode: 'testing' | 'enforce'): string {
  return ['version: STSv1', `mode: ${mode}`, `mx: ${hostname}`, 'max_age: 604800', ''].join('\r\n')
}

const signedWith = 'the keys that mail is signed with'
const unsigned = 'no keys yet, the server makes them at its start, or soon after the domain has come'
const off = 'this server does not sign'

/** The records that a domain is to have so that mail for it arrives, and mail from it is believed. */
export function domainRecords({ domain, hostname, keys, imaps, submissions, sts }: PublishedDomain): ZoneLine[] {
  const txt = (name: string, value: string): ZoneRecord => ({ name, type: 'TXT', value })
  const host = `${hostname}.`
  return [
    { comment: `${domain}: mail comes to ${hostname}, which needs an A or AAAA record` },
    { name: domain, type: 'MX', value: `10 ${host}` },
    { comment: 'SPF (RFC 7208): mail goes out from there, and from nowhere else' },
    txt(domain, 'v=spf1 mx -all'),
    { comment: `DKIM (RFC 6376): ${keys === 'none' ? off : keys.length > 0 ? signedWith : unsigned}` },
    ...(keys === 'none' ? [] : keys).map(({ selector, type, publicKey }) => {
      return txt(`${selector}._domainkey.${domain}`, `v=DKIM1; k=${type}; p=${publicKey}`)
    }),
    { comment: 'DMARC (RFC 7489): p=quarantine or p=reject once the reports say that nothing of yours fails' },
    txt(`_dmarc.${domain}`, `v=DMARC1; p=none; rua=mailto:postmaster@${domain}`),
    { comment: 'TLS reporting (RFC 8460)' },
    txt(`_smtp._tls.${domain}`, `v=TLSRPTv1; rua=mailto:postmaster@${domain}`),
    { comment: 'MTA-STS (RFC 8461), where the certificate is one that others trust' },
    { comment: `https://mta-sts.${domain}/.well-known/mta-sts.txt says, its lines ended by CRLF:` },
    ...sts.policy.split('\r\n').filter((line) => line !== '').map((line) => ({ comment: `  ${line}` })),
    txt(`_mta-sts.${domain}`, `v=STSv1; id=${sts.id}`),
    { comment: 'Where mail programs find the servers (RFC 6186, RFC 8314)' },
    service('imaps', imaps),
    service('submissions', submissions),
  ]

  function service(name: string, port: number | undefined): ZoneRecord {
    // RFC 6186 §3.4: a dot says that there is none.
    const value = port === undefined ? '0 0 0 .' : `0 1 ${port} ${host}`
    return { name: `_${name}._tcp.${domain}`, type: 'SRV', value }
  }
}

/** The records that a server is to have under its own name. `spki`: SHA-256 of the public key of its certificate, in hex. */
export function hostRecords(hostname: string, spki: string): ZoneLine[] {
  return [
    { comment: `${hostname}: what it says of itself, when it reports to senders (RFC 7208 §2.4)` },
    { name: hostname, type: 'TXT', value: 'v=spf1 a -all' },
    { comment: 'DANE (RFC 7672), where the zone is signed (DNSSEC): its key. Publish a new one two days before you use it' },
    { name: `_25._tcp.${hostname}`, type: 'TLSA', value: `3 1 1 ${spki}` },
  ]
}

/** Octets of a string in a TXT record (RFC 1035 §3.3.14). */
const MOST_STRING = 255

/** Lines of a zone file (RFC 1035 §5.1), to be put together by line ends. */
export function zoneLines(lines: readonly ZoneLine[]): string[] {
  return lines.map((line) => {
    if ('comment' in line) return `; ${line.comment}`
    return `${line.name}. IN ${line.type} ${line.type === 'TXT' ? strings(line.value) : line.value}`
  })
}

/** A text as character strings, in as many as it takes. */
function strings(text: string): string {
  const pieces: string[] = []
  for (let at = 0; at < text.length; at += MOST_STRING) pieces.push(quoted(text.slice(at, at + MOST_STRING)))
  return pieces.length > 1 ? `( ${pieces.join(' ')} )` : (pieces[0] ?? '""')
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
