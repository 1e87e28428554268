import type { Address } from '../message/address.ts'
import type { ScramKeys } from '../protocol/sasl/scram-keys.ts'
import type { ClientCertificate } from '../protocol/session/tls.ts'
import type { Quota } from './mailbox.ts'

export type { ScramKeys }

/** Somebody whose mail is kept here, or who may send. */
export interface Account {
  /** Never given to another, and what the mail store knows the account by. */
  readonly id: string
  /** May not log in; mail for it is refused. */
  readonly disabled: boolean
  /** Where the account may log in. */
  readonly rights: Rights
  readonly quota: Quota
  /** Octets of a message it may send or receive, and of one attachment; `undefined`: as the server has it. */
  readonly messageOctets?: number
  readonly attachmentOctets?: number
}

/** What an account may do. */
export interface Rights {
  /** Submit mail. */
  readonly smtp: boolean
  /** Read mail (IMAP, POP3). */
  readonly imap: boolean
  /** Administer the server. */
  readonly admin: boolean
}

/** A place where a message for an address goes. */
export type Destination =
  | { readonly kind: 'account'; readonly account: Account; readonly tag: string | undefined }
  /** To another server. */
  | { readonly kind: 'outside'; readonly address: Address }

/**
 * What an address means.
 *
 * - `here`: mail for it goes to the destinations, each of them once
 * - `unknown`: the domain is one of ours, the address is nobody's
 * - `disabled`: its account is disabled; on the wire the same as a mailbox that cannot be had
 * - `elsewhere`: the domain is not one of ours
 * - `broken`: the aliases behind it run in a circle that leads to nobody, or to too many
 */
export type Resolution =
  | { readonly kind: 'here'; readonly destinations: readonly Destination[] }
  | { readonly kind: 'unknown' | 'disabled' | 'elsewhere' | 'broken' }

/** Somebody who has tried to log in. */
export interface Login {
  /** As it was typed, up to 255 octets of UTF-8. */
  readonly username: string
  /** For which right. */
  readonly right: keyof Rights
  /** Milliseconds since the Unix epoch. */
  readonly now: number
}

/**
 * Who is here: addresses, accounts, passwords.
 *
 * An optional method that is there makes its mechanisms be offered. Who is disabled, lacks the right or does not exist gets the
 * same `undefined`, after the same time. `temporary` where the directory cannot be asked: never an "unknown" for a fault of ours.
 */
export interface Directory {
  /** What mail for the address becomes. The local part is as it stood on the wire; the domain in lower case, A-labels. */
  resolve(address: Address): Promise<Resolution>
  /** The account of an id. */
  account(id: string): Promise<Account | undefined>
  /** Whose password it is. Never blocks the event loop. */
  verify(login: Login & { readonly password: string }): Promise<Account | undefined>
  /** Whether the account may name this address as the sender (RFC 6409 §6.1). */
  maySendAs(account: Account, address: Address): Promise<boolean>
  /** The account that a login name means, without a look at any credentials: for mechanisms that bring proof of their own. */
  named(login: Login): Promise<Account | undefined>
  /** SCRAM keys of the name (`undefined`: nobody's, or none kept). */
  scramKeys?(username: string, hash: 'SHA-1' | 'SHA-256'): Promise<ScramKeys | undefined>
  /** The password itself, for CRAM-MD5 (RFC 2195): only where the directory keeps it so. */
  password?(username: string): Promise<string | undefined>
  /** Whose OAuth token it is (RFC 7628); `username` is empty where the client named none. */
  token?(login: Login & { readonly token: string }): Promise<Account | undefined>
  /** Whose certificate it is; the CA has signed it. `username` is empty where the client named none (RFC 4422 appendix A). */
  certificate?(login: Login & { readonly certificate: ClientCertificate }): Promise<Account | undefined>
  /** Somebody has logged in. A hint, not waited for. */
  loggedIn?(account: Account, login: Login): void
}
