import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { memoryKeyValue, memoryStore } from '../../../src/adapters/memory/index.ts'
import { archiveName } from '../../../src/adapters/node/archive-index.ts'
import { exportAccount, importAccount, importEml, importMbox } from '../../../src/adapters/node/index.ts'
import type { MailStore, StoredMessage } from '../../../src/contracts/store.ts'
import { indexMessage } from '../../../src/message/indexer.ts'
import { Annotations } from '../../../src/server/imap/annotations.ts'
import { octetsOf } from '../../../src/testing/contracts/checks.ts'

const folder = mkdtempSync(join(tmpdir(), 'posthorn-archive-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let made = 0
const fresh = (): string => join(folder, String(++made))

const bodyOf = (bytes: Uint8Array) => ({
  size: bytes.length,
  bytes,
  async *read({ start, end } = { start: 0, end: bytes.length }) {
    if (start < end) yield bytes.subarray(start, end)
  },
})

async function add(
  store: MailStore,
  mailbox: string,
  text: string | Uint8Array,
  flags: string[] = [],
  received = 1_700_000_000_123,
): Promise<StoredMessage> {
  const bytes = Buffer.from(text)
  return store.append(mailbox, { body: bodyOf(bytes), facts: indexMessage(bytes), received, flags })
}

interface Mail {
  readonly path: readonly string[]
  readonly use: string | undefined
  readonly text: string
  readonly flags: readonly string[]
  readonly received: number
}

async function mailsOf(store: MailStore, account: string): Promise<Mail[]> {
  const mails: Mail[] = []
  for (const { id, path, use } of await store.mailboxes(account)) {
    for await (const page of store.list(id)) {
      for (const one of page) {
        mails.push({ path, use, text: await textOf(store, one), flags: one.flags, received: one.received })
        // By value: a store may give a view of them.
        const facts = JSON.parse(JSON.stringify(one.facts)) as unknown
        expect(facts).toEqual(JSON.parse(JSON.stringify(indexMessage(Buffer.from(mails.at(-1)?.text ?? '', 'latin1')))))
      }
    }
  }
  return mails
}

async function textOf(store: MailStore, { id }: Pick<StoredMessage, 'id'>): Promise<string> {
  const body = await store.body(id)
  return body ? Buffer.from(await octetsOf(body)).toString('latin1') : 'gone'
}

async function account(): Promise<MailStore> {
  const store = memoryStore()
  const inbox = await store.create('alice', ['INBOX'])
  const sent = await store.create('alice', ['Gesendet / ../x', 'é'], '\\Sent')
  await store.create('alice', ['Empty'])
  await store.subscribe?.('alice', ['Empty'], true)
  const quotable = 'From: "A B" <a@b.test>\r\nSubject: one\r\n\r\nFrom here\r\n>From there\r\n\r\n'
  await add(store, inbox.id, quotable, ['\\Seen', '$Junk'])
  await add(store, inbox.id, 'Subject: gone\r\n\r\n')
  await store.expunge(inbox.id, [{ first: 2, last: 2 }])
  await add(store, inbox.id, `Subject: large\r\n\r\n${'0123456789\r\n'.repeat(60_000)}`, [], 0)
  await add(store, sent.id, 'Subject: two\r\n\r\n', ['\\Answered'])
  return store
}

describe('an account that is exported', () => {
  it.each(['eml', 'mbox'] as const)('as %s is imported as it was', async (format) => {
    const store = await account()
    const to = fresh()
    const count = await exportAccount(store, 'alice', { folder: to, format })
    expect(count).toMatchObject({ mailboxes: 3, messages: 3 })
    const target = memoryStore()
    expect(await importAccount(target, 'bob', { folder: to })).toEqual(count)
    expect(await mailsOf(target, 'bob')).toEqual(await mailsOf(store, 'alice'))
    expect(await target.subscriptions?.('bob')).toEqual([['Empty']])
    expect((await target.mailboxes('bob')).map(({ path, use }) => [path, use])).toEqual([
      [['Empty'], undefined],
      [['Gesendet / ../x', 'é'], '\\Sent'],
      [['INBOX'], undefined],
    ])
  })

  it('has what was noted of its mailboxes and of the server, where it is told where that is', async () => {
    const store = await account()
    const [inbox] = (await store.mailboxes('alice')).filter(({ path }) => path[0] === 'INBOX')
    const keyValue = memoryKeyValue()
    const notes = new Annotations(keyValue, Date.now)
    const binary = String.fromCharCode(...Array.from({ length: 256 }, (_, octet) => octet))
    const odd = [['/private/__proto__', ''], ['/shared/vendor/x/y z', '\xc3\xa9']] as const
    const noted = [['/private/comment', binary], ...odd] as const
    await notes.write('alice', inbox!.id, noted)
    await notes.write('alice', undefined, [['/private/vendor/a/b', 'of the server']])
    await notes.write('eve', undefined, [['/private/vendor/a/b', 'of another']])
    const [to, without] = [fresh(), fresh()]
    await exportAccount(store, 'alice', { folder: to, keyValue })
    await exportAccount(store, 'alice', { folder: without })
    const [target, targetNotes] = [memoryStore(), memoryKeyValue()]
    const here = new Annotations(targetNotes, Date.now)
    const { id } = await target.create('bob', ['INBOX'])
    await importAccount(target, 'bob', { folder: without, keyValue: targetNotes })
    expect(await here.read('bob', id)).toEqual(new Map())
    // What is there stays.
    await here.write('bob', id, [['/private/comment', 'mine'], ['/private/other', 'mine too']])
    for (let times = 0; times < 2; times++) await importAccount(target, 'bob', { folder: to, keyValue: targetNotes })
    const expected = new Map([...noted, ['/private/comment', 'mine'], ['/private/other', 'mine too']] as const)
    expect(await here.read('bob', id)).toEqual(expected)
    expect(await here.read('bob', undefined)).toEqual(new Map([['/private/vendor/a/b', 'of the server']]))
    // Without a place for it it stays in the archive.
    const bare = memoryStore()
    expect((await importAccount(bare, 'carol', { folder: to })).mailboxes).toBe(3)
    const names = (await store.mailboxes('alice')).map(({ path }, at) => archiveName(at, path))
    const key = names.find((name) => name.endsWith('INBOX'))
    const written = JSON.parse(readFileSync(join(to, `${key}.json`), 'utf8')) as { annotations: unknown; messages: unknown[] }
    expect(new Map(written.annotations as [string, string][])).toEqual(new Map(noted))
    expect(written.messages).toHaveLength(2)
  })

  it('has no notes that clients could not have made, and no more than there is room for', async () => {
    const to = fresh()
    await exportAccount(await account(), 'alice', { folder: to })
    const index = JSON.parse(readFileSync(join(to, 'index.json'), 'utf8')) as Record<string, unknown>
    const wrong = [
      'text', [], ['/private/a'], ['/private/a', 1], ['/private', 'x'], ['/private/A', 'x'], ['private/a', 'x'],
      ['/private/a*', 'x'], ['/other/a', 'x'], ['/private//a', 'x'], ['/private/a/', 'x'],
      ['/private/\u00e9', 'x'], ['/private/a', '\u0100'],
      ['/private/a', 'x'.repeat(4097)], [`/private/${'x'.repeat(300)}`, 'x'],
    ]
    const many = Array.from({ length: 70 }, (_, at) => [`/private/${at}`, 'x'])
    writeFileSync(join(to, 'index.json'), JSON.stringify({ ...index, annotations: [...wrong, ...many] }))
    const keyValue = memoryKeyValue()
    await importAccount(memoryStore(), 'bob', { folder: to, keyValue })
    const kept = await new Annotations(keyValue, Date.now).read('bob', undefined)
    expect(kept.size).toBe(64)
    expect([...kept.keys()].every((entry) => many.some(([one]) => one === entry))).toBe(true)
    writeFileSync(join(to, 'index.json'), JSON.stringify({ ...index, annotations: { '/private/a': 'x' } }))
    expect((await importAccount(memoryStore(), 'bob', { folder: to, keyValue })).mailboxes).toBe(3)
  })

  it('lies in these files', async () => {
    const [eml, mbox] = [fresh(), fresh()]
    await exportAccount(await account(), 'alice', { folder: eml })
    await exportAccount(await account(), 'alice', { folder: mbox, format: 'mbox' })
    expect(readdirSync(eml, { recursive: true }).sort()).toEqual([
      '001-Empty', '001-Empty.json', '002-Gesendet______x-_', '002-Gesendet______x-_.json',
      '002-Gesendet______x-_/1.eml', '003-INBOX', '003-INBOX.json', '003-INBOX/1.eml', '003-INBOX/3.eml', 'index.json',
    ].sort())
    expect(readdirSync(mbox).sort()).toEqual([
      '001-Empty.json', '001-Empty.mbox', '002-Gesendet______x-_.json', '002-Gesendet______x-_.mbox', '003-INBOX.json',
      '003-INBOX.mbox', 'index.json',
    ])
    expect(JSON.parse(readFileSync(join(eml, 'index.json'), 'utf8'))).toMatchObject({
      version: 1,
      format: 'eml',
      account: 'alice',
      subscriptions: [['Empty']],
      mailboxes: [{ name: '001-Empty', path: ['Empty'] }, { use: '\\Sent' }, { path: ['INBOX'] }],
    })
    const { messages } = JSON.parse(readFileSync(join(eml, '003-INBOX.json'), 'utf8')) as { messages: { flags: string[] }[] }
    expect(messages).toMatchObject([{ uid: 1, received: 1_700_000_000_123, flags: ['\\Seen', '$Junk'] }, { uid: 3, received: 0 }])
    const text = readFileSync(join(mbox, '003-INBOX.mbox'), 'latin1')
    expect(text.slice(0, 128)).toBe('From a@b.test Tue Nov 14 22:13:20 2023\nFrom: "A B" <a@b.test>\nSubject: one\n\n'
      + '>From here\n>>From there\n\n\nFrom MAILER-DAEMON Thu Jan')
  })

  it('as eml keeps every octet', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 5 }), async (mails) => {
      const store = memoryStore()
      const { id } = await store.create('a', ['INBOX'])
      for (const mail of mails) await add(store, id, mail)
      const to = fresh()
      await exportAccount(store, 'a', { folder: to })
      const target = memoryStore()
      await importAccount(target, 'a', { folder: to })
      expect(await mailsOf(target, 'a')).toEqual(await mailsOf(store, 'a'))
    }), { numRuns: 20 })
  })

  it('is added to what is there', async () => {
    const store = await account()
    const to = fresh()
    await exportAccount(store, 'alice', { folder: to })
    await store.create('bob', ['Versendet'], '\\Sent')
    for (let times = 0; times < 2; times++) await importAccount(store, 'bob', { folder: to })
    expect((await mailsOf(store, 'bob')).length).toBe(6)
  })

  it('fits in, or is refused', async () => {
    const to = fresh()
    await exportAccount(await account(), 'alice', { folder: to })
    const quota = { messages: 1, octets: Infinity }
    await expect(importAccount(memoryStore(), 'bob', { folder: to, quota })).rejects.toMatchObject({ code: 'quota' })
  })

  it('is not written over anything', async () => {
    const to = fresh()
    await exportAccount(memoryStore(), 'nobody', { folder: to })
    await expect(exportAccount(memoryStore(), 'nobody', { folder: to })).rejects.toMatchObject({ code: 'config' })
    await expect(exportAccount(memoryStore(), 'x', { folder: join(to, 'index.json') })).rejects.toMatchObject({ code: 'config' })
    await expect(exportAccount(memoryStore(), 'x', { folder: to, format: 'zip' } as never)).rejects.toThrow(/format/)
  })

  it.each<[string, unknown]>([
    ['none', undefined],
    ['another', { hello: 1 }],
    ['null', null],
    ['a newer version', { version: 2, format: 'eml', mailboxes: [] }],
    ['a name that leads out', { version: 1, format: 'eml', mailboxes: [{ name: '../001-x', path: ['x'] }] }],
    ['no path', { version: 1, format: 'eml', mailboxes: [{ name: '001-x', path: [] }] }],
    ['no messages', { version: 1, format: 'eml', mailboxes: [{ name: '001-x', path: ['x'] }] }],
  ])('is not made of an index that is %s', async (_what, index) => {
    const to = fresh()
    await exportAccount(memoryStore(), 'a', { folder: to })
    rmSync(join(to, 'index.json'))
    if (index !== undefined) writeFileSync(join(to, 'index.json'), JSON.stringify(index))
    await expect(importAccount(memoryStore(), 'a', { folder: to })).rejects.toMatchObject({ code: 'config' })
  })
})

describe('an mbox file of another program', () => {
  it('is imported with its dates and flags', async () => {
    const file = fresh()
    writeFileSync(file, [
      'From a@b.test Thu Jan  1 00:00:07 1970', 'Subject: one', 'Status: RO', 'X-Status: AF', 'X-Keywords: $Junk  own (bad)',
      '', 'text', '',
      'From -', 'Subject: two', '', '>From x', '',
    ].join('\n'))
    const store = memoryStore()
    const { id } = await store.create('a', ['INBOX'])
    expect(await importMbox(store, id, file, { received: 5 })).toMatchObject({ messages: 2 })
    const [one, two] = await mailsOf(store, 'a')
    expect([one?.received, [...one?.flags ?? []].sort()]).toEqual([7000, ['$Junk', '\\Answered', '\\Flagged', '\\Seen', 'own']])
    expect(two).toMatchObject({ received: 5, flags: [], text: 'Subject: two\r\n\r\nFrom x\r\n' })
  })

  it('is none if it begins with anything else', async () => {
    const file = fresh()
    writeFileSync(file, 'Subject: one\n\ntext\n')
    const store = memoryStore()
    const { id } = await store.create('a', ['INBOX'])
    await expect(importMbox(store, id, file)).rejects.toMatchObject({ code: 'config' })
    await expect(importMbox(store, id, fresh())).rejects.toMatchObject({ code: 'config' })
  })
})

describe('an .eml file', () => {
  it.each([
    ['Subject: x\n\na\r\nb\n', 'Subject: x\r\n\r\na\r\nb\r\n'],
    ['Subject: x\r\n\r\na\rb\r\r\n', 'Subject: x\r\n\r\na\rb\r\r\n'],
    ['', ''],
  ])('%j becomes %j', async (content, text) => {
    const file = fresh()
    writeFileSync(file, content)
    const store = memoryStore()
    const { id } = await store.create('a', ['INBOX'])
    const stored = await importEml(store, id, file, { received: 3, flags: ['\\Seen'] })
    expect([await textOf(store, stored), stored.received, stored.flags]).toEqual([text, 3, ['\\Seen']])
    expect((await importEml(store, id, file)).received).toBeGreaterThan(1_600_000_000_000)
  })

  it('has to be there', async () => {
    const store = memoryStore()
    const { id } = await store.create('a', ['INBOX'])
    await expect(importEml(store, id, fresh())).rejects.toMatchObject({ code: 'config' })
  })
})
