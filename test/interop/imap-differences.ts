import { shown, type Value } from './imap-wire.ts'

/** What two servers said of one item of one message. */
export interface Answered {
  readonly sample: string
  readonly item: string
  readonly ours: Value
  readonly dovecot: Value
}

/** A way in which ours is unlike Dovecot 2.3, and what entitles it to that. */
export interface Difference {
  readonly name: string
  /** The words of the RFC. */
  readonly why: string
  covers(answered: Answered): boolean
}

/** Messages that Dovecot does not give back as they came. */
const rewritten: ReadonlySet<string> = new Set([
  'odd: a header cut off between CR and LF',
  'odd: bare CR is no line end: all of it is one field',
  'odd: CR CR LF, as text mode makes of CRLF',
  'odd: octets 0 in fields and body',
])

/** Of FETCH. */
export const fetchDifferences: readonly Difference[] = [
  {
    name: 'a day of one digit has a blank before it, Dovecot has a zero',
    why: 'RFC 9051 §9: date-day-fixed = (SP DIGIT) / 2DIGIT',
    covers: ({ item, ours, dovecot }) =>
      item === 'INTERNALDATE' && typeof ours === 'string' && ours.replace(/^ /, '0') === dovecot,
  },
  {
    name: 'a section that is not there is NIL, of Dovecot an empty string',
    why:
      'RFC 9051 §4.5: NIL represents the non-existence of a particular data item that is represented as a string or ' +
      'parenthesized list, as distinct from the empty string',
    covers: ({ item, ours, dovecot }) => item.startsWith('BODY.PEEK[') && ours === null && dovecot === '',
  },
  {
    name: 'types as they are written, where Dovecot has those of plain US-ASCII in lower case',
    why: 'RFC 2045 §5.1: matching of media type and subtype is ALWAYS case-insensitive',
    covers: ({ item, ours, dovecot }) => item.startsWith('BODY') && !item.includes('[') && lower(ours) === lower(dovecot),
  },
  {
    name: 'of a header only its fields, and always with an empty line behind them',
    why:
      'RFC 9051 §6.4.5: the subset returned by HEADER.FIELDS.NOT contains only the header fields with a non-matching field-name; ' +
      'the blank line is included in all header fetches (it may be missing where the message has no body and no blank line). ' +
      'Dovecot shows lines without a colon, and of a message without an empty line adds one to HEADER.FIELDS alone.',
    covers: ({ item, ours, dovecot }) => item.includes('HEADER.FIELDS') && fieldsIn(ours) === fieldsIn(dovecot),
  },
  {
    name: 'bare CR and NUL stay as they came, where Dovecot leaves some of them out',
    why:
      'RFC 9051 §6.4.5: an empty section specification refers to the entire message, including the header; §2.3.4: the size is ' +
      'the number of octets in the message',
    covers: ({ sample }) => rewritten.has(sample),
  },
  {
    name: 'message/global is opened like message/rfc822',
    why:
      'RFC 9051 §6.4.5: the numeric part specifier refers to a part of type MESSAGE/RFC822 or MESSAGE/GLOBAL. Dovecot has no ' +
      'IMAP4rev2, and to it that is a leaf.',
    covers: ({ sample, ours, dovecot }) => sample.startsWith('odd: message/global') && ours !== null && dovecot === '',
  },
]

const lower = (value: Value): string => shown(value).toLowerCase()

/** The fields in a piece of a header, without what is no field. */
function fieldsIn(value: Value): string {
  if (typeof value !== 'string') return shown(value)
  const fields: string[] = []
  for (const line of value.split(/(?<=\n)/)) {
    if (/^[!-9;-~]+[ \t]*:/.test(line)) fields.push(line)
    else if (/^[ \t]/.test(line) && fields.length > 0) fields[fields.length - 1] += line
  }
  return fields.map((field) => field.trimEnd()).join('\n')
}
