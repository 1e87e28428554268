import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/adapters/memory/index.ts'
import type { Account, Directory } from '../../src/contracts/directory.ts'
import { pop3Server, type Running } from '../../src/index.ts'
import { indexMessage } from '../../src/message/indexer.ts'
import { certificateIn } from './certificate.ts'
import { run } from './children.ts'
import type { Security } from './clients.ts'
import { holding } from './held.ts'
import { eightBitMail, largeMail, plainMail, utf8Mail } from './mail.ts'
import { describeWith } from './programs.ts'

const held = holding()
const folder = held.folder('pop3')
const certificate = certificateIn(folder, held)
const securities: readonly Security[] = ['plain', 'starttls', 'implicit']

/** Everybody is here, and everybody's password is this. */
const PASSWORD = 'open sesame, grüß dich'
const directory: Directory = {
  resolve: async () => ({ kind: 'unknown' }),
  account: async (id) => accountOf(id),
  verify: async ({ username, password }) => (password === PASSWORD ? accountOf(username) : undefined),
  maySendAs: async () => false,
  named: async ({ username }) => accountOf(username),
  password: async () => PASSWORD,
}
const accountOf = (id: string): Account => ({
  id, disabled: false, rights: { smtp: false, imap: true, admin: false }, quota: { octets: Infinity, messages: Infinity },
})

const store = memoryStore({ now: () => Date.now() })
const server = pop3Server({ hostname: 'pop.example.test', directory, store, plaintextAuth: 'loopback' })
const running = new Map<Security, Running>()
const mail = [plainMail('pop3'), eightBitMail('pop3'), utf8Mail('pop3'), largeMail('pop3', 3_000_000)].map(({ octets }) => octets)

beforeAll(async () => {
  const certificates = certificate.source
  const where = { host: '127.0.0.1', port: 0 }
  running.set('plain', await server.listen(where))
  running.set('starttls', await server.listen({ ...where, tls: { mode: 'starttls', certificates } }))
  running.set('implicit', await server.listen({ ...where, tls: { mode: 'implicit', certificates } }))
})
afterAll(() => Promise.all([...running.values()].map((one) => one.stop({ within: 2000 }))))

let people = 0

/** Somebody new, with all the mail. */
async function somebody(): Promise<string> {
  const name = `person${++people}`
  const { id } = await store.create(name, ['INBOX'])
  for (const octets of mail) {
    const body = { size: octets.length, bytes: octets, read: async function* () { yield octets } }
    await store.append(id, { body, facts: indexMessage(octets), received: 0 })
  }
  return name
}

/** UIDs that somebody still has. */
async function left(name: string): Promise<number[]> {
  const uids: number[] = []
  const [inbox] = await store.mailboxes(name)
  for await (const page of store.entries(inbox!.id)) uids.push(...page.map(({ uid }) => uid))
  return uids
}

const security = (one: Security) => ({ security: one, port: running.get(one)!.port })

describeWith(['python3'], 'poplib', () => {
  interface Got {
    readonly greeting: string
    readonly capabilities: Readonly<Record<string, readonly string[]>>
    readonly stat: readonly [number, number]
    readonly list: readonly string[]
    readonly uidl: readonly string[]
    readonly messages: readonly string[]
    readonly tops: readonly (readonly string[])[]
    readonly bye?: string
    readonly error?: string
  }
  const fetched = async (task: object): Promise<Got> => {
    const input = JSON.stringify({ ca: certificate.files.cert, password: PASSWORD, ...task })
    const { code, out, text } = await run('python3', [new URL('poplib_client.py', import.meta.url).pathname], { input })
    expect(code, text).toBe(0)
    return JSON.parse(out) as Got
  }

  it.each(securities)('%s: fetches all mail octet for octet, and deletes some', async (one) => {
    const user = await somebody()
    const got = await fetched({ ...security(one), user, utf8: true, delete: [1, 3] })
    expect(got).toMatchObject({
      greeting: '+OK pop.example.test ready',
      capabilities: { UIDL: [], TOP: [], PIPELINING: [], IMPLEMENTATION: ['posthorn'], UTF8: ['USER'] },
      stat: [4, mail.reduce((sum, { length }) => sum + length, 0)],
      list: mail.map(({ length }, at) => `${at + 1} ${length}`),
      bye: '+OK Good bye',
    })
    got.messages.forEach((octets, at) => expect(Buffer.from(octets, 'base64').equals(mail[at]!), `message ${at + 1}`).toBe(true))
    for (const [at, top] of got.tops.entries()) {
      const text = mail[at]!.toString('latin1')
      const lines = text.slice(0, text.indexOf('\r\n', text.indexOf('\r\n\r\n') + 4)).split('\r\n')
      expect(top).toEqual(lines)
    }
    expect(await left(user)).toEqual([2, 4])
    const again = await fetched({ ...security(one), user })
    expect(again.uidl.map((line) => line.split(' ')[1])).toEqual([1, 3].map((at) => got.uidl[at]!.split(' ')[1]))
  })

  it('loses nothing when it leaves without QUIT', async () => {
    const user = await somebody()
    await fetched({ ...security('plain'), user, delete: [1], leave: 'rudely' })
    expect(await left(user)).toEqual([1, 2, 3, 4])
  })

  it('hears why it cannot log in', async () => {
    const got = await fetched({ ...security('plain'), user: 'x', password: 'guess' })
    expect(got.error).toContain('-ERR [AUTH] Name or password is wrong')
  })
})

describeWith(['curl'], 'curl', () => {
  const curl = (one: Security, path: string, ...more: readonly string[]) => {
    const { port } = security(one)
    const url = `${one === 'implicit' ? 'pop3s' : 'pop3'}://localhost:${port}/${path}`
    const tls = one === 'starttls' ? ['--ssl-reqd'] : []
    return run('curl', ['--silent', '--show-error', '--ipv4', '--cacert', certificate.files.cert as string, ...tls, ...more, url])
  }

  describe.each(securities)('%s', (one) => {
    it.each(['PLAIN', 'LOGIN', 'CRAM-MD5', 'what it likes best'])('fetches messages by %s', async (mechanism) => {
      const user = await somebody()
      const file = join(folder, 'fetched.eml')
      const choice = mechanism.includes(' ') ? [] : ['--login-options', `AUTH=${mechanism}`]
      const options = ['--user', `${user}:${PASSWORD}`, ...choice]
      for (const [at, octets] of mail.entries()) {
        const { code, text } = await curl(one, String(at + 1), ...options, '--output', file)
        expect([code, text]).toEqual([0, ''])
        expect(readFileSync(file).equals(octets)).toBe(true)
      }
    })
  })

  it('deletes a message', async () => {
    const user = await somebody()
    const { code } = await curl('plain', '2', '--user', `${user}:${PASSWORD}`, '--request', 'DELE', '--head')
    expect(code).toBe(0)
    expect(await left(user)).toEqual([1, 3, 4])
  })

  it('lists', async () => {
    const user = await somebody()
    const { out } = await curl('plain', '', '--user', `${user}:${PASSWORD}`)
    expect(out.trim().split(/\r?\n/)).toEqual(mail.map(({ length }, at) => `${at + 1} ${length}`))
  })
})
