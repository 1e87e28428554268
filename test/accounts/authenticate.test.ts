import { describe, expect, it } from 'vitest'
import {
  type Admission,
  authenticate,
  type AuthenticateOptions,
  type LoginAttempt,
  type LoginClient,
} from '../../src/accounts/authenticate.ts'
import type { MechanismName } from '../../src/accounts/authenticate-mechanisms.ts'
import { nodeCrypto } from '../../src/adapters/node/crypto.ts'
import type { Account, Directory, Login } from '../../src/contracts/directory.ts'
import { isMailError, MailError } from '../../src/protocol/session/errors.ts'
import type { TlsFacts } from '../../src/protocol/session/tls.ts'

const account = (id: string, rights: Partial<Account['rights']> = {}, disabled = false): Account => ({
  id,
  disabled,
  rights: { smtp: true, imap: true, admin: false, ...rights },
  quota: { octets: Infinity, messages: Infinity },
})

const accounts = new Map<string, Account>([
  ['alice', account('1')],
  ['alice@example.org', account('1')],
  ['bob', account('2')],
  ['root', account('3', { admin: true })],
  ['guest', account('4')],
])

const keys = { salt: Uint8Array.of(1), iterations: 4096, storedKey: new Uint8Array(32), serverKey: new Uint8Array(32) }

/** Knows the accounts; every password is `secret`, every token `token`, every certificate that of its subject. */
function directory(more: Partial<Directory> = {}): Directory & { readonly asked: string[] } {
  const asked: string[] = []
  const find = async (username: string): Promise<Account | undefined> => accounts.get(username)
  return {
    asked,
    resolve: async () => ({ kind: 'elsewhere' }),
    account: async (id) => [...accounts.values()].find((one) => one.id === id),
    verify: async ({ username, password, right, now }) => {
      asked.push(`verify ${username} ${password} ${right} ${now}`)
      return password === 'secret' ? find(username) : undefined
    },
    maySendAs: async () => false,
    named: async ({ username, right, now }: Login) => {
      asked.push(`named ${username} ${right} ${now}`)
      return find(username)
    },
    scramKeys: async (username) => (accounts.has(username) || username === 'disabled' ? keys : undefined),
    password: async (username) => (accounts.has(username) ? 'secret' : undefined),
    token: async ({ username, token }) => (token === 'token' ? find(username === '' ? 'bob' : username) : undefined),
    certificate: async ({ username, certificate }) => find(username === '' ? certificate.subject : username),
    loggedIn: ({ id }, { username }) => void asked.push(`loggedIn ${id} ${username}`),
    ...more,
  }
}

/** Counts, and says what it is told to. */
function guard(admission: Admission = { admitted: true, delay: 0 }) {
  const told: string[] = []
  const tell = (what: string) => ({ username, address, now, password }: LoginAttempt) => {
    told.push(`${what} ${username} ${address} ${now}${password === undefined ? '' : ` ${password}`}`)
  }
  const admitted = tell('admit')
  return {
    told,
    admit: (attempt: LoginAttempt) => (admitted(attempt), admission),
    failed: tell('failed'),
    succeeded: tell('succeeded'),
  }
}

const client: LoginClient = { address: '192.0.2.1', tls: undefined, now: 5 }
const tls = (subject: string, authorized = true): TlsFacts => ({
  protocol: 'TLSv1.3',
  cipher: '',
  clientCertificate: { authorized, subject, fingerprint: '', names: [] },
})

const made = (options: Partial<AuthenticateOptions> = {}) =>
  authenticate({ directory: directory(), crypto: nodeCrypto, right: 'smtp', hostname: 'mx.example.org', ...options })

const password = (username: string, given = 'secret', authorizeAs?: string) => {
  const credentials = { kind: 'password', mechanism: 'PLAIN', username, password: given } as const
  return authorizeAs === undefined ? credentials : { ...credentials, authorizeAs }
}

describe('what is offered', () => {
  const names = (options: Partial<AuthenticateOptions>): string[] => made(options).mechanisms.map(({ name }) => name)
  const bare = (): Directory => {
    const { scramKeys: _keys, password: _password, token: _token, certificate: _certificate, ...rest } = directory()
    return rest
  }

  it('is what the directory can serve, strongest first', () => {
    expect(names({})).toEqual([
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
    ])
    expect(names({ directory: bare() })).toEqual(['PLAIN', 'LOGIN'])
    const withTokens = { ...bare(), token: async () => undefined }
    expect(names({ directory: withTokens })).toEqual(['OAUTHBEARER', 'XOAUTH2', 'PLAIN', 'LOGIN'])
    expect(names({ directory: bare(), anonymous: '4' })).toEqual(['PLAIN', 'LOGIN', 'ANONYMOUS'])
  })

  it('is what was asked for, in that order', () => {
    expect(names({ mechanisms: ['PLAIN', 'SCRAM-SHA-256'] })).toEqual(['PLAIN', 'SCRAM-SHA-256'])
    expect(names({ mechanisms: [] })).toEqual([])
  })

  it.each<[string, Partial<AuthenticateOptions>, string]>([
    ['a mechanism that there is not', { mechanisms: ['NTLM' as MechanismName] }, '"NTLM"'],
    ['one that the directory cannot serve', { directory: bare(), mechanisms: ['CRAM-MD5'] }, 'password()'],
    ['EXTERNAL without certificates', { directory: bare(), mechanisms: ['EXTERNAL'] }, 'certificate()'],
    ['ANONYMOUS for nobody', { mechanisms: ['ANONYMOUS'] }, 'anonymous'],
    ['a short secret', { secret: new Uint8Array(15) }, 'secret'],
  ])('cannot be %s', (_what, options, says) => {
    try {
      made(options)
      expect.unreachable()
    } catch (error) {
      expect(isMailError(error) && error.code).toBe('config')
      expect((error as Error).message).toContain(says)
    }
  })

  it('guards SCRAM against downgrades where -PLUS is offered too', () => {
    const deceived = new TextEncoder().encode('y,,n=alice,r=abc')
    const channel = { secure: true, certified: false, binding: () => new Uint8Array(1) }
    const step = (mechanisms: readonly MechanismName[]) =>
      made({ mechanisms }).mechanisms.find(({ name }) => name === 'SCRAM-SHA-256')!.begin(channel).respond(deceived).kind
    expect(step(['SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS'])).toBe('malformed')
    expect(step(['SCRAM-SHA-256', 'SCRAM-SHA-1'])).toBe('lookUp')
  })
})

describe('credentials', () => {
  const outcome = async (credentials: Parameters<ReturnType<typeof made>['judge']>[0], more: Partial<LoginClient> = {}) => {
    const result = await made({ anonymous: '4' }).judge(credentials, { ...client, ...more })
    return result.kind === 'account' ? result.account.id : result.kind
  }
  const token = (username: string, given = 'token') =>
    ({ kind: 'token', mechanism: 'OAUTHBEARER', username, token: given }) as const
  const external = (username: string) => ({ kind: 'external', mechanism: 'EXTERNAL', username }) as const
  const proven = (username: string, authorizeAs?: string) =>
    ({ kind: 'proven', mechanism: 'SCRAM-SHA-256', username, ...(authorizeAs === undefined ? {} : { authorizeAs }) }) as const

  it('name an account, or nobody', async () => {
    expect(await outcome(password('alice'))).toBe('1')
    expect(await outcome(password('alice', 'wrong'))).toBe('invalid')
    expect(await outcome(password('nobody'))).toBe('invalid')
    expect(await outcome(token('alice'))).toBe('1')
    expect(await outcome(token(''))).toBe('2')
    expect(await outcome(token('alice', 'wrong'))).toBe('invalid')
    expect(await outcome(proven('bob'))).toBe('2')
    expect(await outcome(proven('nobody'))).toBe('invalid')
    expect(await outcome({ kind: 'refuted', mechanism: 'CRAM-MD5', username: 'alice', why: 'proof' })).toBe('invalid')
    expect(await outcome({ kind: 'anonymous', mechanism: 'ANONYMOUS', username: '', trace: 'me' })).toBe('4')
  })

  it('are a certificate that a CA has signed', async () => {
    expect(await outcome(external(''), { tls: tls('alice') })).toBe('1')
    expect(await outcome(external('bob'), { tls: tls('alice') })).toBe('2')
    expect(await outcome(external(''), { tls: tls('alice', false) })).toBe('invalid')
    expect(await outcome(external('alice'))).toBe('invalid')
  })

  it('act as themselves under any name, and as others where they administer the server', async () => {
    expect(await outcome(password('alice', 'secret', 'alice@example.org'))).toBe('1')
    expect(await outcome(password('alice', 'secret', 'bob'))).toBe('invalid')
    expect(await outcome(password('root', 'secret', 'bob'))).toBe('2')
    expect(await outcome(password('root', 'wrong', 'bob'))).toBe('invalid')
    expect(await outcome(password('root', 'secret', 'nobody'))).toBe('invalid')
    expect(await outcome(proven('root', 'alice'))).toBe('1')
    expect(await outcome(proven('bob', 'alice'))).toBe('invalid')
  })

  it('of ANONYMOUS need an account that may', async () => {
    const anonymous = { kind: 'anonymous', mechanism: 'ANONYMOUS', username: '', trace: '' } as const
    const result = async (found: Account | undefined) =>
      (await made({ anonymous: 'x', directory: directory({ account: async () => found }) }).judge(anonymous, client)).kind
    expect(await result(account('x'))).toBe('account')
    expect(await result(account('x', {}, true))).toBe('invalid')
    expect(await result(account('x', { smtp: false }))).toBe('invalid')
    expect(await result(undefined)).toBe('invalid')
    expect((await made().judge(anonymous, client)).kind).toBe('invalid')
  })

  it('are judged for the right, and the directory hears of whoever logs in', async () => {
    const known = directory()
    await made({ directory: known, right: 'imap' }).judge(password('alice'), client)
    await made({ directory: known, right: 'imap' }).judge(password('root', 'secret', 'bob'), client)
    expect(known.asked).toEqual([
      'verify alice secret imap 5',
      'loggedIn 1 alice',
      'verify root secret imap 5',
      'named bob imap 5',
      'loggedIn 3 root',
    ])
  })
})

describe('a guard', () => {
  it('hears of each attempt once, with its end', async () => {
    const counting = guard()
    const sasl = made({ guard: counting })
    await sasl.judge(password('alice'), client)
    await sasl.judge(password('alice', 'wrong'), client)
    await sasl.secret({ kind: 'password', mechanism: 'CRAM-MD5', username: 'bob' }, client)
    await sasl.judge({ kind: 'proven', mechanism: 'CRAM-MD5', username: 'bob' }, client)
    await sasl.secret({ kind: 'password', mechanism: 'CRAM-MD5', username: 'bob' }, client)
    await sasl.judge({ kind: 'refuted', mechanism: 'CRAM-MD5', username: 'bob', why: 'proof' }, client)
    expect(counting.told).toEqual([
      'admit alice 192.0.2.1 5 secret',
      'succeeded alice 192.0.2.1 5 secret',
      'admit alice 192.0.2.1 5 wrong',
      'failed alice 192.0.2.1 5 wrong',
      'admit bob 192.0.2.1 5',
      'succeeded bob 192.0.2.1 5',
      'admit bob 192.0.2.1 5',
      'failed bob 192.0.2.1 5',
    ])
  })

  it('holds failures back, of a proof for as long as it said when the secret was looked up', async () => {
    const sasl = made({ guard: guard({ admitted: true, delay: 4000 }) })
    expect(await sasl.judge(password('alice', 'wrong'), client)).toEqual({ kind: 'invalid', delay: 4000 })
    const found = await sasl.secret({ kind: 'scramKeys', mechanism: 'SCRAM-SHA-1', username: 'alice', hash: 'SHA-1' }, client)
    expect(found).toEqual({ kind: 'secret', secret: { keys }, delay: 4000 })
    const refuted = { kind: 'refuted', mechanism: 'SCRAM-SHA-1', username: 'alice', why: 'proof' } as const
    expect(await sasl.judge(refuted, { ...client, delay: 4000 })).toEqual({ kind: 'invalid', delay: 4000 })
  })

  it('keeps credentials from being looked at', async () => {
    const known = directory()
    const sasl = made({ directory: known, guard: guard({ admitted: false, delay: 9000 }) })
    expect(await sasl.judge(password('alice'), client)).toEqual({ kind: 'tooMany', wait: 9000 })
    const lookUp = { kind: 'password', mechanism: 'CRAM-MD5', username: 'alice' } as const
    expect(await sasl.secret(lookUp, client)).toEqual({ kind: 'tooMany', wait: 9000 })
    expect(known.asked).toEqual([])
  })
})

describe('a secret', () => {
  it('is found for whom it is kept, and asked for whoever it is', async () => {
    const known = directory()
    const sasl = made({ directory: known })
    const keysFor = { kind: 'scramKeys', mechanism: 'SCRAM-SHA-256', hash: 'SHA-256' } as const
    const found = (username: string) => sasl.secret({ ...keysFor, username }, client)
    expect(await found('alice')).toEqual({ kind: 'secret', secret: { keys }, delay: 0 })
    expect(await found('nobody')).toEqual({ kind: 'secret', secret: undefined, delay: 0 })
    // Has keys, and may not log in.
    expect(await found('disabled')).toEqual({ kind: 'secret', secret: undefined, delay: 0 })
    expect(known.asked).toEqual(['named alice smtp 5', 'named nobody smtp 5', 'named disabled smtp 5'])
    const lookUp = { kind: 'password', mechanism: 'CRAM-MD5', username: 'alice' } as const
    expect(await sasl.secret(lookUp, client)).toEqual({ kind: 'secret', secret: { password: 'secret' }, delay: 0 })
  })
})

describe('what fails', () => {
  const broken = new MailError('temporary', 'The database is away.')
  const fails = async (): Promise<never> => {
    throw broken
  }
  const throws = (): never => {
    throw broken
  }
  const lookUp = { kind: 'scramKeys', mechanism: 'SCRAM-SHA-1', username: 'alice', hash: 'SHA-1' } as const

  it.each<[string, Partial<AuthenticateOptions>]>([
    ['the directory', { directory: directory({ verify: fails, named: fails }) }],
    ['the directory, at once', { directory: directory({ verify: throws, named: throws }) }],
    ['the guard', { guard: { ...guard(), admit: fails } }],
  ])('says nothing about the credentials: %s', async (_what, options) => {
    const sasl = made(options)
    expect(await sasl.judge(password('alice'), client)).toEqual({ kind: 'temporary', error: broken })
    expect(await sasl.secret(lookUp, client)).toEqual({ kind: 'temporary', error: broken })
  })

  it('is not counted as a failure of the client', async () => {
    const counting = guard()
    await made({ guard: counting, directory: directory({ verify: fails }) }).judge(password('alice'), client)
    expect(counting.told).toEqual(['admit alice 192.0.2.1 5 secret'])
  })
})
