import type { Authentication, DkimFinding, SpfFinding } from '../../contracts/authentication.ts'
import {
  type AuthenticationProperty, type AuthenticationResult, authenticationResultsValue,
} from '../../message/authentication-results.ts'
import { quoted } from '../../message/lexemes.ts'
import { isToken } from '../../message/parameters.ts'

/** Characters of a value, so that no line comes near 998 of them (RFC 5322 §2.1.1). */
const MOST = 255

/** Who was looked at, and who looked. */
export interface Looked {
  readonly authservId: string
  /** Of the client. */
  readonly address: string | undefined
  /** ARC is why the message came in. */
  readonly overridden: boolean
}

/** The value of an Authentication-Results field (RFC 8601 §2.2). Nothing in it that came from outside means anything. */
export function resultsValue(found: Authentication, { authservId, address, overridden }: Looked): string {
  const { spf, helo, dkim, dmarc, arc, iprev, bimi } = found
  const results: AuthenticationResult[] = []
  for (const each of [spf, helo]) if (each) results.push(spfResult(each))
  if (dkim?.length === 0) results.push(result('dkim', 'none'))
  for (const each of dkim ?? []) results.push(dkimResult(each))
  if (dmarc) {
    const policy = dmarc.policy === undefined ? undefined : `p=${dmarc.policy}`
    const comment = [policy, dmarc.why, overridden ? 'overridden by ARC' : undefined].filter((part) => part).join(', ')
    const wanted = dmarc.policy === undefined ? [] : [property('policy', 'dmarc', dmarc.disposition)]
    results.push(result('dmarc', dmarc.result, [...wanted, property('header', 'from', dmarc.domain)], comment))
  }
  if (arc) {
    const sealers = arc.sealers.length === 0 ? undefined : `i=${arc.sealers.length} ${arc.sealers.at(-1)!}`
    const comment = [sealers, arc.why].filter((part) => part).join(', ')
    results.push(result('arc', arc.result, [property('smtp', 'remote-ip', address)], comment))
  }
  if (iprev && iprev.result !== 'none') {
    results.push(result('iprev', iprev.result, [property('policy', 'iprev', address)], iprev.name))
  }
  if (bimi) {
    const { domain, selector } = bimi
    results.push(result('bimi', bimi.result, [property('header', 'd', domain), property('header', 'selector', selector)]))
  }
  return authenticationResultsValue({ authservId: harmless(authservId), results })
}

function spfResult({ result: found, identity, domain, why }: SpfFinding): AuthenticationResult {
  return result('spf', found, [property('smtp', identity, domain)], why)
}

function dkimResult(finding: DkimFinding): AuthenticationResult {
  const { result: found, domain, selector, algorithm, signature, bits, covers, why } = finding
  const size = bits === undefined ? undefined : `${bits}-bit key`
  const part = covers === 'part' ? 'not all of the body is signed' : undefined
  const comment = [size, part, why].filter((text) => text).join(', ')
  const properties = [
    property('header', 'd', domain), property('header', 's', selector),
    property('header', 'a', algorithm), property('header', 'b', signature),
  ]
  return result('dkim', found, properties, comment)
}

type Property = AuthenticationProperty | undefined

function result(method: string, found: string, properties: readonly Property[] = [], comment = ''): AuthenticationResult {
  const kept = properties.filter((each): each is AuthenticationProperty => each !== undefined)
  return { method, result: found, properties: kept, ...(comment === '' ? {} : { comment: harmless(comment) }) }
}

function property(type: string, name: string, value: string | undefined): Property {
  return value === undefined || value === '' ? undefined : { type, property: name, value: harmless(value) }
}

/**
 * Text that can be put into quotes or parentheses and stays as it is: ASCII, and without the question marks that encoded words
 * are made of.
 */
function harmless(text: string): string {
  return text.slice(0, MOST).replace(/[^ -~]|\?/g, '_')
}

/** The value of a Received-SPF field (RFC 7208 §9.1). */
export function receivedSpfValue(
  { result: found, identity, domain, why }: SpfFinding,
  client: { readonly address: string; readonly helo: string; readonly sender: string; readonly hostname: string },
): string {
  const pairs: readonly (readonly [string, string])[] = [
    ['identity', identity], ['client-ip', client.address], ['helo', client.helo],
    ['envelope-from', client.sender], ['receiver', client.hostname],
  ]
  const said = harmless(why ?? `SPF of ${domain}`).replace(/[()\\]/g, '_')
  const written = pairs.filter(([, value]) => value !== '').map(([name, value]) => `${name}=${valueOf(harmless(value))}`)
  return `${found} (${said}) ${written.join('; ')}`
}

const valueOf = (text: string): string => (isToken(text) ? text : quoted(text))
