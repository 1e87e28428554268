import type { Account, Directory, Login, Rights } from '../contracts/directory.ts'
import type { Awaitable } from '../contracts/policy.ts'
import type { SaslCrypto } from '../protocol/sasl/crypto.ts'
import type { Credentials, SaslLookUp, SaslMechanism, SaslSecret } from '../protocol/sasl/exchange.ts'
import type { TlsFacts } from '../protocol/session/tls.ts'
import { mechanismsOf, type MechanismName } from './authenticate-mechanisms.ts'

/** An attempt to log in, as a guard counts it. */
export interface LoginAttempt {
  /** As it was given; empty where the client named none. */
  readonly username: string
  /** The client's; `undefined` over a unix socket. */
  readonly address: string | undefined
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** What was given for a password, if one was: so that a guard can tell whether it is always the same. */
  readonly password?: string
}

/** What a guard makes of an attempt. */
export interface Admission {
  /** Whether credentials are looked at. */
  readonly admitted: boolean
  /** Milliseconds: admitted, how long a failure is to be held back; else, after how long to come again. */
  readonly delay: number
}

/** Keeps those who guess from guessing on. */
export interface LoginGuard {
  /** Before anything is looked at. */
  admit(attempt: LoginAttempt): Awaitable<Admission>
  /** They were wrong. */
  failed(attempt: LoginAttempt): Awaitable<unknown>
  /** They were right. */
  succeeded(attempt: LoginAttempt): Awaitable<unknown>
  /** It was not judged: for a fault of ours, it counts for nothing. Not waited for, does not throw. */
  dropped?(attempt: LoginAttempt): void
}

/** What {@link authenticate} is made of. */
export interface AuthenticateOptions {
  readonly directory: Directory
  readonly crypto: SaslCrypto
  /** For what people log in: SMTP submission, or IMAP. */
  readonly right: Exclude<keyof Rights, 'admin'>
  /** This server's name; stands in the challenge of CRAM-MD5. */
  readonly hostname: string
  /** Default: nobody counts. */
  readonly guard?: LoginGuard
  /**
   * The mechanisms to offer, in this order. Default: what the directory can serve, strongest first. `ANONYMOUS` is never among
   * them unless `anonymous` says whose account it is.
   */
  readonly mechanisms?: readonly MechanismName[]
  /**
   * At least 16 octets that stay the same and are nobody else's. Names that are nobody's are told salts made of them (SCRAM).
   * Default: drawn at random; then those salts change with each start, and whoever waits for that learns who is here.
   */
  readonly secret?: Uint8Array
  /** Rounds that names of nobody are told (SCRAM): those that the directory makes keys with. Default 10 000. */
  readonly iterations?: number
  /** What clients are told whose token is refused. */
  readonly oauth?: { readonly scope?: string; readonly openidConfiguration?: string }
  /** The account (id) that ANONYMOUS logs in to. */
  readonly anonymous?: string
}

/** Who tries to log in, and when. */
export interface LoginClient {
  readonly address: string | undefined
  readonly tls: TlsFacts | undefined
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** The `delay` that came with the secret of the same exchange, if one was looked up. */
  readonly delay?: number | undefined
}

/**
 * What came of credentials. `delay` and `wait` are milliseconds.
 *
 * - `account`: it is whom they say, and has the right
 * - `invalid`: unknown, wrong, disabled, without the right: on the wire all the same, `delay` later at the earliest
 * - `temporary`: the directory or the guard could not be asked, or there is a fault; says nothing about the credentials
 * - `tooMany`: they were not looked at; not before `wait` will they be
 */
export type LoginResult = { readonly kind: 'account'; readonly account: Account } | LoginRefusal

/** Why nobody logs in. */
export type LoginRefusal =
  | { readonly kind: 'invalid'; readonly delay: number }
  | { readonly kind: 'temporary'; readonly error: unknown }
  | { readonly kind: 'tooMany'; readonly wait: number }

/**
 * A secret that an exchange needs, or that there is none, or why the exchange ends. `delay`: milliseconds for which a failure is
 * to be held back; to be given to `judge`.
 */
export type SecretResult =
  | { readonly kind: 'secret'; readonly secret: SaslSecret | undefined; readonly delay: number }
  | Exclude<LoginRefusal, { readonly kind: 'invalid' }>

/** The SASL of one kind of listener: what it offers, and the answers to what its exchanges ask. Nothing in it rejects. */
export interface Authentication {
  /** Strongest first. Each is offered to the connections whose channel allows it. */
  readonly mechanisms: readonly SaslMechanism[]
  /** Answers the `lookUp` of an exchange. */
  secret(lookUp: SaslLookUp, client: LoginClient): Promise<SecretResult>
  /** Answers the `verify` of an exchange. */
  judge(credentials: Credentials, client: LoginClient): Promise<LoginResult>
}

/** Lets people log in whom a directory knows. Throws a `config` MailError for mechanisms that it cannot serve. */
export function authenticate(options: AuthenticateOptions): Authentication {
  return new DirectoryAuthentication(options)
}

const nobodyCounts: LoginGuard = {
  admit: () => ({ admitted: true, delay: 0 }),
  failed: () => undefined,
  succeeded: () => undefined,
}

class DirectoryAuthentication implements Authentication {
  readonly mechanisms: readonly SaslMechanism[]
  private readonly directory: Directory
  private readonly guard: LoginGuard
  private readonly right: keyof Rights
  private readonly anonymous: string | undefined

  constructor(options: AuthenticateOptions) {
    this.directory = options.directory
    this.guard = options.guard ?? nobodyCounts
    this.right = options.right
    this.anonymous = options.anonymous
    this.mechanisms = mechanismsOf(options)
  }

  async secret(lookUp: SaslLookUp, client: LoginClient): Promise<SecretResult> {
    const { username } = lookUp
    const attempt = attemptOf(lookUp, client)
    try {
      const { admitted, delay } = await this.guard.admit(attempt)
      if (!admitted) return { kind: 'tooMany', wait: delay }
      // Both are asked whatever the other says: who is disabled or unknown takes as long as anybody.
      const [account, secret] = await Promise.all([
        this.directory.named(this.login(username, client)),
        this.secretOf(lookUp),
      ]).catch((error: unknown) => this.drop(attempt, error))
      return { kind: 'secret', secret: account === undefined ? undefined : secret, delay }
    } catch (error) {
      return { kind: 'temporary', error }
    }
  }

  async judge(credentials: Credentials, client: LoginClient): Promise<LoginResult> {
    const { kind, username } = credentials
    const attempt = attemptOf(credentials, client)
    try {
      // Where a secret was looked up, the attempt has been admitted.
      const asked = kind === 'proven' || kind === 'refuted'
      const { admitted, delay } = asked ? { admitted: true, delay: client.delay ?? 0 } : await this.guard.admit(attempt)
      if (!admitted) return { kind: 'tooMany', wait: delay }
      const login = this.login(username, client)
      const [owner, account] = await this.found(credentials, login, client).catch((error: unknown) => this.drop(attempt, error))
      if (owner === undefined || account === undefined) {
        await this.guard.failed(attempt)
        return { kind: 'invalid', delay }
      }
      await this.guard.succeeded(attempt)
      this.directory.loggedIn?.(owner, login)
      return { kind: 'account', account }
    } catch (error) {
      return { kind: 'temporary', error }
    }
  }

  private async secretOf(lookUp: SaslLookUp): Promise<SaslSecret | undefined> {
    const { directory } = this
    if (lookUp.kind === 'scramKeys') {
      const keys = await directory.scramKeys?.(lookUp.username, lookUp.hash)
      return keys && { keys }
    }
    const password = await directory.password?.(lookUp.username)
    return password === undefined ? undefined : { password }
  }

  /** A fault of ours, or of the directory's. */
  private drop(attempt: LoginAttempt, error: unknown): never {
    this.guard.dropped?.(attempt)
    throw error
  }

  /** Whose credentials they are, and the account they act as. */
  private async found(
    credentials: Credentials,
    login: Login,
    client: LoginClient,
  ): Promise<readonly [owner?: Account | undefined, account?: Account | undefined]> {
    const owner = await this.ownerOf(credentials, login, client)
    return owner === undefined ? [] : [owner, await this.actingAs(owner, credentials, login)]
  }

  /** Whose credentials they are. */
  private async ownerOf(credentials: Credentials, login: Login, client: LoginClient): Promise<Account | undefined> {
    const { directory } = this
    switch (credentials.kind) {
      case 'password':
        return directory.verify({ ...login, password: credentials.password })
      case 'token':
        return directory.token?.({ ...login, token: credentials.token })
      case 'external': {
        const certificate = client.tls?.clientCertificate
        return certificate?.authorized ? directory.certificate?.({ ...login, certificate }) : undefined
      }
      case 'proven':
        return directory.named(login)
      case 'anonymous':
        return this.anonymousAccount()
      case 'refuted':
        return undefined
    }
  }

  private async anonymousAccount(): Promise<Account | undefined> {
    const account = this.anonymous === undefined ? undefined : await this.directory.account(this.anonymous)
    return account && !account.disabled && account.rights[this.right] ? account : undefined
  }

  /** As whom they act: themselves under any of their names, or anybody where they administer the server. */
  private async actingAs(owner: Account, { authorizeAs }: Credentials, login: Login): Promise<Account | undefined> {
    if (authorizeAs === undefined) return owner
    const other = await this.directory.named({ ...login, username: authorizeAs })
    return other !== undefined && (other.id === owner.id || owner.rights.admin) ? other : undefined
  }

  private login(username: string, { now }: LoginClient): Login {
    return { username, right: this.right, now }
  }
}

function attemptOf(given: Pick<LoginAttempt, 'username' | 'password'>, { address, now }: LoginClient): LoginAttempt {
  const { username, password } = given
  return { username, address, now, ...(password !== undefined && { password }) }
}
