/**
 * Every `code` an error of this package can carry.
 *
 * - `peer`: the peer broke the protocol
 * - `misuse`: the caller did; the message names the right call
 * - `temporary`: try again later (4xx on the wire)
 * - `permanent`: trying again will not help (5xx on the wire)
 * - `quota`: an account would hold more than it may (552 5.2.2 on the wire)
 * - `config`: a setting is wrong; the message names it and what it takes
 * - `unavailable`: an optional package or feature is missing; the message names the command that installs it
 * - `closed`: the server, store or transport was closed
 */
export type MailErrorCode = 'peer' | 'misuse' | 'temporary' | 'permanent' | 'quota' | 'config' | 'unavailable' | 'closed'

const brand = Symbol.for('posthorn.MailError')

/** The one error class. The brand survives two copies of the package (ESM beside CommonJS): see {@link isMailError}. */
export class MailError extends Error {
  readonly code: MailErrorCode
  readonly [brand] = true

  constructor(code: MailErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'MailError'
    this.code = code
  }
}

/** Whether `value` is a {@link MailError}, of this copy of the package or another. */
export function isMailError(value: unknown): value is MailError {
  return typeof value === 'object' && value !== null && brand in value
}
