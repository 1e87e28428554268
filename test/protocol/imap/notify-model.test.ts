import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ImapStage, type StageClient, USER } from '../../../src/testing/imap-stage.ts'

const MAIL = 'Subject: x\r\n\r\ny\r\n'
const PATHS = ['a', 'a/b', 'a/b/c', 'b', 'b/c', 'Work']

/** What a client knows of an account that trusts what it is told. */
class Trust {
  /** Names that are there, or lead to others: whether there is a mailbox, and something below it. */
  readonly names = new Map<string, { there: boolean; children: boolean }>()
  readonly subscribed = new Set<string>()
  /** Numbers by item. */
  readonly numbers = new Map<string, Map<string, string>>()

  hear(text: string): void {
    for (const line of text.split('\r\n')) {
      const list = /^\* LIST \(([^)]*)\) "\/" "([^"]*)"(?: \("OLDNAME" \("([^"]*)"\)\))?/.exec(line)
      const status = /^\* STATUS "([^"]*)" \((.*)\)$/.exec(line)
      if (list) this.name(list[2]!, list[1]!.split(' '), list[3])
      if (status) this.status(status[1]!, status[2]!)
    }
  }

  rename(from: string, to: string): void {
    for (const known of [this.names, this.numbers] as Map<string, never>[]) {
      const moved = [...known].filter(([name]) => name === from || name.startsWith(`${from}/`))
      for (const [name] of moved) known.delete(name)
      if (moved.length > 0) known.delete(to)
      for (const [name, value] of moved) known.set(to + name.slice(from.length), value)
    }
  }

  /** There, and what leads to it. */
  make(name: string): void {
    const levels = name.split('/')
    levels.forEach((_, at) => {
      const above = levels.slice(0, at + 1).join('/')
      this.names.set(above, { there: true, children: at + 1 < levels.length || (this.names.get(above)?.children ?? false) })
    })
  }

  remove(name: string): void {
    this.numbers.delete(name)
    this.names.set(name, { there: false, children: this.names.get(name)?.children ?? false })
    this.recount()
  }

  /** What lies below what, after its own changes. */
  recount(): void {
    const there = [...this.names].filter(([, one]) => one.there).map(([name]) => name)
    for (const [name, one] of this.names) one.children = there.some((other) => other.startsWith(`${name}/`))
    for (const name of there.flatMap((one) => one.split('/').map((_, at, all) => all.slice(0, at + 1).join('/')))) {
      if (!this.names.has(name)) this.names.set(name, { there: false, children: true })
    }
  }

  /** All of it, in an order; a mailbox of which nothing was said is empty. */
  get picture(): unknown {
    const names = [...this.names].filter(([, { there, children }]) => there || children).sort()
    const there = names.filter(([, one]) => one.there)
    const numbers = there.map(([name]) => [name, ...ITEMS.map((item) => this.numbers.get(name)?.get(item) ?? EMPTY.get(item))])
    return { names, numbers, subscribed: [...this.subscribed].sort() }
  }

  private name(name: string, attributes: readonly string[], old: string | undefined): void {
    if (old !== undefined) this.rename(old, name)
    const there = !attributes.includes('\\NonExistent')
    if (!there) this.numbers.delete(name)
    this.names.set(name, { there, children: attributes.includes('\\HasChildren') })
    if (attributes.includes('\\Subscribed')) this.subscribed.add(name)
    else this.subscribed.delete(name)
  }

  private status(name: string, items: string): void {
    const numbers = this.numbers.get(name) ?? new Map<string, string>()
    this.numbers.set(name, numbers)
    for (const [, item, value] of items.matchAll(/([A-Z]+) (\d+)/g)) numbers.set(item!, value!)
  }
}

const ITEMS = ['MESSAGES', 'UIDNEXT', 'UNSEEN']
const EMPTY = new Map([['MESSAGES', '0'], ['UIDNEXT', '1'], ['UNSEEN', '0']])

class World {
  readonly stage = new ImapStage()
  readonly trust = new Trust()
  readonly client: StageClient
  private tag = 0

  constructor() {
    this.client = this.stage.connect()
  }

  async begin(enable: string): Promise<void> {
    await this.stage.mailbox('INBOX')
    for (const path of ['a', 'b', 'b/c']) await this.stage.mailbox(path)
    for (const path of ['INBOX', 'b', 'b']) await this.stage.deliver(path, MAIL)
    await this.say('LOGIN alice secret')
    if (enable !== '') await this.say(`ENABLE ${enable}`)
    await this.say('LIST "" "*" RETURN (CHILDREN SUBSCRIBED)')
    const events = 'MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange'
    await this.say(`NOTIFY SET STATUS (selected (MessageNew (UID) MessageExpunge FlagChange)) (personal (${events}))`)
  }

  /** Says a command, and whether it was done. */
  async say(command: string): Promise<string | undefined> {
    this.client.send(`t${++this.tag} ${command}\r\n`)
    await this.stage.settle()
    const text = this.client.take()
    this.trust.hear(text)
    return text.split('\r\n').find((line) => line.startsWith(`t${this.tag} OK`))
  }

  async passes(milliseconds: number): Promise<void> {
    await this.stage.settle(milliseconds)
    this.trust.hear(this.client.take())
  }

  /** What somebody finds who asks now. */
  async truth(): Promise<unknown> {
    const other = this.stage.connect()
    const found = new Trust()
    other.send('a LOGIN alice secret\r\nb LIST (SUBSCRIBED) "" "*" RETURN (CHILDREN)\r\n')
    other.send('c LIST "" "*" RETURN (CHILDREN SUBSCRIBED)\r\n')
    await this.stage.settle()
    found.hear(other.take())
    for (const name of found.names.keys()) other.send(`d STATUS "${name}" (${ITEMS.join(' ')})\r\n`)
    await this.stage.settle()
    found.hear(other.take())
    other.reset()
    return found.picture
  }
}

type Act = (world: World) => Promise<void>

const path = fc.constantFrom(...PATHS)
const any = fc.constantFrom('INBOX', ...PATHS)
const all = [{ first: 1, last: 1000 }]

async function idOf({ stage }: World, name: string): Promise<string | undefined> {
  return (await stage.store.mailboxes(USER)).find((one) => one.path.join('/') === name)?.id
}

/** Somebody does something to a mailbox, if it is there. */
const others = (name: string, act: (world: World, id: string) => Promise<unknown>): Act => async (world) => {
  const id = await idOf(world, name)
  if (id !== undefined) await act(world, id).catch(() => undefined)
}

const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 3, arbitrary: any.map((name) => others(name, ({ stage }) => stage.deliver(name, MAIL))) },
  any.map((name) => others(name, ({ stage }, id) => stage.store.expunge(id, [{ first: 1, last: 1 }]))),
  any.map((name) => others(name, ({ stage }, id) => stage.store.flag(id, all, { kind: 'add', flags: ['\\Seen'] }))),
  path.map((name): Act => async ({ stage }) => void (await stage.mailbox(name))),
  path.map((name) => others(name, ({ stage }, id) => stage.store.remove(id))),
  { weight: 2, arbitrary: fc.tuple(path, path).map(([name, to]) =>
    others(name, ({ stage }, id) => stage.store.rename(id, to.split('/')))) },
  fc.tuple(any, fc.boolean()).map(([name, wanted]): Act => ({ stage }) => stage.store.subscribe!(USER, name.split('/'), wanted)),
  { weight: 3, arbitrary: fc.constantFrom(0, 100, 500, 130_000).map((time): Act => (world) => world.passes(time)) },
  fc.constantFrom('NOOP', 'SELECT INBOX', 'EXAMINE a', 'UNSELECT', 'UID STORE 1:* +FLAGS ($X)', 'UID EXPUNGE 1', 'CHECK')
    .map((command): Act => async (world) => void (await world.say(command))),
  path.map((name): Act => async (world) => {
    if (await world.say(`CREATE ${name}`)) world.trust.make(name)
  }),
  path.map((name): Act => async (world) => {
    if (await world.say(`DELETE ${name}`)) world.trust.remove(name)
  }),
  fc.tuple(path, path).map(([name, to]): Act => async (world) => {
    if (!(await world.say(`RENAME ${name} ${to}`))) return
    world.trust.rename(name, to)
    world.trust.make(to)
    world.trust.recount()
  }),
  fc.tuple(any, fc.boolean()).map(([name, wanted]): Act => async (world) => {
    if (!(await world.say(`${wanted ? '' : 'UN'}SUBSCRIBE ${name}`))) return
    world.trust.subscribed[wanted ? 'add' : 'delete'](name)
  }),
  any.map((name): Act => async (world) => {
    const done = await world.say(`UID COPY 1:* ${name}`)
    const to = /COPYUID \d+ \S+ (\S+)\]/.exec(done ?? '')?.[1]
    if (to === undefined) return
    // What the client has put there it counts itself; what it was told meanwhile counts it in.
    const numbers = world.trust.numbers.get(name)
    const uidNext = Number(to.split(/[,:]/).at(-1)) + 1
    if (Number(numbers?.get('UIDNEXT') ?? 1) >= uidNext) return
    const count = to.split(',').reduce((sum, range) => {
      const [first, last = first] = range.split(':').map(Number)
      return sum + last! - first! + 1
    }, 0)
    world.trust.numbers.set(name, new Map([
      ...(numbers ?? EMPTY), ['UIDNEXT', String(uidNext)], ['MESSAGES', String(Number(numbers?.get('MESSAGES') ?? 0) + count)],
    ]))
  }),
)

describe('I66 NOTIFY', () => {
  it('tells all that a client must know that asks for nothing', async () => {
    const enabled = fc.constantFrom('', 'CONDSTORE')
    await fc.assert(fc.asyncProperty(fc.array(acts, { maxLength: 25 }), enabled, async (doings, enable) => {
      const world = new World()
      await world.begin(enable)
      for (const act of doings) await act(world)
      // What happened in the selected mailbox was told otherwise, until now.
      await world.say('UNSELECT')
      await world.passes(600)
      if (world.client.closed) return
      expect(world.trust.picture).toEqual(await world.truth())
    }), { numRuns: 150 })
  }, 60_000)
})
