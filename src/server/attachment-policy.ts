import { inflated } from '../adapters/node/inflated.ts'
import type { Policy } from '../contracts/policy.ts'
import { type AttachmentPolicyOptions, attachmentPolicyOver } from '../inbound/attachments/policy.ts'

/**
 * Looks at what messages bring: files by content, by name and by type, also those in archives; names that deceive; what needs a
 * password; how deep archives and messages lie in each other; sizes and numbers. A look costs no more than a bound, whatever an
 * archive says that it holds: 64 MiB are inflated of a message, 32 MiB held at once, and four messages looked at at a time.
 *
 * ```ts
 * import { attachmentPolicy } from 'posthorn'
 *
 * attachmentPolicy()
 * attachmentPolicy({ extensions: ['html', 'svg'], encrypted: true, octets: 20_000_000, then: 'quarantine' })
 * ```
 *
 * Throws a `config` MailError for options that cannot be.
 */
export function attachmentPolicy(options: AttachmentPolicyOptions = {}): Policy {
  return attachmentPolicyOver(inflated, options)
}
