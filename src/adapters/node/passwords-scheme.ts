import type { PasswordHash } from '../../contracts/accounts.ts'

/** A way to keep passwords, with the parameters that are wanted of it. */
export interface Scheme {
  hash(password: string): Promise<PasswordHash>
  /** What a hash says; `undefined` where it is not of this scheme, or asks for more than a machine may be made to spend. */
  read(hash: PasswordHash): KeptPassword | undefined
  /** A hash with the wanted parameters that no password has. */
  decoy(): PasswordHash
}

/** A hash that was taken apart. */
export interface KeptPassword {
  /** Whether it is the password's. Never blocks the event loop. */
  verify(password: string): Promise<boolean>
  /** Its parameters are weaker than the wanted ones: less memory or less work. */
  readonly weaker: boolean
}

/** A hash as the PHC string format has it: `$id$v=1$name=number,...$salt$hash`. */
export interface Phc {
  readonly id: string
  readonly version: number | undefined
  readonly parameters: ReadonlyMap<string, number>
  readonly salt: Buffer
  readonly key: Buffer
}

/** Octets of salts and keys. A key of none would be everybody's. */
const SALT = { least: 8, most: 64 }
const KEY = { least: 16, most: 64 }

/** Characters of the longest hash there is with these. */
const LONGEST = 512

/** Takes a PHC string apart; `undefined` for what is none. */
export function parsePhc(hash: string): Phc | undefined {
  if (hash.length > LONGEST) return undefined
  const [before, id = '', ...rest] = hash.split('$')
  const version = rest.length === 4 ? numberAfter('v=', rest.shift() as string) : undefined
  const [list = '', saltText = '', keyText = ''] = rest
  if (before !== '' || rest.length !== 3 || Number.isNaN(version)) return undefined
  const parameters = parametersOf(list)
  const salt = octetsOf(saltText, SALT)
  const key = octetsOf(keyText, KEY)
  return parameters && salt && key && { id, version, parameters, salt, key }
}

function parametersOf(list: string): Map<string, number> | undefined {
  const found = new Map<string, number>()
  for (const item of list.split(',')) {
    const end = item.indexOf('=') + 1
    const name = item.slice(0, Math.max(0, end - 1))
    const value = numberAfter(item.slice(0, end), item)
    if (name === '' || Number.isNaN(value) || found.has(name)) return undefined
    found.set(name, value)
  }
  return found
}

/** A decimal number of up to nine digits behind a prefix; NaN for anything else. */
function numberAfter(prefix: string, text: string): number {
  const digits = text.slice(prefix.length)
  return text.startsWith(prefix) && /^(0|[1-9][0-9]{0,8})$/.test(digits) ? Number(digits) : Number.NaN
}

function octetsOf(text: string, { least, most }: typeof SALT): Buffer | undefined {
  const octets = Buffer.from(text, 'base64')
  // Buffer skips what is no base64: what does not come out again was none.
  return unpadded(octets) === text && octets.length >= least && octets.length <= most ? octets : undefined
}

/** Base64 as PHC strings have it: without padding. */
export function unpadded(octets: Uint8Array): string {
  return Buffer.from(octets).toString('base64').replaceAll('=', '')
}
