import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { memoryStore } from '../../../src/adapters/memory/index.ts'
import { maildir } from '../../../src/adapters/maildir/index.ts'
import { turn } from '../../../src/adapters/node/event-loop.ts'
import { sqlite } from '../../../src/adapters/sqlite/index.ts'
import type { JunkMarks } from '../../../src/contracts/junk.ts'
import type { SpecialUse } from '../../../src/contracts/mailbox.ts'
import type { MailStore } from '../../../src/contracts/store.ts'
import { indexMessage } from '../../../src/message/indexer.ts'
import type { ImapServerOptions, ServerEvent } from '../../../src/index.ts'
import { octets } from '../../../src/protocol/bytes/text.ts'
import { ImapStage, type StageClient, USER } from '../../../src/testing/imap-stage.ts'

const stores: readonly (readonly [string, (folder: string) => MailStore])[] = [
  ['memory', () => memoryStore()],
  ['SQLite', (folder) => sqlite({ path: join(folder, 'mail.db') }).store],
  ['Maildir', (folder) => maildir({ path: folder }).store],
]

const places: readonly (readonly [path: string, use: SpecialUse | undefined, mails: number])[] = [
  ['INBOX', undefined, 3],
  ['Archive', '\\Archive', 0],
  ['Bin', '\\Trash', 1],
  ['Bin/Old', undefined, 0],
  ['Spam', '\\Junk', 3],
  ['Spam/Sure', undefined, 0],
]

/** Somebody at their mail, whose every mark is learnt. */
class Desk {
  readonly stage: ImapStage
  readonly store: MailStore
  readonly learnt: JunkMarks[] = []
  readonly client: StageClient
  readonly events: ServerEvent[] = []
  private readonly names = new Map<string, string>()

  private constructor(store: MailStore, options: Partial<ImapServerOptions>) {
    this.store = store
    const learn = (marks: JunkMarks): void => void this.learnt.push(marks)
    const observe = (event: ServerEvent): void => void this.events.push(event)
    this.stage = new ImapStage({ server: { store, learn, observe, ...options } })
    this.client = this.stage.connect()
  }

  static async at(open: (folder: string) => MailStore, options: Partial<ImapServerOptions> = {}): Promise<Desk> {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-junk-'))
    const store = open(folder)
    onTestFinished(async () => {
      await store.close?.()
      rmSync(folder, { recursive: true, force: true })
    })
    const desk = new Desk(store, options)
    for (const [path, use, mails] of places) {
      const { id } = await store.create(USER, path.split('/'), use)
      desk.names.set(id, path)
      for (let mail = 1; mail <= mails; mail++) {
        const bytes = octets(`Subject: ${path} ${mail}\r\n\r\n`)
        const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
        await store.append(id, { body, facts: indexMessage(bytes), received: 0 })
      }
    }
    await desk.ask('LOGIN alice secret')
    return desk
  }

  /** Says a command; what is heard up to its end. */
  async ask(command: string): Promise<string> {
    this.client.send(`x ${command}\r\n`)
    let heard = ''
    while (!/^x (OK|NO|BAD)/m.test(heard)) {
      await this.stage.settle()
      await turn()
      heard += this.client.take()
    }
    return heard
  }

  /** What was marked since, as it was told, with the subjects of the messages. */
  async marks(): Promise<string[]> {
    const told = this.events.splice(0).filter((event) => event.kind === 'marked')
    const said: string[] = []
    for (const { as, mailbox, uids, messages, account } of told) {
      expect(account).toBe(USER)
      const subjects: string[] = []
      for (const id of messages) {
        const body = await this.store.body(id)
        for await (const bytes of body!.read()) subjects.push(Buffer.from(bytes).toString().slice('Subject: '.length).trim())
      }
      const ranges = uids.map(({ first, last }) => `${first}-${last}`)
      said.push(`${as} ${this.names.get(mailbox)} ${ranges.join()} (${subjects.join()})`)
    }
    return said
  }
}

describe.each(stores)('what people mark as junk, over %s', (_, open) => {
  it('is what they put there, and what they take out of it to keep', async () => {
    const desk = await Desk.at(open)
    const marks = async (...commands: string[]): Promise<string[]> => {
      for (const command of commands) expect(await desk.ask(command), command).toMatch(/^x OK/m)
      return desk.marks()
    }
    expect(await marks('SELECT INBOX', 'COPY 1 Archive', 'STORE 1 +FLAGS (\\Seen hello)', 'EXPUNGE')).toEqual([])
    expect(await marks('COPY 1 Spam')).toEqual(['junk Spam 4-4 (INBOX 1)'])
    expect(await marks('UID MOVE 2:3 Spam')).toEqual(['junk Spam 5-6 (INBOX 2,INBOX 3)'])
    expect(await marks('UID COPY 1 Spam/Sure')).toEqual(['junk Spam/Sure 1-1 (INBOX 1)'])
    expect(await marks('UID COPY 900 Spam')).toEqual([])
    expect(await marks('SELECT Spam', 'MOVE 6 INBOX')).toEqual(['notJunk INBOX 4-4 (INBOX 3)'])
    expect(await marks('UID COPY 4 Archive')).toEqual(['notJunk Archive 2-2 (INBOX 1)'])
    // Thrown away, which says nothing; and put elsewhere among junk.
    expect(await marks('COPY 1 Bin', 'UID MOVE 2 Bin/Old', 'UID COPY 1 Spam/Sure', 'COPY 1 Spam')).toEqual([])
    expect(await marks('SELECT Bin', 'COPY 1 INBOX')).toEqual([])
    expect(await marks('MOVE 1 Spam')).toEqual([expect.stringMatching(/^junk Spam .* \(Bin 1\)$/)])
  })

  it('is what their mail program appends there, and what it puts in the place of something', async () => {
    const desk = await Desk.at(open)
    const append = async (where: string, subject: string): Promise<string[]> => {
      const text = `Subject: ${subject}\r\n\r\n`
      expect(await desk.ask(`${where} {${text.length}+}\r\n${text}`)).toMatch(/^x OK/m)
      return desk.marks()
    }
    expect(await append('APPEND Spam', 'a')).toEqual(['junk Spam 4-4 (a)'])
    expect(await append('APPEND INBOX', 'b')).toEqual([])
    expect(await append('APPEND INBOX ($Junk)', 'c')).toEqual(['junk INBOX 5-5 (c)'])
    expect(await append('APPEND INBOX ($NotJunk)', 'd')).toEqual([])
    await desk.ask('SELECT INBOX')
    if (!(await desk.ask('CAPABILITY')).includes(' REPLACE')) return
    expect(await append('REPLACE 1 Spam', 'e')).toEqual(['junk Spam 5-5 (e)'])
    expect(await append('UID REPLACE 2 INBOX', 'f')).toEqual([])
    await desk.ask('SELECT Spam')
    expect(await append('REPLACE 1 Bin', 'g')).toEqual([])
    expect(await append('UID REPLACE 2 INBOX', 'h')).toEqual([expect.stringMatching(/^notJunk INBOX .* \(h\)$/)])
  })

  it('is what they give the keywords for it', async () => {
    const desk = await Desk.at(open)
    await desk.ask('SELECT INBOX')
    const marks = async (command: string): Promise<string[]> => {
      expect(await desk.ask(command), command).toMatch(/^x OK/m)
      return desk.marks()
    }
    expect(await marks('STORE 1:2 +FLAGS ($Junk)')).toEqual(['junk INBOX 1-2 (INBOX 1,INBOX 2)'])
    // It was said already.
    expect(await marks('STORE 1:3 +FLAGS.SILENT ($junk \\Seen)')).toEqual(['junk INBOX 3-3 (INBOX 3)'])
    expect(await marks('STORE 3 FLAGS ($Junk)')).toEqual([])
    expect(await marks('STORE 3 FLAGS (\\Seen)')).toEqual(['notJunk INBOX 3-3 (INBOX 3)'])
    expect(await marks('UID STORE 3 FLAGS (\\Flagged)')).toEqual([])
    expect(await marks('STORE 1 -FLAGS ($Junk)')).toEqual(['notJunk INBOX 1-1 (INBOX 1)'])
    expect(await marks('STORE 2 +FLAGS ($NotJunk)')).toEqual(['notJunk INBOX 2-2 (INBOX 2)'])
    // The other half of the same.
    expect(await marks('STORE 2 -FLAGS ($Junk)')).toEqual([])
    expect(await marks('STORE 2 -FLAGS ($NotJunk)')).toEqual([])
    // Neither counts.
    expect(await marks('STORE 2 +FLAGS ($NotJunk $Junk)')).toEqual([])
    // What mail programs find out by themselves.
    expect(await marks('STORE 1 +FLAGS (Junk NonJunk)')).toEqual([])
  })
})

describe('learning', () => {
  const spam = async (desk: Desk): Promise<string> => {
    await desk.ask('SELECT INBOX')
    return desk.ask('COPY 1:2 Spam')
  }
  const inMemory = (): MailStore => memoryStore()
  const failures = (desk: Desk): unknown[] => desk.events.filter((event) => event.kind === 'failed').map((event) => event.error)

  it('gets what is told', async () => {
    const desk = await Desk.at(inMemory)
    await spam(desk)
    const [told] = desk.events.filter((event) => event.kind === 'marked')
    expect(told).toMatchObject({ ...desk.learnt[0]!, address: '192.0.2.7', session: 1 })
    expect(desk.learnt).toEqual([
      {
        as: 'junk', account: USER, mailbox: expect.any(String), uids: [{ first: 4, last: 5 }],
        messages: [expect.any(String), expect.any(String)],
      },
    ])
  })

  it.each([
    ['throws', () => { throw new Error('no spamd') }],
    ['rejects', () => Promise.reject(new Error('no spamd'))],
  ])('troubles nobody else where it %s', async (_, learn) => {
    const desk = await Desk.at(inMemory, { learn })
    expect(await spam(desk)).toMatch(/x OK \[COPYUID/)
    expect(failures(desk)).toEqual([new Error('no spamd')])
  })

  it('takes one thing after the other, and passes over what would be too much', async () => {
    let release = (): void => undefined
    const seen: JunkMarks[] = []
    const learn = (marks: JunkMarks): Promise<void> => {
      seen.push(marks)
      return new Promise((resolve) => (release = resolve))
    }
    const desk = await Desk.at(inMemory, { learn })
    await spam(desk)
    const again = 'STORE 1 +FLAGS.SILENT ($Junk)\r\ny STORE 1 -FLAGS.SILENT ($Junk)\r\n'
    desk.client.send(`y ${again}`.repeat(500))
    await desk.ask('NOOP')
    expect(seen.length).toBe(1)
    expect(failures(desk).length).toBe(1)
    release()
    await desk.stage.settle()
    expect(seen.map(({ as }) => as)).toEqual(['junk', 'junk'])
  })

  it('is not hurt by a store that cannot tell now, and hurts nobody then', async () => {
    const store = memoryStore()
    const desk = await Desk.at(() => store)
    const away = new Error('away')
    await desk.ask('SELECT INBOX')
    store.entries = () => { throw away }
    expect(await desk.ask('COPY 1 Spam')).toMatch(/x OK/)
    expect(await desk.ask('STORE 1 +FLAGS.SILENT ($Junk)')).toMatch(/x OK/)
    expect(failures(desk)).toEqual([away, away])
    expect(desk.learnt).toEqual([])
  })

  it('looks at no messages where nobody wants to know', async () => {
    const store = memoryStore()
    let asked = 0
    const { entries } = store
    const desk = await Desk.at(() => store)
    await desk.ask('LOGOUT')
    const stage = new ImapStage({ server: { store, observe: undefined as never } })
    const client = stage.connect()
    const ask = async (line: string): Promise<string> => {
      client.send(`x ${line}\r\n`)
      await stage.settle()
      return client.take()
    }
    await ask('LOGIN alice secret')
    await ask('SELECT INBOX')
    await ask('UID COPY 1 Spam')
    store.entries = (...given) => (asked++, entries.apply(store, given))
    expect(await ask('UID COPY 1 Spam')).toMatch(/x OK/)
    expect(await ask('UID STORE 1 +FLAGS.SILENT (\\Seen)')).toMatch(/x OK/)
    expect(await ask('UID STORE 1 FLAGS.SILENT ($Junk)')).toMatch(/x OK/)
    expect(asked).toBe(0)
  })
})
