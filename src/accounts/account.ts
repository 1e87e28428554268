import type { AccountRecord, AppPassword } from '../contracts/accounts.ts'
import type { Account, Rights } from '../contracts/directory.ts'
import type { Quota } from '../contracts/mailbox.ts'

/** What an account has whose record does not say. */
export interface AccountDefaults {
  /** Default: 1 GiB, any number of messages. `Infinity` for no bound. */
  readonly quota?: Partial<Quota>
  /** Default: smtp and imap. */
  readonly rights?: Partial<Rights>
  /** Octets; default: as the server has it. */
  readonly messageOctets?: number
  readonly attachmentOctets?: number
}

const GIB = 1024 ** 3

/** What a record says of an account, with the defaults for what it does not. Through an app password it may less. */
export function accountOf(record: AccountRecord, defaults: AccountDefaults, app?: AppPassword): Account {
  const messageOctets = record.messageOctets ?? defaults.messageOctets
  const attachmentOctets = record.attachmentOctets ?? defaults.attachmentOctets
  return {
    id: record.id,
    disabled: record.disabled === true,
    rights: rightsOf(record, defaults, app),
    quota: {
      messages: bound(record.quota?.messages, defaults.quota?.messages ?? Infinity),
      octets: bound(record.quota?.octets, defaults.quota?.octets ?? GIB),
    },
    ...(messageOctets !== undefined && { messageOctets }),
    ...(attachmentOctets !== undefined && { attachmentOctets }),
  }
}

/** JSON has no Infinity: `null` stands for it. */
function bound(kept: number | null | undefined, otherwise: number): number {
  return kept === null ? Infinity : (kept ?? otherwise)
}

function rightsOf(record: AccountRecord, defaults: AccountDefaults, app: AppPassword | undefined): Rights {
  const rights: Rights = { smtp: true, imap: true, admin: false, ...defaults.rights, ...record.rights }
  if (!app) return rights
  return {
    smtp: rights.smtp && app.rights?.smtp !== false,
    imap: rights.imap && app.rights?.imap !== false,
    // Never by default: the password of a mail program is no key to the server.
    admin: rights.admin && app.rights?.admin === true,
  }
}
