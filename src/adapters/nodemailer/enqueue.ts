import type { EnqueuedMail, NewMail, RefusedRecipient } from '../../contracts/new-mail.ts'
import { isMailError, type MailErrorCode } from '../../protocol/session/errors.ts'

/** What became of a message, as nodemailer tells it. */
export interface QueuedMail {
  readonly envelope: { readonly from: string | false; readonly to: readonly string[] }
  /** In angle brackets. */
  readonly messageId: string
  readonly accepted: readonly string[]
  readonly rejected: readonly string[]
  /** One for each of `rejected`. */
  readonly rejectedErrors: readonly Error[]
  /** `250 2.0.0 queued as ID`. */
  readonly response: string
  /** The queue's name for it. */
  readonly id: string
}

/** A message as nodemailer hands it to a transport. */
interface Compiled {
  readonly data: {
    readonly dsn?: unknown
    readonly requireTLSExtensionEnabled?: unknown
  }
  readonly message: {
    getEnvelope(): { readonly from?: unknown; readonly to?: unknown }
    messageId(): string
    createReadStream(): AsyncIterable<Uint8Array>
  }
}

/** A transport of nodemailer's: `nodemailer.createTransport(transport)`. */
export interface EnqueuingTransport {
  readonly name: string
  readonly version: string
  /** Asked by nodemailer for each message. */
  send(mail: unknown, callback: (error: Error | null, info: QueuedMail) => void): void
  /** There is nothing that could not be reached. */
  verify(callback?: (error: Error | null, success: true) => void): Promise<true> | undefined
}

/** A transport that hands mail to a queue of this process, without a socket. */
export function enqueuingTransport(
  enqueue: (mail: NewMail) => Promise<EnqueuedMail>, account: string | undefined,
): EnqueuingTransport {
  return {
    name: 'posthorn',
    version: '1',
    send: (mail, callback) => {
      // What the callback throws is the caller's, and no failure of the message.
      sent(mail as Compiled, enqueue, account).then(
        (info) => setImmediate(() => callback(null, info)),
        (error: unknown) => setImmediate(() => (callback as (error: Error) => void)(asNodemailer(error))),
      )
    },
    verify: (callback) => {
      if (!callback) return Promise.resolve(true)
      setImmediate(() => callback(null, true))
      return undefined
    },
  }
}

async function sent(
  { data, message }: Compiled, enqueue: (mail: NewMail) => Promise<EnqueuedMail>, account: string | undefined,
): Promise<QueuedMail> {
  const envelope = message.getEnvelope()
  const to = [envelope.to ?? []].flat().map(String)
  const from = typeof envelope.from === 'string' && envelope.from !== '' ? envelope.from : false
  if (to.length === 0) throw failure('EENVELOPE', 'No recipients defined')
  // Here nodemailer sets what is missing of it.
  message.messageId()
  const { id, messageId, accepted, refused } = await enqueue({
    from: from === false ? null : from,
    to,
    content: message.createReadStream(),
    ...dsnOf(data.dsn),
    ...(data.requireTLSExtensionEnabled === true ? { requireTls: true } : {}),
    ...(account === undefined ? {} : { account }),
  })
  return {
    envelope: { from, to },
    messageId,
    accepted,
    rejected: refused.map((each) => each.to),
    rejectedErrors: refused.map(recipientError),
    response: `250 2.0.0 queued as ${id}`,
    id,
  }
}

/** What nodemailer's `dsn` says, by either of its names for each. */
function dsnOf(given: unknown): Pick<NewMail, 'ret' | 'envid' | 'notify'> {
  if (typeof given !== 'object' || given === null) return {}
  const dsn = new Map(Object.entries(given))
  const ret = returns.get(String(dsn.get('ret') ?? dsn.get('return') ?? '').toUpperCase())
  const envid: unknown = dsn.get('envid') ?? dsn.get('id')
  const notify: unknown = dsn.get('notify')
  const words = [notify ?? []].flat().flatMap((each) => String(each).split(',')).map((word) => word.trim().toUpperCase())
  return {
    ...(ret === undefined ? {} : { ret }),
    ...(envid === undefined ? {} : { envid: String(envid) }),
    ...(notify === undefined ? {} : { notify: words.filter((word) => word !== 'NEVER') as NonNullable<NewMail['notify']> }),
  }
}

const returns = new Map<string, NonNullable<NewMail['ret']>>([['FULL', 'FULL'], ['HDRS', 'HDRS'], ['HEADERS', 'HDRS']])

const replies = new Map<MailErrorCode, number>([['temporary', 451], ['quota', 552], ['permanent', 554], ['closed', 421]])

/** An error of ours, as nodemailer's SMTP transport would tell it. What is none of ours stays what it is: a stream has failed. */
function asNodemailer(error: unknown): Error {
  if (!isMailError(error)) return error instanceof Error ? error : new Error(String(error))
  const said = /^([45]\d\d) \d\.\d{1,3}\.\d{1,3} /.exec(error.message)
  const responseCode = said ? Number(said[1]) : replies.get(error.code)
  if (responseCode === undefined) return failure('ECONFIG', error.message, { cause: error })
  const response = said ? error.message : `${responseCode} ${error.message}`
  const isAddress = error.message.endsWith(' is no address')
  return failure(isAddress ? 'EENVELOPE' : 'EMESSAGE', error.message, { responseCode, response, command: 'API', cause: error })
}

function recipientError({ to, code, reply }: RefusedRecipient): Error {
  return failure('EENVELOPE', `Recipient command failed: ${reply}`, { recipient: to, responseCode: code, response: reply })
}

function failure(code: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { code, ...more })
}
