import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { mail } from '../adapters/maildir/mail.ts'
import type { Security } from './clients.ts'
import { holding } from './held.ts'
import { letter, letterWithFile } from './imap-mail.ts'
import { ImapPlace, PASSWORD } from './imap-place.ts'
import { ImapWire } from './imap-wire.ts'
import { describeWith } from './programs.ts'
import { type Header, Thunderbird, THUNDERBIRD_PATIENCE } from './thunderbird.ts'

const held = holding()
const patience = THUNDERBIRD_PATIENCE
let place: ImapPlace
let thunderbird: Thunderbird

/** Somebody with an account in Thunderbird, and what both sides hold. */
class Person {
  readonly user: string
  readonly wire: ImapWire

  private constructor(user: string, wire: ImapWire) {
    this.user = user
    this.wire = wire
  }

  static async come(name: string): Promise<Person> {
    const user = await place.person(name)
    const wire = await ImapWire.open(place.port(), user, PASSWORD)
    held.later(() => wire.close())
    return new Person(user, wire)
  }

  /** Calls what Thunderbird does for this person. */
  bird<T = undefined>(name: string, ...given: readonly unknown[]): Promise<T> {
    return thunderbird.call<T>(name, this.user, ...given)
  }

  async deliver(text: string): Promise<void> {
    const octets = Buffer.from(text).toString('latin1')
    await this.wire.ok(`APPEND INBOX {${octets.length}+}\r\n${octets}`)
  }

  /** A message, as Thunderbird has it. */
  async source(path: string, subject: string): Promise<string> {
    const source = await this.bird<string>('source', path, subject)
    // What it has kept has notes of its own in front.
    return Buffer.from(source.replace(/^(?:X-Mozilla-.*\r?\n)+/, ''), 'latin1').toString()
  }

  /** What its connections for this person said and heard, a line each. */
  get said(): string[] {
    const from = `imap://${this.user.replace('@', '%40')}@`
    const owned = new Map<string, boolean>()
    const lines: string[] = []
    for (const line of thunderbird.log.split(/[\r\n]+/)) {
      const [, connection = '', what = ''] = /I\/IMAP (\S+):localhost:(.*)$/.exec(line) ?? []
      if (what.includes('ProcessCurrentURL:imap:')) owned.set(connection, what.includes(from))
      else if (owned.get(connection) === true) lines.push(what)
    }
    return lines
  }

  /** Resolves when it sits in IDLE in the INBOX. */
  async idles(): Promise<void> {
    await thunderbird.logged('IDLE', place.becomes(async () => this.#inIdle(/: \+ /).some(({ left }) => !left), true, patience))
  }

  /** Whether it heard that in the INBOX while it sat in IDLE. */
  heardInIdle(pattern: RegExp): boolean {
    return this.#inIdle(pattern).length > 0
  }

  /** Where it heard that in IDLE, and whether it has said something since. */
  #inIdle(pattern: RegExp): { left: boolean }[] {
    const said = this.said.filter((line) => line.startsWith('S-INBOX:'))
    const asked = (line: string): boolean => line.includes(':SendData: ')
    const last = said.findLastIndex(asked)
    return said.flatMap((line, at) =>
      pattern.test(line) && / IDLE$/.test(said.slice(0, at).findLast(asked) ?? '') ? [{ left: at < last }] : [])
  }

  /** Whether it said something like that. */
  asked(pattern: RegExp): boolean {
    return this.said.some((line) => line.includes(':SendData: ') && pattern.test(line))
  }

  /** What it was refused, but for looking at mailboxes that it has just deleted. */
  get refused(): string[] {
    return this.said.filter((line) => /:CreateNewLineFromSocket: \S+ (?:BAD|NO) (?!\[NONEXISTENT\])/.test(line))
  }

  /** Resolves when the store holds these messages in a mailbox: a subject and flags of each. */
  holds(path: string, ...messages: readonly string[]): Promise<void> {
    return thunderbird.logged(path, place.becomes(() => this.#state(path), [...messages], patience))
  }

  /** Resolves when these are the mailboxes beside those that everybody has. */
  has(...paths: readonly string[]): Promise<void> {
    const own = async (): Promise<string[]> => {
      const all = (await place.mailboxes(this.user)).map(({ path }) => path.join('/'))
      return all.filter((path) => !Object.hasOwn(usual, path)).sort()
    }
    return thunderbird.logged('mailboxes', place.becomes(own, [...paths].sort(), patience))
  }

  async #state(path: string): Promise<string[]> {
    const all = await place.mail(this.user, path)
    return all.map(({ flags, raw }) => [/^Subject: (.*)\r$/m.exec(String(raw))?.[1], ...flags].join(' '))
  }
}

const usual = { INBOX: 'Inbox', Drafts: 'Drafts', Sent: 'SentMail', Trash: 'Trash', Spam: 'Junk', Archive: 'Archive' }
const letters = [letter('one'), letterWithFile('two'), letter('drei', 'Grüße aus Köln')]

/** An account in Thunderbird with three new messages, of which it has found the headers. */
async function begin(name: string, security: Security, settings: Readonly<Record<string, boolean>>): Promise<Person> {
  const person = await Person.come(name)
  for (const text of letters) await person.deliver(text)
  await thunderbird.account(place, person.user, security, settings)
  await person.bird('discover', Object.keys(usual))
  expect(await person.bird('folders')).toEqual(Object.entries(usual).map((one) => one.join(' ')).sort())
  await person.bird('contains', 'INBOX', ['one', 'two', 'drei'], true)
  return person
}

describeWith(['thunderbird'], 'Thunderbird', () => {
  beforeAll(async () => {
    place = await ImapPlace.open(held)
    thunderbird = await Thunderbird.start(held)
  }, patience)

  it.each([
    ['plain', { use_compress_deflate: false }], ['starttls', {}], ['implicit', { use_condstore: true }],
  ] as const)('works with messages and mailboxes, %s', async (security, settings) => {
    const person = await begin(`bird-${security}`, security, settings)
    const folder = held.folder('bird')
    const headers = await person.bird<readonly Header[]>('headers', 'INBOX')
    expect(headers).toEqual(letters.map((text, at) => ({
      uid: at + 1,
      subject: ['one', 'two', 'drei'][at],
      author: at === 1 ? '"Liddell, Alice" <alice@example.test>' : 'Alice Liddell <alice@example.test>',
      id: `${['one', 'two', 'drei'][at]}@example.test`,
      octets: Buffer.byteLength(text),
      date: Date.UTC(2026, 10, 20, 8, 30),
      read: false,
      flagged: false,
      tags: [],
    })))
    // Who opens a message has read it.
    expect(await person.bird('show', 'INBOX', 'drei')).toContain('Grüße aus Köln')
    await person.holds('INBOX', 'one', 'two', 'drei \\Seen')
    expect(await person.bird('show', 'INBOX', 'two')).toContain('Down the rabbit hole.')
    await person.holds('INBOX', 'one', 'two \\Seen', 'drei \\Seen')
    for (const [at, subject] of ['one', 'two', 'drei'].entries()) {
      expect(await person.source('INBOX', subject)).toBe(letters[at])
    }
    await person.bird('markRead', 'INBOX', ['one', 'two'], true)
    await person.bird('markRead', 'INBOX', ['drei'], false)
    await person.bird('markFlagged', 'INBOX', ['one', 'drei'], true)
    await person.bird('tag', 'INBOX', ['one', 'two'], '$label1')
    await person.bird('tag', 'INBOX', ['two'], '$label3')
    await person.holds('INBOX', 'one $label1 \\Flagged \\Seen', 'two $label1 $label3 \\Seen', 'drei \\Flagged')
    await person.bird('untag', 'INBOX', ['two'], '$label1')
    await person.holds('INBOX', 'one $label1 \\Flagged \\Seen', 'two $label3 \\Seen', 'drei \\Flagged')

    await person.bird('create', '', 'Reisen')
    await person.bird('create', 'Reisen', 'Köln & Bonn')
    await person.has('Reisen', 'Reisen/Köln & Bonn')
    await person.bird('transfer', 'INBOX', ['one', 'drei'], 'Reisen/Köln & Bonn', false)
    await person.holds('Reisen/Köln & Bonn', 'one $label1 \\Flagged \\Seen', 'drei \\Flagged')
    await person.bird('transfer', 'INBOX', ['drei'], 'Archive', true)
    await person.holds('Archive', 'drei \\Flagged')
    await person.holds('INBOX', 'one $label1 \\Flagged \\Seen', 'two $label3 \\Seen')
    const sent = join(folder, 'sent.eml')
    writeFileSync(sent, letter('sent'))
    await person.bird('append', 'Sent', sent, 1)
    await person.holds('Sent', 'sent \\Seen')
    expect(String((await place.mail(person.user, 'Sent'))[0]!.raw)).toBe(letter('sent'))

    await person.bird('remove', 'INBOX', ['two'], false)
    await person.holds('Trash', 'two $label3 \\Seen')
    await person.holds('INBOX', 'one $label1 \\Flagged \\Seen')
    await person.bird('contains', 'Trash', ['two'], true)
    await person.bird('remove', 'Trash', ['two'], true)
    await person.bird('compact', 'Trash')
    await person.holds('Trash')

    await person.bird('rename', 'Reisen', 'Fahrten')
    await person.has('Fahrten', 'Fahrten/Köln & Bonn')
    await person.holds('Fahrten/Köln & Bonn', 'one $label1 \\Flagged \\Seen', 'drei \\Flagged')
    await person.bird('drop', 'Fahrten/Köln & Bonn')
    await person.has('Fahrten', 'Trash/Köln & Bonn')
    await person.bird('erase', 'Trash/Köln & Bonn')
    await person.bird('drop', 'Fahrten')
    await person.bird('erase', 'Trash/Fahrten')
    await person.has()
    expect(person.refused).toEqual([])
    expect(person.asked(/ENABLE UTF8=ACCEPT/)).toBe(true)
    expect(person.asked(/COMPRESS DEFLATE/)).toBe(security !== 'plain')
    expect(person.asked(/CHANGEDSINCE/)).toBe(security === 'implicit')
  }, 4 * patience)

  it('hears in IDLE what others do', async () => {
    // Nothing of its own takes it out of IDLE.
    const person = await begin('idler', 'implicit', { autosync_offline_stores: false, offline_download: false })
    await person.bird('show', 'INBOX', 'drei')
    await person.idles()
    // As what takes mail delivers it: no session of IMAP is about.
    const inbox = (await place.mailboxes(person.user)).find(({ path }) => path.join() === 'INBOX')
    await place.store.append(inbox!.id, mail('news'))
    await person.bird('contains', 'INBOX', ['one', 'two', 'drei', 'news'], false)
    await person.idles()
    await person.wire.ok('SELECT INBOX')
    await person.wire.ok('UID STORE 1 +FLAGS (\\Seen \\Flagged)')
    await person.bird('looks', 'INBOX', 'one', true, true)
    await person.idles()
    await person.wire.ok('UID MOVE 2 Archive')
    await person.bird('contains', 'INBOX', ['one', 'drei', 'news'], false)
    for (const news of [/: \* 4 EXISTS$/, /: \* 1 FETCH .*\\Flagged/, /: \* 2 EXPUNGE$/]) {
      expect(person.heardInIdle(news), String(news)).toBe(true)
    }
  }, 4 * patience)

  it('reads what is large', async () => {
    const person = await begin('large', 'implicit', {})
    const large = letterWithFile('large').replace('RWF0IG1lLg==', `${'RWF0IG1lLg'.repeat(7)}RWF0\r\n`.repeat(8000))
    await person.deliver(large)
    await person.bird('contains', 'INBOX', ['one', 'two', 'drei', 'large'], true)
    expect(await person.bird('show', 'INBOX', 'large')).toContain('Down the rabbit hole.')
    expect(await person.source('INBOX', 'large')).toBe(large)
  }, 4 * patience)
})
