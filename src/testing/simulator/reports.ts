import type { ComposeMail } from '../../contracts/draft.ts'
import { parseDeliveryStatus } from '../../message/delivery-status.ts'

/** What a report says. */
export interface ToldReport {
  /** What it tells of all of them: `failed`, `delayed`, or that it went well. */
  readonly kind: 'failed' | 'delayed' | 'succeeded'
  readonly recipients: readonly { readonly address: string; readonly action: string }[]
}

/**
 * Makes octets of reports without a library that takes turns of the event loop, and notes what they tell, by Message-ID.
 */
export function composing(written: Map<string, ToldReport>): ComposeMail {
  return async ({ from, to, subject, messageId, references, text, multipart }) => {
    const status = parseDeliveryStatus(multipart!.parts[0]!.body)
    const recipients = status.recipients.map(({ finalRecipient, action }) => ({ address: finalRecipient?.text ?? '', action }))
    const [first] = recipients
    const kind = first?.action === 'failed' || first?.action === 'delayed' ? first.action : 'succeeded'
    written.set(messageId, { kind, recipients: recipients.map(({ address, action }) => ({ address, action: String(action) })) })
    const lines = [
      `From: ${from.address.local}@${from.address.domain}`,
      `To: ${to.map(({ local, domain }) => `${local}@${domain}`).join(', ')}`,
      `Subject: ${subject}`,
      `Message-ID: ${messageId}`,
      `References: ${references.join(' ')}`,
      '',
      ...text.split('\n'),
      '',
    ]
    return Buffer.from(lines.join('\r\n'), 'latin1')
  }
}
