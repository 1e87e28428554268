import type { ComposeMail, DraftPart } from '../../contracts/draft.ts'
import { formatDate } from '../../message/date.ts'
import { formatAddress } from '../../message/format-address.ts'
import { formatField } from '../../message/format-field.ts'

/** Makes the octets of a message with nodemailer's MailComposer, which is imported when the first one is composed. */
export const composeMail: ComposeMail = async (draft) => {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer')
  const { multipart, references } = draft
  const answered = references.at(-1)
  const message = new MailComposer({
    from: { name: draft.from.name ?? '', address: formatAddress(draft.from.address) },
    to: draft.to.map((address) => ({ name: '', address: formatAddress(address) })),
    subject: draft.subject,
    date: formatDate(draft.date),
    messageId: draft.messageId,
    ...(answered === undefined ? {} : { inReplyTo: answered, references: [...references] }),
    headers: draft.fields.map(([key, value]) => ({ key, value })),
    text: draft.text.replaceAll('\n', '\r\n'),
    // Quoted-printable rather than base64: most of it can be read as it is.
    textEncoding: 'Q',
    // Their type is what their octets say.
    attachments: (multipart?.parts ?? []).map((part) => ({ contentType: 'message/rfc822', raw: octetsOf(part) })),
    // Nothing that a stranger wrote may make the server read a file or fetch a page.
    disableFileAccess: true,
    disableUrlAccess: true,
  }).compile()
  if (multipart) message.setHeader('Content-Type', `${multipart.type}; boundary="${multipart.boundary}"`)
  return message.build()
}

/** The part with its header: written here, not by nodemailer, so that not an octet of what it holds changes. */
function octetsOf({ fields, body }: DraftPart): Buffer {
  const header = fields.map(([name, value]) => formatField(name, value)).join('')
  return Buffer.concat([Buffer.from(`${header}\r\n`), body])
}
