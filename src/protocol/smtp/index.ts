/** SMTP and LMTP as pure conversations (RFC 5321, RFC 2033 and their extensions). */
export type { SmtpCapabilities } from './client/capabilities.ts'
export type {
  SmtpClientAuth,
  SmtpClientConfig,
  SmtpClientLimits,
  SmtpClientOptions,
  SmtpClientTimeouts,
} from './client/config.ts'
export { defaultClientLimits, defaultClientTimeouts, smtpClientConfig } from './client/config.ts'
export type { SmtpClientPeer, SmtpClientSession } from './client/contract.ts'
export type {
  ClientClosedEvent,
  ClientPhase,
  ClientReason,
  ContentChunk,
  ContentQuestion as ClientContentQuestion,
  ConvertQuestion,
  DeriveQuestion,
  DoneEvent,
  FailedEvent,
  OutcomeEvent,
  ReadyQuestion,
  SmtpClientEvent,
} from './client/events.ts'
export type { ClientMessage, ClientRecipient, ContentNeeds } from './client/message.ts'
export { smtpClientSession } from './client/session.ts'
export type { CustomParameter, Profile, SmtpRules, SmtpServerConfig, SmtpServerOptions } from './config.ts'
export type { SmtpExtensions } from './extensions.ts'
export { smtpServerConfig } from './config.ts'
export type {
  AuthAnswer,
  AuthQuestion,
  AuthRefusal,
  BodyEvent,
  ClientAttributes,
  CloseReason,
  ClosedEvent,
  CommandQuestion,
  ConnectQuestion,
  ContentFacts,
  ContentQuestion,
  ExpandQuestion,
  HelloQuestion,
  MessageQuestion,
  RecipientQuestion,
  SecretAnswer,
  SecretQuestion,
  RefusalEvent,
  SenderQuestion,
  SmtpServerEvent,
  VerifyQuestion,
  XclientQuestion,
  XforwardEvent,
} from './events.ts'
export type { SmtpLimits, SmtpTimeouts } from './limits.ts'
export { defaultLimits, defaultTimeouts } from './limits.ts'
export type { AddressLiteral } from './literal.ts'
export { parseLiteral } from './literal.ts'
export type { Draft, MailParameters, ParameterReader, ParameterReaders, RecipientParameters } from './parameters.ts'
export type { ParsedPath, Path, PathRules } from './path.ts'
export { encodeMailbox, encodePath, isDomain, parsePath } from './path.ts'
export type { Reply } from './reply.ts'
export { encodeReply, parseReply, parseReplyLine } from './reply.ts'
export type { LineEvent } from '../session/told.ts'
export { dateTimeOf } from './date-time.ts'
export type { SmtpPeer, SmtpServerSession } from './server/contract.ts'
export { smtpServerSession } from './server/session.ts'
export { decodeXtext, encodeXtext } from './xtext.ts'
