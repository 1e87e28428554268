import { type AccountAdmin } from '../accounts/admin.ts'
import type { AuditRecord } from '../accounts/admin-parts.ts'
import { passwords } from '../adapters/node/index.ts'
import { sqlite } from '../adapters/sqlite/index.ts'
import type { KeyValue } from '../contracts/key-value.ts'
import type { MailStore } from '../contracts/store.ts'
import { asciiDomain } from '../message/domain.ts'
import { MailError } from '../protocol/session/errors.ts'
import { type Audited, auditFile, auditLine } from '../server/audit.ts'
import { referenceAdmin } from '../server/reference-accounts.ts'
import { readSize } from './readers.ts'
import type { Terminal } from './terminal.ts'

/** What can be done to an account that is there. */
export type AccountDeed = 'passwd' | 'disable' | 'enable' | 'remove'

/** What is said of a new account. */
export interface NewUser {
  /** Octets, as people write them. */
  readonly quota?: string | undefined
  readonly admin?: boolean | undefined
}

/** Makes an account; its password is read. */
export async function addUser(data: string, address: string, { quota, admin }: NewUser, terminal: Terminal): Promise<void> {
  const octets = quota === undefined ? undefined : readSize(quota)
  if (quota !== undefined && octets === undefined) {
    throw new MailError('config', `--quota: ${JSON.stringify(quota)} will not do. It takes octets, such as 500MB or 2GiB`)
  }
  await administer(data, terminal, async (accounts) => {
    // Before anybody types a password in vain.
    if (await accounts.find(address)) throw new MailError('config', `There is an account ${address} already`)
    await accounts.create({
      addresses: [address],
      password: await newPassword(terminal),
      ...(octets === undefined ? {} : { quota: { octets } }),
      ...(admin ? { rights: { admin } } : {}),
    })
  })
}

/** Prints the accounts, a JSON line each: all but their secrets. */
export async function listUsers(data: string, terminal: Terminal): Promise<void> {
  await administer(data, terminal, async (accounts) => {
    for await (const page of accounts.accounts()) {
      for (const account of page) if (!(await terminal.outPiece(`${JSON.stringify(account)}\n`))) return
    }
  })
}

/** Changes or removes an account, which an address or a login names. */
export async function changeUser(data: string, deed: AccountDeed, name: string, terminal: Terminal): Promise<void> {
  await administer(data, terminal, async (accounts) => {
    const account = await accounts.find(name)
    if (!account) throw new MailError('config', `There is no account ${name} here`)
    if (deed === 'passwd') await accounts.setPassword(account.id, await newPassword(terminal))
    else await accounts[deed](account.id)
  })
}

/** Adds or removes a domain. */
export async function changeDomain(data: string, deed: 'add' | 'remove', name: string, terminal: Terminal): Promise<void> {
  await administer(data, terminal, async ({ domains }) => {
    if (deed === 'add') {
      // What was set of one that is there would be gone.
      for await (const page of domains.list()) {
        if (page.some((one) => one.name === asciiDomain(name))) throw new MailError('config', `There is a domain ${name} already`)
      }
      await domains.set({ name })
    } else if (!(await domains.remove(name))) throw new MailError('config', `There is no domain ${name} here`)
  })
}

/** Prints the domains, a JSON line each. */
export async function listDomains(data: string, terminal: Terminal): Promise<void> {
  await administer(data, terminal, async ({ domains }) => {
    for await (const page of domains.list()) {
      for (const domain of page) if (!(await terminal.outPiece(`${JSON.stringify(domain)}\n`))) return
    }
  })
}

/** What there is in a data folder beside its accounts. */
export interface DataFolder {
  readonly store: MailStore
  /** What is noted of mailboxes, among other things. */
  readonly keyValue: KeyValue
  /** Keeps what was done in `audit.log`, and prints it. */
  note(action: string, subject: string, details: AuditRecord['details']): Promise<void>
}

/**
 * Works on the accounts in a data folder, also beside a server that runs, which sees it at once. What was done is kept in
 * `audit.log` there, and printed, a JSON line each.
 */
export async function administer(
  data: string,
  terminal: Terminal,
  work: (accounts: AccountAdmin, folder: DataFolder) => Promise<void>,
): Promise<void> {
  const db = openFolder(data, 'accounts')
  const { clock } = terminal
  const keep = auditFile(data)
  const audit = async (record: Audited): Promise<void> => {
    await keep(record)
    terminal.out(auditLine(record))
  }
  const note: DataFolder['note'] = (action, subject, details) => audit({ at: clock.now(), action, subject, details })
  try {
    const { accounts: records, store, keyValue } = db
    const accounts = referenceAdmin({ records, passwords: passwords(), store, keyValue }, clock, audit)
    await work(accounts, { store, keyValue, note })
  } finally {
    await db.close()
  }
}

/**
 * The database of a server: never one that is made just now, in a folder that was misspelt.
 *
 * @throws MailError `config` where there is none; it says that the folder holds no `what`
 */
export function openFolder(data: string, what: string): ReturnType<typeof sqlite> {
  const path = `${data}/mail.db`
  try {
    void sqlite({ path, readonly: true }).close()
    return sqlite({ path })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new MailError('config', `${data} holds no ${what} (${why}). Give --data the folder of the server`, { cause })
  }
}

/** A password; from a person twice, since nobody sees what is typed. */
async function newPassword({ secrets }: Terminal): Promise<string> {
  const password = await secrets.read('Password: ')
  if (secrets.isTyped && (await secrets.read('Once more: ')) !== password) {
    throw new MailError('config', 'These were two different passwords. Nothing was changed')
  }
  return password
}
