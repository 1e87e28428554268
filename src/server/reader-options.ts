import { authenticate, type AuthenticateOptions } from '../accounts/authenticate.ts'
import { nodeClock, nodeCrypto, randomBytes } from '../adapters/node/index.ts'
import type { Directory } from '../contracts/directory.ts'
import type { MailStore } from '../contracts/store.ts'
import type { Observer } from '../observe/events.ts'
import { quietly } from '../observe/observers.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { aFunction, anObject, aText, having, type OptionKinds, orFalse, required } from '../protocol/session/options.ts'
import type { ReaderAccess } from './reader.ts'
import { Seats, type SeatsOptions } from './seats.ts'

/** What every server is made of by which people read their mail. */
export interface ReaderOptions {
  /** This server's name, in the greeting. */
  readonly hostname: string
  /** Who is here. Whoever may read mail by IMAP may do so by POP3. */
  readonly directory: Directory
  /** Where their mail is kept. */
  readonly store: MailStore
  /** How people log in: mechanisms, who counts failures, OAuth. Default: what the directory can serve. */
  readonly login?: Omit<AuthenticateOptions, 'directory' | 'crypto' | 'right' | 'hostname'>
  /** Let people log in without TLS (default false). For tests and trusted networks; `loopback`: only from this machine. */
  readonly plaintextAuth?: boolean | 'loopback'
  /** Connections at a time (default: 200 in all, 20 of one address, 20 of one account there). `false`: no bound. */
  readonly connections?: SeatsOptions | false
  readonly observe?: Observer
  /** Default: the platform's. */
  readonly clock?: Clock
  /** Draws so many random octets (default: the platform's generator). */
  readonly random?: (octets: number) => Uint8Array
}

/** What they take; each server says which part of a store it needs. */
export const readerKinds: Omit<OptionKinds<ReaderOptions>, 'store'> = {
  hostname: required({ ...aText, takes: "this server's name, such as 'mail.example.org'" }),
  directory: required(having('a directory', 'resolve', 'account', 'verify', 'named')),
  login: anObject,
  plaintextAuth: { takes: "true, false or 'loopback'", is: (value) => typeof value === 'boolean' || value === 'loopback' },
  connections: orFalse({ ...anObject, takes: 'bounds such as { server: 200, account: 20 }' }),
  observe: aFunction,
  clock: having('a clock', 'now', 'ticks', 'alarm'),
  random: aFunction,
}

/** What the connections of a server share, of options that have been looked at. */
export function readerAccess(options: ReaderOptions): ReaderAccess & { readonly random: (octets: number) => Uint8Array } {
  const { directory, hostname, login, clock = nodeClock, random = randomBytes } = options
  return {
    directory,
    authentication: authenticate({ ...login, directory, hostname, right: 'imap', crypto: { ...nodeCrypto, random } }),
    seats: new Seats(options.connections),
    clock,
    random,
    observe: options.observe && quietly(options.observe),
  }
}
