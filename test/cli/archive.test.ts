import {
  existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeClock } from '../../src/adapters/node/index.ts'
import { sqlite } from '../../src/adapters/sqlite/index.ts'
import { run } from '../../src/cli/program.ts'
import { indexMessage } from '../../src/message/indexer.ts'
import { Annotations } from '../../src/server/imap/annotations.ts'

let root = ''
let data = ''
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'posthorn-archive-'))
  data = join(root, 'data')
  mkdirSync(data)
  const db = sqlite({ path: join(data, 'mail.db') })
  await db.accounts.setDomain({ name: 'a.test' })
  for (const id of ['alice@a.test', 'bob@a.test']) {
    await db.accounts.updateAccount(id, () => ({ id, addresses: [id], password: '$2b$12$secret', created: 1 }))
  }
  await db.close()
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

async function command(...given: readonly string[]) {
  const out: string[] = []
  const error: string[] = []
  const progress: string[] = []
  const code = await run({
    arguments: given,
    environment: { POSTHORN_DATA: data },
    pid: 1,
    clock: nodeClock,
    watched: true,
    secrets: { isTyped: false, read: async () => '' },
    out: (line) => void out.push(line),
    outPiece: async (text) => out.push(text.trimEnd()) > 0,
    error: (line) => void error.push(line),
    progress: (text) => void progress.push(text),
    stopped: () => new Promise(() => undefined),
  })
  const events = out.map((line) => JSON.parse(line) as Record<string, unknown>)
  return { code, out: events, error: error.join('\n'), progress }
}

/** Text, flags and date. */
type Told = readonly [string, readonly string[], number]

/** Puts messages into a mailbox. */
async function put(account: string, path: readonly string[], ...messages: readonly Told[]): Promise<void> {
  const { store, close } = sqlite({ path: join(data, 'mail.db'), bodyThreshold: 50_000 })
  const { id } = await store.create(account, path)
  for (const [text, flags, received] of messages) {
    const bytes = Buffer.from(text)
    const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
    await store.append(id, { body, facts: indexMessage(bytes), received, flags })
  }
  await close()
}

/** What an account has, by mailbox. */
async function held(account: string): Promise<Record<string, readonly Told[]>> {
  const { store, close } = sqlite({ path: join(data, 'mail.db'), readonly: true })
  const found: Record<string, Told[]> = {}
  for (const { id, path, messages } of await store.mailboxes(account)) {
    if (messages === 0) continue
    const list: Told[] = (found[path.join('/')] = [])
    for await (const page of store.list(id)) {
      for (const message of page) {
        const chunks: Uint8Array[] = []
        for await (const chunk of (await store.body(message.id))!.read()) chunks.push(chunk)
        list.push([Buffer.concat(chunks).toString(), [...message.flags].sort(), message.received])
      }
    }
  }
  await close()
  return found
}

const mail = (subject: string, text = 'text'): string =>
  `Subject: ${subject}\r\nMessage-ID: <${subject}@x.test>\r\n\r\n${text}\r\n`
const audit = (): Record<string, unknown>[] =>
  readFileSync(join(data, 'audit.log'), 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)

describe('posthorn export and import', () => {
  it.each([['eml'], ['mbox']])('move an account, as %s, with flags and dates', async (format) => {
    const quoted = mail('two', 'From here\r\n>From there')
    await put('alice@a.test', ['INBOX'], [mail('one'), ['\\Seen', '$Junk'], 1_000_000], [quoted, [], 2_000_000])
    await put('alice@a.test', ['Archive', 'Über 2026'], [mail('big', 'x'.repeat(76_000)), ['\\Flagged'], 3_000_500])
    const to = join(root, 'out')
    const exported = await command('export', 'Alice@a.test', '--to', to, '--as', format)
    expect(exported).toMatchObject({
      code: 0,
      error: '',
      out: [
        { event: 'account.export', subject: 'alice@a.test', secrets: false },
        { event: 'mail.export', subject: 'alice@a.test', to, format, mailboxes: 2, messages: 3 },
      ],
    })
    expect(exported.progress.at(-1)).toBe('3 of 3 messages exported, 0 MiB\n')
    const settings = readFileSync(join(to, 'account.json'), 'utf8')
    expect(JSON.parse(settings)).toMatchObject({ format: 'posthorn account', account: { id: 'alice@a.test' } })
    expect(settings).not.toContain('secret')
    if (process.platform !== 'win32') expect(statSync(join(to, 'account.json')).mode & 0o777).toBe(0o600)
    const imported = await command('import', 'bob@a.test', '--from', to)
    expect(imported.out).toMatchObject([{ event: 'mail.import', subject: 'bob@a.test', kind: 'archive', messages: 3 }])
    expect(await held('bob@a.test')).toEqual(await held('alice@a.test'))
    expect(audit().map(({ event }) => event)).toEqual(['account.export', 'mail.export', 'mail.import'])
  })

  it('move what is noted of mailboxes along', async () => {
    const noted = async (account: string, value?: string): Promise<string | undefined> => {
      const { store, keyValue, close } = sqlite({ path: join(data, 'mail.db') })
      const { id } = await store.create(account, ['INBOX'])
      const notes = new Annotations(keyValue, () => nodeClock.now())
      if (value !== undefined) await notes.write(account, id, [['/private/comment', value]])
      const kept = await notes.read(account, id)
      await close()
      return kept.get('/private/comment')
    }
    await noted('alice@a.test', 'of mine')
    expect((await command('export', 'alice@a.test', '--to', join(root, 'out'))).code).toBe(0)
    expect((await command('import', 'bob@a.test', '--from', join(root, 'out'))).code).toBe(0)
    expect(await noted('bob@a.test')).toBe('of mine')
  })

  it('add nothing twice, and keep what was there twice', async () => {
    const twice = [mail('one'), ['\\Seen'], 1000] as const
    await put('alice@a.test', ['INBOX'], twice, twice, ['Subject: no id\r\n\r\n', [], 5000])
    const to = join(root, 'out')
    await command('export', 'alice@a.test', '--to', to)
    await put('bob@a.test', ['INBOX'], twice)
    const imported = await command('import', 'bob@a.test', '--from', to)
    expect(imported.out).toMatchObject([{ messages: 2, alreadyThere: 1 }])
    expect(await held('bob@a.test')).toEqual(await held('alice@a.test'))
    expect((await command('import', 'bob@a.test', '--from', to)).out).toMatchObject([{ messages: 0, octets: 0, alreadyThere: 3 }])
  })

  it('work beside a server, which hears of it and goes on taking mail', async () => {
    const server = sqlite({ path: join(data, 'mail.db') })
    const { id } = await server.store.create('bob@a.test', ['INBOX'])
    const told = new Promise((resolve) => server.store.watch((mailbox) => mailbox === id && resolve(mailbox)))
    const file = join(root, 'many.mbox')
    const one = (at: number): string => `From - Thu Nov 24 18:22:48 1986\nSubject: ${at}\n\n\n`
    writeFileSync(file, Array.from({ length: 300 }, (_, at) => one(at)).join(''))
    const importing = command('import', 'bob@a.test', '--from', file)
    const bytes = Buffer.from('Subject: delivered\r\n\r\n')
    const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
    for (let at = 0; at < 20; at++) await server.store.append(id, { body, facts: indexMessage(bytes), received: at })
    expect((await importing).out).toMatchObject([{ messages: 300 }])
    expect(await told).toBe(id)
    expect((await command('export', 'bob@a.test', '--to', join(root, 'out'))).out.at(-1)).toMatchObject({ messages: 320 })
    await server.close()
  })

  it('export secrets where they are asked for, and write that down', async () => {
    const to = join(root, 'out')
    const { out } = await command('export', 'alice@a.test', '--to', to, '--secrets')
    expect(out).toMatchObject([{ event: 'account.export', secrets: true }, { event: 'mail.export', messages: 0 }])
    expect(readFileSync(join(to, 'account.json'), 'utf8')).toContain('$2b$12$secret')
    expect(readFileSync(join(data, 'audit.log'), 'utf8')).not.toContain('$2b$')
  })
})

describe('posthorn import', () => {
  it('takes an mbox file', async () => {
    const file = join(root, 'old.mbox')
    const [first, second] = ['From x@y Thu Nov 24 18:22:48 1986', 'From - Thu Nov 24 18:22:49 1986']
    writeFileSync(file, `${first}\nSubject: a\nStatus: RO\n\n>From me\n\n${second}\nSubject: b\n\nb\n`)
    const { out } = await command('import', 'bob@a.test', '--from', file, '--mailbox', 'Old/1986')
    expect(out).toMatchObject([{ event: 'mail.import', kind: 'mbox', messages: 2, alreadyThere: 0 }])
    const date = Date.UTC(1986, 10, 24, 18, 22, 48)
    expect(await held('bob@a.test')).toEqual({
      'Old/1986': [
        ['Subject: a\r\nStatus: RO\r\n\r\nFrom me\r\n', ['\\Seen'], date],
        ['Subject: b\r\n\r\nb\r\n', [], date + 1000],
      ],
    })
    const { store, close } = sqlite({ path: join(data, 'mail.db'), readonly: true })
    expect(await store.subscriptions('bob@a.test')).toEqual([['Old', '1986']])
    await close()
  })

  it('takes files .eml, those in folders into mailboxes', async () => {
    const folder = join(root, 'mails')
    mkdirSync(join(folder, 'Work', 'empty'), { recursive: true })
    for (const name of ['10.eml', '9.EML', 'Work/x.eml', 'readme.txt']) {
      writeFileSync(join(folder, name), `Subject: ${name}\n\nx\n`)
      utimesSync(join(folder, name), 1000, 1000)
    }
    expect((await command('import', 'bob@a.test', '--from', folder)).out).toMatchObject([{ kind: 'eml', messages: 3 }])
    const message = (name: string): unknown => [`Subject: ${name}\r\n\r\nx\r\n`, [], 1_000_000]
    expect(await held('bob@a.test')).toEqual({ INBOX: [message('9.EML'), message('10.eml')], Work: [message('Work/x.eml')] })
    expect((await command('import', 'bob@a.test', '--from', join(folder, '9.EML'), '--mailbox', 'inbox')).out)
      .toMatchObject([{ kind: 'eml', messages: 0, alreadyThere: 1 }])
    await command('import', 'alice@a.test', '--from', folder, '--mailbox', 'Box')
    expect(Object.keys(await held('alice@a.test'))).toEqual(['Box', 'Box/Work'])
  })

  it('takes a Maildir, and leaves it as it is', async () => {
    const folder = join(root, 'Maildir')
    for (const sub of ['', '.Sent', '.Archive.&ANw-ber', '.Empty']) {
      for (const part of ['cur', 'new', 'tmp']) mkdirSync(join(folder, sub, part), { recursive: true })
    }
    const files: Record<string, string> = {
      'cur/100.b.host:2,FSa': 'one',
      'cur/200.a.host:2,': 'two',
      'new/300.c.host': 'three',
      'tmp/400.d.host': 'unfinished',
      '.Sent/cur/1.x:2,RS': 'sent',
      '.Archive.&ANw-ber/cur/1.y:2,T': 'über',
    }
    for (const [name, subject] of Object.entries(files)) {
      writeFileSync(join(folder, name), `Subject: ${subject}\n\nx\n`)
      utimesSync(join(folder, name), 1000, 1000)
    }
    writeFileSync(join(folder, 'dovecot-keywords'), '0 $Label1\n')
    writeFileSync(join(folder, 'dovecot-uidlist'), '3 V1 N9 Gx\n3 :200.a.host\n7 :100.b.host\n')
    const before = readdirSync(folder, { recursive: true })
    expect((await command('import', 'bob@a.test', '--from', folder)).out).toMatchObject([{ kind: 'maildir', messages: 5 }])
    const message = (subject: string, ...flags: string[]): unknown => [`Subject: ${subject}\r\n\r\nx\r\n`, flags, 1_000_000]
    expect(await held('bob@a.test')).toEqual({
      INBOX: [message('two'), message('one', '$Label1', '\\Flagged', '\\Seen'), message('three')],
      Sent: [message('sent', '\\Answered', '\\Seen')],
      'Archive/Über': [message('über', '\\Deleted')],
    })
    expect(readdirSync(folder, { recursive: true })).toEqual(before)
    await command('import', 'alice@a.test', '--from', folder, '--mailbox', 'Old')
    expect(Object.keys(await held('alice@a.test')).sort()).toEqual(['Old', 'Old/Archive/Über', 'Old/Sent'])
  })

  it('does not take what is compressed for mail, and says how far it came', async () => {
    const folder = join(root, 'Maildir')
    mkdirSync(join(folder, 'cur'), { recursive: true })
    writeFileSync(join(folder, 'cur', '1.a:2,S'), 'Subject: a\n\nx\n')
    writeFileSync(join(folder, 'cur', '2.b:2,S'), gzipSync('Subject: b\n\nx\n'))
    const { code, out, error } = await command('import', 'bob@a.test', '--from', folder)
    expect({ code, out }).toMatchObject({ code: 2, out: [{ event: 'mail.import', messages: 1 }] })
    expect(error).toMatch(/is compressed \(gzip\)/)
  })

  it.each<[string, readonly string[], RegExp]>([
    ['an unknown account', ['import', 'eve@a.test', '--from', '.'], /There is no account eve@a\.test here/],
    ['nothing there', ['import', 'bob@a.test', '--from', 'nowhere'], /nowhere cannot be read/],
    ['another file', ['import', 'bob@a.test', '--from', 'file.txt'], /file\.txt is no mbox file/],
    ['a folder without mail', ['import', 'bob@a.test', '--from', 'none'], /none holds neither what posthorn export wrote/],
    ['no mailbox', ['import', 'bob@a.test', '--from', '.', '--mailbox', 'a//b'], /--mailbox: "a\/\/b" is no mailbox/],
    ['a mailbox for an archive', ['import', 'bob@a.test', '--from', 'archive', '--mailbox', 'x'], /--mailbox: what posthorn exp/],
    ['an unknown account to export', ['export', 'eve@a.test', '--to', 'new'], /There is no account eve@a\.test here/],
    ['a folder that is not empty', ['export', 'bob@a.test', '--to', '.'], /is not empty/],
    ['an unknown format', ['export', 'bob@a.test', '--to', 'new', '--as', 'pst'], /--as: "pst" will not do/],
    ['no folder', ['export', 'bob@a.test'], /--to/],
  ])('says what is wrong with %s', async (_, [name, account, option, path, ...rest], says) => {
    mkdirSync(join(root, 'none'))
    mkdirSync(join(root, 'archive'))
    writeFileSync(join(root, 'archive', 'index.json'), '{}')
    writeFileSync(join(root, 'file.txt'), 'Hello')
    writeFileSync(join(root, '1.eml'), 'Hello')
    const { code, error } = await command(...[name!, account!, ...(option ? [option, join(root, path!)] : []), ...rest])
    expect([code, error]).toEqual([2, expect.stringMatching(says)])
    expect(existsSync(join(root, 'new'))).toBe(false)
  })
})
