import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Disk, nodeDisk } from '../../../src/adapters/maildir/disk.ts'
import { maildir } from '../../../src/adapters/maildir/index.ts'
import { openStore } from '../../../src/adapters/maildir/maildir.ts'
import { freshFolder, openMail } from './folders.ts'
import { entriesOf, listOf, mail, only, textOf, tree } from './mail.ts'

const now = (): number => 1_800_000_000_000

describe('the files of a Maildir', () => {
  it('lie where Dovecot and mutt look for them', async () => {
    const { store, path } = openMail({ now })
    const inbox = await store.create('alice@example.org', ['INBOX'])
    const sent = await store.create('alice@example.org', ['Sent'], '\\Sent')
    await store.create('alice@example.org', ['Archive', '2026'])
    await store.append(inbox.id, mail('new'))
    await store.append(sent.id, mail('seen', { flags: ['\\Seen', '\\Flagged', '$Junk', 'NonJunk', 'in (valid)'] }))
    await store.subscribe('alice@example.org', ['Archive', '2026'], true)
    await store.subscribe('alice@example.org', ['Entwürfe'], true)
    expect(tree(path)).toEqual([
      'alice@example.org/.Archive.2026/cur/',
      'alice@example.org/.Archive.2026/dovecot-uidlist',
      'alice@example.org/.Archive.2026/maildirfolder',
      'alice@example.org/.Archive.2026/new/',
      'alice@example.org/.Archive.2026/posthorn-log',
      'alice@example.org/.Archive.2026/tmp/',
      'alice@example.org/.Sent/cur/UNIQUE.mx.test,S=23,W=23:2,FSab',
      'alice@example.org/.Sent/dovecot-keywords',
      'alice@example.org/.Sent/dovecot-uidlist',
      'alice@example.org/.Sent/maildirfolder',
      'alice@example.org/.Sent/new/',
      'alice@example.org/.Sent/posthorn-facts.0',
      'alice@example.org/.Sent/posthorn-log',
      'alice@example.org/.Sent/posthorn-mailbox',
      'alice@example.org/.Sent/tmp/',
      'alice@example.org/cur/',
      'alice@example.org/dovecot-uidlist',
      'alice@example.org/dovecot-uidvalidity',
      'alice@example.org/dovecot-uidvalidity.6b49d202',
      'alice@example.org/new/UNIQUE.mx.test,S=22,W=22',
      'alice@example.org/posthorn-facts.0',
      'alice@example.org/posthorn-log',
      'alice@example.org/subscriptions',
      'alice@example.org/tmp/',
    ])
    const text = (name: string): string => readFileSync(join(path, 'alice@example.org', name), 'latin1')
    const [file] = readdirSync(join(path, 'alice@example.org/new')) as [string]
    const [stored] = await entriesOf(store, inbox.id)
    expect(text('dovecot-uidlist')).toBe(`3 V1800000000 N1 G${inbox.id.slice(16)}\n1 G${stored?.id} :${file}\n`)
    expect(text('.Sent/dovecot-keywords')).toBe('0 $Junk\n1 NonJunk\n')
    expect(text('dovecot-uidvalidity')).toBe('6b49d202')
    expect(text('subscriptions')).toBe('V\t2\n\nArchive\t2026\nEntw&APw-rfe\n')
    expect(text(`new/${file}`)).toBe('Subject: new\r\n\r\ntext\r\n')
    // Others take the time of the file for the date of the message.
    expect(statSync(join(path, 'alice@example.org/new', file)).mtimeMs).toBe(1_700_000_000_000)
    expect(statSync(join(path, 'alice@example.org/new', file)).mode & 0o777).toBe(0o600)
    expect(statSync(join(path, 'alice@example.org/new')).mode & 0o777).toBe(0o700)
    const flags = (await entriesOf(store, sent.id))[0]?.flags.toSorted()
    expect(flags).toEqual(['$Junk', 'NonJunk', '\\Flagged', '\\Seen', 'in (valid)'])
  })

  it('are the same one, by as many names as there are copies', async () => {
    const { store, path } = openMail()
    const boxes = await Promise.all(['a', 'b', 'c'].map((account) => store.create(account, ['INBOX'])))
    const given = mail('to many')
    const stored = await Promise.all(boxes.map(({ id }) => store.append(id, given)))
    expect(new Set(stored.map(({ id }) => id)).size).toBe(1)
    const other = await store.create('a', ['Copies'])
    await store.copy(boxes[0]?.id as string, only(1), other.id)
    const later = await store.append(other.id, given)
    expect(later.id).toBe(stored[0]?.id)
    const files = ['a/new', 'b/new', 'c/new', 'a/.Copies/new'].flatMap((folder) => {
      return readdirSync(join(path, folder)).map((file) => statSync(join(path, folder, file)))
    })
    expect(files.length).toBe(5)
    expect(new Set(files.map(({ ino }) => ino)).size).toBe(1)
    expect(files[0]?.nlink).toBe(5)
    expect(['a', 'b', 'c'].flatMap((account) => readdirSync(join(path, account, 'tmp')))).toEqual([])
  })

  it('are found by their ids after a restart, wherever they are by then', async () => {
    const { store, path } = openMail()
    const [from, to] = [await store.create('a', ['INBOX']), await store.create('b', ['INBOX'])]
    const stored = await store.append(from.id, mail('moved on'))
    await store.copy(from.id, only(1), to.id)
    await store.erase('a')
    const { store: again } = openMail({ path })
    expect(await textOf(again, stored)).toContain('moved on')
    expect(await again.body(`${stored.id.slice(0, 47)}${stored.id.endsWith('0') ? '1' : '0'}`)).toBeUndefined()
  })

  it('go to cur when they are flagged, and keep letters that nobody knows', async () => {
    const { store, path } = openMail()
    const { id } = await store.create('a', ['INBOX'])
    await store.append(id, mail('x'))
    await store.flag(id, only(1), { kind: 'add', flags: ['\\answered', '$Forwarded'] })
    expect(tree(path).filter((name) => name.includes('UNIQUE'))).toEqual(['a/cur/UNIQUE.mx.test,S=20,W=20:2,Ra'])
    await store.flag(id, only(1), { kind: 'replace', flags: [] })
    expect(tree(path).filter((name) => name.includes('UNIQUE'))).toEqual(['a/cur/UNIQUE.mx.test,S=20,W=20:2,'])
  })

  it('keep no more than 26 keywords in names, and all of them', async () => {
    const { store } = openMail()
    const { id } = await store.create('a', ['INBOX'])
    const flags = Array.from({ length: 40 }, (_, index) => `k${index}`)
    await store.append(id, mail('x', { flags }))
    const [entry] = await entriesOf(store, id)
    expect(entry?.flags.toSorted()).toEqual(flags.toSorted())
    const { changed } = await store.flag(id, only(1), { kind: 'remove', flags: ['k0', 'k39'] })
    expect(changed[0]?.flags.length).toBe(38)
  })

  it('say in W how long a message is with CRLF, and keep every octet', async () => {
    const { store, path } = openMail()
    const { id } = await store.create('a', ['INBOX'])
    const stored = await store.append(id, mail('x', {}, 'a\nb\n\r\nc\r'))
    expect(tree(path).filter((name) => name.includes('UNIQUE'))).toEqual(['a/new/UNIQUE.mx.test,S=24,W=26'])
    expect(stored.octets).toBe(24)
    expect(await textOf(store, stored)).toBe('Subject: x\r\n\r\na\nb\n\r\nc\r\r\n')
  })

  it('that were left in tmp go when nobody has touched them for a day and a half', async () => {
    const path = freshFolder()
    const { id } = await openMail({ path }).store.create('a', ['INBOX'])
    for (const name of ['old', 'young']) writeFileSync(join(path, 'a/tmp', name), '')
    const aged: Disk = {
      ...nodeDisk,
      stat: async (file) => {
        const found = await nodeDisk.stat(file)
        return found && file.endsWith('/old') ? { ...found, atime: 0, mtime: 0, ctime: Date.now() - 37 * 3_600_000 } : found
      },
    }
    await entriesOf(openStore({ path }, aged, 1000), id)
    expect(readdirSync(join(path, 'a/tmp'))).toEqual(['young'])
  })
})

describe('a mailbox', () => {
  it('keeps UIDs, ids and dates when it is renamed, INBOX too', async () => {
    const { store, path } = openMail()
    const inbox = await store.create('a', ['INBOX'])
    await store.append(inbox.id, mail('x', { flags: ['k'] }))
    const before = await listOf(store, inbox.id)
    await store.rename(inbox.id, ['x'.repeat(300), ''])
    expect((await store.mailboxes('a')).map((box) => box.path)).toEqual([['x'.repeat(300), '']])
    expect(await listOf(store, inbox.id)).toEqual(before)
    expect(await listOf(openMail({ path }).store, inbox.id)).toEqual(before)
    await store.rename(inbox.id, ['INBOX'])
    expect(await listOf(openMail({ path }).store, inbox.id)).toEqual(before)
    expect(readdirSync(path).concat(readdirSync(join(path, 'a'))).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('of a removed INBOX leaves nothing to the next', async () => {
    const { store, path } = openMail()
    const { id, uidValidity } = await store.create('a', ['INBOX'])
    await store.create('a', ['Other'])
    await store.append(id, mail('x'))
    await store.remove(id)
    expect((await store.mailboxes('a')).map((box) => box.path)).toEqual([['Other']])
    const next = await store.create('a', ['INBOX'])
    expect([next.messages, next.uidNext, next.id === id]).toEqual([0, 1, false])
    expect(next.uidValidity).toBeGreaterThan(uidValidity)
    expect(tree(path).filter((name) => name.includes('gone') || name.includes('UNIQUE'))).toEqual([])
  })

  it('of an account that was erased has a UIDVALIDITY that its successor does not', async () => {
    const { store, path } = openMail({ now })
    const { uidValidity } = await store.create('a', ['INBOX'])
    await store.create('a', ['b'])
    await store.erase('a')
    expect(readdirSync(path)).toEqual(['%uidvalidity'])
    const { store: again } = openMail({ path, now })
    expect((await again.create('a', ['INBOX'])).uidValidity).toBeGreaterThan(uidValidity + 1)
  })

  it('remembers accounts by names too long for a folder', async () => {
    const { store, path } = openMail()
    const account = `${'x'.repeat(400)}\ud800@example.org`
    await store.create(account, ['INBOX'])
    const names: string[] = []
    for await (const name of openMail({ path }).store.accounts()) names.push(name)
    expect(names).toEqual([account])
  })
})

describe('maildir()', () => {
  it('wants a path', () => {
    expect(() => maildir({} as never)).toThrow(expect.objectContaining({ code: 'config' }))
    expect(() => maildir({ path: freshFolder(), hostnam: 'x' } as never)).toThrow(/hostname/)
  })
})
