import { type Conversation, drive, type Host, type SessionEvent } from '../../../src/protocol/session/index.ts'
import {
  smtpServerConfig,
  type SmtpServerEvent,
  type SmtpServerOptions,
  smtpServerSession,
} from '../../../src/protocol/smtp/index.ts'
import { FakeClock, FakeTransport } from './fakes.ts'

/** A session on a fake transport, driven. */
export interface Driven {
  readonly transport: FakeTransport
  readonly clock: FakeClock
  readonly conversation: Conversation
  readonly failures: [unknown, string][]
  /** What the options of the driver were told. */
  readonly told: string[]
}

/** Drives an SMTP session for a host. */
export function driven(host: Host<SmtpServerEvent> = {}, options: Partial<SmtpServerOptions> = {}): Driven {
  return drivenOn(new FakeTransport(), host, options)
}

/** The same on a transport of one's own. */
export function drivenOn<T extends FakeTransport>(
  transport: T,
  host: Host<SmtpServerEvent>,
  options: Partial<SmtpServerOptions> = {},
): Driven & { readonly transport: T } {
  const clock = new FakeClock()
  const failures: [unknown, string][] = []
  const told: string[] = []
  const session = smtpServerSession(smtpServerConfig({ hostname: 'mx.example.org', ...options }), {}, clock.ticks())
  const conversation = drive(session, transport, host, {
    clock,
    secured: ({ protocol }) => void told.push(`secured ${protocol}`),
    closed: (error) => void told.push(`closed${error ? ` ${error.message}` : ''}`),
    failed: (error, event: SessionEvent) => void failures.push([error, event.kind]),
  })
  return { transport, clock, conversation, failures, told }
}

/** A conversation in which a message is about to be sent. */
export function sending(host: Host<SmtpServerEvent> = {}, options: Partial<SmtpServerOptions> = {}): Driven {
  const begun = driven(host, options)
  begun.transport.say('EHLO client.example')
  begun.transport.say('MAIL FROM:<a@client.example>', 'RCPT TO:<b@example.org>', 'DATA')
  begun.transport.since()
  return begun
}

/** What a session says first. */
export const greeting = '220 mx.example.org ESMTP\r\n'
/** A message as DATA sends it. */
export const message = (text: string): string => `${text}\r\n.\r\n`
