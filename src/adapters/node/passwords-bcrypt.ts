import { timingSafeEqual } from 'node:crypto'
import type { PasswordHash } from '../../contracts/accounts.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { BcryptThreads } from './passwords-bcrypt-threads.ts'
import type { KeptPassword, Scheme } from './passwords-scheme.ts'
import { randomBytes } from './random.ts'

/** Parameters of bcrypt. */
export interface BcryptParameters {
  /** The power of two that work goes with, 4 to 16. Default 12. */
  readonly cost?: number
}

const WANTED = 12

/** What a stored hash may ask for: some seconds. (Memory is always 4 KiB.) The scheme itself goes to 31, which is months. */
const MOST_COST = 16
const LEAST_COST = 4

/** Octets of a password that bcrypt looks at. */
const MOST_OCTETS = 72

const SALT = 16
const KEY = 23

/** `$2b$12$`, 22 characters of salt, 31 of key. `$2a$` and `$2y$` are the same by other names; `$2x$` is a bug that was kept. */
const FORM = /^\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}$/

/** Where the key begins. What stands before is what it is made with. */
const SETTINGS = 29

/** bcrypt, `$2b$12$...`, for accounts that come from elsewhere. */
export function bcryptScheme({ cost = WANTED }: BcryptParameters = {}): Scheme {
  const threads = new BcryptThreads()
  const settings = (): string => `$2b$${String(cost).padStart(2, '0')}$${encoded(randomBytes(SALT))}`
  return {
    async hash(password) {
      checkLength(password)
      return threads.hash(password, settings())
    },
    decoy: () => settings() + encoded(randomBytes(KEY)),
    read: (hash) => read(hash, cost, threads),
  }
}

function read(hash: PasswordHash, wanted: number, threads: BcryptThreads): KeptPassword | undefined {
  const cost = Number(FORM.exec(hash)?.[1] ?? 0)
  if (!isBearable(cost)) return undefined
  return {
    async verify(password) {
      const made = await threads.hash(password, hash.slice(0, SETTINGS))
      // Keys alone: the two last bits of a salt are often not as they should be, and then they come back put right.
      return timingSafeEqual(Buffer.from(made.slice(SETTINGS)), Buffer.from(hash.slice(SETTINGS)))
    },
    weaker: cost < wanted,
  }
}

/** Whether it is one of bcrypt's, and no more than a machine may be made to spend by a line in a table. */
function isBearable(cost: number): boolean {
  return Number.isInteger(cost) && cost >= LEAST_COST && cost <= MOST_COST
}

/**
 * A password of which bcrypt would see a part is not kept: who has set a long one trusts in all of it. (Verifying takes it
 * all the same, as the programs do that have made such hashes.)
 */
function checkLength(password: string): void {
  if (Buffer.byteLength(password) <= MOST_OCTETS && !password.includes('\0')) return
  throw new MailError('permanent', `The password has more than the ${MOST_OCTETS} octets that bcrypt looks at, or a NUL`)
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BCRYPT = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Base64 in bcrypt's alphabet. */
function encoded(octets: Uint8Array): string {
  const text = Buffer.from(octets).toString('base64').replaceAll('=', '')
  return Array.from(text, (character) => BCRYPT[BASE64.indexOf(character)]).join('')
}
