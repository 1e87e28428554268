/** SMTP and LMTP as pure conversations (RFC 5321, RFC 2033 and their extensions). */
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
  LineEvent,
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
export type { SmtpPeer, SmtpServerSession } from './server/contract.ts'
export { smtpServerSession } from './server/session.ts'
export { decodeXtext, encodeXtext } from './xtext.ts'
