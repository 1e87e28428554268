import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A message to be sent. Octets as they are to arrive: lines end in CRLF, the last one too. */
export interface Mail {
  readonly subject: string
  readonly octets: Buffer
}

let made = 0

/** A subject of its own for each message, to find it by. */
export function subjectOf(what: string): string {
  return `${what} ${++made}`
}

/** Header lines of a message. */
function header(subject: string, more: readonly string[] = []): string {
  return [
    'From: Sender <sender@client.test>', 'To: Alice <alice@example.test>', `Subject: ${subject}`,
    'Date: Fri, 20 Nov 2026 12:00:00 +0000', `Message-ID: <${subject.replaceAll(' ', '.')}@client.test>`,
    'MIME-Version: 1.0', ...more, '', '',
  ].join('\r\n')
}

/** What tries the ends of lines: dots that are to be stuffed, the longest line, blanks, empty lines. */
export function plainMail(what = 'plain'): Mail {
  const subject = subjectOf(what)
  const lines = [
    'A line.', '.', '..', '.hidden', '', '. ', 'From the start of a line', 'trailing blanks  ', '\ttab', 'x'.repeat(998),
    '', '.', 'The end.',
  ]
  return { subject, octets: Buffer.from(`${header(subject)}${lines.join('\r\n')}\r\n`) }
}

/** Every octet that may stand in an 8-bit line, and text in UTF-8. */
export function eightBitMail(what = 'eight-bit'): Mail {
  const subject = subjectOf(what)
  const head = header(subject, ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'])
  const every = Buffer.from(Array.from({ length: 255 }, (_, at) => at + 1).filter((octet) => octet >= 32 && octet !== 127))
  const text = Buffer.from(`${head}Grüße aus Würzburg, 日本語\r\n`)
  return { subject, octets: Buffer.concat([text, every, Buffer.from('\r\n')]) }
}

/** Headers in UTF-8 too, as RFC 6532 has them. */
export function utf8Mail(what = 'utf-8'): Mail {
  const subject = subjectOf(`${what} – Grüße, 日本語`)
  const head = header(subject, ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'])
  return { subject, octets: Buffer.from(`${head}Ünïcödé\r\n`) }
}

/** 20 MB unless told otherwise, of lines that are all different; many begin with a dot. */
export function largeMail(what = 'large', octets = 20_000_000): Mail {
  const subject = subjectOf(what)
  const lines = [header(subject, ['Content-Type: text/plain; charset=us-ascii'])]
  let size = (lines[0] ?? '').length
  let state = 42
  while (size < octets) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    const line = `${state % 3 === 0 ? '.' : ''}${state.toString(36).repeat(1 + (state % 11))}\r\n`
    lines.push(line)
    size += line.length
  }
  return { subject, octets: Buffer.from(lines.join(''), 'latin1') }
}

/** The message as a file, for programs that send those. */
export function fileOf(mail: Mail, folder: string): string {
  const path = join(folder, `${mail.subject.replace(/[^a-z0-9]+/gi, '-')}.eml`)
  writeFileSync(path, mail.octets)
  return path
}
