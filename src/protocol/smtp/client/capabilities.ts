import { asciiUpper } from '../../bytes/text.ts'

/** What a server offers, and what it calls itself. */
export interface SmtpCapabilities {
  /** How it was greeted: HELO offers nothing. */
  readonly verb: 'EHLO' | 'HELO' | 'LHLO'
  /** The name that it gives itself; unverified, may be empty. */
  readonly name: string
  /** Parameters by keyword, in upper case. */
  readonly keywords: ReadonlyMap<string, string>
  /** RFC 1870: octets that a message may have; `undefined` where there is no fixed bound, or none is told. */
  readonly size: number | undefined
  /** SASL mechanisms, in upper case. */
  readonly auth: readonly string[]
  /** RFC 9422: messages of a connection, recipients of a message, domains of recipients of a connection. */
  readonly limits: {
    readonly mailMax: number | undefined
    readonly rcptMax: number | undefined
    readonly rcptDomainMax: number | undefined
  }
}

/** Nothing is known of the server yet. */
export const noCapabilities: SmtpCapabilities = Object.freeze({
  verb: 'HELO',
  name: '',
  keywords: new Map(),
  size: undefined,
  auth: [],
  limits: { mailMax: undefined, rcptMax: undefined, rcptDomainMax: undefined },
})

/** What a reply to EHLO, HELO or LHLO says. Lines that make no sense offer nothing. */
export function readCapabilities(verb: SmtpCapabilities['verb'], lines: readonly string[]): SmtpCapabilities {
  const [first = '', ...rest] = lines
  const name = first.split(' ', 1)[0]!
  if (verb === 'HELO') return { ...noCapabilities, name }
  const keywords = new Map<string, string>()
  const auth = new Set<string>()
  for (const line of rest) {
    const end = wordEnd(line)
    const keyword = asciiUpper(line.slice(0, end))
    const parameters = line.slice(end + 1).trim()
    // Some servers of old say `AUTH=LOGIN`, most of them beside a line as it should be.
    if (keyword === 'AUTH') for (const mechanism of parameters.split(' ')) if (mechanism !== '') auth.add(asciiUpper(mechanism))
    if (keyword !== '' && !keywords.has(keyword)) keywords.set(keyword, parameters)
  }
  return { verb, name, keywords, size: sizeOf(keywords.get('SIZE')), auth: [...auth], limits: limitsOf(keywords.get('LIMITS')) }
}

/** Where the keyword ends that begins a line. */
function wordEnd(line: string): number {
  let at = 0
  while (at < line.length && line.charAt(at) !== ' ' && line.charAt(at) !== '=') at++
  return at
}

/** RFC 1870 §3: 0 says that there is no fixed bound. */
function sizeOf(parameter: string | undefined): number | undefined {
  const size = wholeNumber(parameter ?? '', 20)
  return size === 0 ? undefined : size
}

/** RFC 9422: `MAILMAX=20 RCPTMAX=100`. */
function limitsOf(parameter: string | undefined): SmtpCapabilities['limits'] {
  const found = new Map<string, number>()
  for (const word of (parameter ?? '').split(' ')) {
    const equals = word.indexOf('=')
    const limit = wholeNumber(word.slice(equals + 1), 6)
    if (equals > 0 && limit !== undefined && limit > 0) found.set(asciiUpper(word.slice(0, equals)), limit)
  }
  return { mailMax: found.get('MAILMAX'), rcptMax: found.get('RCPTMAX'), rcptDomainMax: found.get('RCPTDOMAINMAX') }
}

function wholeNumber(text: string, digits: number): number | undefined {
  if (text.length === 0 || text.length > digits) return undefined
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < 48 || text.charCodeAt(at) > 57) return undefined
  return Number(text)
}
