import { describe, expect, it } from 'vitest'
import type { Filtered, FilterAction, MailFilter } from '../../../src/contracts/filter.ts'
import type { FilteredEvent } from '../../../src/observe/events.ts'
import { memoryKeyValue } from '../../../src/adapters/memory/key-value.ts'
import { sieveFilter } from '../../../src/inbound/sieve/filter.ts'
import { ruleFilter } from '../../../src/inbound/rules/rule-filter.ts'
import { quarantine } from '../../../src/inbound/verdict.ts'
import { mailWorld, type MailWorld, person, type Place, storeWith, takingQueue } from '../mail-world.ts'

type Decide = (account: string) => readonly FilterAction[] | Partial<Filtered> | undefined

/** A filter that decides by the name of the account, and what it was asked. */
const deciding = (decide: Decide): MailFilter => ({
  filter: (_, { account }) => {
    const decided = decide(account.id.split('@')[0]!)
    if (!decided) return undefined
    return { actions: [], edits: [], steps: [], ...('length' in decided ? { actions: decided } : decided) }
  },
})

const filtered = ({ world }: MailWorld) => world.events.filter((event): event is FilteredEvent => event.kind === 'filtered')
const done = (world: MailWorld) => filtered(world).map(({ account, done: words }) => [account.split('@')[0], ...words].join(': '))
const faults = ({ world }: MailWorld) => world.events.flatMap((event) => (event.kind === 'failed' ? [event.what] : []))

async function sent(place: Place, to: readonly string[], more: { from?: string; content?: string; lmtp?: boolean } = {}) {
  const world = await mailWorld(place)
  const client = world.connect(more.lmtp ? 'lmtp' : 'mx')
  const content = more.content ?? 'Subject: x\nMessage-ID: <1@other.test>\n\nHello'
  const addresses = to.map((name) => `${name}@example.test`)
  const outcome = await client.send({ from: more.from ?? 'joe@other.test', to: addresses, content })
  return { world, said: outcome.recipients.map(({ reply }) => reply) }
}

const asked = (actions: Record<string, readonly FilterAction[]>, options: Place['options'] = {}): Place => ({
  options: { filter: deciding((name) => actions[name]), ...options },
})

const keep: FilterAction = { kind: 'keep' }
const into = (path: string, more: Partial<Extract<FilterAction, { kind: 'file' }>> = {}): FilterAction =>
  ({ kind: 'file', path: path.split('/'), create: true, ...more })
const redirect = (to: string): FilterAction => {
  const [local = '', domain = ''] = to.split('@')
  return { kind: 'redirect', to: { local, domain } }
}

describe('a filter', () => {
  it('files with flags and keywords, and makes the mailbox and what is above it', async () => {
    const { world } = await sent(asked({
      alice: [into('Lists/Posthorn', { flags: ['\\seen', '\\Recent', 'a b'] }), { kind: 'tag', tag: 'news letter]' }],
    }), ['alice', 'bob'])
    const [message] = await world.mail('alice', 'Lists/Posthorn')
    expect(message!.flags).toEqual(['\\Seen', 'a_b', 'news_letter_'])
    expect(await world.mail('alice')).toEqual([])
    expect((await world.store.mailboxes('alice@example.test')).map(({ path }) => path.join('/'))).toContain('Lists')
    const [others] = await world.mail('bob')
    expect(others!.id).toBe(message!.id)
    expect(done(world)).toEqual(['alice: file into Lists/Posthorn'])
  })

  it.each([
    ['no such mailbox', into('Nowhere', { create: false })],
    ['no name', into('Lists//x')],
    ['a control character', into('Lists\u0007')],
    ['its INBOX by another name', into('inbox', { create: false })],
  ])('leaves in INBOX what has %s', async (_, action) => {
    const { world, said } = await sent(asked({ alice: [action] }), ['alice'])
    expect(said[0]).toMatch(/^250/)
    expect(await world.mail('alice')).toHaveLength(1)
  })

  it('files by use, under whatever name', async () => {
    const world = await mailWorld(asked({ alice: [into('Müll', { use: '\\Junk' })], bob: [into('Müll', { use: '\\Junk' })] }))
    await world.store.create('alice@example.test', ['Unwanted'], '\\Junk')
    await world.connect('mx').send({ to: ['alice@example.test', 'bob@example.test'] })
    expect(await world.mail('alice', 'Unwanted')).toHaveLength(1)
    expect(await world.mail('bob', 'Müll')).toHaveLength(1)
    expect((await world.store.mailboxes('bob@example.test')).find(({ use }) => use === '\\Junk')!.path).toEqual(['Müll'])
  })

  it('keeps a message once where it says so twice', async () => {
    const { world } = await sent(asked({ alice: [keep, into('INBOX'), into('A'), into('A')] }), ['alice'])
    expect([(await world.mail('alice')).length, (await world.mail('alice', 'A')).length]).toEqual([1, 1])
  })

  it('drops a message, and that is told', async () => {
    const { world, said } = await sent(asked({ alice: [] }), ['alice'])
    expect(said[0]).toMatch(/^250/)
    expect(await world.mail('alice')).toEqual([])
    expect(filtered(world)).toMatchObject([{ account: 'alice@example.test', sender: 'joe@other.test', done: ['discard'] }])
  })

  it('changes headers, one copy for each different change', async () => {
    const edits: Filtered['edits'] = [
      { kind: 'add', name: 'X-First', value: 'ä', last: false },
      { kind: 'add', name: 'X-Second', value: '2', last: false },
      { kind: 'add', name: 'X-Last', value: '3', last: true },
    ]
    const filter: MailFilter = {
      filter: ({ headers }, { account: { id } }) => {
        const { start, end } = headers.get('subject')!
        const removal = { kind: 'remove', start, end } as const
        const odd = { kind: 'remove', start: start + 1, end } as const
        return { actions: [keep], steps: [], edits: id.startsWith('carol') ? [] : [...edits, removal, removal, odd] }
      },
    }
    const { world } = await sent({ options: { filter } }, ['alice', 'bob', 'carol'])
    const [[alice], [bob], [carol]] = [await world.mail('alice'), await world.mail('bob'), await world.mail('carol')]
    expect(alice!.text).toMatch(/^X-Second: 2\r\nX-First: =\?UTF-8\?B\?w6Q=\?=\r\nReturn-Path: /)
    expect(alice!.text).toMatch(/\r\nMessage-ID: <1@other\.test>\r\nX-Last: 3\r\n\r\nHello/)
    expect(alice!.text).not.toMatch(/Subject/)
    expect([bob!.id === alice!.id, carol!.id === alice!.id]).toEqual([true, false])
    expect(carol!.text).toMatch(/^Return-Path: .*Subject: x/s)
  })

  it('keeps and redirects the header as it was by then', async () => {
    const queue = takingQueue()
    const edits: Filtered['edits'] = [{ kind: 'add', name: 'X-New', value: '1', last: true }]
    const filter = deciding(() => ({ actions: [{ ...redirect('a@far.test'), edits: [] } as FilterAction, keep], edits }))
    const { world } = await sent({ options: { filter, queue } }, ['alice'])
    const kept = (await world.mail('alice'))[0]!
    expect([queue.taken[0]!, kept].map(({ text }) => text.includes('X-New'))).toEqual([false, true])
  })

  it('is asked once, with the recipient that leads to the account', async () => {
    const seen: string[] = []
    const filter: MailFilter = {
      filter: async (message, { account, recipient, hasMailbox, hasUse }) => {
        const has = [await hasMailbox(['Inbox']), await hasMailbox(['X']), await hasUse('\\Junk')]
        seen.push([account.id, recipient.wire, message.envelope.recipients.length, ...has].join(' '))
        return undefined
      },
    }
    const aliases = [{ address: 'team@example.test', to: ['alice@example.test', 'bob@example.test'] }]
    await sent({ aliases, options: { filter } }, ['team', 'bob+x'])
    expect(seen).toEqual(['alice', 'bob'].map((name) => `${name}@example.test team@example.test 2 true false false`))
  })

  it('is not asked about what is set apart', async () => {
    const policies = [{ name: 'spam', message: () => quarantine('looks bad') }]
    const { world } = await sent(asked({ alice: [into('Lists')] }, { policies }), ['alice'])
    expect([(await world.mail('alice', 'Spam')).length, filtered(world).length]).toEqual([1, 0])
  })

  it('that fails, answers nonsense or never answers keeps the message', async () => {
    const answers: Record<string, () => unknown> = {
      alice: () => {
        throw new Error('bug')
      },
      bob: () => ({ actions: [{ kind: 'shred' }], edits: [], steps: [] }),
      carol: () => new Promise(() => undefined),
    }
    const filter = { filter: (_, { account }) => answers[account.id.split('@')[0]!]!() } as MailFilter
    const world = await mailWorld({ options: { filter } })
    const sending = world.connect('mx').send({ to: ['alice', 'bob', 'carol'].map((name) => `${name}@example.test`) })
    await world.world.clock.advance(11_000)
    expect((await sending).recipients.map(({ reply }) => reply.slice(0, 3))).toEqual(['250', '250', '250'])
    for (const name of ['alice', 'bob', 'carol']) expect(await world.mail(name)).toHaveLength(1)
    expect(faults(world).sort()).toEqual(['alice', 'bob', 'carol'].map((name) => `filter mail of ${name}@example.test`))
  })

  it('remembers what it has seen only once it is safe', async () => {
    let remembered = 0
    let isBroken = true
    const done = async (): Promise<void> => void remembered++
    const place: Place = {
      options: { filter: deciding(() => ({ actions: [keep], done })) },
      through: (store) => storeWith(store, {
        append: async (...args) => {
          if (isBroken) throw new Error('disk')
          return store.append(...args)
        },
      }),
    }
    const world = await mailWorld(place)
    const reply = async (): Promise<string> => {
      const { recipients } = await world.connect('mx').send({ to: 'alice@example.test' })
      return recipients[0]!.reply.slice(0, 3)
    }
    expect([await reply(), remembered]).toEqual(['451', 0])
    isBroken = false
    expect([await reply(), remembered]).toEqual(['250', 1])
  })

  it('sees mail of people here, too', async () => {
    const world = await mailWorld(asked({ bob: [into('From here')] }))
    const alice = await world.person('alice')
    await alice.send({ from: 'alice@example.test', to: 'bob@example.test' })
    await world.server.enqueue({ from: 'alice@example.test', to: ['bob@example.test'], content: 'From: alice@example.test\n\nx' })
    expect(await world.mail('bob', 'From here')).toHaveLength(2)
  })
})

it('is made of rules, too', async () => {
  const filter = ruleFilter([
    { name: 'No adverts', when: { subject: { startsWith: '[ad]' } }, then: { reject: 'No adverts' } },
    { name: 'Bobs', when: { to: { is: 'bob@example.test' } }, then: [{ move: 'Bobs' }, { tag: 'bob' }] },
  ])
  const content = (subject: string): string => `To: bob@example.test\nSubject: ${subject}\n\nx`
  const { said } = await sent({ options: { filter } }, ['bob'], { content: content('[AD] x') })
  expect(said).toEqual(['550 5.7.1 No adverts'])
  const { world } = await sent({ options: { filter } }, ['bob'], { content: content('Hi') })
  expect((await world.mail('bob', 'Bobs'))[0]!.flags).toEqual(['bob'])
  expect(filtered(world)[0]!.steps.map(({ at }) => at)).toContain('Bobs')
})

it('is a script of Sieve, which remembers nothing of what was not taken', async () => {
  const script = `require ["fileinto", "mailbox", "vacation", "duplicate"];
    vacation "Away";
    if duplicate { discard; stop; }
    fileinto :create "Sorted";`
  const store = memoryKeyValue()
  const scripts = { active: async () => ({ name: 'main', script }), get: async () => undefined }
  const filter = sieveFilter({ scripts, store })
  const queue = takingQueue()
  let isBroken = true
  const world = await mailWorld({
    options: { filter, queue },
    through: (kept) => storeWith(kept, {
      append: async (...args) => {
        if (isBroken) throw new Error('disk')
        return kept.append(...args)
      },
    }),
  })
  const content = 'From: joe@other.test\nTo: alice@example.test\nMessage-ID: <1@other.test>\nSubject: x\n\ny'
  const reply = async (): Promise<string> => {
    const sent = await world.connect('mx').send({ from: 'joe@other.test', to: 'alice@example.test', content })
    return sent.recipients[0]!.reply.slice(0, 3)
  }
  const state = async () => [(await world.mail('alice', 'Sorted')).length, queue.taken.length]
  expect([await reply(), await state()]).toEqual(['451', [0, 0]])
  isBroken = false
  expect([await reply(), await state()]).toEqual(['250', [1, 1]])
  expect([await reply(), await state()]).toEqual(['250', [1, 1]])
})

describe('a redirected message', () => {
  it('goes on in the name of its sender, marked, and is not kept', async () => {
    const queue = takingQueue()
    const alice = [redirect('a@far.test'), redirect('a@far.test')]
    const { world } = await sent(asked({ alice, bob: [keep] }, { queue }), ['alice', 'bob'])
    expect(queue.taken).toHaveLength(1)
    const [{ envelope, text, account }] = queue.taken as [(typeof queue.taken)[0]]
    const to = envelope.recipients.map(({ wire }) => wire)
    expect([envelope.sender!.domain, to, account]).toEqual(['other.test', ['a@far.test'], undefined])
    expect(text).toMatch(/^X-Sieve-Redirected-From: alice@example\.test\r\nDelivered-To: alice@example\.test\r\nReceived: /)
    expect([(await world.mail('alice')).length, (await world.mail('bob')).length]).toEqual([0, 1])
    expect(done(world)).toEqual(['alice: redirect to a@far.test', 'bob: keep'])
  })

  it('has changed headers, too', async () => {
    const queue = takingQueue()
    const edits: Filtered['edits'] = [{ kind: 'add', name: 'X-New', value: '1', last: false }]
    const filter = deciding(() => ({ actions: [redirect('a@far.test')], edits }))
    await sent({ options: { filter, queue } }, ['alice'])
    expect(queue.taken[0]!.text).toMatch(/^X-Sieve-Redirected-From: alice@example\.test\r\nX-New: 1\r\nDelivered-To: alice@/)
  })

  it.each<[string, readonly FilterAction[], string?]>([
    ['leads back to its own account', [redirect('alice+x@example.test')]],
    ['cannot go on', [redirect('a@broken.test')]],
    ['was redirected here before', [redirect('a@far.test')], 'X-Sieve-Redirected-From: ALICE@example.test\n\nx'],
    ['was redirected too often', [redirect('a@far.test')], `${'X-Sieve-Redirected-From: x@y.test\n'.repeat(5)}\nx`],
    ['is filed elsewhere, but cannot go on', [into('A'), redirect('a@broken.test')]],
  ])('that %s is kept', async (_, actions, content) => {
    const taking = takingQueue()
    const queue = {
      ...taking,
      enqueue: async (message: Parameters<typeof taking.enqueue>[0]) => {
        if (message.envelope.recipients[0]!.domain === 'broken.test') throw new Error('disk')
        return taking.enqueue(message)
      },
    }
    const { world, said } = await sent(asked({ alice: actions }, { queue }), ['alice'], content === undefined ? {} : { content })
    expect(said[0]).toMatch(/^250/)
    expect([(await world.mail('alice')).length, taking.taken.length]).toEqual([1, 0])
  })

  it('goes to four addresses at the most, and is kept where it was to go to more', async () => {
    const queue = takingQueue()
    const alice = [1, 2, 3, 4, 5].map((one) => redirect(`${one}@far.test`))
    const { world } = await sent(asked({ alice }, { queue }), ['alice'])
    expect([queue.taken.length, (await world.mail('alice')).length]).toEqual([4, 1])
    expect(faults(world)).toEqual(['redirect to 5@far.test for alice@example.test'])
  })

  it('goes round once among people here who all redirect', async () => {
    const people = ['alice', 'bob', 'carol']
    const actions = Object.fromEntries(people.map((name, at) => [name, [redirect(`${people[(at + 1) % 3]}@example.test`)]]))
    const world = await mailWorld(asked(actions))
    await world.connect('mx').send({ from: 'joe@other.test', to: 'alice@example.test' })
    expect((await Promise.all(people.map((name) => world.mail(name)))).map(({ length }) => length)).toEqual([1, 0, 0])
  })
})

describe('a rejected message', () => {
  const no: FilterAction = { kind: 'reject', reason: 'Not from\r\nyou' }

  it('is refused where all reject it', async () => {
    const { world, said } = await sent(asked({ alice: [no], bob: [no] }), ['alice', 'bob'])
    expect(said).toEqual(Array(2).fill('550 5.7.1 Not from you'))
    expect([(await world.mail('alice')).length, done(world)[0]]).toEqual([0, 'alice: reject: Not from\r\nyou'])
  })

  it('is refused in ASCII', async () => {
    const { said } = await sent(asked({ alice: [{ kind: 'reject', reason: 'Nö' }] }), ['alice'])
    expect(said).toEqual(["550 5.7.1 The recipient's mail filter refused the message"])
  })

  it('is refused for each by himself over LMTP', async () => {
    const { world, said } = await sent(asked({ alice: [no] }), ['alice', 'bob'], { lmtp: true })
    expect(said.map((one) => one.slice(0, 9))).toEqual(['550 5.7.1', '250 2.0.0'])
    expect((await world.mail('bob')).length).toBe(1)
  })

  it('is reported where others take it', async () => {
    const queue = takingQueue()
    const { world, said } = await sent(asked({ alice: [no] }, { queue }), ['alice', 'bob'])
    expect(said[0]).toMatch(/^250/)
    expect([(await world.mail('alice')).length, (await world.mail('bob')).length]).toEqual([0, 1])
    const [report] = queue.taken
    expect([report!.envelope.sender, report!.envelope.recipients[0]!.wire]).toEqual([null, 'joe@other.test'])
    expect(report!.text).toMatch(/mail filter refused/)
    expect(report!.text).toMatch(/Final-Recipient: rfc822;\s?alice@example\.test\r\n[^]*Action: failed\r\nStatus: 5\.7\.1/)
  })

  it('of nobody is reported to nobody', async () => {
    const queue = takingQueue()
    const world = await mailWorld(asked({ alice: [no] }, { queue }))
    await world.connect('mx').send({ from: '', to: ['alice@example.test', 'bob@example.test'] })
    expect([queue.taken.length, (await world.mail('alice')).length]).toEqual([0, 0])
    expect(done(world)).toEqual(['alice: reject, and tell nobody: Not from\r\nyou'])
  })

  it('is kept where the report cannot be sent, or it is kept as well', async () => {
    const one = await sent(asked({ alice: [no] }), ['alice', 'bob'])
    expect([(await one.world.mail('alice')).length, faults(one.world)]).toEqual([1, ['reject for alice@example.test']])
    const other = await sent(asked({ alice: [no, keep] }), ['alice'])
    expect([other.said[0]!.slice(0, 3), (await other.world.mail('alice')).length]).toEqual(['250', 1])
  })

  it('of somebody here is reported to her mailbox', async () => {
    const world = await mailWorld({ ...asked({ bob: [no] }), people: ['alice', 'bob'].map((name) => person(name)) })
    await (await world.person('alice')).send({ from: 'alice@example.test', to: 'bob@example.test' })
    const [report] = await world.mail('alice')
    expect([(await world.mail('bob')).length, report!.text.includes('report-type=delivery-status')]).toEqual([0, true])
  })
})

describe('a filter that answers', () => {
  const reply = (mime: boolean, text: string): FilterAction => ({
    kind: 'reply', to: { local: 'joe', domain: 'other.test' }, mime, text, subject: 'Away: x',
    from: { name: 'Alice', address: { local: 'alice', domain: 'example.test' } },
  })

  it('sends it from nobody, as an answer that a machine gives', async () => {
    const queue = takingQueue()
    const { world } = await sent(asked({ alice: [keep, reply(false, 'Back on\nMonday.')] }, { queue }), ['alice'])
    const [{ envelope, text }] = queue.taken as [(typeof queue.taken)[0]]
    expect(envelope).toMatchObject({ sender: null, recipients: [{ wire: 'joe@other.test', notify: [] }] })
    expect(text).toMatch(/From: Alice <alice@example\.test>\r\n/)
    expect(text).toMatch(/Auto-Submitted: auto-replied\r\n/)
    expect(text).toMatch(/In-Reply-To: <1@other\.test>\r\nReferences: <1@other\.test>\r\n/)
    expect(text).toMatch(/\r\n\r\nBack on\r\nMonday\./)
    expect([(await world.mail('alice')).length, done(world)]).toEqual([1, ['alice: keep: reply to joe@other.test']])
  })

  it('may give it a MIME form', async () => {
    const queue = takingQueue()
    const entity = 'Content-Type: text/html; charset=utf-8\nSubject: forged\n\n<b>Weg</b> ä\n'
    await sent(asked({ alice: [keep, reply(true, entity)] }, { queue }), ['alice'])
    const [{ envelope, text }] = queue.taken as [(typeof queue.taken)[0]]
    expect(text).toMatch(/Content-Type: text\/html; charset=utf-8\r\n\r\n<b>Weg<\/b> ä\r\n$/)
    expect([text.match(/content-type/gi)!.length, text.includes('forged'), envelope.body]).toEqual([1, false, '8BITMIME'])
  })

  it('answers nobody where there is no sender', async () => {
    const queue = takingQueue()
    await sent(asked({ alice: [keep, reply(false, 'x')] }, { queue }), ['alice'], { from: '' })
    expect(queue.taken).toEqual([])
  })
})
