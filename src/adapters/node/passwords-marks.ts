import { createHmac, randomBytes } from 'node:crypto'

/**
 * Marks for passwords: the same for the same text, and of no use to anybody else. An HMAC under a key that is made here and kept
 * in memory alone: whoever reads the marks in a store can try no password on them, and after a restart they are those of nothing.
 */
export function passwordMarks(): (text: string) => string {
  const key = randomBytes(32)
  return (text) => createHmac('sha256', key).update(text).digest('base64url').slice(0, 16)
}
