import type { PasswordHash } from '../../contracts/accounts.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { type KeptPassword, parsePhc, type Scheme, unpadded } from './passwords-scheme.ts'
import { randomBytes } from './random.ts'

/** Parameters of argon2id (RFC 9106 §3.1). */
export interface Argon2Parameters {
  /** Memory, in KiB. Default 19,456 (19 MiB). */
  readonly memory?: number
  /** How often the memory is gone over. Default 2. */
  readonly passes?: number
  /** Lanes. Default 1; further ones are computed one after the other, so that they only help an attacker. */
  readonly lanes?: number
}

/** What the OWASP Password Storage Cheat Sheet asks for: about 6 ms here, and dear for who has to do it a billion times. */
const WANTED = { memory: 19_456, passes: 2, lanes: 1 }

/** What a stored hash may ask for: 256 MiB, and as much work as 128 passes over 64 MiB. */
const MOST_MEMORY = 256 * 1024
const MOST_WORK = 2 ** 23
const MOST_LANES = 16

/** Version 1.3 of the algorithm, the one of RFC 9106. */
const VERSION = 19

const SALT = 16
const KEY = 32

interface Cost {
  readonly memory: number
  readonly passes: number
  readonly lanes: number
}

/** argon2id, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`: the package computes it in libuv's thread pool. */
export function argon2Scheme(parameters: Argon2Parameters = {}): Scheme {
  const wanted = { ...WANTED, ...parameters }
  const { memory: memoryCost, passes: timeCost, lanes: parallelism } = wanted
  return {
    // argon2id and version 1.3 are the package's defaults; its names for them are types without a value.
    hash: async (password) => (await load()).hash(password, { memoryCost, timeCost, parallelism, outputLen: KEY }),
    decoy: () => {
      const [salt, key] = [unpadded(randomBytes(SALT)), unpadded(randomBytes(KEY))]
      return `$argon2id$v=${VERSION}$m=${memoryCost},t=${timeCost},p=${parallelism}$${salt}$${key}`
    },
    read: (hash) => read(hash, wanted),
  }
}

/** Of argon2i and argon2d too: other programs have kept them. They are weaker, so that the next log-in replaces them. */
function read(hash: PasswordHash, wanted: Cost): KeptPassword | undefined {
  const phc = parsePhc(hash)
  if (!phc || !['argon2id', 'argon2i', 'argon2d'].includes(phc.id) || phc.parameters.size !== 3) return undefined
  const { id, parameters, version = 16 } = phc
  const cost = { memory: parameters.get('m') ?? 0, passes: parameters.get('t') ?? 0, lanes: parameters.get('p') ?? 0 }
  if (![16, VERSION].includes(version) || !isBearable(cost)) return undefined
  return {
    verify: async (password) => (await load()).verify(hash, password),
    weaker: id !== 'argon2id' || version !== VERSION || cost.memory < wanted.memory || work(cost) < work(wanted),
  }
}

/** Whether they are argon2's (RFC 9106 §3.1), and no more than a machine may be made to spend by a line in a table. */
function isBearable(cost: Cost): boolean {
  const { memory, passes, lanes } = cost
  const whole = [memory, passes, lanes].every((value) => Number.isInteger(value) && value >= 1)
  return whole && lanes <= MOST_LANES && memory >= 8 * lanes && memory <= MOST_MEMORY && work(cost) <= MOST_WORK
}

const work = ({ memory, passes }: Cost): number => memory * passes

async function load(): Promise<typeof import('@node-rs/argon2')> {
  try {
    return await import('@node-rs/argon2')
  } catch (cause) {
    throw new MailError(
      'unavailable',
      'passwords() needs @node-rs/argon2 for argon2id, which is not installed: npm install @node-rs/argon2',
      { cause },
    )
  }
}
