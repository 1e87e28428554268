import { createSocket } from 'node:dgram'
import { createConnection, isIPv6 } from 'node:net'
import type { DnsRecordType } from '../../contracts/resolver.ts'
import { joinedOctets } from '../../protocol/bytes/joined.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { type DnsQuestion, type DnsReply, encodeQuestion, readReply } from './dns-message.ts'
import { randomBytes } from './random.ts'

/** Where a DNS server listens. */
export interface DnsServer {
  /** An IP address. */
  readonly address: string
  readonly port: number
}

/** How long there is for an exchange. */
export interface ExchangeTerms {
  readonly clock: Clock
  /** On the clock's ticks. */
  readonly until: number
  readonly signal: AbortSignal
}

/** What does not answer the question, from the right place, before it is taken for somebody's guessing. */
const MOST_STRAY = 20

const FORMAT_ERROR = 1
const BAD_VERSION = 16

/**
 * Asks one server, by UDP and, where the answer does not fit or somebody seems to make answers up, by TCP. Resolves with whatever
 * it says. Rejects with a `temporary` MailError where there is no answer in time, or `signal` aborts.
 */
export async function askServer(
  server: DnsServer,
  name: string,
  type: DnsRecordType,
  terms: ExchangeTerms,
): Promise<DnsReply> {
  const reply = await ask(server, { name, type, id: randomId(), edns: true }, terms)
  // A server that is older than EDNS (RFC 6891 §7), or than a later version of it.
  if (reply.code !== FORMAT_ERROR && reply.code !== BAD_VERSION) return reply
  return ask(server, { name, type, id: randomId(), edns: false }, terms)
}

async function ask(server: DnsServer, question: DnsQuestion, terms: ExchangeTerms): Promise<DnsReply> {
  const reply = await byUdp(server, question, terms)
  // Another id: the first one may be what was guessed.
  return reply === undefined || reply.truncated ? byTcp(server, { ...question, id: randomId() }, terms) : reply
}

/**
 * A socket, and with it a port of the system's choice, for each question: together with the id that makes 32 bits to be guessed
 * (RFC 5452 §9.2). `undefined`: too much has come that is no answer, so that some other might be a lucky guess.
 */
function byUdp(server: DnsServer, question: DnsQuestion, terms: ExchangeTerms): Promise<DnsReply | undefined> {
  return within(terms, server, (settle, fail) => {
    const socket = createSocket(isIPv6(server.address) ? 'udp6' : 'udp4')
    let peer: string | undefined
    let stray = 0
    socket.on('error', fail)
    socket.on('message', (octets, from) => {
      // The system keeps away what others send only from the moment on when it knows the server.
      if (from.port !== server.port || from.address !== peer) return
      const reply = readReply(octets, question)
      if (reply !== undefined) settle(reply)
      else if (++stray > MOST_STRAY) settle(undefined)
    })
    socket.connect(server.port, server.address, (error?: Error | null) => {
      if (error) return fail(error)
      peer = socket.remoteAddress().address
      socket.send(encodeQuestion(question), (failed) => failed && fail(failed))
    })
    return () => socket.close()
  })
}

/** RFC 7766: a message is preceded by its length. */
function byTcp(server: DnsServer, question: DnsQuestion, terms: ExchangeTerms): Promise<DnsReply> {
  return within(terms, server, (settle, fail) => {
    const socket = createConnection({ host: server.address, port: server.port, noDelay: true })
    const came = new Message()
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('the connection was closed')))
    socket.on('connect', () => {
      const octets = encodeQuestion(question)
      socket.write(Buffer.concat([Uint8Array.of(octets.length >> 8, octets.length & 255), octets]))
    })
    socket.on('data', (octets) => {
      const message = came.add(octets)
      if (message === undefined) return
      const reply = readReply(message, question)
      if (reply === undefined || reply.truncated) fail(new Error('what came is no answer'))
      else settle(reply)
    })
    return () => socket.destroy()
  })
}

/** A message as it comes by TCP. */
class Message {
  readonly #chunks: Uint8Array[] = []
  #octets = 0

  /** The message, once it is whole. */
  add(chunk: Uint8Array): Uint8Array | undefined {
    this.#chunks.push(chunk)
    this.#octets += chunk.length
    if (this.#octets < 2) return undefined
    const [first, second = this.#chunks[1]?.[0] ?? 0] = this.#chunks[0]!
    const end = 2 + ((first! << 8) | second)
    return this.#octets < end ? undefined : joinedOctets(this.#chunks).subarray(2, end)
  }
}

/** Begins something that is over when it settles, fails, takes too long or is not wanted any more; then it is stopped. */
function within<T>(
  { clock, until, signal }: ExchangeTerms,
  server: DnsServer,
  begin: (settle: (value: T) => void, fail: (why: Error) => void) => () => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false
    let stop: (() => void) | undefined
    const end = (): boolean => {
      if (over) return false
      over = true
      alarm.cancel()
      signal.removeEventListener('abort', abort)
      stop?.()
      return true
    }
    const fail = (why: string, cause?: unknown): void => {
      if (end()) reject(new MailError('temporary', `DNS server ${server.address}: ${why}`, { cause }))
    }
    const abort = (): void => fail('the answer is not wanted any more')
    const alarm = clock.alarm(until, () => fail('no answer in time'))
    signal.addEventListener('abort', abort, { once: true })
    try {
      stop = begin(
        (value) => {
          if (end()) resolve(value)
        },
        (cause) => fail(cause.message, cause),
      )
    } catch (cause) {
      fail('no socket to ask by', cause)
    }
    if (signal.aborted) abort()
  })
}

function randomId(): number {
  const [high = 0, low = 0] = randomBytes(2)
  return (high << 8) | low
}
