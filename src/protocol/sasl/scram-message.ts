import { decodeBase64, encodeBase64 } from '../bytes/base64.ts'
import { decodeUtf8, encodeUtf8 } from '../bytes/text.ts'
import { decodeSaslName, type Gs2Header, readGs2 } from './gs2.ts'

/*
 * The messages of SCRAM (RFC 5802 §7). Readers give a text where a message is not sound: what is wrong with it.
 *
 * An attribute that nobody knows is skipped; `m=`, which says that it must not be, ends the exchange (§5.1).
 */

/** Octets of a message: names, nonces and proofs are short, and whoever sends more wants something else. */
const MOST_OCTETS = 4096

/** What the client begins with. */
export interface ClientFirst {
  readonly header: Gs2Header
  /** Decoded, not prepared. */
  readonly username: string
  readonly nonce: string
  /** Without the header. */
  readonly bare: string
}

/** Reads `client-first-message`. */
export function readClientFirst(bytes: Uint8Array): ClientFirst | string {
  const text = textOf(bytes)
  const header = text === undefined ? 'not a text of moderate length' : readGs2(text)
  if (typeof header === 'string') return header
  const bare = text!.slice(header.text.length)
  const attributes = attributesOf(bare)
  if (typeof attributes === 'string') return attributes
  const [name, nonce] = attributes
  const username = name?.startsWith('n=') ? decodeSaslName(name.slice(2)) : undefined
  if (username === undefined) return 'bad username encoding'
  const given = nonceOf(nonce)
  return given === undefined ? 'bad nonce' : { header, username, nonce: given, bare }
}

/** What the client ends with. */
export interface ClientFinal {
  /** Gs2 header and channel binding data. */
  readonly binding: Uint8Array
  readonly nonce: string
  readonly proof: Uint8Array
  readonly withoutProof: string
}

/** Reads `client-final-message`. */
export function readClientFinal(bytes: Uint8Array): ClientFinal | string {
  const text = textOf(bytes)
  const attributes = text === undefined ? 'not a text of moderate length' : attributesOf(text)
  if (typeof attributes === 'string') return attributes
  const binding = base64Of('c=', attributes[0])
  const nonce = nonceOf(attributes[1])
  const last = attributes.length > 2 ? attributes.at(-1)! : ''
  const proof = base64Of('p=', last)
  if (binding === undefined || nonce === undefined || proof === undefined) return 'bad final message'
  return { binding, nonce, proof, withoutProof: text!.slice(0, -last.length - 1) }
}

/** What the server begins with. */
export interface ServerFirst {
  readonly nonce: string
  readonly salt: Uint8Array
  readonly iterations: number
  readonly text: string
}

/** Reads `server-first-message`. */
export function readServerFirst(bytes: Uint8Array): ServerFirst | string {
  const text = textOf(bytes)
  const attributes = text === undefined ? 'not a text of moderate length' : attributesOf(text)
  if (typeof attributes === 'string') return attributes
  const nonce = nonceOf(attributes[0])
  const salt = base64Of('s=', attributes[1])
  const iterations = countOf(attributes[2])
  if (nonce === undefined || salt === undefined || salt.length === 0) return 'bad first message of the server'
  return iterations === undefined ? 'bad iteration count' : { nonce, salt, iterations, text: text! }
}

/** The message that says this. */
export function writeServerFirst(nonce: string, salt: Uint8Array, iterations: number): string {
  return `r=${nonce},s=${encodeBase64(salt)},i=${iterations}`
}

/** Reads `server-final-message`: the server's signature, or its error (`e=`). */
export function readServerFinal(bytes: Uint8Array): { readonly signature: Uint8Array } | string {
  const text = textOf(bytes)
  const attributes = text === undefined ? 'not a text of moderate length' : attributesOf(text)
  if (typeof attributes === 'string') return attributes
  const first = attributes[0]!
  if (first.startsWith('e=')) return `the server says ${errors.has(first.slice(2)) ? first.slice(2) : 'other-error'}`
  const signature = base64Of('v=', first)
  return signature === undefined ? 'bad final message of the server' : { signature }
}

/** RFC 5802 §7, `server-error-value`. */
const errors: ReadonlySet<string> = new Set([
  'invalid-encoding',
  'extensions-not-supported',
  'invalid-proof',
  'channel-bindings-dont-match',
  'server-does-support-channel-binding',
  'channel-binding-not-supported',
  'unsupported-channel-binding-type',
  'unknown-user',
  'invalid-username-encoding',
  'no-resources',
])

/** What both sides sign (RFC 5802 §3). */
export function authMessage(clientFirstBare: string, serverFirst: string, clientFinalWithoutProof: string): Uint8Array {
  return encodeUtf8(`${clientFirstBare},${serverFirst},${clientFinalWithoutProof}`)
}

function textOf(bytes: Uint8Array): string | undefined {
  const text = bytes.length > MOST_OCTETS ? undefined : decodeUtf8(bytes)
  return text === undefined || text.includes('\0') ? undefined : text
}

/** The attributes of a message: a letter, `=` and a value each. */
function attributesOf(text: string): string[] | string {
  const attributes = text.split(',')
  for (const attribute of attributes) {
    const letter = attribute.charCodeAt(0) | 32
    if (!(letter >= 97 && letter <= 122) || attribute.charAt(1) !== '=') return 'no list of attributes'
    if (attribute.charAt(0) === 'm') return 'extensions are not supported'
  }
  return attributes
}

/** RFC 5802 §7: printable ASCII but the comma, at least one. */
function nonceOf(attribute: string | undefined): string | undefined {
  if (!attribute?.startsWith('r=') || attribute.length === 2) return undefined
  for (let at = 2; at < attribute.length; at++) {
    const unit = attribute.charCodeAt(at)
    if (unit < 33 || unit > 126) return undefined
  }
  return attribute.slice(2)
}

function base64Of(name: string, attribute: string | undefined): Uint8Array | undefined {
  return attribute?.startsWith(name) ? decodeBase64(attribute.slice(name.length)) : undefined
}

/** RFC 5802 §7, `posit-number`; up to nine digits. */
function countOf(attribute: string | undefined): number | undefined {
  if (!attribute?.startsWith('i=') || attribute.length < 3 || attribute.length > 11) return undefined
  if (attribute.charAt(2) === '0') return undefined
  let count = 0
  for (let at = 2; at < attribute.length; at++) {
    const digit = attribute.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return undefined
    count = count * 10 + digit
  }
  return count
}
