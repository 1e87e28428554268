import { isAscii } from '../protocol/bytes/text.ts'

/**
 * What a client hears of a reason that somebody gave for not taking a message: in one line, and in ASCII, which is all that a
 * reply of SMTP may be (RFC 5429 §2.1.1).
 */
export function refusalText(reason: string): string {
  const words = reason.split(/[\0-\x20\x7f]/).filter((word) => word !== '').join(' ')
  return words !== '' && isAscii(words) ? words : "The recipient's mail filter refused the message"
}
