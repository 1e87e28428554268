import { FieldLexer } from './field-lexer.ts'
import { formatComment, formatField } from './format-field.ts'
import { isBlank, isDotAtom, quoted } from './lexemes.ts'
import { isToken } from './parameters.ts'

/** What a check looked at: `smtp.mailfrom=example.net` is `{ type: 'smtp', property: 'mailfrom', value: 'example.net' }`. */
export interface AuthenticationProperty {
  readonly type: string
  readonly property: string
  readonly value: string
}

/** What one method found. */
export interface AuthenticationResult {
  /** `spf`, `dkim`, `dmarc`, `arc`, `auth`, `iprev` … (IANA registry). */
  readonly method: string
  /** `pass`, `fail`, `none`, `temperror` … */
  readonly result: string
  /** Absent means 1. */
  readonly version?: number
  readonly reason?: string
  readonly comment?: string
  readonly properties: readonly AuthenticationProperty[]
}

/** An Authentication-Results field (RFC 8601 §2.2). */
export interface AuthenticationResults {
  /**
   * The name of the service that did the checks; trust the field only where this is your own and you removed what came in (§5).
   */
  readonly authservId: string
  /** Absent means 1. */
  readonly version?: number
  /** Empty: nothing was checked (`none`). */
  readonly results: readonly AuthenticationResult[]
}

/**
 * The field folded and ended by CRLF, to be put on top of a message. Whatever the strings hold, it is one field with just these
 * results: those whose method or result is no keyword are left out, and so are properties whose names are none.
 */
export function formatAuthenticationResults(found: AuthenticationResults): string {
  return formatField('Authentication-Results', partsOf(found))
}

/** The same value in one line, for whoever writes the field. */
export function authenticationResultsValue(found: AuthenticationResults): string {
  return partsOf(found).join(' ')
}

function partsOf({ authservId, version, results }: AuthenticationResults): string[] {
  const parts = [version === undefined ? valueText(authservId) : `${valueText(authservId)} ${Math.trunc(version)}`]
  for (const result of results) if (isKeyword(result.method) && isKeyword(result.result)) parts.push(resultText(result))
  if (parts.length === 1) parts.push('none')
  return parts.map((part, at) => (at < parts.length - 1 ? `${part};` : part))
}

function resultText({ method, version, result, comment, reason, properties }: AuthenticationResult): string {
  const words = [`${method}${version === undefined ? '' : `/${Math.trunc(version)}`}=${result}`]
  if (comment !== undefined) words.push(formatComment(comment))
  if (reason !== undefined) words.push(`reason=${valueText(reason)}`)
  for (const { type, property, value } of properties) {
    if (isKeyword(type) && isKeyword(property)) words.push(`${type}.${property}=${propertyText(value)}`)
  }
  return words.join(' ')
}

/** RFC 8601 §2.2 value: a token or a quoted string. */
function valueText(text: string): string {
  return isToken(text) ? text : quoted(text)
}

/** RFC 8601 §2.2 pvalue: an address may stand without quotes. */
function propertyText(text: string): string {
  const at = text.lastIndexOf('@')
  const isAddress = at >= 0 && (at === 0 || isDotAtom(text.slice(0, at))) && isDotAtom(text.slice(at + 1))
  return isAddress ? text : valueText(text)
}

/** RFC 5321 §4.1.2 Keyword; underscores let through. */
function isKeyword(text: string): boolean {
  return /^[0-9A-Za-z_-]+$/.test(text)
}

const DOT = 46
const SEMICOLON = 59
const EQUALS = 61
const QUOTE = 34
const OPEN = 40
const SLASH = 47

/**
 * Reads the value of an Authentication-Results field; `undefined` where it names no service. Total, linear time: results that
 * make no sense are left out. Method, result and property names come in lower case.
 */
export function parseAuthenticationResults(value: string): AuthenticationResults | undefined {
  const lexer = new FieldLexer(value)
  lexer.skip()
  const authservId = readValue(lexer)
  if (authservId === undefined || authservId === '') return undefined
  lexer.skip()
  const version = readVersion(lexer)
  const results: AuthenticationResult[] = []
  while (!lexer.done) {
    lexer.run((unit) => unit === SEMICOLON)
    lexer.at++
    const result = readResult(lexer)
    if (result) results.push(result)
  }
  return version === undefined ? { authservId, results } : { authservId, version, results }
}

/** A result; at its end, or at what cannot be part of it. */
function readResult(lexer: FieldLexer): AuthenticationResult | undefined {
  lexer.skip()
  const method = readName(lexer)
  lexer.skip()
  let version: number | undefined
  if (lexer.peek() === SLASH) {
    lexer.at++
    lexer.skip()
    version = readVersion(lexer)
    lexer.skip()
  }
  if (method === '' || lexer.peek() !== EQUALS) return undefined
  lexer.at++
  lexer.skip()
  const result = readName(lexer)
  if (result === '') return undefined
  const found: { -readonly [Key in keyof AuthenticationResult]: AuthenticationResult[Key] } = { method, result, properties: [] }
  if (version !== undefined) found.version = version
  readDetails(lexer, found)
  return found
}

type Details = { comment?: string; reason?: string; properties: readonly AuthenticationProperty[] }

/** Comments, the reason and properties, in any order. */
function readDetails(lexer: FieldLexer, found: Details): void {
  const properties: AuthenticationProperty[] = []
  for (;;) {
    const comment = lexer.skip()
    if (comment !== undefined) found.comment ??= comment
    const name = readName(lexer)
    if (name === '') break
    lexer.skip()
    if (lexer.peek() !== EQUALS) break
    lexer.at++
    lexer.skip()
    const value = readValue(lexer)
    if (value === undefined) break
    const dot = name.indexOf('.')
    if (dot > 0) properties.push({ type: name.slice(0, dot), property: name.slice(dot + 1), value })
    else if (name === 'reason') found.reason ??= value
  }
  found.properties = properties
}

/** Letters, digits, hyphens, underscores; dots, with or without blanks and comments around them. */
function readName(lexer: FieldLexer): string {
  let name = ''
  for (;;) {
    name += lexer.run((unit) => !(unit === 45 || unit === 95 || isLetterOrDigit(unit)))
    const end = lexer.at
    if (name !== '') lexer.skip()
    if (lexer.peek() !== DOT || name === '') {
      lexer.at = end
      return name.toLowerCase()
    }
    name += '.'
    lexer.at++
    lexer.skip()
  }
}

function isLetterOrDigit(unit: number): boolean {
  return (unit >= 48 && unit <= 57) || ((unit | 32) >= 97 && (unit | 32) <= 122)
}

function readVersion(lexer: FieldLexer): number | undefined {
  const digits = lexer.run((unit) => unit < 48 || unit > 57)
  return digits === '' || digits.length > 9 ? undefined : Number(digits)
}

/** A quoted string, or what stands before the next blank, comment or semicolon. */
function readValue(lexer: FieldLexer): string | undefined {
  if (lexer.peek() === QUOTE) return lexer.quoted()
  return lexer.run((unit) => isBlank(unit) || unit === SEMICOLON || unit === OPEN)
}
