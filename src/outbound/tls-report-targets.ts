import type { Resolver } from '../contracts/resolver.ts'
import type { Address } from '../message/address.ts'
import { isDomain } from '../protocol/smtp/index.ts'
import { mailTarget } from './mail-target.ts'

/** Where a domain wants reports on TLS to go (RFC 8460 §3). */
export type TlsReportTarget =
  | { readonly kind: 'mail'; readonly address: Address }
  | { readonly kind: 'https'; readonly host: string; readonly port: number; readonly path: string }

/** Targets of a domain; those beyond are left out. */
const MOST_TARGETS = 10
const MOST_TEXT = 4096

/** Where the domain (A-labels) wants reports to go; nowhere is where most do. Rejects as the resolver does. */
export async function tlsReportTargets(domain: string, resolver: Resolver): Promise<readonly TlsReportTarget[]> {
  const { records } = await resolver.resolve(`_smtp._tls.${domain}`, 'TXT')
  return parseTlsReportRecord(records)
}

/** Reads the TXT records at `_smtp._tls` of a domain (RFC 8460 §3). More than one that is of this kind is none. */
export function parseTlsReportRecord(records: readonly string[]): readonly TlsReportTarget[] {
  const fields = records
    .filter((record) => record.length <= MOST_TEXT)
    .map((record) => record.split(';').map((field) => field.trim()))
    .filter(([version]) => version === 'v=TLSRPTv1')
  const rua = fields.length === 1 ? fields[0]?.find((field) => field.startsWith('rua=')) : undefined
  const uris = rua?.slice(4).split(',').map((uri) => uri.trim()) ?? []
  return uris.flatMap((uri) => targetOf(uri) ?? []).slice(0, MOST_TARGETS)
}

function targetOf(uri: string): TlsReportTarget | undefined {
  const colon = uri.indexOf(':')
  const scheme = uri.slice(0, Math.max(colon, 0)).toLowerCase()
  if (scheme === 'mailto') {
    const address = mailTarget(uri.slice(colon + 1))
    return address && { kind: 'mail', address }
  }
  return scheme === 'https' && uri.startsWith('//', colon + 1) ? httpsTarget(uri.slice(colon + 3)) : undefined
}

function httpsTarget(rest: string): TlsReportTarget | undefined {
  const slash = rest.indexOf('/')
  const authority = slash < 0 ? rest : rest.slice(0, slash)
  const path = (slash < 0 ? '/' : rest.slice(slash)).split('#', 1)[0]!
  const colon = authority.indexOf(':')
  const host = (colon < 0 ? authority : authority.slice(0, colon)).toLowerCase()
  const port = colon < 0 ? 443 : portOf(authority.slice(colon + 1))
  // A name, which the server has to prove; nobody's address, and no password of anybody.
  const isName = isDomain(host) && host.includes('.') && !host.startsWith('[') && !isDigits(host.slice(host.lastIndexOf('.') + 1))
  return isName && port !== undefined && isVisible(path) ? { kind: 'https', host, port, path } : undefined
}

function portOf(text: string): number | undefined {
  const port = isDigits(text) && text.length <= 5 ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : undefined
}

const isDigits = (text: string): boolean => text !== '' && [...text].every((digit) => digit >= '0' && digit <= '9')

const isVisible = (text: string): boolean => [...text].every((character) => character > ' ' && character < '\u007f')
