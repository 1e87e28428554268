import type { Directory } from '../contracts/directory.ts'
import { anonymous } from '../protocol/sasl/anonymous.ts'
import { cramMd5 } from '../protocol/sasl/cram-md5.ts'
import type { SaslCrypto } from '../protocol/sasl/crypto.ts'
import type { SaslMechanism } from '../protocol/sasl/exchange.ts'
import { external } from '../protocol/sasl/external.ts'
import { login } from '../protocol/sasl/login.ts'
import { oauthBearer, type OauthOptions, xoauth2 } from '../protocol/sasl/oauth.ts'
import { plain } from '../protocol/sasl/plain.ts'
import { scram, type ScramOptions, scramPlus } from '../protocol/sasl/scram.ts'
import { MailError } from '../protocol/session/errors.ts'

/** The mechanisms that there are, strongest first. */
const mechanismNames: readonly MechanismName[] = [
  'EXTERNAL',
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1',
  'OAUTHBEARER',
  'XOAUTH2',
  'CRAM-MD5',
  'PLAIN',
  'LOGIN',
  'ANONYMOUS',
]

/** A mechanism that there is. */
export type MechanismName =
  | 'EXTERNAL'
  | 'SCRAM-SHA-256-PLUS'
  | 'SCRAM-SHA-1-PLUS'
  | 'SCRAM-SHA-256'
  | 'SCRAM-SHA-1'
  | 'OAUTHBEARER'
  | 'XOAUTH2'
  | 'CRAM-MD5'
  | 'PLAIN'
  | 'LOGIN'
  | 'ANONYMOUS'

/** What mechanisms are made of. */
interface Ingredients {
  readonly directory: Directory
  readonly crypto: SaslCrypto
  readonly hostname: string
  readonly mechanisms?: readonly MechanismName[]
  readonly secret?: Uint8Array
  readonly iterations?: number
  readonly oauth?: OauthOptions
  readonly anonymous?: string
}

/** What a directory must have for a mechanism to be offered, where it is more than every directory has. */
const needs: { readonly [Name in MechanismName]?: keyof Directory | 'anonymous' } = {
  EXTERNAL: 'certificate',
  'SCRAM-SHA-256-PLUS': 'scramKeys',
  'SCRAM-SHA-1-PLUS': 'scramKeys',
  'SCRAM-SHA-256': 'scramKeys',
  'SCRAM-SHA-1': 'scramKeys',
  OAUTHBEARER: 'token',
  XOAUTH2: 'token',
  'CRAM-MD5': 'password',
  ANONYMOUS: 'anonymous',
}

/** The mechanisms to offer, in their order. Throws a `config` MailError for those that cannot be. */
export function mechanismsOf(options: Ingredients): readonly SaslMechanism[] {
  const { secret = options.crypto.random(32) } = options
  if (secret.length < 16) throw new MailError('config', 'authenticate: secret takes 16 octets at least.')
  const names = options.mechanisms ?? mechanismNames.filter((name) => lacking(options, name) === undefined)
  for (const name of names) {
    if (!mechanismNames.includes(name)) {
      const shown = `There are: ${mechanismNames.join(', ')}.`
      throw new MailError('config', `authenticate: there is no mechanism ${JSON.stringify(name)}. ${shown}`)
    }
    const lacks = lacking(options, name)
    if (lacks === undefined) continue
    const what = lacks === 'anonymous' ? 'the option anonymous' : `a directory that has ${lacks}()`
    throw new MailError('config', `authenticate: ${name} takes ${what}.`)
  }
  const plusOffered = names.some((name) => name.endsWith('-PLUS'))
  return names.map((name) => make(name, { ...options, secret, plusOffered }))
}

function lacking({ directory, anonymous: account }: Ingredients, name: MechanismName): string | undefined {
  const need = needs[name]
  if (need === undefined) return undefined
  const has = need === 'anonymous' ? account !== undefined : typeof directory[need] === 'function'
  return has ? undefined : need
}

type Ready = Ingredients & Pick<ScramOptions, 'secret'> & { readonly plusOffered: boolean }

function make(name: MechanismName, options: Ready): SaslMechanism {
  switch (name) {
    case 'EXTERNAL':
      return external
    case 'SCRAM-SHA-256-PLUS':
      return scramPlus({ ...options, hash: 'SHA-256' })
    case 'SCRAM-SHA-1-PLUS':
      return scramPlus({ ...options, hash: 'SHA-1' })
    case 'SCRAM-SHA-256':
      return scram({ ...options, hash: 'SHA-256' })
    case 'SCRAM-SHA-1':
      return scram({ ...options, hash: 'SHA-1' })
    case 'OAUTHBEARER':
      return oauthBearer(options.oauth)
    case 'XOAUTH2':
      return xoauth2(options.oauth)
    case 'CRAM-MD5':
      return cramMd5(options)
    case 'PLAIN':
      return plain
    case 'LOGIN':
      return login
    case 'ANONYMOUS':
      return anonymous
  }
}
