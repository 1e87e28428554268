import { sha256 } from './digest.ts'

/*
 * Mailboxes as folders, the Maildir++ way: INBOX is the Maildir itself, `['Archive', '2026']` is `.Archive.2026` in it. Names
 * are in modified UTF-7 (RFC 9051 §A.1), as Dovecot and Courier have them.
 *
 * What a folder cannot be called is put into the base64 of modified UTF-7, as Courier does it: dots, slashes, control
 * characters. `['a.b']` is `.a&AC4-b`. What cannot be said even so (an empty name, a path that is too long, names that begin
 * like ours) gets a folder called `.posthorn-` and a digest, and its path is in the file `posthorn-mailbox` in it.
 */

/** Most octets of a folder's name; file systems take 255. */
const MOST = 230
/** Folders whose path is told by a file in them. */
const DIGESTED = '.posthorn-'

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,'
const VALUES = new Map([...BASE64].map((character, value) => [character, value]))

/**
 * The folder in an account's for a path; `''` for INBOX, which is the account's folder itself. One name: never a slash, never
 * `..`.
 */
export function mailboxFolder(path: readonly string[]): string {
  if (isInbox(path)) return ''
  const folder = path.map((name) => `.${encodeName(name)}`).join('')
  const sayable = path.length > 0 && !path.includes('') && folder.length <= MOST && !folder.startsWith(DIGESTED)
  return sayable ? folder : DIGESTED + sha256(JSON.stringify(path))
}

/** Whether the folder does not tell the path, but a file in it. */
export function isDigested(folder: string): boolean {
  return folder.startsWith(DIGESTED)
}

/** The path of the mailbox in a folder; `undefined` where no mailbox can be. */
export function pathOfFolder(folder: string): readonly string[] | undefined {
  if (folder === '') return ['INBOX']
  if (!folder.startsWith('.') || folder === '.' || folder.startsWith('..') || folder.includes('\ufffd')) return undefined
  const path = folder.slice(1).split('.').map(decodeName)
  return path.includes('') || isInbox(path) ? undefined : path
}

/** Whether it is INBOX. The caller has spelt it so, whatever its case was. */
function isInbox(path: readonly string[]): boolean {
  return path.length === 1 && path[0] === 'INBOX'
}

/** One name of a path in modified UTF-7. */
export function encodeName(name: string): string {
  let encoded = ''
  let shifted = ''
  const flush = (): void => {
    if (shifted !== '') encoded += `&${base64(shifted)}-`
    shifted = ''
  }
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i)
    const character = name[i] as string
    if (unit < 0x20 || unit > 0x7e || character === '.' || character === '/') {
      shifted += character
      continue
    }
    flush()
    encoded += character === '&' ? '&-' : character
  }
  flush()
  return encoded
}

/** The name that {@link encodeName} wrote so; what it would not have written is a name as it stands. */
export function decodeName(encoded: string): string {
  const name = decoded(encoded)
  return name !== undefined && encodeName(name) === encoded ? name : encoded
}

function decoded(encoded: string): string | undefined {
  let name = ''
  for (let at = 0; at < encoded.length;) {
    const shift = encoded.indexOf('&', at)
    if (shift < 0) return name + encoded.slice(at)
    const end = encoded.indexOf('-', shift)
    if (end < 0) return undefined
    name += encoded.slice(at, shift)
    const piece = end === shift + 1 ? '&' : fromBase64(encoded.slice(shift + 1, end))
    if (piece === undefined) return undefined
    name += piece
    at = end + 1
  }
  return name
}

/** UTF-16, high octet first, in the base64 of RFC 9051 §A.1; half a character is no different from a whole one. */
function base64(text: string): string {
  let encoded = ''
  let bits = 0
  let held = 0
  for (let i = 0; i < text.length; i++) {
    held = (held << 16) | text.charCodeAt(i)
    bits += 16
    while (bits >= 6) {
      bits -= 6
      encoded += BASE64[(held >> bits) & 63]
    }
    held &= (1 << bits) - 1
  }
  return bits > 0 ? encoded + BASE64[(held << (6 - bits)) & 63] : encoded
}

function fromBase64(encoded: string): string | undefined {
  let text = ''
  let bits = 0
  let held = 0
  for (const character of encoded) {
    const value = VALUES.get(character)
    if (value === undefined) return undefined
    held = ((held << 6) | value) & 0x3fffff
    bits += 6
    if (bits < 16) continue
    bits -= 16
    text += String.fromCharCode((held >> bits) & 0xffff)
  }
  return text
}
