import { type IncomingHttpHeaders, request as httpRequest } from 'node:http'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { DnsAnswer, Resolver } from '../../contracts/resolver.ts'
import { isMailError, MailError } from '../../protocol/session/errors.ts'
import { isPublicAddress } from './addresses.ts'
import { judge } from './trust.ts'

/** How requests go out to servers that strangers have named. */
export interface GuardedHttpsTerms {
  readonly resolver: Resolver
  /** Milliseconds that all of a request may take. */
  readonly timeout: number
  /** Octets of an answer. */
  readonly most: number
  /** Addresses that are not public are like any others: for tests, and for networks of one's own. */
  readonly allowPrivate: boolean
  /** Authorities to trust in place of those that the platform does; PEM. */
  readonly ca?: readonly string[] | undefined
}

/** A request over HTTPS. */
export interface GuardedRequest {
  /** A name, which the server has to prove. */
  readonly host: string
  readonly port: number
  /** From the first slash on. */
  readonly path: string
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array
}

/** What came back, whatever its status. */
export interface GuardedAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
}

/** Addresses that are tried. */
const MOST_ADDRESSES = 4

/**
 * Makes a request to a server that a stranger has named. It goes to public addresses only, and to the very address that was
 * looked at, so that nothing behind our firewall can be reached by a name that leads there; no redirect is followed. Rejects with
 * a MailError: a `TlsFailure` where the server does not prove its name, otherwise `temporary`.
 */
export async function guardedHttps(request: GuardedRequest, terms: GuardedHttpsTerms): Promise<GuardedAnswer> {
  const signal = AbortSignal.timeout(terms.timeout)
  const addresses = await addressesOf(request.host, terms, signal)
  let failure = new MailError('temporary', `${request.host} has no address that may be gone to`)
  for (const address of addresses.slice(0, MOST_ADDRESSES)) {
    try {
      const socket = await secured(address, request, terms, signal)
      return await exchanged(socket, request, terms, signal)
    } catch (error) {
      // An abort is the time-out: whatever it met, that is the reason.
      const late = signal.aborted && `${request.host}: no answer within ${terms.timeout} ms`
      if (late) throw new MailError('temporary', late, { cause: error })
      failure = isMailError(error) ? error : new MailError('temporary', `${request.host}: ${messageOf(error)}`, { cause: error })
    }
  }
  throw failure
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

async function addressesOf(host: string, { resolver, allowPrivate }: GuardedHttpsTerms, signal: AbortSignal): Promise<string[]> {
  const answers = await Promise.allSettled([resolver.resolve(host, 'AAAA', signal), resolver.resolve(host, 'A', signal)])
  const found = answers.flatMap((answer: PromiseSettledResult<DnsAnswer<'A' | 'AAAA'>>) =>
    answer.status === 'fulfilled' ? answer.value.records : [])
  return found.filter((address) => allowPrivate || isPublicAddress(address))
}

/** A connection whose other end has proven its name. */
function secured(
  address: string, { host, port }: GuardedRequest, { ca }: GuardedHttpsTerms, signal: AbortSignal,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: address,
      port,
      servername: host,
      ALPNProtocols: ['http/1.1'],
      minVersion: 'TLSv1.2',
      // Judged by ourselves, so that it can be said what is wrong with it.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(ca === undefined ? {} : { ca: [...ca] }),
    })
    const fail = (error: unknown): void => {
      signal.removeEventListener('abort', abort)
      socket.destroy()
      reject(error as Error)
    }
    const abort = (): void => fail(signal.reason)
    signal.addEventListener('abort', abort)
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('the connection was closed')))
    // OpenSSL is at work while the event is told, and does not bear to be taken away then.
    socket.once('secureConnect', () => setImmediate(() => {
      if (socket.destroyed) return
      try {
        judge(socket, { trust: 'pkix', serverName: host }, Date.now())
      } catch (error) {
        fail(error)
        return
      }
      signal.removeEventListener('abort', abort)
      resolve(socket)
    }))
    if (signal.aborted) abort()
  })
}

function exchanged(
  socket: TLSSocket, { host, path, method, headers, body }: GuardedRequest, { most }: GuardedHttpsTerms, signal: AbortSignal,
): Promise<GuardedAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      socket.destroy()
      reject(error as Error)
    }
    const length = body === undefined ? {} : { 'content-length': String(body.length) }
    const sent = httpRequest({
      createConnection: () => socket,
      method,
      path,
      signal,
      headers: { host, connection: 'close', 'accept-encoding': 'identity', 'user-agent': 'posthorn', ...headers, ...length },
    })
    sent.on('error', fail)
    sent.on('response', (response) => {
      const chunks: Uint8Array[] = []
      let octets = 0
      response.on('error', fail)
      response.on('data', (chunk: Uint8Array) => {
        octets += chunk.length
        if (octets > most) fail(new Error(`more than ${most} octets came`))
        else chunks.push(chunk)
      })
      response.on('end', () => {
        socket.destroy()
        if (!response.complete) reject(new Error('the answer was cut off'))
        else resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
      })
    })
    sent.end(body)
  })
}
