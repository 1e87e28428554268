import { sha256 } from './digest.ts'

/*
 * The folder of an account. Names of accounts come from the wire: whatever they are, the folder is one name in the root.
 *
 *   what an address has   `a`-`z`, `0`-`9`, `@`, `.`, `_`, `+`, `=`, `-`: as it is; a dot in front is encoded
 *   all else              `%41`: the octets of its UTF-8; upper case too, since not every file system tells it from lower case
 *   half a character      `%uD800`: a surrogate alone, which UTF-8 has no octets for
 *   nothing               `%`
 *   more than 200         `%~` and a digest; the name itself is in the file `posthorn-account` in the folder
 */

/** The file in the folder of an account with a long name that tells the name. */
export const ACCOUNT_FILE = 'posthorn-account'

/** Longest name that file systems take, less what temporary names need. */
const MOST = 200

const PLAIN = new Set('abcdefghijklmnopqrstuvwxyz0123456789@._+=-')
const LONG = '%~'
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The name of the folder in which an account is. Never leaves the folder it is in, and no two accounts share one. */
export function accountFolder(account: string): string {
  if (account === '') return '%'
  let folder = ''
  for (const character of account) {
    if (PLAIN.has(character) && !(folder === '' && character === '.')) folder += character
    else if (isLoneSurrogate(character)) folder += `%u${hex(character.charCodeAt(0), 4)}`
    else for (const octet of encoder.encode(character)) folder += `%${hex(octet, 2)}`
    if (folder.length > MOST) return LONG + sha256(codeUnits(account))
  }
  return folder
}

/** Whether the folder does not tell the account, but a file in it. */
export function isLongAccount(folder: string): boolean {
  return folder.startsWith(LONG)
}

/** The account whose folder that is; `undefined` where it is no account's. Not for {@link isLongAccount | long} ones. */
export function accountOf(folder: string): string | undefined {
  if (folder === '%') return ''
  let account = ''
  for (let at = 0; at < folder.length;) {
    if (folder[at] !== '%') {
      account += folder[at++]
      continue
    }
    const lone = folder[at + 1] === 'u'
    const from = at
    if (lone) at += 6
    else while (folder[at] === '%' && folder[at + 1] !== 'u') at += 3
    const piece = lone ? String.fromCharCode(Number.parseInt(folder.slice(from + 2, at), 16)) : decoded(folder.slice(from, at))
    if (piece === undefined) return undefined
    account += piece
  }
  // One spelling each: a folder of another spelling is not ours.
  return accountFolder(account) === folder ? account : undefined
}

function decoded(encoded: string): string | undefined {
  const octets = encoded.split('%').slice(1).map((digits) => Number.parseInt(digits, 16))
  try {
    return decoder.decode(Uint8Array.from(octets))
  } catch {
    return undefined
  }
}

/** Digests differ for lone surrogates too. */
function codeUnits(text: string): Uint8Array {
  const octets = new Uint8Array(text.length * 2)
  for (let i = 0; i < text.length; i++) {
    octets[2 * i] = text.charCodeAt(i) >> 8
    octets[2 * i + 1] = text.charCodeAt(i) & 0xff
  }
  return octets
}

/** Of a string's iteration: halves that found each other come as one of length 2. */
function isLoneSurrogate(character: string): boolean {
  return character.length === 1 && (character.charCodeAt(0) & 0xf800) === 0xd800
}

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, '0')
