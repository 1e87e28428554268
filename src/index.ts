/** The composition: servers out of sessions, policies, stores and sockets. */
export type { AccountDefaults } from './accounts/account.ts'
export { addressKey, readAddress } from './accounts/address.ts'
export { accountAdmin } from './accounts/admin.ts'
export type { AccountAdmin, AccountAdminOptions } from './accounts/admin.ts'
export type { AccountChanges, ExportedAccount, NewAccount } from './accounts/admin-accounts.ts'
export type { AuditRecord } from './accounts/admin-parts.ts'
export type { NewAppPassword } from './accounts/admin-passwords.ts'
export { accountDirectory } from './accounts/directory.ts'
export type { AccountDirectoryOptions } from './accounts/directory.ts'
export { defaultMailboxes, makeMailboxes } from './accounts/mailboxes.ts'
export type { DefaultMailbox } from './accounts/mailboxes.ts'
export { quotaCrossing, roomFor } from './accounts/quota.ts'
export type { QuotaCrossing } from './accounts/quota.ts'
export type { ScramSettings } from './accounts/scram.ts'
export type { AccountSettings, AccountWithoutSecrets, AppPasswordSettings } from './accounts/settings.ts'
export { authenticate } from './accounts/authenticate.ts'
export type {
  Admission,
  AuthenticateOptions,
  Authentication,
  LoginAttempt,
  LoginClient,
  LoginGuard,
  LoginRefusal,
  LoginResult,
  SecretResult,
} from './accounts/authenticate.ts'
export type { MechanismName } from './accounts/authenticate-mechanisms.ts'
export { loginGuard } from './accounts/guard.ts'
export type { Guard, GuardEvent, GuardLimit, LoginGuardOptions } from './accounts/guard.ts'
export type { AuthenticationOptions } from './inbound/authentication/policy.ts'
export { allOf, inOrder, observeOnly, when, within } from './inbound/compose.ts'
export { dnsbl } from './inbound/checks/dnsbl.ts'
export type { DnsblOptions } from './inbound/checks/dnsbl.ts'
export { dnswl } from './inbound/checks/dnswl.ts'
export type { DnswlOptions } from './inbound/checks/dnswl.ts'
export { budgeted } from './inbound/budgeted.ts'
export type { Consequence } from './inbound/consequence.ts'
export type { DnsListSubject, DnsZone } from './inbound/dns-list-zones.ts'
export { reverseNames } from './inbound/reverse-name.ts'
export type { ReverseNames } from './inbound/reverse-name.ts'
export { greylist } from './inbound/checks/greylist.ts'
export type { GreylistOptions } from './inbound/checks/greylist.ts'
export { helo } from './inbound/checks/helo.ts'
export type { HeloOptions } from './inbound/checks/helo.ts'
export { nullSender } from './inbound/checks/null-sender.ts'
export type { NullSenderOptions } from './inbound/checks/null-sender.ts'
export { recipientLimit } from './inbound/checks/recipient-limit.ts'
export type { RecipientLimitOptions } from './inbound/checks/recipient-limit.ts'
export { reverseDns } from './inbound/checks/reverse-dns.ts'
export type { ReverseDnsOptions } from './inbound/checks/reverse-dns.ts'
export { score } from './inbound/checks/score.ts'
export type { ScoreOptions } from './inbound/checks/score.ts'
export { senderDomainExists } from './inbound/checks/sender-domain-exists.ts'
export type { SenderDomainExistsOptions } from './inbound/checks/sender-domain-exists.ts'
export { sizeLimit } from './inbound/checks/size-limit.ts'
export type { SizeLimitOptions } from './inbound/checks/size-limit.ts'
export { slidingCount } from './inbound/sliding-window.ts'
export type { WindowCounts } from './inbound/sliding-window.ts'
export { earlyTalker } from './inbound/checks/early-talker.ts'
export { hostnameCheck } from './inbound/checks/hostname-check.ts'
export type { HostnameCheckOptions } from './inbound/checks/hostname-check.ts'
export { maxConnections } from './inbound/checks/max-connections.ts'
export type { MaxConnectionsOptions } from './inbound/checks/max-connections.ts'
export { rateLimit } from './inbound/checks/rate-limit.ts'
export type { RateLimitKey, RateLimitOptions } from './inbound/checks/rate-limit.ts'
export { scan } from './inbound/checks/scan.ts'
export type { ScanAction, ScanOptions } from './inbound/checks/scan.ts'
export { tarpit } from './inbound/checks/tarpit.ts'
export type { TarpitOptions } from './inbound/checks/tarpit.ts'
export type { AttachmentPolicyOptions } from './inbound/attachments/policy.ts'
export type { FileKind } from './message/file-type.ts'
export type { AttachmentLimits } from './inbound/attachments/judge.ts'
export type {
  AttachmentTest, HeaderTest, NumberTest, ResultTest, Rule, RuleAction, RuleCondition, TextTest,
} from './inbound/rules/rule.ts'
export { ruleFilter } from './inbound/rules/rule-filter.ts'
export type { RuleFilterOptions } from './inbound/rules/rule-filter.ts'
export { rules } from './inbound/rules/rules.ts'
export {
  compileSieve, defaultSieveLimits, parseSieve, printSieve, printString, runSieve, sieveExtensions, sieveFilter, sieveMessage,
  sieveScripts, testSieve,
} from './inbound/sieve/index.ts'
export type * from './inbound/sieve/index.ts'
export { accept, combine, defer, discard, pass, quarantine, reject } from './inbound/verdict.ts'
export type * from './observe/events.ts'
export { levelOf, logger } from './observe/logger.ts'
export type { Logger, LoggerOptions, LogLevel, LogMethod } from './observe/logger.ts'
export { observers } from './observe/observers.ts'
export { attachmentPolicy } from './server/attachment-policy.ts'
export type { WebhookOptions } from './server/filtering/webhooks.ts'
export { certificateObserver } from './server/certificate-events.ts'
export { scannerObserver } from './server/scanner-events.ts'
export type { ImapServerOptions } from './server/imap/options.ts'
export { imapServer } from './server/imap/server.ts'
export type { ImapServer } from './server/imap/server.ts'
export type { Running, Stopped } from './server/listening.ts'
export { localQueue } from './server/local-queue.ts'
export type { LocalQueueOptions } from './server/local-queue.ts'
export { mailServer } from './server/mail-server.ts'
export type { MailServer, RunningMailServer } from './server/mail-server.ts'
export type {
  ImapSettings,
  ListenerName,
  LoginOptions,
  MailListenerOptions,
  MailServerOptions,
  Pop3Settings,
  ReadingListenerName,
  ReadingListenerOptions,
  SmtpListenerName,
} from './server/mail-server-options.ts'
export type { OutgoingOptions } from './server/outgoing/options.ts'
export type { DmarcReportOptions } from './server/outgoing/dmarc-reporting.ts'
export type { TlsReportOptions } from './server/outgoing/tls-reporting.ts'
export type { Pop3ServerOptions } from './server/pop3/options.ts'
export { pop3Server } from './server/pop3/server.ts'
export type { Pop3Server } from './server/pop3/server.ts'
export type { Addresses } from './server/postmaster.ts'
export type { ConversationOptions, ReceiverOptions } from './server/options.ts'
export type { DmarcReport, DmarcReportRow } from './inbound/reports/dmarc.ts'
export type { TlsReport, TlsReportFailureRow, TlsReportPolicy } from './inbound/reports/tls.ts'
export { readReport } from './server/read-report.ts'
export { receiver } from './server/receiver.ts'
export type { Receiver } from './server/receiver.ts'
export type { SeatsOptions } from './server/seats.ts'
export type { Server, ServerListenOptions } from './server/server.ts'
export type {
  Accepts,
  Authenticate,
  Authenticated,
  ClaimContext,
  Claimed,
  Deliver,
  Delivered,
  DeliveryContext,
  Queued,
} from './server/reception.ts'
export { authentication } from './server/trust.ts'
export type { TrustOptions } from './server/trust.ts'
export type { EnqueuingTransport, QueuedMail } from './adapters/nodemailer/enqueue.ts'
export { MailError, isMailError } from './protocol/session/errors.ts'
export type { MailErrorCode } from './protocol/session/errors.ts'
export type * from './contracts/index.ts'
