import { parseDate } from '../../src/message/date.ts'
import { indexMessage } from '../../src/message/indexer.ts'
import type { Sample } from './imap-messages.ts'
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
      'RFC 9051 §6.4.5: the subset returned by HEADER.FIELDS.NOT contains only the header fields with a non-matching ' +
      'field-name; the blank line is included in all header fetches (save of a message that has no body and no blank line). ' +
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

/** A message that one of the two finds, or sorts in where the other does not. */
export interface Found {
  readonly command: string
  readonly sample: Sample
  /** Which of the two finds it; of SORT `undefined`. */
  readonly only: 'ours' | 'dovecot' | undefined
}

/** A way in which ours finds or sorts unlike Dovecot 2.3, and what entitles it to that. */
export interface FoundDifference extends Pick<Difference, 'name' | 'why'> {
  covers(found: Found): boolean
}

const headerOf = ({ octets }: Sample): string => octets.slice(0, (octets.indexOf('\r\n\r\n') + 1 || octets.length + 1) - 1)

/** Of SEARCH, SORT and THREAD. */
export const searchDifferences: readonly FoundDifference[] = [
  {
    name: 'what has no date that can be was not sent before any',
    why: 'RFC 9051 §6.4.4: messages whose Date: header is earlier than the specified date. Dovecot takes no date for 1970.',
    covers: ({ command, sample, only }) =>
      command.includes('SENTBEFORE') && only === 'dovecot' && !hasDate(sample.octets),
  },
  {
    name: 'a field without addresses has no words in it, not even none',
    why:
      "RFC 9051 §6.4.4: messages that contain the specified string in the envelope structure's CC field. Dovecot looks for " +
      'the field.',
    covers: ({ command, only }) => /(?:FROM|TO|CC|BCC) ""/.test(command) && only === 'dovecot',
  },
  {
    name: 'an apostrophe is found in an address',
    why: 'RFC 9051 §6.4.4: contain the specified string. Dovecot writes it with a backslash before it.',
    covers: ({ command, only }) => /(?:From|To|Cc) ".*'/.test(command) && only === 'ours',
  },
  {
    name: 'three dots are found in an ellipsis',
    why: 'RFC 5051 §2: decomposed by the compatibility mappings too',
    covers: ({ command, sample, only }) => command.includes('...') && only === 'ours' && /[\x80-\xff]/.test(sample.octets),
  },
  {
    name: 'raw octets in headers are read as UTF-8, or else as Windows-1252',
    why: 'RFC 5322 §2.2: a field body is US-ASCII, so nothing says what they are. Dovecot has a question mark for each.',
    covers: ({ sample }) => /[\x80-\xff]/.test(headerOf(sample)),
  },
  {
    name: 'text that is labelled ISO-8859-1, or with nothing and is no UTF-8, is read as Windows-1252',
    why:
      'RFC 2046 §4.1.2: without a charset it is US-ASCII, so nothing says what other octets are; and the octets 128 to 159, ' +
      'which stand for no character in ISO-8859-1, are those of Windows-1252 in the mail that there is (WHATWG Encoding §4.2).',
    covers: ({ command, sample }) =>
      /CHARSET UTF-8 (?:TEXT|BODY)/.test(command) && /[\x80-\xff]|charset="?iso-8859-1/i.test(sample.octets) &&
      !sample.name.startsWith('odd: message/global'),
  },
  {
    name: 'the header in message/global is no body; SS is found in a sharp s',
    why:
      'RFC 9051 §6.4.4: BODY does not match any header fields (to Dovecot that message is a leaf); servers are allowed to ' +
      'implement flexible matching',
    covers: ({ command, sample }) => command.includes('CHARSET') && sample.name.startsWith('odd: message/global'),
  },
  {
    name: 'names of addresses as ENVELOPE has them',
    why: 'RFC 5957 §3: the display-name is that of the first address. Dovecot reads addresses otherwise where it sorts.',
    covers: ({ command, sample }) =>
      command.includes('DISPLAYFROM') && /^From: (?:""|a@example\.org \(|"A\r\n)/m.test(headerOf(sample)),
  },
  {
    name: 'of a field that came twice the one that ENVELOPE shows',
    why: "RFC 9051 §6.4.4: in the envelope structure's SUBJECT field",
    covers: ({ command, sample }) => /SUBJECT/i.test(command) && /^Subject:.*^Subject:/ms.test(headerOf(sample)),
  },
  {
    name: 'encodings and types that are none',
    why:
      'RFC 2045 §6.4: an unrecognized encoding must be treated as application/octet-stream, and §5.2: without a type that can ' +
      'be read a message is text/plain. What is looked through then is left to servers (RFC 9051 §6.4.4).',
    covers: ({ command, sample }) => /TEXT|BODY/.test(command) && oddlyEncoded.has(sample.name),
  },
  {
    name: 'octets as they came, CR before CR LF among them',
    why: 'RFC 9051 §2.3.4: the size is the number of octets in the message',
    covers: ({ command, sample }) => /SIZE|TEXT|BODY|LARGER|SMALLER/.test(command) && rewritten.has(sample.name),
  },
]

const oddlyEncoded: ReadonlySet<string> = new Set([
  'odd: a type without a subtype',
  'odd: base64 with line noise',
  'odd: an encoding with something behind it does not count',
  'odd: uuencode as a transfer encoding',
  'odd: Content fields without MIME-Version and Content-Type are not MIME',
])

function hasDate(octets: string): boolean {
  const { date } = indexMessage(Buffer.from(octets, 'latin1')).envelope
  return date !== undefined && parseDate(date) !== undefined
}

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
