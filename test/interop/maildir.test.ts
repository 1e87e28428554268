import { chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { MailStore } from '../../src/contracts/store.ts'
import { openMail } from '../adapters/maildir/folders.ts'
import { entriesOf, listOf, mail, only, textOf } from '../adapters/maildir/mail.ts'
import { run } from './children.ts'
import { holding } from './held.ts'
import { describeWith } from './programs.ts'

const held = holding()

/** Dovecot serves nobody as root. */
const NOBODY = 65_534

/** A store, and Dovecot's tools on the Maildir of one of its accounts. */
class Both {
  readonly store: Required<MailStore>
  readonly dir: string
  readonly #config: string

  constructor(account: string) {
    const folder = held.folder('maildir')
    const path = join(folder, 'mail')
    mkdirSync(path)
    this.dir = join(path, account)
    this.#config = join(folder, 'dovecot.conf')
    const settings = `base_dir = ${folder}/run\nlog_path = /dev/stderr\nssl = no\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n`
    const place = `mail_location = maildir:${this.dir}\nmail_home = ${this.dir}\n`
    writeFileSync(this.#config, `${settings}${place}namespace inbox {\n  inbox = yes\n  separator = /\n}\n`)
    this.store = openMail({ path }).store
  }

  /** Runs doveadm; its table, a row a line, or what it printed where it prints none. */
  async doveadm(given: readonly string[], input = ''): Promise<string[][]> {
    const root = userInfo().uid === 0
    if (root) this.#give()
    const as = root ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', 'doveadm'] : ['doveadm']
    const [name = '', ...rest] = [...as, '-f', 'tab', '-c', this.#config, ...given]
    const { code, out, err } = await run(name, rest, { input, env: { USER: userInfo().username, HOME: this.dir } })
    expect([code, err]).toEqual([0, ''])
    return out.split('\n').slice(1, -1).map((line) => line.split('\t'))
  }

  /** What Dovecot says of the messages of a mailbox, by these fields. */
  fetch(mailbox: string, fields: string): Promise<string[][]> {
    return this.doveadm(['fetch', fields, 'mailbox', mailbox, 'all'])
  }

  /** What we made belongs to root. */
  #give(): void {
    chownSync(this.dir, NOBODY, NOBODY)
    for (const entry of readdirSync(this.dir, { withFileTypes: true, recursive: true })) {
      chownSync(join(entry.parentPath, entry.name), NOBODY, NOBODY)
    }
  }
}

const flagsOf = (text: string | undefined): string[] =>
  (text ?? '').split(' ').filter((flag) => flag !== '\\Recent' && flag !== '').sort()

describeWith(['doveadm', 'setpriv'], 'Dovecot and posthorn on one Maildir', () => {
  it('Dovecot finds ours: mailboxes, subscriptions, UIDs, flags, keywords, dates, sizes, octets', async () => {
    const { store, fetch, doveadm } = bound(new Both('alice'))
    const inbox = await store.create('alice', ['INBOX'])
    const names = [['Archive', '2026'], ['Entwürfe'], ['a&b'], ['INBOX', 'sub'], ['台北']]
    for (const path of names) await store.create('alice', path)
    await store.subscribe('alice', ['Archive', '2026'], true)
    await store.subscribe('alice', ['Entwürfe'], true)
    await store.append(inbox.id, mail('one'))
    await store.append(inbox.id, mail('gone'))
    const flags = ['\\Seen', '\\Flagged', '$Forwarded', '$Junk', 'own']
    await store.append(inbox.id, mail('three', { flags, received: 1_234_567_890_000 }))
    await store.append(inbox.id, mail('four', {}, 'bare\nLF'))
    await store.expunge(inbox.id, only(2))
    const box = (await store.mailboxes('alice')).find(({ id }) => id === inbox.id)
    // It counts a bare LF as CRLF.
    const numbers = [3, 5, box?.uidValidity, 2, (box?.octets ?? 0) + 1, box?.id.slice(16)].map(String)
    const status = await doveadm(['mailbox', 'status', 'messages uidnext uidvalidity unseen vsize guid', 'INBOX'])
    expect(status).toEqual([['INBOX', ...numbers]])
    const rows = await fetch('INBOX', 'uid flags guid date.received.unixtime size.virtual hdr.subject')
    const ours = await listOf(store, inbox.id)
    expect(rows.map(([uid, set, guid, date, , subject]) => [Number(uid), flagsOf(set), guid, Number(date) * 1000, subject]))
      .toEqual(ours.map((one) => [one.uid, one.flags.toSorted(), one.id, one.received, one.facts.envelope.subject]))
    const listed = (await doveadm(['mailbox', 'list'])).flat().sort()
    expect(listed).toEqual(['Archive', ...names.map((path) => path.join('/')), 'INBOX'].sort())
    expect((await doveadm(['mailbox', 'list', '-s'])).flat().sort()).toEqual(['Archive/2026', 'Entwürfe'])
  })

  it('we find what Dovecot does: deliveries, flags, keywords, copies, removals, mailboxes', async () => {
    const { store, fetch, doveadm, dir } = bound(new Both('alice'))
    const inbox = await store.create('alice', ['INBOX'])
    await store.append(inbox.id, mail('one'))
    await store.append(inbox.id, mail('two', { flags: ['ours'] }))
    await store.append(inbox.id, mail('three'))
    await doveadm(['save', '-m', 'INBOX'], 'Subject: saved\r\n\r\nby Dovecot\r\n')
    await doveadm(['flags', 'add', '\\Seen \\Answered theirs', 'mailbox', 'INBOX', 'uid', '1'])
    await doveadm(['flags', 'add', 'theirs', 'mailbox', 'INBOX', 'uid', '2'])
    await doveadm(['expunge', 'mailbox', 'INBOX', 'uid', '3'])
    await doveadm(['mailbox', 'create', 'Made/Here'])
    await doveadm(['mailbox', 'subscribe', 'Made/Here'])
    await doveadm(['copy', 'Made/Here', 'mailbox', 'INBOX', 'uid', '1'])
    const found = await listOf(store, inbox.id)
    expect(found.map(({ uid, flags, facts }) => [uid, [...flags].sort(), facts.envelope.subject])).toEqual([
      [1, ['\\Answered', '\\Seen', 'theirs'], 'one'],
      [2, ['ours', 'theirs'], 'two'],
      [4, [], 'saved'],
    ])
    expect(await textOf(store, found[2] as { id: string })).toBe('Subject: saved\r\n\r\nby Dovecot\r\n')
    const boxes = await store.mailboxes('alice')
    expect(boxes.map(({ path }) => path)).toEqual([['INBOX'], ['Made', 'Here']])
    const [copy] = await entriesOf(store, boxes[1]?.id as string)
    expect(copy).toMatchObject({ uid: 1, id: found[0]?.id })
    expect(await store.subscriptions('alice')).toEqual([['Made', 'Here']])
    // And on it goes, with the same numbers on both sides.
    expect((await store.append(inbox.id, mail('five'))).uid).toBe(5)
    await store.flag(inbox.id, only(4), { kind: 'add', flags: ['theirs', 'new', '\\Draft'] })
    await store.move(inbox.id, only(2), boxes[1]?.id as string)
    const rows = await fetch('INBOX', 'uid flags hdr.subject')
    expect(rows.map(([uid, flags, subject]) => [uid, flagsOf(flags), subject])).toEqual([
      ['1', ['\\Answered', '\\Seen', 'theirs'], 'one'],
      ['4', ['\\Draft', 'new', 'theirs'], 'saved'],
      ['5', [], 'five'],
    ])
    expect((await fetch('Made/Here', 'uid flags')).map(([uid, flags]) => [uid, flagsOf(flags)])).toEqual([
      ['1', ['\\Answered', '\\Seen', 'theirs']],
      ['2', ['ours', 'theirs']],
    ])
    await doveadm(['mailbox', 'rename', 'Made/Here', 'Elsewhere'])
    expect((await store.mailboxes('alice')).map(({ id, path }) => [id, path])).toEqual([
      [boxes[1]?.id, ['Elsewhere']],
      [inbox.id, ['INBOX']],
    ])
    expect(readdirSync(dir).filter((name) => name.endsWith('.lock'))).toEqual([])
  })

  it('both at the same time agree on every number', async () => {
    const { store, fetch, doveadm } = bound(new Both('alice'))
    const inbox = await store.create('alice', ['INBOX'])
    await store.append(inbox.id, mail('first'))
    await doveadm(['mailbox', 'status', 'messages', 'INBOX'])
    const theirs = Array.from({ length: 8 }, async (_, index) => {
      await doveadm(['save', '-m', 'INBOX'], `Subject: theirs ${index}\r\n\r\ntext\r\n`)
    })
    const ours = Array.from({ length: 40 }, (_, index) => store.append(inbox.id, mail(`ours ${index}`)))
    await Promise.all([...theirs, ...ours])
    const rows = await fetch('INBOX', 'uid hdr.subject')
    // What came within the same tick of the clock as ours is seen two seconds later, or at once by one who counts again.
    await store.recount('alice')
    const found = await listOf(store, inbox.id)
    expect(found.length).toBe(49)
    expect(found.map(({ uid, facts }) => [String(uid), facts.envelope.subject])).toEqual(rows)
    for (const stored of await Promise.all(ours)) expect(found.find(({ uid }) => uid === stored.uid)?.id).toBe(stored.id)
  })
})

// It wants a terminal, which script makes.
describeWith(['mutt', 'script'], 'mutt and posthorn on one Maildir', () => {
  /** What somebody does in mutt, in a mailbox among these. */
  async function mutt(dir: string, mailbox: string, keys: readonly string[]): Promise<string> {
    const folder = held.folder('mutt')
    const config = join(folder, 'muttrc')
    const settings = ['mbox_type = Maildir', `folder = "${dir}"`, 'delete = yes', 'move = no', 'confirmappend = no',
      'confirmcreate = no', 'wait_key = no', 'mark_old = no', 'pipe_split = yes', 'pipe_decode = no', 'sort = mailbox-order']
    const push = [...keys, '<sync-mailbox><quit>'].join('').replaceAll('OUT', join(folder, 'out'))
    writeFileSync(config, [...settings.map((one) => `set ${one}`), `push "${push}"`, ''].join('\n'))
    writeFileSync(join(folder, 'out'), '')
    const env = { HOME: folder, TERM: 'xterm', COLUMNS: '80', LINES: '24' }
    const command = `mutt -n -F ${config} -f ${join(dir, mailbox)}`
    const { code, text } = await run('script', ['--quiet', '--return', '--command', command, '/dev/null'], { env })
    expect(code, text.slice(-2000)).toBe(0)
    return readFileSync(join(folder, 'out'), 'utf8')
  }

  const found = (pattern: string): string[] => [`<tag-pattern>${pattern}<enter>`, '<tag-prefix><pipe-message>cat >>OUT<enter>']
  /** Their order is that of the folder, which the file system makes. */
  const subjects = (text: string): string[] =>
    [...text.matchAll(/^Subject: (\w+)\r?$/gm)].map(([, subject]) => subject!).sort()

  const shown = async (store: MailStore, mailbox: string): Promise<[number, string, string[]][]> =>
    (await listOf(store, mailbox)).map(({ uid, flags, facts }) => [uid, facts.envelope.subject ?? '', [...flags].sort()])

  it('mutt finds ours: messages, flags, octets', async () => {
    const { store, dir } = bound(new Both('alice'))
    const inbox = await store.create('alice', ['INBOX'])
    const archive = await store.create('alice', ['Archive', '2026'])
    const sets = [[], ['\\Seen'], ['\\Seen', '\\Answered'], ['\\Flagged', 'own'], ['\\Draft']]
    for (const [at, flags] of sets.entries()) await store.append(inbox.id, mail(`m${at}`, { flags }, `text ${at}`))
    await store.append(archive.id, mail('old', { flags: ['\\Seen'] }))
    for (const [pattern, expected] of [
      ['~A', ['m0', 'm1', 'm2', 'm3', 'm4']], ['~R', ['m1', 'm2']], ['~Q', ['m2']], ['~F', ['m3']], ['~b text.3', ['m3']],
    ] as const) expect(subjects(await mutt(dir, '', found(pattern))), pattern).toEqual(expected)
    const text = await mutt(dir, '', found('~s m1'))
    expect(text.replaceAll('\r', '')).toContain('Subject: m1\n\ntext 1\n')
    expect(subjects(await mutt(dir, '.Archive.2026', found('~A')))).toEqual(['old'])
    // Looking changes nothing but that a message is no longer new.
    expect(await shown(store, inbox.id)).toEqual(sets.map((flags, at) => [at + 1, `m${at}`, flags.toSorted()]))
  })

  it('we find what mutt does: flags, deletions, copies, moves, mailboxes', async () => {
    const { store, dir } = bound(new Both('alice'))
    const inbox = await store.create('alice', ['INBOX'])
    const archive = await store.create('alice', ['Archive'])
    for (const subject of ['one', 'two', 'three', 'four']) await store.append(inbox.id, mail(subject, { flags: ['own'] }))
    const on = (subject: string, keys: string): string =>
      `<untag-pattern>.<enter><tag-pattern>~s ${subject}<enter><tag-prefix>${keys}`
    await mutt(dir, '', [
      on('one', '<flag-message>'), on('one', '<set-flag>r'), on('two', '<save-message><kill-line>=.Archive<enter>'),
      on('three', '<delete-message>'), on('four', '<copy-message><kill-line>=.Made.Here<enter>'),
    ])
    // To mutt, what is answered is read.
    const one = [1, 'one', ['\\Answered', '\\Flagged', '\\Seen', 'own']]
    expect(await shown(store, inbox.id)).toEqual([one, [4, 'four', ['own']]])
    expect(await shown(store, archive.id)).toEqual([[1, 'two', []]])
    const boxes = await store.mailboxes('alice')
    expect(boxes.map(({ path }) => path)).toEqual([['Archive'], ['INBOX'], ['Made', 'Here']])
    const [copy] = await listOf(store, boxes[2]!.id)
    expect(copy?.facts.envelope.subject).toBe('four')
    expect(await textOf(store, copy!)).toMatch(/^Subject: four\r\n/)
    await store.append(inbox.id, mail('five'))
    await store.flag(inbox.id, only(4), { kind: 'replace', flags: ['\\Seen'] })
    expect(subjects(await mutt(dir, '', found('~R')))).toEqual(['four', 'one'])
    expect(await shown(store, inbox.id)).toEqual([one, [4, 'four', ['\\Seen']], [5, 'five', []]])
  })
})

/** Its methods by themselves. */
function bound(both: Both): Pick<Both, 'store' | 'dir' | 'fetch' | 'doveadm'> {
  return { store: both.store, dir: both.dir, fetch: both.fetch.bind(both), doveadm: both.doveadm.bind(both) }
}
