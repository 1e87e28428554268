import { type ClientRequest, request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { MailError } from '../../protocol/session/errors.ts'
import { Gathered, pour } from './pour.ts'

/** What is posted. */
export interface Posted {
  readonly url: URL
  /** Names and values, as octets; a name may come again. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly content: AsyncIterable<Uint8Array>
  /** Octets of the content. */
  readonly size: number
}

/** How it is posted. */
export interface PostTerms {
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number; readonly idle: number }
  /** Octets of an answer. */
  readonly most: number
  /** Its reason is what it rejects with. */
  readonly signal: AbortSignal
}

/** What came back, whatever its status. */
export interface PostAnswer {
  readonly status: number
  readonly body: Uint8Array
}

/**
 * Posts something over a connection of its own. It is listened to all along: a server that has heard enough answers and hangs up.
 * Rejects with a `temporary` MailError, or with what the content throws.
 */
export function post({ url, fields, content, size }: Posted, { timeouts, most, signal }: PostTerms): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const sent = begun(url, fields, size)
    let isOver = false
    let isAnswered = false
    const over = (): void => {
      isOver = true
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      sent.destroy()
    }
    const fail = (error: unknown): void => {
      over()
      reject(error as Error)
    }
    const broken = (why: string, cause?: unknown): void => fail(new MailError('temporary', `${url.host}: ${why}`, { cause }))
    const abort = (): void => fail(signal.reason)
    const timer = setTimeout(() => broken(`no connection within ${timeouts.connect} ms`), timeouts.connect)
    signal.addEventListener('abort', abort)
    sent.on('socket', (socket: Socket) => {
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => clearTimeout(timer))
      socket.setTimeout(timeouts.idle, () => broken(`nothing moved for ${timeouts.idle} ms`))
    })
    // Once an answer has begun, what becomes of the request does not matter.
    sent.on('error', (error) => (isAnswered ? undefined : broken(error.message, error)))
    sent.on('close', () => (isAnswered ? undefined : broken('the connection was closed without an answer')))
    sent.on('response', (response) => {
      isAnswered = true
      const body = new Gathered(most)
      response.on('error', (error) => broken(error.message, error))
      response.on('data', (chunk: Uint8Array) => {
        try {
          body.add(chunk)
        } catch (error) {
          fail(error)
        }
      })
      response.on('close', () => {
        if (!response.complete) return broken('the answer was cut off')
        over()
        resolve({ status: response.statusCode ?? 0, body: body.bytes })
      })
    })
    pour(content, sent, () => isOver || isAnswered).then(() => isAnswered || isOver || sent.end(), fail)
  })
}

function begun(url: URL, fields: Posted['fields'], size: number): ClientRequest {
  const headers = ['Host', url.host, 'User-Agent', 'posthorn', 'Content-Length', String(size), 'Connection', 'close']
  // In pairs: of those with one name, an object would keep one.
  const options: RequestOptions = { method: 'POST', agent: false, headers: [...headers, ...fields.flat()] }
  return url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options)
}
