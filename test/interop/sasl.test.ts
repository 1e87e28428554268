import { createTransport } from 'nodemailer'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { authenticate } from '../../src/accounts/authenticate.ts'
import { certificates, nodeCrypto } from '../../src/adapters/node/index.ts'
import type { Account, Directory } from '../../src/contracts/directory.ts'
import { scramKeysOf } from '../../src/protocol/sasl/index.ts'
import { issue } from '../adapters/node/issue.ts'
import { certificateIn } from './certificate.ts'
import { run } from './children.ts'
import { type Client, clients } from './clients.ts'
import { holding } from './held.ts'
import { Inbox } from './inbox.ts'
import { fileOf, plainMail } from './mail.ts'
import { describeWith } from './programs.ts'

const held = holding()
const folder = held.folder('sasl')
const { files } = certificateIn(folder, held)
const authority = issue({ subject: 'Clients', ca: true })
const own = issue({ subject: 'alice', issuer: authority, purposes: [2] })
/** By name. The second is for those who know more than ASCII. */
const passwords = new Map([['alice', 'wonder, land='], ['j\u00fcrgen', 'w\u00f6nder, l\u00e4nd=']])
const PASSWORD = passwords.get('alice')!

const alice: Account = {
  id: 'alice@example.test',
  disabled: false,
  rights: { smtp: true, imap: true, admin: false },
  quota: { octets: Infinity, messages: Infinity },
}

async function directory(): Promise<Directory> {
  const isHere = (username: string): boolean => passwords.has(username) || username === 'alice@example.test'
  const passwordOf = (username: string): string | undefined => passwords.get(username)
  return {
    resolve: async () => ({ kind: 'elsewhere' }),
    account: async () => alice,
    verify: async ({ username, password }) => (password === passwordOf(username) ? alice : undefined),
    maySendAs: async () => true,
    named: async ({ username }) => (isHere(username) ? alice : undefined),
    scramKeys: async (username, hash) => {
      const password = passwordOf(username)
      return password === undefined ? undefined : scramKeysOf(nodeCrypto, hash, password)
    },
    password: async (username) => passwordOf(username),
    token: async ({ username, token }) => (isHere(username) && token === 'tea' ? alice : undefined),
    certificate: async ({ certificate }) => (certificate.subject === 'CN=alice' ? alice : undefined),
  }
}

let inbox: Inbox
beforeAll(async () => {
  const source = certificates({ ...files, watch: false, clientCa: authority.cert })
  held.later(() => source.close())
  inbox = await Inbox.open({
    profile: 'submission',
    authenticate: authenticate({ directory: await directory(), crypto: nodeCrypto, right: 'smtp', hostname: 'mx.example.test' }),
    // Clients try again and again by themselves.
    smtp: { timeouts: { authDelay: 0 } },
    listen: { tls: { mode: 'starttls', certificates: source } },
  })
  writeFileSync(join(folder, 'client.crt'), own.cert as string)
  writeFileSync(join(folder, 'client.key'), own.key as string)
})
afterAll(() => inbox.stop())

/** The mechanism of the latest log-in, or that it was denied. */
const latest = (): string | undefined => {
  const told = inbox.events.filter((event) => event.kind === 'authenticated' || event.kind === 'denied').at(-1)
  return told && `${told.kind} ${told.mechanism} ${told.username}`
}

/** Looks at what came of a log-in with the password and of one without it. */
async function both(mechanism: string, login: (username: string, password: string) => Promise<boolean>): Promise<void> {
  expect(await login('alice', PASSWORD)).toBe(true)
  expect(latest()).toBe(`authenticated ${mechanism} alice`)
  expect(await login('alice', 'looking-glass')).toBe(false)
  expect(latest()).toBe(`denied ${mechanism} alice`)
}

/** The same for a name and a password with letters beyond ASCII. */
async function beyondAscii(mechanism: string, login: (username: string, password: string) => Promise<boolean>): Promise<void> {
  for (const [username, password] of passwords) {
    expect(await login(username, password)).toBe(true)
    expect(latest()).toBe(`authenticated ${mechanism} ${username}`)
  }
}

const ca = files.cert as string
const task = (subject: string) => {
  const file = fileOf(plainMail(subject), folder)
  return { file, sending: { port: inbox.port, security: 'starttls', ca, to: ['bob@example.test'], file } as const }
}

const passwordClients: readonly Client[] = clients.filter(({ auth }) => auth)
for (const client of passwordClients) {
  describeWith(client.programs, client.name, () => {
    it.each(['PLAIN', 'LOGIN', 'CRAM-MD5'] as const)('logs in by %s', async (mechanism) => {
      const { sending } = task(`${client.name} ${mechanism}`)
      await both(mechanism, async (user, password) => {
        const sent = await client.send({ ...sending, auth: { mechanism, user, password } })
        return sent.accepted
      })
    })
  })
}

describeWith(['msmtp'], 'msmtp', () => {
  const send = async (method: string, user: string, password: string, more: readonly string[] = []): Promise<boolean> => {
    const { file } = task(`msmtp ${method}`)
    const { code } = await run('msmtp', [
      '--host=localhost', `--port=${inbox.port}`, `--auth=${method}`, `--user=${user}`, '--passwordeval=printenv GIVEN',
      '--tls=on', '--tls-starttls=on', `--tls-trust-file=${ca}`, '--from=sender@client.test', ...more, 'bob@example.test',
    ], { input: readFileSync(file), env: { GIVEN: password } })
    return code === 0
  }

  it.each(['plain', 'login', 'cram-md5', 'scram-sha-1', 'scram-sha-256'])('logs in by %s', async (method) => {
    await both(method.toUpperCase(), (user, password) => send(method, user, password))
    await beyondAscii(method.toUpperCase(), (user, password) => send(method, user, password))
  })

  it.each(['oauthbearer', 'xoauth2'])('logs in by %s', async (method) => {
    expect(await send(method, 'alice', 'tea')).toBe(true)
    expect(latest()).toBe(`authenticated ${method.toUpperCase()} alice`)
    expect(await send(method, 'alice', 'coffee')).toBe(false)
    expect(latest()).toBe(`denied ${method.toUpperCase()} alice`)
  })

  it('logs in by its certificate', async () => {
    const shown = [`--tls-cert-file=${join(folder, 'client.crt')}`, `--tls-key-file=${join(folder, 'client.key')}`]
    expect(await send('external', 'alice', '', shown)).toBe(true)
    expect(latest()).toMatch(/^authenticated EXTERNAL/)
  })
})

describeWith(['gsasl'], 'gsasl', () => {
  type More = readonly string[]
  const login = async (mechanism: string, user: string, password: string, more: More = []): Promise<boolean> => {
    const { code, text } = await run('gsasl', [
      '--smtp', `--connect=localhost:${inbox.port}`, '--mechanism', mechanism, `--authentication-id=${user}`,
      `--password=${password}`, `--x509-ca-file=${ca}`, '--verbose', ...more,
    ])
    return code === 0 && text.includes('235 ')
  }

  // It could bind, and says so; a server that offers that must then suspect somebody in the middle.
  const unbound = ['--no-cb']

  it.each(['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256'])('logs in by %s', async (mechanism) => {
    await both(mechanism, (user, password) => login(mechanism, user, password, unbound))
    await beyondAscii(mechanism, (user, password) => login(mechanism, user, password, unbound))
  })

  it.each(['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS'])('logs in by %s, bound to the channel', async (mechanism) => {
    await both(mechanism, (user, password) => login(mechanism, user, password))
    expect(await login(mechanism.slice(0, -5), 'alice', PASSWORD)).toBe(false)
  })

  it('acts as itself by another name, and as nobody else', async () => {
    const as = (name: string) => login('SCRAM-SHA-256-PLUS', 'alice', PASSWORD, [`--authorization-id=${name}`])
    expect(await as('alice@example.test')).toBe(true)
    expect(await as('bob')).toBe(false)
  })
})

describeWith(['curl'], 'curl', () => {
  it('logs in by OAUTHBEARER', async () => {
    const { file } = task('curl OAUTHBEARER')
    const login = async (token: string): Promise<boolean> => {
      const { code } = await run('curl', [
        '--silent', '--show-error', `smtp://localhost:${inbox.port}/client.test`, '--ipv4', '--ssl-reqd', '--cacert', ca,
        '--upload-file', file, '--mail-from', 'sender@client.test', '--mail-rcpt', 'bob@example.test',
        '--user', 'alice', '--oauth2-bearer', token,
      ])
      return code === 0
    }
    expect(await login('tea')).toBe(true)
    expect(latest()).toBe('authenticated OAUTHBEARER alice')
    expect(await login('coffee')).toBe(false)
    expect(latest()).toBe('denied OAUTHBEARER alice')
  })
})

describe('nodemailer', () => {
  it('logs in by XOAUTH2', async () => {
    const login = async (accessToken: string): Promise<boolean> => {
      const transport = createTransport({
        host: 'localhost', port: inbox.port, requireTLS: true, tls: { ca: readFileSync(ca) },
        auth: { type: 'OAuth2', user: 'alice', accessToken },
      })
      try {
        return await transport.verify()
      } catch {
        return false
      } finally {
        transport.close()
      }
    }
    expect(await login('tea')).toBe(true)
    expect(latest()).toBe('authenticated XOAUTH2 alice')
    expect(await login('coffee')).toBe(false)
    expect(latest()).toBe('denied XOAUTH2 alice')
  })
})
