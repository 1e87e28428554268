import type { BimiFinding } from '../../contracts/authentication.ts'
import type { HeaderBlock } from '../../message/headers.ts'
import type { DmarcResult } from './dmarc.ts'
import type { Lookup } from './package.ts'

/** Characters of the field that names a selector, and of an address of a picture. */
const MOST = 1024

/**
 * Where the picture of a brand is (draft-brand-indicators-for-message-identification §7). mailauth's own look-up brings along a
 * client for HTTP that not every Node can load; nothing is fetched here.
 */
export async function lookUpBimi(
  resolver: Lookup, header: HeaderBlock, { finding, organization }: DmarcResult,
): Promise<BimiFinding> {
  const { domain } = finding
  const none = { domain, location: undefined, evidence: undefined }
  if (!isEnforced(finding)) return { ...none, result: 'skipped', selector: 'default' }
  const selector = selectorOf(header)
  if (selector === undefined) return { ...none, result: 'fail', selector: '' }
  for (const name of organization === undefined || organization === domain ? [domain] : [domain, organization]) {
    const records = await recordsAt(resolver, `${selector}._bimi.${name}`)
    if (records === undefined) return { ...none, result: 'temperror', selector }
    const [record, another] = records
    if (another !== undefined) return { ...none, result: 'fail', selector }
    if (record !== undefined) return { ...placesOf(tags(record)), domain: name, selector }
  }
  return { ...none, result: 'none', selector }
}

/** §7.1: the domain means what it publishes, for all of its mail. */
function isEnforced({ result, policy, record }: DmarcResult['finding']): boolean {
  const pct = record?.get('pct') ?? '100'
  return (
    result === 'pass' && record !== undefined && record.get('t')?.toLowerCase() !== 'y' &&
    record.get('sp')?.toLowerCase() !== 'none' && (policy === 'reject' || (policy === 'quarantine' && pct === '100'))
  )
}

/** §4.4: `v=BIMI1; s=brand`, once; `undefined` where it is no good. */
function selectorOf(header: HeaderBlock): string | undefined {
  const [field, another] = header.all('bimi-selector')
  if (!field) return 'default'
  if (another || field.raw.length > MOST) return undefined
  const given = tags(field.value)
  const selector = given.get('s') ?? 'default'
  return given.get('v')?.toLowerCase() === 'bimi1' && /^[a-z0-9_-]{1,63}$/i.test(selector) ? selector.toLowerCase() : undefined
}

/** The assertion records at a name; `undefined`: the DNS does not say. */
async function recordsAt(resolver: Lookup, name: string): Promise<readonly string[] | undefined> {
  try {
    const rows = (await resolver(name, 'TXT')) as readonly (readonly string[])[]
    return rows.map((row) => row.join('')).filter((row) => tags(row.slice(0, 20)).get('v')?.toLowerCase() === 'bimi1')
  } catch (error) {
    const { code } = error as { readonly code?: unknown }
    return code === 'ENOTFOUND' || code === 'ENODATA' ? [] : undefined
  }
}

/** §4.3: a domain that gives no place says that it has no picture. */
function placesOf(record: ReadonlyMap<string, string>): Pick<BimiFinding, 'result' | 'location' | 'evidence'> {
  const location = record.get('l') ?? ''
  const evidence = record.get('a') ?? ''
  if (location === '' && evidence === '') return { result: 'none', location: undefined, evidence: undefined }
  if (!isHttps(location) || (evidence !== '' && !isHttps(evidence))) {
    return { result: 'fail', location: undefined, evidence: undefined }
  }
  return { result: 'pass', location, evidence: evidence === '' ? undefined : evidence }
}

const isHttps = (text: string): boolean => text.length <= MOST && /^https:\/\/[!-~]+$/i.test(text) && URL.canParse(text)

function tags(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const part of text.split(';')) {
    const equals = part.indexOf('=')
    if (equals > 0) found.set(part.slice(0, equals).trim().toLowerCase(), part.slice(equals + 1).trim())
  }
  return found
}
