import { parseAuthenticationResults } from '../../message/authentication-results.ts'
import type { HeaderField, Headers } from '../../message/headers.ts'

/** Fields that are read; of more than anybody has written in earnest all are taken for forged. */
const MOST_READ = 500

/**
 * The Authentication-Results fields of a header that claim to be this server's own (RFC 8601 §5): whatever their case, with
 * comments, quotes or encoded words around the name, a version behind it or octets in it that some programs stop at. Those in
 * which no name can be read go with them.
 */
export function forgedResults(headers: Headers, authservId: string): readonly HeaderField[] {
  const own = plain(authservId)
  const fields = headers.all('authentication-results')
  if (fields.length > MOST_READ) return fields
  return fields.filter((field) => [field.value, field.text].some((value) => claims(value, own)))
}

function claims(value: string, own: string): boolean {
  const id = parseAuthenticationResults(value)?.authservId
  if (id === undefined) return true
  // `mx.example.org/1` is how early programs wrote the version.
  return [id, id.split('/', 1)[0]!, id.split('\ufffd', 1)[0]!].some((name) => plain(name) === own)
}

/** A name without what makes no difference between two of them, or should not. */
function plain(name: string): string {
  const letters = name.toLowerCase().replace(/[^a-z0-9._-]/g, '')
  return letters.endsWith('.') ? letters.slice(0, -1) : letters
}
