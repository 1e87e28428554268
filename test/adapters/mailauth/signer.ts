import { createHash, createPrivateKey, sign } from 'node:crypto'

/** How a message is signed: as a test wants it, wrong or right. */
export interface Signing {
  readonly domain: string
  readonly pem: string
  readonly selector?: string
  readonly canonicalization?: 'simple/simple' | 'relaxed/relaxed' | 'simple/relaxed' | 'relaxed/simple'
  readonly algorithm?: 'rsa-sha256' | 'rsa-sha1' | 'ed25519-sha256'
  /** Names, with colons. */
  readonly fields?: string
  /** Further tags, such as `x=1; l=10`; octets beyond `l` are not hashed. */
  readonly more?: string
  readonly length?: number
}

/** A message with a signature on top (RFC 6376), made without anything of what is tested. */
export function signedWith(message: string, signing: Signing): string {
  const { domain, pem, selector = 's', canonicalization = 'relaxed/relaxed', more = '', length } = signing
  const { algorithm = 'rsa-sha256', fields = 'from:to:subject' } = signing
  const [headerKind, bodyKind] = canonicalization.split('/')
  const end = message.indexOf('\r\n\r\n') + 2
  const hashName = algorithm.endsWith('sha1') ? 'sha1' : 'sha256'
  const body = canonicalBody(message.slice(end + 2), bodyKind!)
  const bodyHash = createHash(hashName).update(Buffer.from(body, 'latin1').subarray(0, length)).digest('base64')
  const limit = length === undefined ? '' : ` l=${length};`
  const tags = `v=1; a=${algorithm}; c=${canonicalization}; d=${domain}; s=${selector};${limit}${more === '' ? '' : ` ${more};`}`
  const own = `DKIM-Signature: ${tags} h=${fields}; bh=${bodyHash}; b=`
  const lines = message.slice(0, end).split(/\r\n(?![ \t])/).filter((line) => line !== '')
  const signed: string[] = []
  for (const name of fields.split(':')) {
    const at = lines.findLastIndex((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    if (at >= 0) signed.push(`${canonicalField(lines.splice(at, 1)[0]!, headerKind!)}\r\n`)
  }
  const octets = Buffer.from(signed.join('') + canonicalField(own, headerKind!), 'latin1')
  const key = createPrivateKey(pem)
  const signature = algorithm.startsWith('rsa')
    ? sign(hashName, octets, key)
    : sign(null, createHash('sha256').update(octets).digest(), key)
  return `${own}${signature.toString('base64')}\r\n${message}`
}

function canonicalField(line: string, kind: string): string {
  if (kind === 'simple') return line
  const colon = line.indexOf(':')
  const value = line.slice(colon + 1).replaceAll('\r\n', '').replace(/[ \t]+/g, ' ').replace(/^ | $/g, '')
  return `${line.slice(0, colon).trimEnd().toLowerCase()}:${value}`
}

function canonicalBody(body: string, kind: string): string {
  if (kind === 'simple') return `${withoutEnds(body)}\r\n`
  const text = withoutEnds(body.replace(/[ \t]+/g, ' ').replaceAll(' \r\n', '\r\n'))
  return text === '' ? '' : `${text.replace(/ $/, '')}\r\n`
}

function withoutEnds(body: string): string {
  let end = body.length
  while (body.startsWith('\r\n', end - 2) && end >= 2) end -= 2
  return body.slice(0, end)
}
