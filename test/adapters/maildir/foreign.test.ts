import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compareBases } from '../../../src/adapters/maildir/file-name.ts'
import type { MailStore } from '../../../src/contracts/store.ts'
import { freshFolder, openMail } from './folders.ts'
import { entriesOf, listOf, mail, only, textOf } from './mail.ts'

const LF_MAIL = 'Subject: from elsewhere\n\nline one\nline two\n'

/** A mailbox of ours with `count` messages, and its folder. */
async function inboxOf(count: number): Promise<{ store: Required<MailStore>; id: string; dir: string; path: string }> {
  const { store, path } = openMail()
  const { id } = await store.create('a', ['INBOX'])
  for (let i = 0; i < count; i++) await store.append(id, mail(`m${i}`))
  return { store, id, dir: join(path, 'a'), path }
}

/** The names in a folder, in the order of delivery. */
const names = (dir: string, folder: string): string[] => readdirSync(join(dir, folder)).sort(compareBases)

/** Makes a Maildir as other programs do. */
function foreignMaildir(dir: string): void {
  for (const folder of ['cur', 'new', 'tmp']) mkdirSync(join(dir, folder), { recursive: true })
}

describe('what other programs do to a Maildir', () => {
  it('delivered: is found, with CRLF line ends whatever it has', async () => {
    const { store, id, dir } = await inboxOf(1)
    const { modSeq } = (await store.mailboxes('a'))[0] as { modSeq: number }
    writeFileSync(join(dir, 'new/1500000000.1.elsewhere'), LF_MAIL)
    utimesSync(join(dir, 'new/1500000000.1.elsewhere'), 1_500_000_000, 1_500_000_000)
    const { changed } = await store.changes(id, modSeq)
    expect(changed).toMatchObject([{ uid: 2, received: 1_500_000_000_000, flags: [], octets: LF_MAIL.length + 4 }])
    const [, found] = await listOf(store, id)
    expect(found?.facts.envelope.subject).toBe('from elsewhere')
    expect(found?.facts.octets).toBe(LF_MAIL.length + 4)
    expect(await textOf(store, found as { id: string })).toBe(LF_MAIL.replaceAll('\n', '\r\n'))
    const body = await store.body(found?.id as string)
    let range = ''
    for await (const chunk of body?.read({ start: 23, end: 30 }) ?? []) range += Buffer.from(chunk).toString()
    expect(range).toBe(LF_MAIL.replaceAll('\n', '\r\n').slice(23, 30))
    expect(readFileSync(join(dir, 'dovecot-uidlist'), 'latin1').split('\n')[2]).toBe(`2 G${found?.id} :1500000000.1.elsewhere`)
  })

  it('delivered together: are counted up in the order of their names', async () => {
    const { store, id, dir } = await inboxOf(0)
    for (const name of ['new/30.c.h', 'cur/9.b.h:2,S', 'new/100.a.h']) writeFileSync(join(dir, name), LF_MAIL)
    const found = await entriesOf(store, id)
    expect(found.map(({ uid, flags }) => [uid, flags])).toEqual([[1, ['\\Seen']], [2, []], [3, []]])
    expect(readFileSync(join(dir, 'dovecot-uidlist'), 'latin1')).toMatch(/:9\.b\.h\n2 .*:30\.c\.h\n3 .*:100\.a\.h\n$/)
  })

  it('flagged: is told, once', async () => {
    const { store, id, dir } = await inboxOf(2)
    const { modSeq } = (await store.mailboxes('a'))[0] as { modSeq: number }
    const [first] = names(dir, 'new') as [string]
    writeFileSync(join(dir, 'dovecot-keywords'), '0 $Label1\n3 Later\n')
    renameSync(join(dir, 'new', first), join(dir, 'cur', `${first}:2,RSad`))
    const changes = await store.changes(id, modSeq)
    const told = changes.changed.map(({ uid, flags }) => [uid, flags.toSorted()])
    expect(told).toEqual([[1, ['$Label1', 'Later', '\\Answered', '\\Seen']]])
    expect(await store.changes(id, changes.modSeq)).toMatchObject({ changed: [], vanished: [] })
    expect((await store.mailboxes('a'))[0]?.unseen).toBe(1)
    await store.flag(id, only(1), { kind: 'add', flags: ['\\Flagged', 'Mine'] })
    expect(names(dir, 'cur')).toEqual([`${first}:2,FRSabd`])
    expect(readFileSync(join(dir, 'dovecot-keywords'), 'latin1')).toBe('0 $Label1\n1 Mine\n3 Later\n')
  })

  it('moved to cur and back without a flag: is no change', async () => {
    const { store, id, dir } = await inboxOf(1)
    const before = await entriesOf(store, id)
    const [first] = names(dir, 'new') as [string]
    renameSync(join(dir, 'new', first), join(dir, 'cur', `${first}:2,`))
    expect(await entriesOf(store, id)).toEqual(before)
    expect(await textOf(store, before[0] as { id: string })).toContain('m0')
  })

  it('renamed behind our back: is read, flagged, copied and removed all the same', async () => {
    const { store, id, dir } = await inboxOf(3)
    const stored = await listOf(store, id)
    const shuffle = (letters: string): void => {
      for (const folder of ['new', 'cur']) {
        for (const name of names(dir, folder)) {
          renameSync(join(dir, folder, name), join(dir, 'cur', `${name.split(':')[0]}:2,${letters}`))
        }
      }
    }
    const body = await store.body(stored[0]?.id as string)
    shuffle('F')
    let text = ''
    for await (const chunk of body?.read() ?? []) text += Buffer.from(chunk).toString()
    expect(text).toContain('m0')
    shuffle('FS')
    await store.flag(id, only(1), { kind: 'add', flags: ['\\Draft'] })
    expect(names(dir, 'cur').map((name) => name.split(':')[1])).toEqual(['2,DFS', '2,FS', '2,FS'])
    shuffle('')
    const other = await store.create('a', ['Other'])
    expect(await store.move(id, only(2), other.id)).toEqual([{ from: 2, to: 1 }])
    shuffle('S')
    expect(await store.expunge(id, [{ first: 1, last: 9 }])).toEqual([{ first: 1, last: 1 }, { first: 3, last: 3 }])
    expect(names(dir, 'cur')).toEqual([])
  })

  it('removed: has vanished, and its UID is not given again', async () => {
    const { store, id, dir } = await inboxOf(2)
    const { modSeq } = (await store.mailboxes('a'))[0] as { modSeq: number }
    const stored = await listOf(store, id)
    const [, last] = names(dir, 'new') as [string, string]
    unlinkSync(join(dir, 'new', last))
    expect((await store.changes(id, modSeq)).vanished).toEqual(only(2))
    expect(await store.body(stored[1]?.id as string)).toBeUndefined()
    expect((await store.append(id, mail('next'))).uid).toBe(3)
  })

  it('that came back after it was removed: is another message', async () => {
    const { store, id, dir } = await inboxOf(1)
    const [name] = names(dir, 'new') as [string]
    const text = readFileSync(join(dir, 'new', name))
    await store.expunge(id, only(1))
    writeFileSync(join(dir, 'new', name), text)
    expect((await entriesOf(store, id)).map(({ uid }) => uid)).toEqual([2])
  })

  it('numbered by Dovecot: keep those numbers', async () => {
    const { store, id, dir } = await inboxOf(1)
    writeFileSync(join(dir, 'cur/5.x.h,S=43,W=47:2,S'), LF_MAIL)
    writeFileSync(join(dir, 'cur/4.y.h,S=43,W=47:2,'), LF_MAIL)
    writeFileSync(join(dir, 'new/3.z.h'), LF_MAIL)
    appendFileSync(join(dir, 'dovecot-uidlist'), '7 W47 :5.x.h,S=43,W=47\n9 :4.y.h,S=43,W=47\n')
    const found = await entriesOf(store, id)
    expect(found.map(({ uid, octets }) => [uid, octets])).toEqual([[1, found[0]?.octets], [7, 47], [9, 47], [10, 47]])
    expect((await store.append(id, mail('next'))).uid).toBe(11)
    expect(await textOf(store, found[1] as { id: string })).toBe(LF_MAIL.replaceAll('\n', '\r\n'))
  })

  it('copied by Dovecot: have the same id', async () => {
    const { store, id, path } = await inboxOf(1)
    const [name] = names(join(path, 'a'), 'new') as [string]
    foreignMaildir(join(path, 'a/.Copy'))
    writeFileSync(join(path, 'a/.Copy/cur', `${name}:2,S`), readFileSync(join(path, 'a/new', name)))
    const [entry] = await entriesOf(store, id)
    writeFileSync(join(path, 'a/.Copy/dovecot-uidlist'), `3 V17 N3 G${'ab'.repeat(16)}\n2 G${entry?.id} :${name}\n`)
    const copy = (await store.mailboxes('a')).find((box) => box.path[0] === 'Copy')
    expect(copy).toMatchObject({ uidValidity: 17, uidNext: 3, messages: 1, unseen: 0 })
    expect((await entriesOf(store, copy?.id as string))[0]).toMatchObject({ uid: 2, id: entry?.id })
  })

  it('made: mailboxes, and whole accounts', async () => {
    const path = freshFolder()
    foreignMaildir(join(path, 'b'))
    foreignMaildir(join(path, 'b/.Work.Entw&APw-rfe'))
    mkdirSync(join(path, 'b/.empty'))
    writeFileSync(join(path, 'b/.file'), '')
    writeFileSync(join(path, 'b/new/1.x.h'), LF_MAIL)
    writeFileSync(join(path, 'b/subscriptions'), 'Work.Entw&APw-rfe\nINBOX\n')
    const { store } = openMail({ path })
    const boxes = await store.mailboxes('b')
    expect(boxes.map((box) => [box.path, box.messages])).toEqual([[['INBOX'], 1], [['Work', 'Entwürfe'], 0]])
    expect(new Set(boxes.map(({ uidValidity }) => uidValidity)).size).toBe(2)
    expect(await store.subscriptions('b')).toEqual([['Work', 'Entwürfe'], ['INBOX']])
    await store.subscribe('b', ['INBOX'], false)
    expect(readFileSync(join(path, 'b/subscriptions'), 'latin1')).toBe('V\t2\n\nWork\tEntw&APw-rfe\n')
    expect((await openMail({ path }).store.mailboxes('b')).map(({ id }) => id)).toEqual(boxes.map(({ id }) => id))
  })

  it('copied a mailbox: is another one', async () => {
    const { store, dir } = await inboxOf(1)
    const { id } = await store.create('a', ['One'])
    await store.append(id, mail('x'))
    cpSync(join(dir, '.One'), join(dir, '.Two'), { recursive: true })
    const boxes = (await store.mailboxes('a')).slice(1)
    expect(new Set(boxes.map((box) => box.id)).size).toBe(2)
    for (const box of boxes) expect(await textOf(store, (await entriesOf(store, box.id))[0] as { id: string })).toContain('x')
  })

  it('removed a mailbox, and put another in its place', async () => {
    const { store, path } = openMail()
    const one = await store.create('a', ['One'])
    await store.append(one.id, mail('x'))
    rmSync(join(path, 'a/.One'), { recursive: true })
    expect(await entriesOf(store, one.id)).toEqual([])
    await expect(store.append(one.id, mail('y'))).rejects.toMatchObject({ code: 'permanent' })
    foreignMaildir(join(path, 'a/.One'))
    const [next] = await store.mailboxes('a')
    expect([next?.id === one.id, next?.messages]).toEqual([false, 0])
    expect(next?.uidValidity).toBeGreaterThan(one.uidValidity)
  })
})

describe('a Maildir whose files were lost', () => {
  it('the journal: UIDs, ids, dates of arrival and flags stay, mod-sequences are higher than any before', async () => {
    const { store, id, dir, path } = await inboxOf(3)
    await store.flag(id, only(2), { kind: 'add', flags: ['\\Seen', 'kept'] })
    const before = await listOf(store, id)
    for (const name of names(dir, '.')) if (name.startsWith('posthorn-')) rmSync(join(dir, name))
    const { store: again } = openMail({ path })
    const after = await listOf(again, id)
    const lasting = (all: typeof before): unknown => all.map(({ saved, modSeq, ...rest }) => [rest, saved > 0 && modSeq > 0])
    expect(lasting(after)).toEqual(lasting(before))
    expect(Math.min(...after.map(({ modSeq }) => modSeq))).toBeGreaterThan(1_000_000_000_000)
    expect((await again.changes(id, 1)).complete).toBe(false)
  })

  it('dovecot-uidlist: it is written again', async () => {
    const { id, dir, path } = await inboxOf(3)
    const [file] = names(dir, 'new') as [string]
    const before = readFileSync(join(dir, 'dovecot-uidlist'), 'latin1')
    rmSync(join(dir, 'dovecot-uidlist'))
    const { store } = openMail({ path })
    expect((await entriesOf(store, id)).map(({ uid }) => uid)).toEqual([1, 2, 3])
    expect(readFileSync(join(dir, 'dovecot-uidlist'), 'latin1')).toBe(before.replace(' N1 ', ' N4 '))
    expect(before).toContain(file)
  })

  it('both: everything is numbered anew, under another UIDVALIDITY', async () => {
    const { store, id, dir, path } = await inboxOf(2)
    const [{ uidValidity } = { uidValidity: 0 }] = await store.mailboxes('a')
    rmSync(join(dir, 'dovecot-uidlist'))
    rmSync(join(dir, 'posthorn-log'))
    const { store: again } = openMail({ path })
    const [box] = await again.mailboxes('a')
    expect(box?.uidValidity).toBeGreaterThan(uidValidity)
    expect([box?.messages, box?.id === id]).toEqual([2, false])
  })

  it('the facts: they are read from the messages again, and kept', async () => {
    const { store, id, dir, path } = await inboxOf(3)
    const before = await listOf(store, id)
    writeFileSync(join(dir, 'posthorn-facts.0'), 'rubbish'.repeat(1000))
    const { store: again } = openMail({ path })
    expect(await listOf(again, id)).toEqual(before)
    expect(readFileSync(join(dir, 'posthorn-facts.0'), 'latin1')).toContain('"m2"')
    expect(await listOf(openMail({ path }).store, id)).toEqual(before)
  })

  it.each([
    ['torn in the last line', (text: string): string => text.slice(0, -20)],
    ['with zeros for a tail', (text: string): string => `${text}${'\u0000'.repeat(500)}`],
    ['with a line of another hand', (text: string): string => `${text}hello\n`],
    ['cut in the middle', (text: string): string => text.slice(0, text.length / 2)],
    ['damaged in the middle', (text: string): string => text.replace('"add"', '"xdd"')],
    ['emptied', (): string => ''],
    ['of random octets', (): string => 'é\u0001'.repeat(300)],
  ])('the journal, %s: messages, UIDs and flags are all there', async (_what, damage) => {
    const { store, id, dir, path } = await inboxOf(4)
    await store.flag(id, only(2), { kind: 'add', flags: ['\\Seen', 'kept'] })
    const before = await listOf(store, id)
    const log = join(dir, 'posthorn-log')
    writeFileSync(log, damage(readFileSync(log, 'latin1')), 'latin1')
    const { store: again } = openMail({ path })
    const after = await listOf(again, id)
    const lasting = (all: typeof before): unknown =>
      all.map(({ uid, flags, id: its, facts, octets }) => ({ uid, flags, its, facts, octets }))
    expect(lasting(after)).toEqual(lasting(before))
    expect((await again.append(id, mail('next'))).uid).toBe(5)
    const states = await Promise.all([entriesOf(again, id), entriesOf(openMail({ path }).store, id)])
    expect(states[0]).toEqual(states[1])
  })

  it('a journal of a newer version is left alone', async () => {
    const { id, dir, path } = await inboxOf(1)
    const log = join(dir, 'posthorn-log')
    const { formatLines } = await import('../../../src/adapters/maildir/journal.ts')
    writeFileSync(log, formatLines([['head', 2, 'a', 1, 1, 1, 1, 1, 1]]))
    await expect(entriesOf(openMail({ path }).store, id)).rejects.toMatchObject({ code: 'config' })
  })
})
