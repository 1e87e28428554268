import type { Address } from '../message/address.ts'
import { parsePath } from '../protocol/smtp/index.ts'

/** The address of a `mailto:` URI, whose scheme is left off (RFC 6068); of several, none. */
export function mailTarget(rest: string): Address | undefined {
  const text = unescaped(rest.split('?', 1)[0] ?? '')
  const parsed = text === undefined ? undefined : parsePath(`<${text}>`, 0, { lenient: false, recipient: false })
  if (text === undefined || parsed === undefined || !('path' in parsed) || !parsed.path) return undefined
  if (parsed.end !== text.length + 2) return undefined
  return { local: parsed.path.local, domain: parsed.path.domain }
}

/** RFC 3986 §2.1; `undefined` where an escape is none. */
function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
