import type { PasswordHash, Passwords } from '../../contracts/accounts.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { aCount, aCountAboveZero, checkOptions, oneOf, type OptionKinds } from '../../protocol/session/options.ts'
import { type Argon2Parameters, argon2Scheme } from './passwords-argon2.ts'
import { type BcryptParameters, bcryptScheme } from './passwords-bcrypt.ts'
import { Lanes } from './passwords-lanes.ts'
import type { KeptPassword, Scheme } from './passwords-scheme.ts'
import { type ScryptParameters, scryptScheme } from './passwords-scrypt.ts'

/** How many at a time, and how many may wait. */
export interface PasswordsLoad {
  /**
   * Hashes computed at a time (default 2): half of libuv's thread pool, whose other half files and host names need. With
   * more of it (`UV_THREADPOOL_SIZE`) and more cores, more.
   */
  readonly atOnce?: number
  /** How many may wait for that (default 64); further ones get `temporary` (454 4.7.0 on the wire). */
  readonly waiting?: number
}

/** Settings of {@link passwords}: the scheme for new hashes, and its parameters. */
export type PasswordsOptions = PasswordsLoad &
  (
    | ({ readonly scheme?: 'scrypt' } & ScryptParameters)
    | ({ readonly scheme: 'argon2id' } & Argon2Parameters)
    | ({ readonly scheme: 'bcrypt' } & BcryptParameters)
  )

type SchemeName = 'scrypt' | 'argon2id' | 'bcrypt'

/** By how dear they are to attack. */
const RANKS: Readonly<Record<SchemeName, number>> = { bcrypt: 0, scrypt: 1, argon2id: 2 }

const shared = { scheme: oneOf('scrypt', 'argon2id', 'bcrypt'), atOnce: aCountAboveZero, waiting: aCount }
const kinds: {
  readonly scrypt: OptionKinds<Extract<PasswordsOptions, { readonly scheme?: 'scrypt' }>>
  readonly argon2id: OptionKinds<Extract<PasswordsOptions, { readonly scheme: 'argon2id' }>>
  readonly bcrypt: OptionKinds<Extract<PasswordsOptions, { readonly scheme: 'bcrypt' }>>
} = {
  scrypt: { ...shared, ln: aCountAboveZero, r: aCountAboveZero, p: aCountAboveZero },
  argon2id: { ...shared, memory: aCountAboveZero, passes: aCountAboveZero, lanes: aCountAboveZero },
  bcrypt: { ...shared, cost: aCountAboveZero },
}

/**
 * Makes and checks password hashes: scrypt (the default, nothing to install), argon2id (peer `@node-rs/argon2`, the best),
 * bcrypt (peer `bcryptjs`, for accounts that come from elsewhere). Hashes of all three are verified, whichever is made; a peer
 * is loaded when it is first needed. Nothing is computed in the event loop's thread.
 *
 * A hash is text in the form that its scheme has everywhere: `$scrypt$ln=15,r=8,p=3$…` (PHC), `$argon2id$v=19$…` (PHC; argon2i
 * and argon2d are verified too), `$2b$12$…` (`$2a$`, `$2y$`). All else, and a hash that asks for more than 256 MiB or some
 * seconds, is `false` after the usual time.
 *
 * Passwords are taken as they are; whoever wants RFC 8265 prepares them before.
 *
 * Errors, beside those of `Passwords`: `unavailable` where the peer that a hash needs is not installed (the message names the
 * command); `temporary` where too many wait; `permanent` for a new bcrypt password of more than 72 octets.
 *
 * @throws MailError `config` for settings that are none
 */
export function passwords(options: PasswordsOptions = {}): Passwords {
  const scheme = schemeOf(options)
  checkOptions('passwords', options, kinds[scheme])
  const { atOnce = 2, waiting = 64 } = options
  const parameters = parametersOf(options)
  const schemes = {
    scrypt: scryptScheme(scheme === 'scrypt' ? parameters : {}),
    argon2id: argon2Scheme(scheme === 'argon2id' ? parameters : {}),
    bcrypt: bcryptScheme(scheme === 'bcrypt' ? parameters : {}),
  }
  const decoy = schemes[scheme].read(schemes[scheme].decoy())
  if (!decoy) {
    throw new MailError('config', `passwords: ${scheme} has no such parameters, or they ask for over 256 MiB or several seconds.`)
  }
  return new SchemePasswords(schemes, scheme, decoy, new Lanes(atOnce, waiting))
}

function schemeOf(options: PasswordsOptions): SchemeName {
  const { scheme = 'scrypt' } = options ?? {}
  return Object.hasOwn(RANKS, scheme) ? scheme : 'scrypt'
}

/** Those that are given: `undefined` is as good as not given. */
function parametersOf(options: PasswordsOptions): Record<string, number> {
  const { scheme: _scheme, atOnce: _atOnce, waiting: _waiting, ...parameters } = options
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined))
}

class SchemePasswords implements Passwords {
  readonly #schemes: Readonly<Record<SchemeName, Scheme>>
  readonly #wanted: SchemeName
  readonly #decoy: KeptPassword
  readonly #lanes: Lanes

  /** `decoy` is what no password has. */
  constructor(schemes: Readonly<Record<SchemeName, Scheme>>, wanted: SchemeName, decoy: KeptPassword, lanes: Lanes) {
    this.#schemes = schemes
    this.#wanted = wanted
    this.#decoy = decoy
    this.#lanes = lanes
  }

  async hash(password: string): Promise<PasswordHash> {
    return this.#lanes.run(() => this.#schemes[this.#wanted].hash(password))
  }

  async verify(password: string, hash: PasswordHash): Promise<boolean> {
    const { kept } = this.#read(hash) ?? {}
    return kept ? this.#lanes.run(() => kept.verify(password)) : this.pretend(password)
  }

  outdated(hash: PasswordHash): boolean {
    const { name, kept } = this.#read(hash) ?? {}
    return name === undefined || kept?.weaker === true || RANKS[name] < RANKS[this.#wanted]
  }

  async pretend(password: string): Promise<false> {
    await this.#lanes.run(() => this.#decoy.verify(password))
    return false
  }

  #read(hash: PasswordHash): { readonly name: SchemeName; readonly kept: KeptPassword } | undefined {
    for (const name of Object.keys(RANKS) as SchemeName[]) {
      const kept = this.#schemes[name].read(hash)
      if (kept) return { name, kept }
    }
    return undefined
  }
}
