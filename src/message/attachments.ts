import type { OpenPart } from './open-part.ts'

/** Parts that say something of the others; mail programs do not show them. */
const SILENT = new Set([
  'application/pgp-signature', 'application/pgp-encrypted', 'application/pkcs7-signature', 'application/x-pkcs7-signature',
  'application/applefile', 'message/delivery-status', 'message/disposition-notification', 'message/global-delivery-status',
  'message/feedback-report',
])

/**
 * Whether people would call the part an attachment: it says so, or it has a name, or it is no text; but not an image that the
 * text shows (RFC 2392). A message in the message is one, what it holds is not.
 */
export function isAttachment(part: OpenPart): boolean {
  // RFC 1847: what is in multipart/encrypted is the message itself.
  if (part.holding === 'parts' || part.isEmbedded || part.holder?.media === 'multipart/encrypted') return false
  const { media } = part
  if (SILENT.has(media)) return false
  const { disposition, id, type } = part.content
  const params = disposition?.params ?? []
  if (disposition?.type.toLowerCase() === 'attachment') return true
  if (id !== undefined && media.startsWith('image/')) return false
  if (params.some(([name]) => /^filename\b/i.test(name)) || type?.params.some(([name]) => /^name\b/i.test(name))) return true
  return media !== '/' && !media.startsWith('text/')
}
