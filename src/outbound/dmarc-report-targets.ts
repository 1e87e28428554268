import type { Resolver } from '../contracts/resolver.ts'
import type { Address } from '../message/address.ts'
import { mailTarget } from './mail-target.ts'

/** Where a domain wants aggregate reports to go, and the most octets that may come there. */
export interface DmarcReportTarget {
  readonly address: Address
  readonly most: number
}

/** Targets of a domain; those beyond are left out. */
const MOST_TARGETS = 5

const UNITS: ReadonlyMap<string, number> = new Map([['', 1], ['k', 2 ** 10], ['m', 2 ** 20], ['g', 2 ** 30], ['t', 2 ** 40]])

/**
 * Where the domain wants its reports to go (RFC 7489 §6.2), of a record's `rua`. Others than the domain's own are asked whether
 * they want them (§7.1): nobody is to be flooded with what others have asked for. Rejects as the resolver does.
 */
export async function dmarcReportTargets(rua: string, domain: string, resolver: Resolver): Promise<readonly DmarcReportTarget[]> {
  const targets = parseReportUris(rua)
  const wanted = await Promise.all(targets.map(({ address }) => isWanted(address.domain.toLowerCase(), domain, resolver)))
  return targets.filter((_, at) => wanted[at])
}

/** Reads a `rua`; what it holds beside `mailto:` is left out. */
export function parseReportUris(rua: string): readonly DmarcReportTarget[] {
  const uris = rua.split(',').map((uri) => uri.trim())
  return uris.flatMap((uri) => targetOf(uri) ?? []).slice(0, MOST_TARGETS)
}

function targetOf(uri: string): DmarcReportTarget | undefined {
  if (uri.slice(0, 7).toLowerCase() !== 'mailto:') return undefined
  // §6.4: `!10m` at the end; an exclamation mark of the address itself is escaped.
  const mark = uri.lastIndexOf('!')
  const address = mailTarget(mark < 0 ? uri.slice(7) : uri.slice(7, mark))
  const most = mark < 0 ? Infinity : sizeOf(uri.slice(mark + 1).toLowerCase())
  return address && most !== undefined ? { address, most } : undefined
}

function sizeOf(text: string): number | undefined {
  const digits = text.length - (UNITS.has(text.slice(-1)) ? 1 : 0)
  const number = text.slice(0, digits)
  const isNumber = number !== '' && number.length <= 9 && [...number].every((digit) => digit >= '0' && digit <= '9')
  return isNumber ? Number(number) * UNITS.get(text.slice(digits))! : undefined
}

async function isWanted(target: string, domain: string, resolver: Resolver): Promise<boolean> {
  if (target === domain || target.endsWith(`.${domain}`) || domain.endsWith(`.${target}`)) return true
  const { records } = await resolver.resolve(`${domain}._report._dmarc.${target}`, 'TXT')
  return records.some((record) => record.split(';', 1)[0]!.replaceAll(' ', '') === 'v=DMARC1')
}
