import { MailError } from '../protocol/session/errors.ts'

/** Tells whether an answer of a DNS list is meant. */
export type CodeMatch = (octets: readonly number[]) => boolean

/**
 * Reads what stands for answers of a DNS list: four fields between dots, each a number, a range (`4-7`), `*` for any, or `&8` for
 * all that have that bit, as lists do that are several in one.
 *
 * @throws MailError `config` for what is none
 */
export function codeMatch(pattern: string, where: string): CodeMatch {
  const fields = pattern.split('.').map(fieldMatch)
  if (fields.length !== 4 || fields.includes(undefined)) {
    const like = '127.0.0.2, 127.0.0.4-7, 127.0.*.3 or 127.0.0.&8'
    throw new MailError('config', `${where}: ${JSON.stringify(pattern)} stands for no answers of a list; write it like ${like}.`)
  }
  return (octets) => fields.every((field, at) => field!(octets[at]!))
}

function fieldMatch(field: string): ((octet: number) => boolean) | undefined {
  if (field === '*') return () => true
  if (field.startsWith('&')) {
    const bits = numberOf(field.slice(1))
    return bits === undefined || bits === 0 ? undefined : (octet) => (octet & bits) !== 0
  }
  const [least = '', most = least, ...more] = field.split('-')
  const [from, to] = [numberOf(least), numberOf(most)]
  if (from === undefined || to === undefined || from > to || more.length > 0) return undefined
  return (octet) => octet >= from && octet <= to
}

const numberOf = (text: string): number | undefined => (/^\d{1,3}$/.test(text) && Number(text) < 256 ? Number(text) : undefined)
