export type { Body, BodyStore, BodyWriter, ByteRange, StoredBody } from './bodies.ts'
export type { Durability } from './durability.ts'
export type { Mailbox, MailboxId, MailStore, MessageId, NewMessage, StoredMessage } from './store.ts'
