import { MailError } from './errors.ts'
import { nearest } from './nearest.ts'

/*
 * Options as they come from programs that no compiler has looked at. One that is misspelt would be ignored without a word, one
 * of a wrong type would fail long after, in the middle of somebody's mail.
 */

/** What an option takes: in words, and as a test. */
export interface OptionKind {
  readonly takes: string
  readonly is: (value: unknown) => boolean
  /** It must be given. */
  readonly required?: boolean
}

/** Every option of an interface, and what it takes. */
export type OptionKinds<T> = { readonly [K in keyof T]-?: OptionKind }

/** An option that must be given. */
export const required = (kind: OptionKind): OptionKind => ({ ...kind, required: true })

/** An option that takes `false` too. */
export const orFalse = (kind: OptionKind): OptionKind => ({
  takes: `${kind.takes}, or false`,
  is: (value) => value === false || kind.is(value),
})

/** An option that takes one of a few words. */
export const oneOf = (...words: readonly string[]): OptionKind => ({
  takes: words.map((word) => `'${word}'`).join(' or '),
  is: (value) => words.includes(value as string),
})

/** Octets, milliseconds, counts. */
export const aNumber: OptionKind = { takes: 'a number from 0 on', is: (value) => typeof value === 'number' && value >= 0 }

/** A number of things: whole, or `Infinity` for no bound. */
export const aCount: OptionKind = {
  takes: 'a whole number from 0 on',
  is: (value) => (Number.isInteger(value) && (value as number) >= 0) || value === Infinity,
}

/** The same without 0. */
export const aCountAboveZero: OptionKind = { takes: 'a whole number above 0', is: (value) => aCount.is(value) && value !== 0 }

/** A number that is not 0. */
export const aNumberAboveZero: OptionKind = { takes: 'a number above 0', is: (value) => typeof value === 'number' && value > 0 }

/** `true` or `false`. */
export const aSwitch: OptionKind = { takes: 'true or false', is: (value) => typeof value === 'boolean' }

/** A text. */
export const aText: OptionKind = { takes: 'a text', is: (value) => typeof value === 'string' }

/** Several texts. */
export const texts: OptionKind = {
  takes: 'a list of texts',
  is: (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
}

/** A list, whose entries are looked at elsewhere. */
export const aList: OptionKind = { takes: 'a list', is: (value) => Array.isArray(value) }

/** A function. */
export const aFunction: OptionKind = { takes: 'a function', is: (value) => typeof value === 'function' }

/** An object of options, which are looked at elsewhere. */
export const anObject: OptionKind = {
  takes: 'an object of options',
  is: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
}

/** An object that has these methods: a clock, a store. */
export const having = (takes: string, ...methods: readonly string[]): OptionKind => ({
  takes: `${takes}, with ${methods.map((method) => `${method}()`).join(' and ')}`,
  is: (value) =>
    typeof value === 'object' &&
    value !== null &&
    methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function'),
})

/**
 * Looks at options: none that nobody knows, none of a wrong type, none missing. `undefined` is as good as not given.
 *
 * @throws MailError `config` that names the option and says what it takes
 */
export function checkOptions(where: string, given: unknown, kinds: Readonly<Record<string, OptionKind>>): void {
  if (!anObject.is(given)) throw new MailError('config', `${where} takes an object of options, not ${shownValue(given)}.`)
  const options = given as Readonly<Record<string, unknown>>
  const known = Object.keys(kinds)
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const meant = nearest(name, known)
    const hint = meant === undefined ? `There are: ${known.join(', ')}.` : `Did you mean ${meant}?`
    throw new MailError('config', `${where}: there is no option ${JSON.stringify(name)}. ${hint}`)
  }
  for (const name of known) {
    const { takes, is, required: isRequired = false } = kinds[name]!
    const value = options[name]
    if (value === undefined && isRequired) throw new MailError('config', `${where}: ${name} is missing; it takes ${takes}.`)
    if (value === undefined || is(value)) continue
    throw new MailError('config', `${where}: ${name} is ${shownValue(value)}; it takes ${takes}.`)
  }
}

/** A value as an error message shows it: short, and never what may be a secret inside an object. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}
