import { parseAuthenticationResults } from '../../message/authentication-results.ts'
import { asciiDomain } from '../../message/domain.ts'
import type { HeaderField, Headers } from '../../message/headers.ts'
import { commentEnd } from '../../message/lexemes.ts'

/** Fields that are read; of more than anybody has written in earnest all are taken for forged. */
const MOST_READ = 500
/** Characters of a name, blanks in it included. */
const MOST_NAME = 1000

/**
 * The Authentication-Results fields of a header that claim to be this server's own (RFC 8601 §5): whatever their case, with
 * comments, quotes or encoded words around the name, a version behind it or octets in it that some programs stop at. Those in
 * which no name can be read go with them.
 */
export function forgedResults(headers: Headers, authservId: string): readonly HeaderField[] {
  const own = new Set(formsOf(authservId))
  const fields = headers.all('authentication-results')
  if (fields.length > MOST_READ) return fields
  return fields.filter((field) => [field.value, field.text].some((value) => claims(value, own)))
}

function claims(value: string, own: ReadonlySet<string>): boolean {
  const id = parseAuthenticationResults(value)?.authservId
  // A result where the name should be: the name was left out.
  if (id === undefined || id.includes('=')) return true
  // `mx.example.org/1` is how early programs wrote the version.
  const names = [id, id.split('/', 1)[0]!, id.split('\ufffd', 1)[0]!, firstPart(value)]
  return names.some((name) => formsOf(name).some((form) => own.has(form)))
}

/** What stands before the results, without comments: to some programs, blanks and comments may stand within the name. */
function firstPart(value: string): string {
  let part = ''
  for (let at = 0; at < value.length && value[at] !== ';' && part.length <= MOST_NAME; ) {
    const end = value[at] === '(' ? commentEnd(value, at) : at
    if (end === at) part += value[at++]
    else if (end < 0) break
    else at = end
  }
  return part
}

/** A name as it is, and in A-labels, each without what makes no difference between two of them, or should not. */
const formsOf = (name: string): string[] => [plain(name), plain(asciiDomain(name.trim()))]

function plain(name: string): string {
  const letters = name.toLowerCase().replace(/[^a-z0-9._-]/g, '')
  return letters.endsWith('.') ? letters.slice(0, -1) : letters
}
