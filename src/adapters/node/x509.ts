/** What the subject alternative names of a certificate say, as far as mail is concerned. DNS names in lower case. */
export interface AlternativeNames {
  readonly dns: readonly string[]
  readonly email: readonly string[]
}

/**
 * Reads the text that Node makes of the extension: `DNS:example.org, email:a@example.org, IP Address:192.0.2.1`. A value with
 * characters of doubt in it comes quoted (CVE-2021-44532); no mail or host name needs them, so it is passed over. So is a DNS
 * name with an @ and a mail address without: both kinds end up in one list.
 */
export function alternativeNames(text: string | undefined): AlternativeNames {
  const dns: string[] = []
  const email: string[] = []
  for (const entry of entries(text ?? '')) {
    const colon = entry.indexOf(':')
    const kind = entry.slice(0, colon)
    const value = entry.slice(colon + 1)
    if (value === '' || value.includes('"')) continue
    if (kind === 'DNS' && !value.includes('@')) dns.push(value.toLowerCase())
    else if (kind === 'email' && value.includes('@')) email.push(value)
  }
  return { dns, email }
}

/** The entries between `, ` outside of quotation marks. */
function* entries(text: string): Generator<string> {
  let start = 0
  let quoted = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (quoted && char === '\\') at++
    else if (char === '"') quoted = !quoted
    else if (char === ',' && !quoted) {
      yield text.slice(start, at).trimStart()
      start = at + 1
    }
  }
  if (start < text.length) yield text.slice(start).trimStart()
}
