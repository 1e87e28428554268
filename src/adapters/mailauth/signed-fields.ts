import { flattenAddresses, parseAddressList } from '../../message/addresses.ts'
import { asciiDomain } from '../../message/domain.ts'
import type { HeaderField, Headers } from '../../message/headers.ts'
import type { FieldRows } from './package.ts'

/**
 * Fields that say what a message is and who wrote it. They are signed once more than they are there, so that nobody adds one
 * (RFC 6376 §5.4): a second `Subject` is what some programs show.
 */
export const overSigned: readonly string[] = [
  'From', 'Reply-To', 'To', 'Cc', 'Subject', 'Date', 'Message-ID', 'In-Reply-To', 'References',
  'MIME-Version', 'Content-Type', 'Content-Transfer-Encoding',
]

/** Fields that are signed where they are (RFC 6376 §5.4.1, RFC 8058 §4); others may add such fields in good faith. */
export const signedWherePresent: readonly string[] = [
  'Sender', 'Content-ID', 'Content-Description', 'Content-Language',
  'Resent-Date', 'Resent-From', 'Resent-Sender', 'Resent-To', 'Resent-Cc', 'Resent-Message-ID',
  'List-Id', 'List-Help', 'List-Unsubscribe', 'List-Unsubscribe-Post', 'List-Subscribe', 'List-Post', 'List-Owner',
  'List-Archive',
  'Auto-Submitted', 'Require-Recipient-Valid-Since', 'TLS-Required',
]

/** Fields that are signed of one message; no sound one comes near. */
const MOST_FIELDS = 500
/** Addresses of a From field that are looked at. */
const MOST_AUTHORS = 100

/** Why a message is not signed. */
export type Unsigned = 'no-from' | 'several-domains' | 'no-key' | 'unsound-header' | 'header-too-large'

/** The domain of those who wrote a message, in A-labels; or why there is no such domain. */
export function authorDomain(headers: Headers): string | { readonly reason: Unsigned } {
  const [from, another] = headers.all('from')
  if (!from || another) return { reason: 'no-from' }
  const items = flattenAddresses(parseAddressList(from.value, MOST_AUTHORS + 1))
  if (items.length === 0 || items.length > MOST_AUTHORS) return { reason: 'no-from' }
  const domains = new Set(items.map(({ address }) => asciiDomain(address?.domain ?? '')))
  if (domains.has('')) return { reason: 'no-from' }
  const [domain = ''] = domains
  return domains.size > 1 ? { reason: 'several-domains' } : domain
}

/**
 * The fields of a header that are signed, the last first (RFC 6376 §5.4.2), and behind them those that are not there and must not
 * come. `undefined`: too many.
 */
export function signedFields(headers: Headers, once: readonly string[], over: readonly string[]): FieldRows | undefined {
  const signed = new Set([...once, ...over].map((name) => name.toLowerCase()))
  const fields = headers.fields.filter(({ name }) => signed.has(name.toLowerCase())).reverse()
  if (fields.length > MOST_FIELDS) return undefined
  return { keys: [...fields.map(({ name }) => name), ...over].join(': '), headers: fields.map(rowOf) }
}

/** The line of a field as a verifier will find it: name, colon, value; a blank before the colon goes either way. */
function rowOf({ name, raw }: HeaderField): { readonly line: Buffer } {
  return { line: Buffer.concat([Buffer.from(`${name}:`, 'latin1'), raw]) }
}
