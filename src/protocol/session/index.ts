/** What every conversation has in common: the session, what drives it, and what it runs on. */
export type { Alarm, Clock } from './clock.ts'
export type { Dial, DialTarget, TlsaRecord, TlsDemand, TlsFailureReason } from './dial.ts'
export { TlsFailure } from './dial.ts'
export { MailError, isMailError } from './errors.ts'
export type { MailErrorCode } from './errors.ts'
export type {
  AbandonedEvent,
  AnswerTo,
  BodyRange,
  CompressEvent,
  Output,
  Question,
  Session,
  SessionEvent,
  StartTlsEvent,
} from './session.ts'
export type { ClientCertificate, TlsFacts } from './tls.ts'
export type { CommandRefusalEvent, LineEvent, Tell } from './told.ts'
export type { Peer, Transport, TransportSink } from './transport.ts'
export { drive } from './drive.ts'
export type { Conversation, DriveOptions, Handler, Host } from './drive.ts'
