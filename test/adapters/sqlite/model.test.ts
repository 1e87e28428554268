import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../../src/adapters/memory/index.ts'
import type { Mailbox, MailStore, NewMessage, StoredMessage } from '../../../src/contracts/store.ts'
import { allOf, octetsOf } from '../../../src/testing/contracts/checks.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { listed, numbered } from './mail.ts'

type Flags = readonly string[]

/** What a caller can do. Mailboxes and messages are named by the order of their making, wrapping around. */
type Step =
  | { readonly do: 'create'; readonly account: string; readonly path: readonly string[] }
  | {
    readonly do: 'append'
    readonly to: readonly number[]
    readonly size: number
    readonly read: boolean
    readonly flags: Flags
  }
  | { readonly do: 'append again'; readonly to: number; readonly message: number }
  | { readonly do: 'group'; readonly to: readonly number[] }
  | { readonly do: 'list'; readonly mailbox: number; readonly since: number }
  | { readonly do: 'body'; readonly message: number; readonly start: number; readonly end: number }
  | { readonly do: 'reopen' }

const small = fc.nat({ max: 7 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('create' as const),
    account: fc.constantFrom('alice', 'bob'),
    path: fc.array(fc.constantFrom('INBOX', 'a', 'b/c'), { minLength: 1, maxLength: 2 }),
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('append' as const),
      to: fc.array(small, { minLength: 1, maxLength: 3 }),
      size: fc.constantFrom(0, 10, 3000, 9000),
      read: fc.boolean(),
      flags: fc.uniqueArray(fc.constantFrom('\\Seen', '\\Flagged', '$Junk')),
    }),
  },
  fc.record({ do: fc.constant('append again' as const), to: small, message: small }),
  fc.record({ do: fc.constant('group' as const), to: fc.array(small, { minLength: 2, maxLength: 20 }) }),
  fc.record({ do: fc.constant('list' as const), mailbox: small, since: fc.nat({ max: 12 }) }),
  fc.record({ do: fc.constant('body' as const), message: small, start: fc.nat({ max: 9000 }), end: fc.nat({ max: 9000 }) }),
  fc.record({ do: fc.constant('reopen' as const) }),
)

/** A plain list of what was done: what any store has to look like. */
class Model {
  readonly boxes: { account: string; path: readonly string[]; messages: { message: NewMessage; flags: Flags }[] }[] = []

  create(account: string, path: readonly string[]): void {
    const same = this.boxes.find((box) => box.account === account && box.path.join('\n') === path.join('\n'))
    if (!same) this.boxes.push({ account, path, messages: [] })
  }

  list(mailbox: number, since: number): unknown[] {
    return (this.boxes[mailbox]?.messages ?? [])
      .map(({ message, flags }, index) => ({ ...seen(message, flags), uid: index + 1, modSeq: index + 1 }))
      .filter(({ modSeq }) => modSeq > since)
  }

  mailboxes(account: string): unknown[] {
    return this.boxes.filter((box) => box.account === account)
      .map(({ path, messages }) => ({ account, path, uidNext: messages.length + 1, modSeq: messages.length }))
      .sort((a, b) => (a.path.join('\n') < b.path.join('\n') ? -1 : 1))
  }
}

function seen({ body, facts, received }: NewMessage, flags: Flags): object {
  return { received, flags, octets: body.size, facts }
}

/** A store, and the ids it gave to what was done, in order. */
class Subject {
  readonly mailboxes: Mailbox[] = []
  readonly messages: StoredMessage[] = []
  private readonly open: (before?: MailStore) => Promise<MailStore>
  store: MailStore

  constructor(store: MailStore, open: (before?: MailStore) => Promise<MailStore>) {
    this.store = store
    this.open = open
  }

  async reopen(): Promise<void> {
    this.store = await this.open(this.store)
  }

  async create(account: string, path: readonly string[]): Promise<void> {
    const made = await this.store.create(account, path)
    if (!this.mailboxes.some(({ id }) => id === made.id)) this.mailboxes.push(made)
  }

  async append(to: number, message: NewMessage): Promise<StoredMessage> {
    return this.store.append(this.mailboxes[to]?.id as string, message)
  }

  async list(mailbox: number, since: number): Promise<unknown[]> {
    const { id } = this.mailboxes[mailbox] as Mailbox
    return (await listed(this.store, id, since)).map(({ id: _id, mailbox: of, ...rest }) => {
      expect(of).toBe(id)
      return rest
    })
  }

  async mailboxesOf(account: string): Promise<unknown[]> {
    return (await this.store.mailboxes(account)).map(({ id, uidValidity, ...rest }) => {
      expect(uidValidity).toBe(this.mailboxes.find((made) => made.id === id)?.uidValidity)
      return rest
    })
  }
}

class World {
  readonly model = new Model()
  readonly subjects: readonly Subject[]
  readonly messages: { message: NewMessage; flags: Flags }[] = []

  constructor(subjects: readonly Subject[]) {
    this.subjects = subjects
  }

  async take(one: Step): Promise<void> {
    const boxes = this.model.boxes.length
    if (one.do === 'create') return this.create(one.account, one.path)
    if (one.do === 'reopen') return this.each((subject) => subject.reopen())
    if (boxes === 0) return
    if (one.do === 'append') {
      const message = numbered(this.messages.length, one.size, one.read)
      for (const to of one.to) await this.append(to % boxes, message, one.flags)
    } else if (one.do === 'group') {
      const group = one.to.map((to, i) => ({ to: to % boxes, message: numbered(this.messages.length + i, 20 * i) }))
      for (const { to, message } of group) this.note(to, message, [])
      await this.each(async (subject) => {
        subject.messages.push(...(await Promise.all(group.map(({ to, message }) => subject.append(to, message)))))
      })
    } else if (one.do === 'list') {
      await this.compareList(one.mailbox % boxes, one.since)
    } else if (this.messages.length > 0) {
      const known = this.messages[one.message % this.messages.length] as (typeof this.messages)[number]
      if (one.do === 'append again') await this.append(one.to % boxes, known.message, known.flags)
      else await this.compareBody(one.message % this.messages.length, one.start, one.end)
    }
  }

  async end(): Promise<void> {
    for (const account of ['alice', 'bob', 'carol']) {
      await this.each(async (subject) => expect(await subject.mailboxesOf(account)).toEqual(this.model.mailboxes(account)))
    }
    for (const mailbox of this.model.boxes.keys()) await this.compareList(mailbox, 0)
    // Never one id for two messages.
    await this.each(async ({ messages }) => {
      const named = new Map<string, NewMessage>()
      messages.forEach(({ id }, index) => {
        const message = this.messages[index]?.message as NewMessage
        expect(named.get(id) ?? message).toBe(message)
        named.set(id, message)
      })
    })
  }

  private async create(account: string, path: readonly string[]): Promise<void> {
    this.model.create(account, path)
    await this.each((subject) => subject.create(account, path))
  }

  private async append(to: number, message: NewMessage, flags: readonly string[]): Promise<void> {
    this.note(to, message, flags)
    await this.each(async (subject) => {
      const stored = await subject.append(to, flags.length > 0 ? { ...message, flags } : message)
      expect(stored).toMatchObject(seen(message, flags))
      subject.messages.push(stored)
    })
  }

  private note(to: number, message: NewMessage, flags: readonly string[]): void {
    this.model.boxes[to]?.messages.push({ message, flags })
    this.messages.push({ message, flags })
  }

  private async compareList(mailbox: number, since: number): Promise<void> {
    await this.each(async (subject) => expect(await subject.list(mailbox, since)).toEqual(this.model.list(mailbox, since)))
  }

  private async compareBody(index: number, start: number, end: number): Promise<void> {
    const { body } = this.messages[index]?.message as NewMessage
    const range = { start: Math.min(start, end, body.size), end: Math.min(Math.max(start, end), body.size) }
    const expected = (await octetsOfAll(body)).subarray(range.start, range.end)
    await this.each(async (subject) => {
      const found = await subject.store.body(subject.messages[index]?.id as string)
      expect(found?.size).toBe(body.size)
      expect(Buffer.compare(await octetsOf(found as NonNullable<typeof found>, range), expected)).toBe(0)
    })
  }

  private async each(act: (subject: Subject) => Promise<void>): Promise<void> {
    for (const subject of this.subjects) await act(subject)
  }
}

async function octetsOfAll(body: NewMessage['body']): Promise<Uint8Array> {
  return Buffer.concat(await allOf(body.read()))
}

describe.each(drivers)('sqlite with %s and memoryStore', (_name, driver) => {
  it('are a list of what was done to them', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20, size: 'max' }), async (steps) => {
      const memory = memoryStore()
      const first = openMail({ driver, bodyThreshold: 4096 })
      const world = new World([
        new Subject(memory, async () => memory),
        new Subject(first.store, async (before) => {
          await before?.close?.()
          return openMail({ driver, bodyThreshold: 4096, path: first.path }).store
        }),
      ])
      await world.take({ do: 'create', account: 'alice', path: ['INBOX'] })
      for (const one of steps) await world.take(one)
      await world.end()
      for (const { store } of world.subjects) await store.close?.()
    }), { numRuns: 40 })
  })
})
