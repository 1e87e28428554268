import { MailError } from '../../protocol/session/errors.ts'
import {
  aCount,
  aFunction,
  aNumber,
  anObject,
  aSwitch,
  aText,
  checkOptions,
  having,
  oneOf,
  type OptionKinds,
  required,
  texts,
} from '../../protocol/session/options.ts'
import type { Transport } from '../../protocol/session/transport.ts'
import type { Refusal } from './arrival.ts'
import type { CertificateSource } from './certificates.ts'

/** Times in milliseconds. */
export interface ListenOptions {
  /** A TCP port, 0 for any that is free. Either this or `path`. */
  readonly port?: number
  /** An address of this machine (default: all of them). */
  readonly host?: string
  /** The path of a unix socket. One that a dead server left behind is replaced. */
  readonly path?: string
  /** Permissions of the unix socket (`0o660`); default: what the process's umask leaves. */
  readonly mode?: number
  /** Connections that may wait to be accepted (default 4,096; the kernel has a limit of its own). */
  readonly backlog?: number
  /** `implicit`: TLS from the first byte. `starttls`: when the session says so. */
  readonly tls?: {
    readonly mode: 'implicit' | 'starttls'
    readonly certificates: CertificateSource
    /** Protocols to agree on with clients that ask (ALPN). */
    readonly alpn?: readonly string[]
    /** For the whole handshake (default 10,000). */
    readonly handshakeWithin?: number
  }
  /**
   * A PROXY protocol header comes first on connections from these addresses; over a unix socket, which its permissions guard,
   * on every one. From elsewhere no header is ever read.
   */
  readonly proxy?: {
    /** Addresses and CIDRs: `['10.0.0.0/8', '2001:db8::7']`. */
    readonly from: readonly string[]
    /**
     * TCP connections from elsewhere: turned away (default), or served as what they are, a header being no more than a
     * wrong command.
     */
    readonly others?: 'refuse' | 'serve'
    /** For the header (default 5,000). */
    readonly within?: number
    /**
     * The proxy speaks TLS with every client: connections count as secure although its header does not say so, as version 1
     * cannot. Whoever says so must be sure of it: AUTH is offered then. Not with `implicit` TLS behind the proxy.
     */
    readonly tls?: boolean
  }
  /** Connections between accept and transport (PROXY header, implicit TLS) at a time (default 1,000); others are refused. */
  readonly maxPending?: number
  /** After a transport's `end()`: how long the peer may take to read what was written (default 30,000). */
  readonly flushWithin?: number
  /** After that: how long it may take to close (default 5,000). */
  readonly lingerFor?: number
  /** A connection that is ready to be driven. */
  readonly onTransport: (transport: Transport) => void
  /** A connection that never got so far; not one that left without a word, as health checks do. */
  readonly onRefused?: (refusal: Refusal) => void
  /** The listening socket has trouble (out of file descriptors, say) and goes on listening. */
  readonly onError?: (error: Error) => void
}

const aPort = {
  takes: 'a number from 0 (any that is free) to 65535',
  is: (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535,
}

const kinds: OptionKinds<ListenOptions> = {
  port: aPort,
  host: aText,
  path: aText,
  mode: { takes: 'permissions such as 0o660', is: (value) => Number.isInteger(value) },
  backlog: aCount,
  tls: { ...anObject, takes: "an object such as { mode: 'starttls', certificates }" },
  proxy: { ...anObject, takes: "an object such as { from: ['10.0.0.0/8'] }" },
  maxPending: aCount,
  flushWithin: aNumber,
  lingerFor: aNumber,
  onTransport: required(aFunction),
  onRefused: aFunction,
  onError: aFunction,
}

const tlsKinds: OptionKinds<NonNullable<ListenOptions['tls']>> = {
  mode: required(oneOf('implicit', 'starttls')),
  certificates: required(having('what certificates() gives', 'expires', 'reload')),
  alpn: texts,
  handshakeWithin: aNumber,
}

const proxyKinds: OptionKinds<NonNullable<ListenOptions['proxy']>> = {
  from: required({ ...texts, takes: "a list of addresses and CIDRs, such as ['10.0.0.0/8']" }),
  others: oneOf('refuse', 'serve'),
  within: aNumber,
  tls: aSwitch,
}

/** Looks at where somebody wants to listen. Throws a `config` MailError that names what cannot be. */
export function checkListenOptions(options: ListenOptions): void {
  checkOptions('listen', options, kinds)
  if (options.tls !== undefined) checkOptions('tls', options.tls, tlsKinds)
  if (options.proxy !== undefined) checkOptions('proxy', options.proxy, proxyKinds)
  if (options.proxy?.tls === true && options.tls?.mode === 'implicit') {
    const rule = 'TLS ends either at the proxy or here'
    throw new MailError('config', `proxy.tls: ${rule}; leave out proxy.tls, or tls of mode 'implicit'`)
  }
  if ((options.port === undefined) === (options.path === undefined)) {
    throw new MailError('config', 'listen on either a port or a path')
  }
}
