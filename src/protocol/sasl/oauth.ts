import { decodeUtf8, encodeUtf8, hasControl } from '../bytes/text.ts'
import { isName, malformed, type SaslExchange, type SaslMechanism, type SaslStep } from './exchange.ts'
import { readGs2 } from './gs2.ts'

/** What a client whose token is refused is told, so that it can get a better one. */
export interface OauthOptions {
  /** The scope that a token needs. */
  readonly scope?: string
  /** URL of the OpenID configuration of whoever gives out tokens (OAUTHBEARER). */
  readonly openidConfiguration?: string
}

const EMPTY = new Uint8Array(0)
/** What stands between the parts of a message. */
const SEPARATOR = '\u0001'

/** OAUTHBEARER (RFC 7628): a bearer token, and perhaps a name. */
export function oauthBearer({ scope, openidConfiguration }: OauthOptions = {}): SaslMechanism {
  const error = {
    status: 'invalid_token',
    ...(scope === undefined ? {} : { scope }),
    ...(openidConfiguration === undefined ? {} : { 'openid-configuration': openidConfiguration }),
  }
  const told = encodeUtf8(JSON.stringify(error))
  return { name: 'OAUTHBEARER', plaintext: true, begin: () => new TokenExchange('OAUTHBEARER', readBearer, told) }
}

/** XOAUTH2, Google's and Microsoft's: a name and a bearer token. */
export function xoauth2({ scope }: OauthOptions = {}): SaslMechanism {
  const error = { status: '401', schemes: 'bearer', ...(scope === undefined ? {} : { scope }) }
  const told = encodeUtf8(JSON.stringify(error))
  return { name: 'XOAUTH2', plaintext: true, begin: () => new TokenExchange('XOAUTH2', readXoauth2, told) }
}

/** A message as it was read; a text says why it cannot be. An empty token is one that the client does not have. */
type Message = { readonly username: string; readonly token: string } | string

/** Octets of a message, most of them the token's. */
const MOST_OCTETS = 16_384

class TokenExchange implements SaslExchange {
  private readonly mechanism: string
  private readonly read: (text: string) => Message
  private readonly told: Uint8Array
  private tellsOnly = false

  constructor(mechanism: string, read: (text: string) => Message, told: Uint8Array) {
    this.mechanism = mechanism
    this.read = read
    this.told = told
  }

  respond(bytes: Uint8Array | undefined): SaslStep {
    if (bytes === undefined) return { kind: 'challenge', bytes: EMPTY }
    if (this.tellsOnly) return malformed(`${this.mechanism} takes a token`)
    const text = bytes.length > MOST_OCTETS ? undefined : decodeUtf8(bytes)
    const message = text === undefined ? 'takes a text of moderate length' : this.read(text)
    if (typeof message === 'string') return malformed(`${this.mechanism} ${message}`)
    const { username, token } = message
    if (token === '') {
      // RFC 7628 §4.3: a client without a token asks in this way where to get one.
      this.tellsOnly = true
      return { kind: 'challenge', bytes: this.told }
    }
    return { kind: 'verify', credentials: { kind: 'token', mechanism: this.mechanism, username, token } }
  }

  /** RFC 7628 §3.2.2, and XOAUTH2 alike. */
  refused(): Uint8Array {
    return this.told
  }
}

/** RFC 7628 §3.1: `n,a=name,^Ahost=…^Aport=…^Aauth=Bearer token^A^A`. */
function readBearer(text: string): Message {
  const header = readGs2(text)
  if (typeof header === 'string') return 'begins with a gs2 header'
  // RFC 7628 §3.1: no channel binding is defined.
  if (typeof header.flag === 'object') return 'knows no channel binding'
  const { authorizeAs: username } = header
  if (username !== '' && !isName(username, encodeUtf8(username).length)) return 'takes a name of moderate length'
  return tokenOf(username, text.slice(header.text.length))
}

/** `user=name^Aauth=Bearer token^A^A`. */
function readXoauth2(text: string): Message {
  const end = text.indexOf(SEPARATOR)
  const username = text.slice(0, 5) === 'user=' && end > 0 ? text.slice(5, end) : ''
  if (!isName(username, encodeUtf8(username).length)) return 'takes a name and a token'
  return tokenOf(username, text.slice(end))
}

/** The token among `key=value` pairs, each between separators, the last one doubled. */
function tokenOf(username: string, pairs: string): Message {
  if (pairs.charAt(0) !== SEPARATOR || !pairs.endsWith(SEPARATOR + SEPARATOR)) return 'takes pairs between control-A'
  let token: string | undefined
  for (const pair of pairs.slice(1, -2).split(SEPARATOR)) {
    const equals = pair.indexOf('=')
    if (equals < 1 || hasControl(pair.slice(0, equals))) return 'takes pairs of name and value'
    if (pair.slice(0, equals) !== 'auth') continue
    if (token !== undefined) return 'takes one token'
    token = bearerOf(pair.slice(equals + 1))
    if (token === undefined) return 'takes a bearer token'
  }
  return { username, token: token ?? '' }
}

/** RFC 6750 §2.1: `Bearer`, in any case, and a token of printable ASCII. */
function bearerOf(value: string): string | undefined {
  if (value === '') return ''
  if (value.slice(0, 7).toLowerCase() !== 'bearer ') return undefined
  const token = value.slice(7).trim()
  for (let at = 0; at < token.length; at++) {
    const unit = token.charCodeAt(at)
    if (unit < 33 || unit > 126) return undefined
  }
  return token
}
