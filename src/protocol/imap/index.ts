/** IMAP4rev1 and IMAP4rev2, the server's side of a conversation as a pure session. */
export { imapServerConfig } from './config.ts'
export type { CapabilityFacts, ImapAbilities, ImapServerConfig, ImapServerOptions } from './config.ts'
export type * from './events.ts'
export type { ImapLimits, ImapTimeouts } from './limits.ts'
export type { ImapEntry, ImapMailbox, ImapMessage } from './mailbox.ts'
export type { NumberRange, NumberSet } from './ranges.ts'
export { imapServerSession } from './server/session.ts'
export type { ImapPeer, ImapServerSession } from './server/session.ts'
