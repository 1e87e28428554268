export type {
  AccountRecord,
  AccountRecords,
  AliasRecord,
  AppPassword,
  DomainRecord,
  KeptScramKeys,
  PasswordHash,
  Passwords,
} from './accounts.ts'
export type {
  ArcFinding,
  Authentication,
  AuthenticationResult,
  BimiFinding,
  DkimFinding,
  DmarcFinding,
  IprevFinding,
  SpfFinding,
} from './authentication.ts'
export type { AuthenticateBy, AuthenticateWhat, Authenticator, SpfSubject } from './authenticator.ts'
export type { Body, BodyStore, BodyWriter, ByteRange, StoredBody } from './bodies.ts'
export type { Account, Destination, Directory, Login, Resolution, Rights, ScramKeys } from './directory.ts'
export { canonicalFlags, changedFlags } from './flag-change.ts'
export { comparePaths, isAtOrBelow } from './mailbox-path.ts'
export { pageOfFacts } from './page-of-facts.ts'
export { readBody, readRange } from './read-body.ts'
export { among } from './uid-list.ts'
export { setOfAscending } from '../protocol/bytes/number-set.ts'
export type { Durability } from './durability.ts'
export type { JunkMarks, LearnJunk } from './junk.ts'
export type { Keeping, KeyValue } from './key-value.ts'
export type { Mailbox, MailboxId, Quota, SpecialUse, UidRange, UidSet, Usage } from './mailbox.ts'
export type {
  Append,
  Changes,
  Copied,
  Entry,
  FlagChange,
  Flagged,
  MailStore,
  MessageId,
  MessageRange,
  NewMessage,
  Room,
  Selection,
  StoredMessage,
} from './store.ts'
export type { EnqueuedMail, NewMail, RefusedRecipient } from './new-mail.ts'
export type { Note } from './note.ts'
export type { Awaitable, Decision, Notebook, Policy, PolicyReply, PolicyStage, Stage, Verdict } from './policy.ts'
export type { BouncedFacts } from './bounced.ts'
export type { AttemptFacts, ReportFacts, SiteFacts } from './delivery.ts'
export type { Dispatch, OutgoingMessage } from './dispatch.ts'
export type { ComposeMail, DraftField, DraftPart, MailDraft } from './draft.ts'
export type {
  JobState,
  LastTry,
  Lease,
  MailQueue,
  NewJob,
  NewMessageJobs,
  Outcome,
  QueueCounts,
  QueuedJob,
  QueuedMessage,
  QueuedRecipient,
  QueueFilter,
  QueueOrder,
  RecipientState,
  Settlement,
} from './queue.ts'
export type { Attachment, Connection, Envelope, ParsedMessage, ReceivedMessage, Recipient } from './received.ts'
export type { ExplainedAuthentication, ExplainedStep, Explanation } from './explanation.ts'
export type { Filtered, FilterAction, FilterStep, FilterSubject, HeaderEdit, MailFilter } from './filter.ts'
export type { Scanned, Scanner, ScanFinding, ScanSubject } from './scanner.ts'
export type { DnsAnswer, DnsRecords, DnsRecordType, Resolver } from './resolver.ts'
export type { Sign } from './sign.ts'
