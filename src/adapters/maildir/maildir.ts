import { hostname as systemHostname } from 'node:os'
import { resolve } from 'node:path'
import type { MailStore } from '../../contracts/store.ts'
import { aFunction, aText, checkOptions, type OptionKinds, required } from '../../protocol/session/options.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { Accounts } from './accounts.ts'
import { type Disk, nodeDisk } from './disk.ts'
import { UniqueNames } from './file-name.ts'
import type { Shared } from './shared.ts'
import { MaildirStore } from './store.ts'
import { Watching } from './watching.ts'

/** Settings of {@link maildir}. */
export interface MaildirOptions {
  /** The folder that the accounts are in, a folder each; made where it is missing. */
  readonly path: string
  /** The name of this machine: in the names of files and of locks. Default: what the system says. */
  readonly hostname?: string
  /** Milliseconds since the Unix epoch, for UIDVALIDITY, names and dates. Default `Date.now`. */
  readonly now?: () => number
}

const kinds: OptionKinds<MaildirOptions> = {
  path: required({ ...aText, takes: "the path of a folder, such as './mail'" }),
  hostname: aText,
  now: aFunction,
}

/** Mail in Maildirs. */
export interface MaildirMail {
  readonly store: MailStore
  /** Finishes what was begun. May be called again; closing the store is the same. */
  close(): Promise<void>
}

/** Milliseconds to wait for another process that has an account's lock. */
const PATIENCE = 30_000

/**
 * Mail as files, a Maildir++ an account: read and written by Dovecot, mutt and others at the same time, with its flags, keywords
 * and UIDs. What they deliver, flag and remove is found when somebody looks. Durable before a promise resolves. Several processes
 * may have the same folder.
 *
 * Needs a file system that tells upper case from lower, takes colons in names and has hard links, so not Windows'.
 *
 * @throws MailError `config` when the settings are wrong or the system is Windows
 */
export function maildir(options: MaildirOptions): MaildirMail {
  checkOptions('maildir', options, kinds)
  if (process.platform === 'win32') throw new MailError('config', 'maildir: names of messages have colons, which Windows forbids')
  const store = openStore(options, nodeDisk, PATIENCE)
  return { store, close: async () => store.close() }
}

/** The store on some disk. */
export function openStore(options: MaildirOptions, disk: Disk, patience: number): MaildirStore {
  const { path, hostname = systemHostname(), now = Date.now } = options
  const watching = new Watching()
  const root = resolve(path)
  const shared: Shared = {
    disk,
    now,
    names: new UniqueNames(hostname),
    lock: { disk, hostname, patience },
    tell: (mailbox) => watching.tell(mailbox),
  }
  return new MaildirStore(shared, new Accounts(shared, root), watching)
}
