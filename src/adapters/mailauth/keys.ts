import { createPrivateKey, type KeyObject } from 'node:crypto'
import { asciiDomain } from '../../message/domain.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { aSwitch, aText, checkOptions, oneOf, type OptionKinds, required } from '../../protocol/session/options.ts'

/** A key that mail of a domain is signed with. */
export interface DkimKey {
  /** What stands behind the `@` of those who write. */
  readonly domain: string
  /** The name that the public key is published under: `<selector>._domainkey.<domain>`. */
  readonly selector: string
  /** The path of a PEM file, or PEM text: RSA of 1024 bits or more (RFC 8301; 2048 are advised), or Ed25519 (RFC 8463). */
  readonly key: string
  /** What the key must be of. Default: either. */
  readonly algorithm?: 'rsa-sha256' | 'ed25519-sha256'
  /** It signs for domains below this one too that have no key of their own. Default false. */
  readonly subdomains?: boolean
}

/** A key that was read and found fit. */
export interface LoadedKey extends DkimKey {
  readonly secret: KeyObject
  readonly type: 'rsa' | 'ed25519'
}

const keyKinds: OptionKinds<DkimKey> = {
  domain: required({ ...aText, takes: 'a domain name' }),
  selector: required({ ...aText, takes: 'the selector of its DNS record' }),
  key: required({ ...aText, takes: 'the path of a PEM file, or PEM text' }),
  algorithm: oneOf('rsa-sha256', 'ed25519-sha256'),
  subdomains: aSwitch,
}

/** Whether a setting is PEM text rather than the path of a file. */
export const isPem = (text: string): boolean => text.includes('-----BEGIN ')

/** Throws a `config` MailError for what names no keys. */
export function checkKeys(keys: readonly DkimKey[]): void {
  keys.forEach((key, at) => {
    checkOptions(`dkim.keys[${at}]`, key, keyKinds)
    for (const name of ['domain', 'selector'] as const) {
      if (!isName(asciiDomain(key[name]))) {
        throw new MailError('config', `dkim.keys[${at}]: ${name} is ${JSON.stringify(key[name])}, which is no name in the DNS.`)
      }
    }
  })
}

/** Makes keys of settings; `pems` are the texts of the files by their paths. Throws a `config` MailError that names the file. */
export function readKeys(keys: readonly DkimKey[], pems: ReadonlyMap<string, string>): LoadedKey[] {
  return keys.map((setting) => {
    const source = isPem(setting.key) ? `the key of ${setting.selector}._domainkey.${setting.domain}` : setting.key
    const pem = pems.get(setting.key) ?? setting.key
    const secret = parsed(pem, source)
    const type = typeOf(secret, source)
    if (setting.algorithm !== undefined && setting.algorithm !== `${type}-sha256`) {
      throw new MailError('config', `${source} is an ${type} key; ${setting.algorithm} is asked for`)
    }
    return { ...setting, domain: asciiDomain(setting.domain), selector: asciiDomain(setting.selector), secret, type }
  })
}

/**
 * The keys for mail of a domain: its own, or those of the nearest domain above it that signs for what is below it. What is in
 * `d=` is then the domain above, which DMARC takes for the same (RFC 7489 §3.1.1).
 */
export function keysFor(keys: readonly LoadedKey[], domain: string): readonly LoadedKey[] {
  const own = keys.filter((key) => key.domain === domain)
  for (let name = domain, found = own; ; ) {
    if (found.length > 0) return found
    const dot = name.indexOf('.')
    if (dot < 0) return []
    name = name.slice(dot + 1)
    found = keys.filter((key) => key.subdomains === true && key.domain === name)
  }
}

function parsed(pem: string, source: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw new MailError('config', `${source} holds no private key that can be read (PEM, without a pass phrase)`, { cause })
  }
}

function typeOf(key: KeyObject, source: string): LoadedKey['type'] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type !== 'rsa' && type !== 'ed25519') {
    throw new MailError('config', `${source} is of type ${type}; DKIM takes RSA and Ed25519`)
  }
  const bits = details?.modulusLength ?? 0
  // RFC 8301 §3.2: shorter ones are for anybody to find.
  if (type === 'rsa' && bits < 1024) throw new MailError('config', `${source} has ${bits} bits; make one of 2048`)
  return type
}

/** Labels of letters, digits, hyphens and, for selectors, underscores. */
function isName(name: string): boolean {
  return name.length <= 253 && name.split('.').every((label) => /^[a-z0-9_-]{1,63}$/.test(label))
}
