import type { MessageOddity } from '../../../src/message/facts.ts'
import { mail } from './case.ts'

/** A message too large to be written out, and what its facts must be. */
export interface LargeCase {
  readonly name: string
  /** Makes it, larger or smaller: its octets grow with `size` in proportion. */
  readonly message: (size: number) => string
  /** The size at which the rest holds. */
  readonly size: number
  /** Parts, all containers included; how deep they are nested. */
  readonly parts: number
  readonly depth: number
  readonly oddities: readonly MessageOddity[]
}

/** `size` levels of `open`, then a text. */
function nested(size: number, open: (level: number) => string): string {
  let text = ''
  for (let level = 0; level < size; level++) text += open(level)
  return `${text}Subject: innermost\r\n\r\ntext\r\n`
}

const forwarded = (level: number): string => `Subject: ${level}\r\nContent-Type: message/rfc822\r\n\r\n`
const inMultipart = (level: number): string => {
  const message = level % 2 === 0 ? 'Content-Type: message/rfc822\r\n\r\n' : ''
  return `Content-Type: multipart/mixed; boundary=b${level}.\r\n\r\n--b${level}.\r\n${message}`
}

const repeated = (size: number, make: (at: number) => string): string[] => Array.from({ length: size }, (_, at) => make(at))

/** Header fields of no interest. */
const fields = (size: number, octets: number): string[] => repeated(size, (at) => `X-${at}: ${'y'.repeat(octets)}`)

/** Boundaries that differ in their last octets alone, and lines that almost begin with all of them. */
const alike = (size: number): string => {
  const stem = 'x'.repeat(76)
  const open = (level: number): string => {
    const boundary = `${stem}${String(level).padStart(3, '0')}`
    return `Content-Type: multipart/mixed; boundary=${boundary}\r\n\r\n--${boundary}\r\n`
  }
  return nested(90, open) + `--${stem}\r\n--${stem}zzz\r\n`.repeat(size)
}

export const large: readonly LargeCase[] = [
  {
    name: 'forwards in forwards, 90 deep',
    message: (size) => nested(size, forwarded),
    size: 90,
    parts: 91,
    depth: 91,
    oddities: [],
  },
  {
    name: 'forwards in forwards, far beyond the depth that is looked into',
    message: (size) => nested(size, forwarded),
    size: 20_000,
    parts: 100,
    depth: 100,
    oddities: ['over-depth'],
  },
  {
    name: 'multiparts and forwards in each other, beyond the depth that is looked into',
    message: (size) => nested(size, inMultipart),
    size: 2_000,
    parts: 100,
    depth: 100,
    oddities: ['over-depth', 'unended-multipart'],
  },
  {
    name: '20 000 parts',
    message: (size) => mail('Content-Type: multipart/mixed; boundary=b', '', '') + '--b\r\n\r\nx\r\n'.repeat(size),
    size: 20_000,
    parts: 10_000,
    depth: 2,
    oddities: ['over-parts', 'unended-multipart'],
  },
  {
    name: '20 000 delimiters and nothing between them',
    message: (size) => mail('Content-Type: multipart/digest; boundary=""', '', '') + '--\n'.repeat(size),
    size: 20_000,
    parts: 10_000,
    depth: 3,
    oddities: ['boundary', 'unended-header', 'over-parts', 'bare-lf-in-header', 'stray-line', 'unended-multipart'],
  },
  {
    name: 'a header of 1 MB in many fields',
    message: (size) => mail('From: a@example.org', ...fields(size, 80), '', 'text', ''),
    size: 11_000,
    parts: 1,
    depth: 1,
    oddities: [],
  },
  {
    name: 'a header of 1 MB in one field',
    message: (size) => mail(`Subject: ${'y'.repeat(size)}`, '', 'text', ''),
    size: 1_000_000,
    parts: 1,
    depth: 1,
    oddities: ['over-field'],
  },
  {
    name: 'a header of 3 MB, beyond what is read: the body is left in one piece',
    message: (size) => mail('Content-Type: multipart/mixed; boundary=b', ...fields(size, 990), '', '--b', '', 'text', ''),
    size: 3_000,
    parts: 1,
    depth: 1,
    oddities: ['over-headers'],
  },
  {
    name: '3 MB of headers in many parts',
    message: (size) =>
      mail('Content-Type: multipart/mixed; boundary=b', '', '') + `--b\r\nX: ${'y'.repeat(990)}\r\n\r\n`.repeat(size),
    size: 3_000,
    parts: 2_105,
    depth: 2,
    oddities: ['over-headers', 'unended-multipart'],
  },
  {
    name: '50 000 addresses',
    message: (size) => mail(`To: ${'a@b,'.repeat(size)}c@d`, 'Cc: e@f', '', ''),
    size: 50_000,
    parts: 1,
    depth: 1,
    oddities: ['over-addresses'],
  },
  {
    name: '50 000 parameters',
    message: (size) => mail(`Content-Type: text/plain${';a=b'.repeat(size)}`, '', ''),
    size: 50_000,
    parts: 1,
    depth: 1,
    oddities: ['over-parameters'],
  },
  {
    name: '20 000 pieces of one parameter',
    message: (size) => mail(`Content-Type: text/plain${repeated(size, (at) => `;a*${size - at}=b`).join('')}`, '', ''),
    size: 20_000,
    parts: 1,
    depth: 1,
    oddities: ['over-parameters'],
  },
  {
    name: 'comments in comments, 100 000 deep',
    message: (size) =>
      mail(`From: ${'('.repeat(size)}`, `Content-Type: ${'('.repeat(size)}${')'.repeat(size)} text/html`, '', ''),
    size: 100_000,
    parts: 1,
    depth: 1,
    oddities: [],
  },
  {
    name: 'lines that begin like 90 boundaries: delimiters are given up',
    message: alike,
    size: 20_000,
    parts: 91,
    depth: 91,
    oddities: ['boundary', 'over-work', 'unended-multipart'],
  },
  {
    name: 'lines that begin with two dashes',
    message: (size) =>
      mail('Content-Type: multipart/mixed; boundary=b', '', '--b', '', '') + '-- \r\n--a\r\n------\r\n'.repeat(size),
    size: 50_000,
    parts: 2,
    depth: 2,
    oddities: ['unended-multipart'],
  },
  {
    name: 'one line of 1 MB',
    message: (size) => mail('Content-Type: multipart/mixed; boundary=b', '', '--b', '', '') + 'x'.repeat(size),
    size: 1_000_000,
    parts: 2,
    depth: 2,
    oddities: ['unended-multipart'],
  },
  {
    name: '1 MB of line ends',
    message: (size) => '\r\n'.repeat(size),
    size: 500_000,
    parts: 1,
    depth: 1,
    oddities: [],
  },
  {
    name: '1 MB of colons, of tabs, of blanks',
    message: (size) => mail(':'.repeat(size), `X${'\t'.repeat(size)}`, `Subject:${' '.repeat(size)}`, '', ''),
    size: 330_000,
    parts: 1,
    depth: 1,
    oddities: ['stray-line', 'over-field'],
  },
]
