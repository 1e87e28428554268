import { createConnection, type Socket } from 'node:net'
import { MailError } from '../../protocol/session/errors.ts'
import type { Place } from './options.ts'
import { Gathered, pour } from './pour.ts'

/** How a conversation goes. */
export interface ExchangeTerms {
  readonly place: Place
  /** Milliseconds. */
  readonly timeouts: { readonly connect: number; readonly idle: number }
  /** Octets of an answer. */
  readonly most: number
  /** The octet that ends the answer. Without it the end of the connection does, and our side of that ends what is said. */
  readonly ends?: number
  /** Its reason is what it rejects with. */
  readonly signal: AbortSignal
}

/**
 * Says something over a connection of its own, and gives the answer. It is listened to all along: a server that has heard enough
 * answers and hangs up. Rejects with a `temporary` MailError, or with what the content throws.
 */
export async function exchange(content: AsyncIterable<Uint8Array>, terms: ExchangeTerms): Promise<Uint8Array> {
  const socket = await connected(terms)
  try {
    return await answered(socket, content, terms)
  } finally {
    socket.destroy()
  }
}

const shownPlace = (place: Place): string => ('path' in place ? place.path : `${place.host} port ${place.port}`)

function connected({ place, timeouts, signal }: ExchangeTerms): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const socket = createConnection('path' in place ? place : { ...place, noDelay: true })
    const over = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      socket.off('error', failed).on('error', () => {})
    }
    const fail = (error: unknown): void => {
      over()
      socket.destroy()
      reject(error as Error)
    }
    const failed = (cause: Error): void =>
      fail(new MailError('temporary', `no connection to ${shownPlace(place)}: ${cause.message}`, { cause }))
    const abort = (): void => fail(signal.reason)
    const timer = setTimeout(() => failed(new Error(`none within ${timeouts.connect} ms`)), timeouts.connect)
    signal.addEventListener('abort', abort)
    socket.on('error', failed).once('connect', () => {
      over()
      resolve(socket)
    })
  })
}

function answered(
  socket: Socket, content: AsyncIterable<Uint8Array>, { timeouts, most, ends, signal }: ExchangeTerms,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const answer = new Gathered(most)
    let isOver = false
    const over = (): void => {
      isOver = true
      signal.removeEventListener('abort', abort)
    }
    const fail = (error: unknown): void => {
      over()
      reject(error as Error)
    }
    const finish = (): void => {
      over()
      resolve(answer.bytes)
    }
    /** It says no more. Whether what it has said is all of its answer is seen in that. */
    const ended = (cause?: Error): void => {
      const why = cause?.message ?? 'it was closed without an answer'
      if (answer.octets > 0) finish()
      else fail(new MailError('temporary', `the connection broke: ${why}`, { cause }))
    }
    const abort = (): void => fail(signal.reason)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
    socket.on('error', ended).on('end', () => ended()).on('close', () => ended())
    socket.setTimeout(timeouts.idle, () => fail(new MailError('temporary', `nothing moved for ${timeouts.idle} ms`)))
    socket.on('data', (chunk: Uint8Array) => {
      try {
        answer.add(chunk)
      } catch (error) {
        fail(error)
        return
      }
      if (ends !== undefined && chunk.includes(ends)) finish()
    })
    pour(content, socket, () => isOver).then(() => (ends === undefined && !isOver ? socket.end() : undefined)).catch(fail)
  })
}
