import type { Scanned, ScanFinding } from '../../contracts/scanner.ts'
import { octets, octetString } from '../../protocol/bytes/text.ts'
import { decimal, MOST_FINDINGS, MOST_NAME, nonsense, oneLine, Unscannable } from './said.ts'

/*
 * SPAMC/1.5, as SpamAssassin's `spamd/PROTOCOL` has it. Of the commands that judge, SYMBOLS is the one whose answer is meant for
 * machines: REPORT gives the points of each rule too, in a table that every installation words as it likes.
 */

/** Octets of an answer. */
export const MOST_ANSWER = 65_536

/** What comes before the message, which has so many octets. */
export function spamdHead(size: number, user: string | undefined): Uint8Array {
  const who = user === undefined ? '' : `User: ${user}\r\n`
  return octets(`SYMBOLS SPAMC/1.5\r\nContent-length: ${size}\r\n${who}\r\n`)
}

/**
 * What spamd says of a message. Its own verdict is no more than that it takes it for spam: that asks for quarantine. Throws
 * `temporary` for an answer that is cut off, makes no sense or says that something went wrong.
 */
export function readSpamdAnswer(answer: Uint8Array): Scanned {
  const text = octetString(answer)
  const status = text.slice(0, Math.max(0, text.indexOf('\r\n')))
  const [protocol = '', code = '', ...words] = status.split(' ')
  if (!protocol.startsWith('SPAMD/')) throw nonsense(JSON.stringify(oneLine(status, 60)))
  // Such an answer may have one line alone.
  if (code !== '0') throw new Unscannable('temporary', `it says: ${oneLine([code, ...words].join(' '), 200)}`)
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) throw nonsense('it is cut off')
  const fields = fieldsIn(text.slice(status.length, end))
  const body = text.slice(end + 4)
  const length = decimal(fields.get('content-length') ?? String(body.length))
  if (length === undefined || body.length < length) throw nonsense('it is cut off')
  const { isSpam, score, threshold } = judged(fields.get('spam') ?? '')
  return { action: isSpam ? 'quarantine' : 'pass', findings: symbolsIn(body.slice(0, length)), score, threshold }
}

/** By their names in lower case. The first counts: one that is put behind it by whatever means changes nothing. */
function fieldsIn(text: string): Map<string, string> {
  const fields = new Map<string, string>()
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase()
    if (name !== '' && !fields.has(name)) fields.set(name, line.slice(colon + 1).trim())
  }
  return fields
}

/** `True ; 15.3 / 5.0` */
function judged(text: string): { isSpam: boolean; score: number; threshold: number } {
  const [word = '', points = ''] = text.split(';')
  const [score, threshold, ...rest] = points.split('/').map(decimal)
  const isSpam = says.get(word.trim().toLowerCase())
  if (isSpam === undefined || score === undefined || threshold === undefined || rest.length > 0) {
    throw nonsense(`Spam: ${JSON.stringify(oneLine(text, 60))}`)
  }
  return { isSpam, score, threshold }
}

const says = new Map([['true', true], ['yes', true], ['false', false], ['no', false]])

/** Names with commas between, in one line or several. */
function symbolsIn(text: string): ScanFinding[] {
  const names = text.split(/[,\r\n]/, MOST_FINDINGS).map((name) => oneLine(name, MOST_NAME))
  return names.filter((name) => name !== '').map((name) => ({ name }))
}
