import { asciiDomain } from '../message/domain.ts'
import { isDomain } from '../protocol/smtp/index.ts'

/**
 * What a domain asks of those who send to it (RFC 8461 §5): `enforce`: only to servers that it names and that prove it;
 * `testing`: tell me what would fail; `none`: nothing any more.
 */
export type StsMode = 'enforce' | 'testing' | 'none'

/** An MTA-STS policy. */
export interface StsPolicy {
  readonly mode: StsMode
  /** Names of servers in lower case and A-labels; `*.example.org` is any name that is one label longer. */
  readonly mx: readonly string[]
  /** Seconds for which it holds. */
  readonly maxAge: number
}

/** RFC 8461 §3.2. */
const MOST_AGE = 31_557_600

/** Characters of a policy, its lines, and servers that it names. */
const MOST_TEXT = 65_536
const MOST_LINES = 500
const MOST_MX = 100

/**
 * The id in the TXT records at `_mta-sts` of a domain (RFC 8461 §3.1), by which a change of policy is known; `undefined`: it has
 * no policy, or more than one record that says so.
 */
export function parseStsRecord(records: readonly string[]): string | undefined {
  const own = records.filter((record) => fieldsOf(record)[0] === 'v=STSv1')
  const [record] = own
  if (own.length !== 1 || record === undefined || record.length > 4096) return undefined
  const ids = fieldsOf(record).filter((field) => field.startsWith('id='))
  const id = ids[0]?.slice(3) ?? ''
  return id.length > 0 && id.length <= 32 && [...id].every(isAlphanumeric) ? id : undefined
}

const fieldsOf = (record: string): string[] => record.slice(0, 4097).split(';').map((field) => field.trim())

const isAlphanumeric = (character: string): boolean =>
  (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') || (character >= 'a' && character <= 'z')

/** Reads a policy (RFC 8461 §3.2). Total, linear time; `undefined`: it is none. */
export function parseStsPolicy(text: string): StsPolicy | undefined {
  if (text.length > MOST_TEXT) return undefined
  const lines = text.split('\n', MOST_LINES + 1)
  if (lines.length > MOST_LINES) return undefined
  const fields = new Map<string, string>()
  const mx = new Set<string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 0 && line.trim() !== '') return undefined
    const key = line.slice(0, Math.max(colon, 0)).trim()
    const value = line.slice(colon + 1).trim()
    if (key !== 'mx') {
      // Of what is there twice the first counts.
      if (!fields.has(key)) fields.set(key, value)
      continue
    }
    const pattern = mxPattern(value)
    if (pattern === undefined) return undefined
    mx.add(pattern)
  }
  const mode = modes.get(fields.get('mode') ?? '')
  const maxAge = secondsOf(fields.get('max_age') ?? '')
  if (fields.get('version') !== 'STSv1' || mode === undefined || maxAge === undefined || mx.size > MOST_MX) return undefined
  if (mx.size === 0 && mode !== 'none') return undefined
  return { mode, mx: [...mx], maxAge }
}

const modes = new Map<string, StsMode>([['enforce', 'enforce'], ['testing', 'testing'], ['none', 'none']])

function mxPattern(value: string): string | undefined {
  const isWild = value.startsWith('*.')
  const name = asciiDomain(isWild ? value.slice(2) : value)
  return isDomain(name) && !name.startsWith('[') ? `${isWild ? '*.' : ''}${name}` : undefined
}

function secondsOf(text: string): number | undefined {
  if (text.length < 1 || text.length > 10) return undefined
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 48 || text.charCodeAt(at) > 57) return undefined
  return Math.min(Number(text), MOST_AGE)
}

/** Whether a policy names a server (RFC 8461 §4.1). The name is in lower case and A-labels. */
export function stsNames({ mx }: StsPolicy, host: string): boolean {
  const dot = host.indexOf('.')
  const wild = dot > 0 ? `*${host.slice(dot)}` : undefined
  return mx.some((pattern) => pattern === host || pattern === wild)
}
