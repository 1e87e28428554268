/** A message to be sent in a test, and its envelope. */
export interface TestMail {
  /** `null` (or `''`) for the null sender. Default `sender@client.test`. */
  readonly from?: string | null
  readonly to: string | readonly string[]
  /**
   * The message, header and all. Line ends of a string are made CRLF; octets are sent as they are. Left out, one is made of
   * the rest.
   */
  readonly content?: string | Uint8Array
  readonly subject?: string
  readonly text?: string
  /** Parameters of MAIL: `BODY=8BITMIME SMTPUTF8`. */
  readonly parameters?: string
}

/** What became of a message that was sent. */
export interface SendOutcome {
  /** The server has taken it, for one recipient at least. */
  readonly accepted: boolean
  /** The last word: the reply to the content, or the refusal that kept it from being sent. Lines joined by a line feed. */
  readonly reply: string
  /** One for each of `to`, in order; `reply` is the one that decided. */
  readonly recipients: readonly { readonly to: string; readonly accepted: boolean; readonly reply: string }[]
}

/** The recipients of a mail. */
export const recipientsOf = ({ to }: TestMail): readonly string[] => (typeof to === 'string' ? [to] : to)

/** The sender of a mail as it stands in MAIL FROM. */
export const senderOf = ({ from }: TestMail): string => (from === undefined ? 'sender@client.test' : (from ?? ''))

/** The octets of a mail's content as DATA carries them: dots doubled, the final dot and all (RFC 5321 §4.5.2). */
export function contentOf(mail: TestMail): Uint8Array {
  const given = mail.content ?? composed(mail)
  const text =
    typeof given === 'string' ? Buffer.from(toCrlf(given), 'utf8').toString('latin1') : Buffer.from(given).toString('latin1')
  const stuffed = (text.startsWith('.') ? `.${text}` : text).replaceAll('\r\n.', '\r\n..')
  return Buffer.from(`${stuffed}${stuffed.endsWith('\r\n') || stuffed === '' ? '' : '\r\n'}.\r\n`, 'latin1')
}

function composed(mail: TestMail): string {
  const { subject = 'Test', text = 'A test.\n' } = mail
  return `From: <${senderOf(mail)}>\nTo: ${recipientsOf(mail)
    .map((to) => `<${to}>`)
    .join(', ')}\nSubject: ${subject}\n\n${text}`
}

const toCrlf = (text: string): string => text.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n')
