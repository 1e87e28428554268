import { scrypt as deriveKey, timingSafeEqual } from 'node:crypto'
import type { PasswordHash } from '../../contracts/accounts.ts'
import { type KeptPassword, parsePhc, type Scheme, unpadded } from './passwords-scheme.ts'
import { randomBytes } from './random.ts'

/** Parameters of scrypt (RFC 7914 §2). Memory is 128 · 2^`ln` · `r` octets, work goes with that times `p`. */
export interface ScryptParameters {
  /** The power of two that is N. Default 15. */
  readonly ln?: number
  /** Block size. Default 8. */
  readonly r?: number
  /** How often it is done, one after the other. Default 3. */
  readonly p?: number
}

/**
 * One of the equal settings of the OWASP Password Storage Cheat Sheet: 32 MiB, about 160 ms here. The one with least time (N =
 * 2^13, p = 10) saves a third of that and needs a quarter of the memory, which is as much as it asks of an attacker.
 */
const WANTED = { ln: 15, r: 8, p: 3 }

/** What a stored hash may ask for: 256 MiB, and eight times the work of the strongest setting that OWASP names. */
const MOST_MEMORY = 256 * 1024 * 1024
const MOST_WORK = 2 ** 23

const SALT = 16
const KEY = 32

interface Cost {
  readonly ln: number
  readonly r: number
  readonly p: number
}

/** scrypt, `$scrypt$ln=15,r=8,p=3$salt$hash`: node:crypto computes it in libuv's thread pool. */
export function scryptScheme(parameters: ScryptParameters = {}): Scheme {
  const wanted = { ...WANTED, ...parameters }
  return {
    async hash(password) {
      const salt = randomBytes(SALT)
      return written(wanted, salt, await derived(password, salt, KEY, wanted))
    },
    decoy: () => written(wanted, randomBytes(SALT), randomBytes(KEY)),
    read: (hash) => read(hash, wanted),
  }
}

function read(hash: PasswordHash, wanted: Cost): KeptPassword | undefined {
  const phc = parsePhc(hash)
  if (phc?.id !== 'scrypt' || phc.version !== undefined || phc.parameters.size !== 3) return undefined
  const { salt, key, parameters } = phc
  const cost = { ln: parameters.get('ln') ?? 0, r: parameters.get('r') ?? 0, p: parameters.get('p') ?? 0 }
  if (!isBearable(cost)) return undefined
  return {
    verify: async (password) => timingSafeEqual(await derived(password, salt, key.length, cost), key),
    weaker: memory(cost) < memory(wanted) || work(cost) < work(wanted),
  }
}

/** Whether they are scrypt's (RFC 7914 §2), and no more than a machine may be made to spend by a line in a table. */
function isBearable(cost: Cost): boolean {
  const { ln, r, p } = cost
  const whole = [ln, r, p].every((value) => Number.isInteger(value) && value >= 1)
  return whole && ln < 16 * r && ln <= 30 && memory(cost) <= MOST_MEMORY && work(cost) <= MOST_WORK
}

const memory = ({ ln, r }: Cost): number => 128 * 2 ** ln * r
const work = ({ ln, r, p }: Cost): number => 2 ** ln * r * p

function written({ ln, r, p }: Cost, salt: Uint8Array, key: Uint8Array): PasswordHash {
  return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(key)}`
}

function derived(password: string, salt: Uint8Array, octets: number, cost: Cost): Promise<Buffer> {
  const { ln, r, p } = cost
  // OpenSSL counts the blocks of all p beside the memory of one.
  const maxmem = memory(cost) + 128 * r * (p + 8) + 65_536
  return new Promise((resolve, reject) => {
    deriveKey(password, salt, octets, { N: 2 ** ln, r, p, maxmem }, (error, key) => (error ? reject(error) : resolve(key)))
  })
}
