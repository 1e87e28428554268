import type { Body, ByteRange } from '../../contracts/bodies.ts'
import { joinedOctets } from '../../protocol/bytes/joined.ts'
import { isMailError, type MailErrorCode } from '../../protocol/session/errors.ts'

/** What a suite needs of a test runner: `describe` and `it` of vitest, Jest, Mocha and node:test fit. */
export interface Runner {
  /** Groups checks. */
  readonly describe: (name: string, define: () => void) => unknown
  /** Registers a check. */
  readonly it: (name: string, run: () => Promise<void>) => unknown
  /** Told of each check that was left out, and why. By default it is printed. */
  readonly skipped?: (line: string) => void
}

/** Throws unless both are the same, by value: plain data, `undefined` and bytes. */
export function equal(actual: unknown, expected: unknown, what = 'value'): void {
  const difference = differ(actual, expected, what)
  if (difference !== undefined) throw new Error(difference)
}

/** Throws `what` unless it holds. */
export function holds(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

/** Throws unless the promise rejects with a MailError of one of the codes. */
export async function rejects(promise: Promise<unknown>, ...codes: MailErrorCode[]): Promise<void> {
  const error = await promise.then(() => undefined, (reason: unknown) => reason ?? new Error('undefined'))
  holds(error !== undefined, `resolved, but was to reject (${codes.join(' or ')})`)
  const code = isMailError(error) ? error.code : undefined
  const wanted = `a MailError ${codes.join(' or ')}`
  holds(code !== undefined && codes.includes(code), `rejected with ${String(error)} (${String(code)}), not with ${wanted}`)
}

/** All of a body, or a range of it. No chunk may be empty. */
export async function octetsOf(body: Body, range?: ByteRange): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body.read(range)) {
    holds(chunk.length > 0, 'an empty chunk')
    chunks.push(chunk)
  }
  return joinedOctets(chunks)
}

/** Everything an iteration yields. */
export async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** Octets that differ from place to place, and from seed to seed; all values occur. */
export function pattern(octets: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(octets)
  for (let i = 0; i < octets; i++) bytes[i] = (i * 7 + (i >> 8) * 13 + seed * 31) & 0xff
  return bytes
}

function differ(actual: unknown, expected: unknown, path: string): string | undefined {
  if (Object.is(actual, expected)) return undefined
  if (actual instanceof Uint8Array && expected instanceof Uint8Array) return differBytes(actual, expected, path)
  if (!isObject(actual) || !isObject(expected) || Array.isArray(actual) !== Array.isArray(expected)) {
    return `${path} is ${shown(actual)}, not ${shown(expected)}`
  }
  for (const key of new Set([...Object.keys(actual), ...Object.keys(expected)])) {
    const difference = differ(Reflect.get(actual, key), Reflect.get(expected, key), `${path}.${key}`)
    if (difference !== undefined) return difference
  }
  return undefined
}

function differBytes(actual: Uint8Array, expected: Uint8Array, path: string): string | undefined {
  if (actual.length !== expected.length) return `${path} has ${actual.length} octets, not ${expected.length}`
  for (let at = 0; at < actual.length; at++) if (actual[at] !== expected[at]) return `${path} differs from octet ${at} on`
  return undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function shown(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 200) ?? String(value)
}
