import type { Reply } from '../protocol/smtp/reply.ts'

/** A reply in one line (RFC 3461 §9.2): as it was, a blank before each line but the first. */
export function diagnosticText({ code, enhanced, text }: Reply): string {
  const lines = typeof text === 'string' ? [text] : text
  const prefix = enhanced === undefined ? '' : `${enhanced} `
  const written = lines.map((line, at) => `${code}${at === lines.length - 1 ? ' ' : '-'}${prefix}${line}`)
  return written.length === 0 ? `${code}` : written.join(' ')
}
