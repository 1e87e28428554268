import { describe, expect, it } from 'vitest'
import { accountAdmin, type AccountAdminOptions } from '../../src/accounts/admin.ts'
import type { AuditRecord } from '../../src/accounts/admin-parts.ts'
import { accountDirectory } from '../../src/accounts/directory.ts'
import { makeMailboxes } from '../../src/accounts/mailboxes.ts'
import { memoryAccounts, memoryStore } from '../../src/adapters/memory/index.ts'
import { indexMessage } from '../../src/message/index.ts'
import { seededRandom } from '../../src/testing/index.ts'
import { at, fakeHash, FakePasswords, scram } from './fakes.ts'

async function setUp(options: Partial<AccountAdminOptions> = {}) {
  const records = memoryAccounts()
  const store = memoryStore({ now: () => 5000 })
  const passwords = new FakePasswords()
  const told: AuditRecord[] = []
  const random = seededRandom(1)
  const admin = accountAdmin({
    records,
    store,
    passwords,
    random: (octets) => random.octets(octets),
    now: () => 1234,
    audit: (record) => void told.push(record),
    ...options,
  })
  const directory = accountDirectory({ records, passwords, scram, plainPasswords: true })
  await admin.domains.set({ name: 'example.org' })
  const login = async (username: string, password: string) =>
    (await directory.verify({ username, password, right: 'imap', now: 9 }))?.id
  return { records, store, passwords, told, admin, directory, login }
}

const alice = { addresses: ['Alice@Example.ORG'], password: 'wonderland' }

describe('an account', () => {
  it('is made with its mailboxes, and found', async () => {
    const { admin, store, login, told } = await setUp()
    const more = { logins: ['AL'], rights: { admin: true }, quota: { octets: Infinity }, data: { plan: 'free' } }
    const made = await admin.create({ ...alice, ...more })
    expect(made).toEqual({
      id: 'alice@example.org',
      addresses: ['alice@example.org'],
      logins: ['al'],
      disabled: false,
      rights: { smtp: true, imap: true, admin: true },
      quota: { messages: null, octets: null },
      hasPassword: true,
      appPasswords: [],
      certificates: [],
      created: 1234,
      data: { plan: 'free' },
    })
    for (const name of ['alice@example.org', 'ALICE@example.org', 'al']) expect(await admin.find(name)).toEqual(made)
    expect(await admin.account('alice@example.org')).toEqual(made)
    expect(await admin.find('bob')).toBeUndefined()
    expect(await login('alice@example.org', 'wonderland')).toBe('alice@example.org')
    const boxes = await store.mailboxes('alice@example.org')
    expect(boxes.map(({ path, use }) => [path.join('/'), use])).toEqual([
      ['Archive', '\\Archive'], ['Drafts', '\\Drafts'], ['INBOX', undefined],
      ['Sent', '\\Sent'], ['Spam', '\\Junk'], ['Trash', '\\Trash'],
    ])
    expect((await store.subscriptions?.('alice@example.org'))?.length).toBe(6)
    const details = { addresses: ['alice@example.org'] }
    expect(told.at(-1)).toEqual({ at: 1234, action: 'account.create', subject: 'alice@example.org', details })
  })

  it('has the id that it is given', async () => {
    const { admin } = await setUp()
    expect((await admin.create({ ...alice, id: 'u-17' })).id).toBe('u-17')
    expect((await admin.find('alice@example.org'))?.id).toBe('u-17')
  })

  it('takes what nobody else has', async () => {
    const { admin, store } = await setUp()
    await admin.create({ ...alice, logins: ['al'], certificates: ['AB:'.repeat(31) + 'ab'] })
    await expect(admin.create(alice)).rejects.toThrow('There is an account alice@example.org already. Change it')
    await expect(admin.create({ ...alice, id: 'x' })).rejects.toThrow('is taken by the account alice@example.org')
    await expect(admin.create({ addresses: ['b@example.org'], logins: ['AL'] })).rejects.toMatchObject({ code: 'permanent' })
    const certificates = ['ab'.repeat(32)]
    await expect(admin.create({ addresses: ['b@example.org'], certificates })).rejects.toMatchObject({ code: 'permanent' })
    expect(await store.mailboxes('b@example.org')).toEqual([])
    await admin.create({ addresses: ['b@example.org'] })
    await expect(admin.change('b@example.org', { logins: ['al'] })).rejects.toMatchObject({ code: 'permanent' })
  })

  it('is made once, of many who would', async () => {
    const { admin } = await setUp()
    const made = await Promise.allSettled(Array.from({ length: 5 }, () => admin.create(alice)))
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it.each<[unknown, string]>([
    [{}, 'addresses is missing'],
    [{ addresses: [] }, 'Give one at least'],
    [{ addresses: 'alice@example.org' }, 'a list of texts'],
    [{ adresses: ['a@example.org'] }, 'Did you mean addresses?'],
    [{ addresses: ['alice'] }, 'addresses: "alice" is no address. Write name@example.org'],
    [{ addresses: ['al\u200bice@example.org'] }, 'has characters that are not seen, or forms of others. Write it in plain'],
    [{ addresses: ['\u202ealice@example.org'] }, 'has characters that are not seen'],
    [{ addresses: ['\uff21lice@example.org'] }, 'has characters that are not seen, or forms of others'],
    [{ addresses: ['\ufb01ona@example.org'] }, 'forms of others'],
    [{ addresses: ['a b@example.org'] }, 'with quotes where they must be'],
    [{ addresses: ['a@outside.example'] }, "Add it first: domains.set({ name: 'outside.example' })"],
    [{ addresses: [`${'x'.repeat(65)}@example.org`] }, 'more than 64 octets before the @'],
    [{ ...alice, logins: [''] }, 'Give 1 to 255 octets'],
    [{ ...alice, logins: [' al'] }, 'without blanks around it'],
    [{ ...alice, logins: ['a\nb'] }, 'control characters'],
    [{ ...alice, id: '' }, 'id: "" cannot be it'],
    [{ ...alice, password: '' }, 'Give 1 to 1024 octets'],
    [{ ...alice, password: 'x'.repeat(1025) }, 'Give 1 to 1024 octets'],
    [{ ...alice, password: 'ä'.repeat(513) }, 'Give 1 to 1024 octets'],
    [{ ...alice, password: 'a\tb' }, 'without control characters'],
    [{ ...alice, password: { hash: 'plain' } }, 'is no hash'],
    [{ ...alice, rights: { imapp: true } }, 'There are smtp, imap and admin'],
    [{ ...alice, rights: { imap: 'yes' } }, 'neither true nor false'],
    [{ ...alice, quota: { octets: -1 } }, 'a whole number from 0 on, or null'],
    [{ ...alice, quota: { bytes: 1 } }, 'There are octets and messages'],
    [{ ...alice, messageOctets: 1.5 }, 'messageOctets is 1.5; it takes a whole number from 0 on, or null'],
    [{ ...alice, certificates: ['ab'] }, 'Give its 64 hexadecimal digits'],
    [{ ...alice, addresses: Array.from({ length: 1001 }, (_, n) => `u${n}@example.org`) }, '1000 is the most'],
  ])('cannot be %j: %s', async (given, message) => {
    const { admin, store } = await setUp()
    await expect(admin.create(given as never)).rejects.toThrow(message)
    expect(await store.mailboxes('alice@example.org')).toEqual([])
  })

  it('never shows a password in an error', async () => {
    const { admin } = await setUp()
    const error: unknown = await admin.create({ ...alice, password: 'sec\u0000ret' }).catch((reason: unknown) => reason)
    expect(String(error)).not.toContain('sec')
    expect(String(await admin.setPassword('a', { hash: 'secret' }).catch((reason: unknown) => reason))).not.toContain('secret')
  })

  it('is changed in what is given', async () => {
    const { admin, records, told } = await setUp()
    await admin.create({ ...alice, rights: { admin: true }, quota: { messages: 5 }, messageOctets: 9, data: { a: 1 } })
    const addresses = ['a.l@example.org', 'alice@example.org']
    expect(await admin.change('alice@example.org', { rights: { smtp: false }, addresses }))
      .toMatchObject({ rights: { smtp: false, imap: true, admin: true }, addresses, messageOctets: 9 })
    const bare = await admin.change('alice@example.org', { quota: null, messageOctets: null, data: null })
    expect(bare).toMatchObject({ quota: { messages: null, octets: 1024 ** 3 } })
    expect(await records.account('alice@example.org')).toEqual({
      id: 'alice@example.org',
      addresses: ['a.l@example.org', 'alice@example.org'],
      password: fakeHash('wonderland'),
      rights: { admin: true, smtp: false },
      created: 1234,
    })
    expect(told.at(-1)?.details).toEqual({ quota: null, messageOctets: null, data: 'changed' })
    await expect(admin.change('nobody', {})).rejects.toThrow('There is no account nobody')
    await expect(admin.change('alice@example.org', { addresses: [] })).rejects.toThrow('Give one at least')
  })

  it('is disabled and enabled', async () => {
    const { admin, login, directory } = await setUp()
    await admin.create(alice)
    expect((await admin.disable('alice@example.org')).disabled).toBe(true)
    expect(await login('alice@example.org', 'wonderland')).toBeUndefined()
    expect(await directory.resolve(at('alice@example.org'))).toEqual({ kind: 'disabled' })
    expect((await admin.enable('alice@example.org')).disabled).toBe(false)
    expect(await login('alice@example.org', 'wonderland')).toBe('alice@example.org')
  })

  it('is listed with the others, in pages', async () => {
    const { admin } = await setUp({ store: undefined as never })
    const ids = Array.from({ length: 250 }, (_, n) => `u${String(n).padStart(3, '0')}@example.org`)
    for (const id of ids) await admin.create({ addresses: [id] })
    const found: string[] = []
    for await (const page of admin.accounts()) found.push(...page.map(({ id }) => id))
    expect(found).toEqual(ids)
    for await (const page of admin.accounts(ids[248])) expect(page.map(({ id }) => id)).toEqual([ids[249]])
  })
})

describe('passwords', () => {
  it('are set, with what other mechanisms need', async () => {
    const { admin, login, directory, records } = await setUp({ scram, plainPasswords: true })
    await admin.create({ addresses: ['alice@example.org'] })
    expect((await admin.account('alice@example.org'))?.hasPassword).toBe(false)
    await admin.setPassword('alice@example.org', 'pa\u0308ss')
    expect(await login('alice@example.org', 'p\u00e4ss')).toBe('alice@example.org')
    expect((await directory.scramKeys?.('alice@example.org', 'SHA-256'))?.iterations).toBe(4096)
    expect(await directory.password?.('alice@example.org')).toBe('p\u00e4ss')
    await admin.setPassword('alice@example.org', { hash: fakeHash('other', 1) })
    expect(await records.account('alice@example.org')).toMatchObject({ password: fakeHash('other', 1) })
    expect(await directory.scramKeys?.('alice@example.org', 'SHA-256')).toBeUndefined()
    await admin.removePassword('alice@example.org')
    expect(await login('alice@example.org', 'other')).toBeUndefined()
    await expect(admin.setPassword('nobody', 'x')).rejects.toMatchObject({ code: 'permanent' })
  })

  it('for one program are shown once, and let in with their rights', async () => {
    const { admin, login, directory, records, told } = await setUp()
    await admin.create(alice)
    const made = await admin.addAppPassword('alice@example.org', { label: 'Thunderbird', rights: { smtp: false } })
    expect(made.password).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){5}[0-9a-hjkmnp-tv-z]{4}$/)
    expect(made.password.startsWith(made.id)).toBe(true)
    expect(await login('alice@example.org', made.password)).toBe('alice@example.org')
    expect(await login('alice@example.org', 'wonderland')).toBe('alice@example.org')
    const { password } = made
    expect(await directory.verify({ username: 'alice@example.org', password, right: 'smtp', now: 0 })).toBeUndefined()
    expect((await admin.account('alice@example.org'))?.appPasswords)
      .toEqual([{ id: made.id, label: 'Thunderbird', created: 1234, lastUsed: 9, rights: { smtp: false } }])
    expect(JSON.stringify(told)).not.toContain(made.password.slice(5))
    const other = await admin.addAppPassword('alice@example.org', { label: 'Phone' })
    expect(other.password).not.toBe(made.password)
    expect(await admin.removeAppPassword('alice@example.org', made.id)).toBe(true)
    expect(await admin.removeAppPassword('alice@example.org', made.id)).toBe(false)
    expect(await login('alice@example.org', made.password)).toBeUndefined()
    expect(await login('alice@example.org', other.password)).toBe('alice@example.org')
    expect((await records.account('alice@example.org'))?.appPasswords).toHaveLength(1)
  })

  it('for one program never begin alike, and are a hundred at most', async () => {
    let draws = 0
    // The first two are the same.
    const { admin } = await setUp({ random: (octets) => new Uint8Array(octets).fill(Math.max(0, draws++ - 1)) })
    await admin.create(alice)
    const first = await admin.addAppPassword('alice@example.org', { label: 'one' })
    const second = await admin.addAppPassword('alice@example.org', { label: 'two' })
    expect(second.id).not.toBe(first.id)
    await expect(admin.addAppPassword('alice@example.org', { label: '' })).rejects.toThrow('label')
    await expect(admin.addAppPassword('nobody', { label: 'x' })).rejects.toMatchObject({ code: 'permanent' })
  })
})

describe('what is removed', () => {
  const message = new TextEncoder().encode('Subject: hi\r\n\r\nhello\r\n')

  async function withMail() {
    const parts = await setUp()
    await parts.admin.create({ ...alice, logins: ['al'] })
    await parts.admin.create({ addresses: ['bob@example.org'] })
    const inbox = (await parts.store.mailboxes('alice@example.org')).find(({ path }) => path[0] === 'INBOX')!
    const body = { size: message.length, bytes: message, read: async function* () { yield message } }
    await parts.store.append(inbox.id, { body, facts: indexMessage(message), received: 1 })
    return parts
  }

  it('is gone with its mail, and leaves a note', async () => {
    const { admin, store, told, login, directory } = await withMail()
    const senders = ['alice@example.org', 'bob@example.org']
    await admin.aliases.set({ address: 'info@example.org', to: ['bob@example.org'], senders })
    const erased = await store.usage('alice@example.org')
    expect(erased.messages).toBe(1)
    expect(await admin.remove('alice@example.org')).toBe(true)
    expect(await store.mailboxes('alice@example.org')).toEqual([])
    expect(await store.usage('alice@example.org')).toEqual({ messages: 0, octets: 0 })
    expect(await admin.account('alice@example.org')).toBeUndefined()
    expect(await login('alice@example.org', 'wonderland')).toBeUndefined()
    expect(await directory.resolve(at('alice@example.org'))).toEqual({ kind: 'unknown' })
    expect(told.at(-1)).toEqual({
      at: 1234,
      action: 'account.remove',
      subject: 'alice@example.org',
      details: { addresses: ['alice@example.org'], logins: ['al'], created: 1234, erased },
    })
    expect((await admin.aliases.list()[Symbol.asyncIterator]().next()).value).toMatchObject([{ senders: ['bob@example.org'] }])
    expect(await admin.remove('alice@example.org')).toBe(false)
    await admin.create(alice)
  })

  it('is disabled and still there where a step fails, and can be removed again', async () => {
    const { admin, store } = await withMail()
    const erase = store.erase.bind(store)
    store.erase = async () => { throw new Error('disk') }
    await expect(admin.remove('alice@example.org')).rejects.toThrow('disk')
    expect((await admin.account('alice@example.org'))?.disabled).toBe(true)
    store.erase = erase
    expect(await admin.remove('alice@example.org')).toBe(true)
  })

  it('is kept until the note of it is', async () => {
    let fails = true
    const audit = ({ action }: AuditRecord): void => {
      if (fails && action === 'account.remove') throw new Error('no log')
    }
    const { admin } = await setUp({ audit })
    await admin.create(alice)
    await expect(admin.remove('alice@example.org')).rejects.toThrow('no log')
    fails = false
    expect(await admin.remove('alice@example.org')).toBe(true)
  })
})

it('gives an account as JSON, with its secrets only if asked', async () => {
  const { admin, records } = await setUp({ scram, plainPasswords: true })
  await admin.create(alice)
  await admin.addAppPassword('alice@example.org', { label: 'one' })
  await admin.aliases.set({ address: 'info@example.org', to: ['Alice@example.org'] })
  await admin.aliases.set({ address: 'other@example.org', to: ['x@outside.example'] })
  const shown = await admin.export('alice@example.org')
  expect(JSON.stringify(shown)).not.toMatch(/wonderland|\$fake|storedKey|hash/)
  const aliases = [{ address: 'info@example.org' }]
  expect(shown).toMatchObject({ format: 'posthorn account', version: 1, exported: 1234, aliases })
  expect(shown?.account).toMatchObject({ addresses: ['alice@example.org'], appPasswords: [{ label: 'one' }] })
  const whole = await admin.export('alice@example.org', { secrets: true })
  expect(whole?.account).toEqual(await records.account('alice@example.org'))
  expect(await admin.export('nobody')).toBeUndefined()
})

describe('domains', () => {
  it('are kept in their normal form', async () => {
    const { admin, records } = await setUp()
    const catchAll = ['Alice@Example.org', 'Out@Side.example', 'alice@example.org']
    const set = await admin.domains.set({ name: 'MÜLLER.example.', catchAll, separator: '-' })
    expect(set).toEqual({ name: 'xn--mller-kva.example', catchAll: ['alice@example.org', 'Out@side.example'], separator: '-' })
    expect(await records.domain('xn--mller-kva.example')).toEqual(set)
    expect(await admin.domains.remove('müller.example')).toBe(true)
    expect(await admin.domains.remove('müller.example')).toBe(false)
  })

  it.each<[unknown, string]>([
    [{ name: 'not a domain' }, 'is no domain. Write it as example.org'],
    [{ name: 'example.net', aliasOf: 'nowhere.example' }, 'is no other domain of this server'],
    [{ name: 'example.net', aliasOf: 'example.net' }, 'is no other domain of this server'],
    [{ name: 'example.net', aliasOf: 'example.com' }, 'stands for example.org itself'],
    [{ name: 'example.org', aliasOf: 'strict.example' }, 'would make alice@example.org unreachable'],
    [{ name: 'empty.example', aliasOf: 'example.org' }, ''],
    [{ name: 'base.example', aliasOf: 'example.org' }, 'would make top.example unreachable'],
    [{ name: 'strict.example' }, 'would make Eve@strict.example unreachable'],
    [{ name: 'example.net', separator: 'x' }, 'separator'],
    [{ name: 'example.net', separator: '@' }, 'separator'],
    [{ name: 'example.net', catchAll: ['alice'] }, 'catchAll: "alice" is no address'],
    [{ name: 'example.net', catchall: ['alice@example.org'] }, 'Did you mean catchAll?'],
  ])('%j: %s', async (given, message) => {
    const { admin } = await setUp()
    await admin.domains.set({ name: 'example.com', aliasOf: 'example.org' })
    await admin.domains.set({ name: 'base.example' })
    await admin.domains.set({ name: 'top.example', aliasOf: 'base.example' })
    await admin.domains.set({ name: 'strict.example', caseSensitive: true })
    await admin.create({ addresses: ['alice@example.org'] })
    await admin.create({ addresses: ['Eve@strict.example'] })
    const set = admin.domains.set(given as never)
    if (message === '') await set
    else await expect(set).rejects.toThrow(message)
  })

  it('stay while they are needed', async () => {
    const { admin } = await setUp()
    await admin.aliases.set({ address: 'info@example.org', to: ['x@outside.example'] })
    await expect(admin.domains.remove('example.org')).rejects.toThrow('example.org is needed for info@example.org')
    await admin.aliases.remove('Info@example.org')
    await admin.domains.set({ name: 'example.com', aliasOf: 'example.org' })
    await expect(admin.domains.remove('example.org')).rejects.toThrow('example.org is needed for example.com')
    await expect(admin.create({ addresses: ['a@example.com'] })).rejects.toThrow('a domain that stands for example.org')
  })
})

describe('aliases', () => {
  it('are kept in their normal form', async () => {
    const { admin, directory } = await setUp()
    await admin.create(alice)
    const to = ['ALICE@example.org', 'Out@Side.example', 'alice@example.org']
    const both = { kind: 'here', destinations: [{ kind: 'account' }, { kind: 'outside' }] }
    const set = await admin.aliases.set({ address: 'INFO@example.org', to })
    expect(set).toEqual({ address: 'info@example.org', to: ['alice@example.org', 'Out@side.example'] })
    expect(await directory.resolve(at('info@example.org'))).toMatchObject(both)
    // Forward and keep a copy.
    await admin.aliases.set({ address: 'alice@example.org', to: ['alice@example.org', 'Out@side.example'] })
    expect(await directory.resolve(at('alice@example.org'))).toMatchObject(both)
  })

  it.each<[unknown, string]>([
    [{ address: 'info@outside.example', to: ['a@b.example'] }, 'is in no domain of this server'],
    [{ address: 'info@example.org', to: [] }, 'is empty'],
    [{ address: 'info@example.org', to: ['nobody'] }, 'is no address'],
    [{ address: 'info@example.org', to: ['a@b.example'], senders: ['nobody'] }, 'is the id of no account'],
    [{ address: 'two@example.org', to: ['one@example.org'] }, 'leads back to two@example.org alone'],
    [{ address: 'many@example.org', to: Array.from({ length: 1001 }, (_, n) => `u${n}@b.example`) }, '1000 is the most'],
  ])('%j: %s', async (given, message) => {
    const { admin } = await setUp()
    await admin.aliases.set({ address: 'one@example.org', to: ['two@example.org'] })
    await expect(admin.aliases.set(given as never)).rejects.toThrow(message)
  })
})

it('makes the mailboxes that are missing, and leaves those that are there', async () => {
  const store = memoryStore()
  await store.create('a', ['Gesendet'], '\\Sent')
  await store.create('a', ['INBOX'])
  await makeMailboxes(store, 'a')
  await makeMailboxes(store, 'a')
  const names = ['Archive', 'Drafts', 'Gesendet', 'INBOX', 'Spam', 'Trash']
  expect((await store.mailboxes('a')).map(({ path }) => path[0])).toEqual(names)
  expect((await store.subscriptions?.('a'))?.map(([name]) => name).sort()).toEqual(['Archive', 'Drafts', 'Spam', 'Trash'])
})

it('looks at its options', () => {
  expect(() => accountAdmin({ records: memoryAccounts() } as never)).toThrow('accountAdmin: passwords is missing')
})
