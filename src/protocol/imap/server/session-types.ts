import type { Session } from '../../session/session.ts'
import type { TlsFacts } from '../../session/tls.ts'
import type { ImapServerEvent } from '../events.ts'

/** What the session must know of its connection. */
export interface ImapPeer {
  readonly tls?: TlsFacts
  /** Encrypted, though nothing is known of how. */
  readonly secure?: boolean
}

/** The session, with what only a mailbox's watcher has to say. */
export interface ImapServerSession extends Session<ImapServerEvent> {
  /** Something may have happened in that mailbox: where it is selected the client hears of it as soon as it may. */
  changed(mailbox: string): void
  /** Something may have changed in any mailbox of the account, or in the names of mailboxes and what is subscribed to. */
  changedAnywhere(now: number): void
  /** Others have changed annotations of a mailbox, or of the server; entries in lower case. */
  noted(now: number, mailbox: string | undefined, entries: readonly string[]): void
  /** As {@link Session.drain}, for another reason than that the server stops: `text` says which; printable ASCII. */
  dismiss(now: number, text: string): void
  /** The account, once somebody has logged in. */
  readonly account: string | undefined
}
