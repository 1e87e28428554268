import { isAscii } from '../protocol/bytes/text.ts'
import { flattenAddresses, parseAddressList } from './addresses.ts'
import { encodeWords } from './encoded-words.ts'
import { formatAddressList } from './format-address.ts'
import { formatField } from './format-field.ts'
import type { HeaderField } from './headers.ts'
import { formatParameterised, parseParameterised } from './parameters.ts'

const addressFields = new Set([
  'from', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'resent-from', 'resent-sender', 'resent-to', 'resent-cc', 'resent-bcc',
])
const parameterFields = new Set(['content-type', 'content-disposition'])
const textFields = new Set(['subject', 'comments', 'content-description', 'organization', 'thread-topic'])

/**
 * A field that holds octets above 127, written in ASCII: text and names of people in encoded words (RFC 2047), parameters in the
 * form of RFC 2231. Ended by CRLF; `undefined` where that says something else, or would be no such field: addresses that are
 * not ASCII have no other form (RFC 6532).
 */
export function asciiField({ name, value, text }: HeaderField): string | undefined {
  const kind = name.toLowerCase()
  const written = textFields.has(kind) || kind.startsWith('x-')
    ? encodeWords(text)
    : addressFields.has(kind)
      ? asciiAddresses(value)
      : parameterFields.has(kind)
        ? asciiParameters(value)
        : undefined
  if (written === undefined || !isAscii(written) || !isAscii(name)) return undefined
  return formatField(name, written)
}

function asciiAddresses(value: string): string | undefined {
  const list = parseAddressList(value)
  const isWhole = flattenAddresses(list).every(({ address }) => {
    return address !== undefined && isAscii(address.local) && isAscii(address.domain)
  })
  return isWhole && list.length > 0 ? formatAddressList(list) : undefined
}

function asciiParameters(value: string): string | undefined {
  const { value: word, parameters } = parseParameterised(value)
  // A boundary is compared octet by octet.
  return isAscii(parameters.get('boundary') ?? '') ? formatParameterised(word, parameters) : undefined
}
