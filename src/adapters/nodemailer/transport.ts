import type { Socket } from 'node:net'
import { MailError } from '../../protocol/session/errors.ts'

/** What became of a message, as nodemailer tells it. */
export interface SentMail {
  readonly messageId: string
  readonly envelope: { readonly from: string | false; readonly to: readonly string[] }
  /** Addresses that the server took and refused. Where it refused all, sending rejects. */
  readonly accepted: readonly string[]
  readonly rejected: readonly string[]
  /** The server's reply to the message. */
  readonly response: string
}

/**
 * A way for mail to be sent: options for `nodemailer.createTransport`, whose SMTP client does the talking, over a connection
 * of ours instead of a socket of its own. May be spread to add options: `{ ...transport, pool: true }`.
 */
export interface MailTransport {
  readonly host: string
  readonly port: number
  readonly secure: false
  readonly ignoreTLS: true
  /** Asked by nodemailer for each connection. */
  readonly getSocket: (
    options: object,
    callback: (error: Error | null, socket: { readonly connection: Socket }) => void,
  ) => void
  /**
   * Sends a message as nodemailer's transports do, for those who need no more of one than this. Rejects with nodemailer's own
   * errors, and with an `unavailable` MailError where nodemailer is not installed.
   */
  readonly sendMail: (mail: Readonly<Record<string, unknown>>) => Promise<SentMail>
}

/** A transport over connections made by `connect`. */
export function mailTransport(host: string, connect: () => Socket): MailTransport {
  const options = {
    host,
    port: 25,
    secure: false,
    ignoreTLS: true,
    getSocket: (_: object, callback: (error: Error | null, socket: { connection: Socket }) => void) => {
      callback(null, { connection: connect() })
    },
  } as const
  return {
    ...options,
    async sendMail(mail) {
      const { createTransport } = await load()
      const { messageId, envelope, accepted, rejected, response } = await createTransport(options).sendMail(mail)
      return { messageId, envelope, accepted, rejected, response }
    },
  }
}

/** Imports nodemailer, where it is installed, so that the first mail does not wait for it. Never rejects. */
export async function preload(): Promise<void> {
  await load().catch(() => undefined)
}

async function load(): Promise<typeof import('nodemailer')> {
  try {
    return await import('nodemailer')
  } catch (cause) {
    throw new MailError(
      'unavailable',
      'sendMail() needs nodemailer, which is not installed: npm install --save-dev nodemailer',
      { cause },
    )
  }
}
