/** What a session tells its host beside what it asks: refusals, or those and every command. */
export type Tell = 'refusals' | 'commands'

/** A command line has come; its arguments are not told. Only where the options say `tell: 'commands'`. */
export interface LineEvent {
  readonly kind: 'line'
  /** In upper case; `undefined` for what is no command here. */
  readonly verb: string | undefined
  /** With line ends; of IMAP with the literals that are part of the command, but those of messages. */
  readonly octets: number
}

/** A session of IMAP or POP3 refuses something of its own accord. Only where the options say `tell`. */
export interface CommandRefusalEvent {
  readonly kind: 'refusal'
  /** How the response begins, with its code: `BAD`, `NO [OVERQUOTA]`, `BYE`, `-ERR [IN-USE]`. Empty where nothing is said. */
  readonly response: string
  /** What it says, without what the client has sent. */
  readonly text: string
  /** The limit that was reached, by its name among the limits; `timeout` for times. */
  readonly limit: string | undefined
}

/** How a response begins that has a code. */
export const withCode = (status: string, code: string | undefined): string =>
  code === undefined ? status : `${status} [${code}]`
