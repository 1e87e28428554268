import { INVALID_ROUTE, MISSING_DOMAIN, MISSING_MAILBOX, SYNTAX_ERROR } from '../../../message/envelope-addresses.ts'

/** What stands for parts of an address that are missing, and so stands in no header. */
const STAND_INS = [MISSING_MAILBOX, MISSING_DOMAIN, SYNTAX_ERROR, INVALID_ROUTE].join(' ')

/** One word of letters and digits, folded: it reads the same in a header and in an envelope, quoted or not. */
export function isWord(words: string): boolean {
  return /^[\p{L}\p{M}\p{N}]+$/u.test(words) && !STAND_INS.includes(words)
}
