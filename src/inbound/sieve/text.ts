import { decodeUtf8, encodeUtf8 } from '../../protocol/bytes/text.ts'
import { joinedOctets } from '../../protocol/bytes/joined.ts'
import type { Text, VariableName } from './program.ts'

/** What a string becomes, or what is wrong with it. */
export type Read<T> = { readonly value: T } | { readonly error: string }

/**
 * Replaces `${hex: 24 24}` and `${unicode: 20ac}` (RFC 5228 §2.4.2.4). What is not well-formed stays as it is, and what comes
 * out is not looked at again. Linear time: no octet belongs to two tries.
 */
export function decodeCharacters(text: string): Read<string> {
  if (!text.includes('${')) return { value: text }
  const pieces: Uint8Array[] = []
  let from = 0
  for (let at = text.indexOf('${'); at >= 0; at = text.indexOf('${', at)) {
    const found = encoded(text, at)
    if (found === undefined) {
      at += 2
      continue
    }
    if (found.octets === undefined) return { error: `${text.slice(at, found.end)} is no character of Unicode` }
    pieces.push(encodeUtf8(text.slice(from, at)), found.octets)
    from = at = found.end
  }
  if (pieces.length === 0) return { value: text }
  const value = decodeUtf8(joinedOctets([...pieces, encodeUtf8(text.slice(from))]))
  return value === undefined ? { error: 'the octets of ${hex:} are no UTF-8, and texts are compared in Unicode' } : { value }
}

function encoded(text: string, at: number): { readonly octets: Uint8Array | undefined; readonly end: number } | undefined {
  const colon = text.indexOf(':', at)
  const name = colon < 0 || colon > at + 9 ? '' : text.slice(at + 2, colon).toLowerCase()
  if (name !== 'hex' && name !== 'unicode') return undefined
  let end = colon + 1
  while (isBlank(text[end]) || isHex(text[end])) end++
  if (text[end] !== '}') return undefined
  const words = text.slice(colon + 1, end).split(/[ \t\n]/).filter((word) => word !== '')
  if (words.length === 0 || (name === 'hex' && words.some((word) => word.length > 2))) return undefined
  const numbers = words.map((word) => Number.parseInt(word, 16))
  if (name === 'hex') return { octets: Uint8Array.from(numbers), end: end + 1 }
  const isSound = numbers.every((point) => point < 0xd800 || (point > 0xdfff && point <= 0x10ffff))
  return { octets: isSound ? encodeUtf8(numbers.map((point) => String.fromCodePoint(point)).join('')) : undefined, end: end + 1 }
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\n'
}

function isHex(character: string | undefined): boolean {
  if (character === undefined) return false
  const lower = character.toLowerCase()
  return (lower >= '0' && lower <= '9') || (lower >= 'a' && lower <= 'f')
}

/** What a variable's name means in a script (RFC 5229 §3): `undefined` where it is none. */
export type NamedVariable = { readonly kind: 'own' | 'match' | 'space'; readonly space: string; readonly name: string }

/** The name of a variable, from `from` on: what it says, and where it ends. */
export function readVariableName(text: string, from: number): (NamedVariable & { readonly end: number }) | undefined {
  let end = from
  while (isNameCharacter(text[end])) end++
  const [first = '', ...rest] = text.slice(from, end).toLowerCase().split('.')
  if (rest.length === 0) {
    if (isNumber(first)) return { kind: 'match', space: '', name: first, end }
    return isIdentifier(first) ? { kind: 'own', space: '', name: first, end } : undefined
  }
  if (!isIdentifier(first) || !rest.every((name) => isIdentifier(name) || isNumber(name))) return undefined
  return { kind: 'space', space: first, name: rest.join('.'), end }
}

function isNameCharacter(character: string | undefined): boolean {
  return character !== undefined && /^[A-Za-z0-9_.]$/.test(character)
}

function isNumber(name: string): boolean {
  return /^[0-9]+$/.test(name)
}

function isIdentifier(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
}

/**
 * Finds the variables of a text (RFC 5229 §3). `meaning`: the variable that a name means, or an error. One pass; what does not
 * follow the grammar stays as it is.
 */
export function readVariables(text: string, meaning: (name: NamedVariable) => Read<VariableName>): Read<Text> {
  const pieces: (string | VariableName)[] = []
  let from = 0
  for (let at = text.indexOf('${'); at >= 0; at = text.indexOf('${', at)) {
    const name = readVariableName(text, at + 2)
    if (name === undefined || text[name.end] !== '}') {
      at += 2
      continue
    }
    const found = meaning(name)
    if ('error' in found) return found
    if (at > from) pieces.push(text.slice(from, at))
    pieces.push(found.value)
    from = at = name.end + 1
  }
  if (pieces.length === 0) return { value: text }
  if (from < text.length) pieces.push(text.slice(from))
  return { value: { source: text, pieces } }
}
