import { describe, expect, it } from 'vitest'
import { mailWorld, person, type Place, storeWith, takingQueue } from './mail-world.ts'

const replies = async (to: readonly string[], place: Place = {}, content?: string) => {
  const world = await mailWorld(place)
  const sent = await world.connect('lmtp').send({ from: 'joe@other.test', to, ...(content === undefined ? {} : { content }) })
  return { world, said: sent.recipients.map(({ reply }) => reply.slice(0, 9)) }
}

describe('over LMTP', () => {
  it('each recipient has an answer, each account one message', async () => {
    const to = ['alice@example.test', 'nobody@example.test', 'ALICE+x@example.test', 'joe@other.test', 'bob@example.test']
    const { world, said } = await replies(to)
    expect(said).toEqual(['250 2.0.0', '550 5.1.1', '250 2.0.0', '550 5.7.1', '250 2.0.0'])
    const [alice, bob] = [await world.mail('alice'), await world.mail('bob')]
    expect([alice.length, bob.length]).toEqual([1, 1])
    expect(alice[0]!.id).toBe(bob[0]!.id)
    expect(alice[0]!.text).toMatch(/^Return-Path: <joe@other\.test>\r\nReceived: .* with LMTP id /s)
  })

  it('who has no room is refused, and nobody else', async () => {
    const people = [person('alice'), person('bob', { quota: { octets: 3000 } }), person('carol')]
    const to = ['alice@example.test', 'bob@example.test', 'carol@example.test']
    const { world, said } = await replies(to, { people }, `Subject: x\n\n${'x'.repeat(2500)}`)
    expect(said).toEqual(['250 2.0.0', '552 5.2.2', '250 2.0.0'])
    expect(await world.mail('bob')).toEqual([])
    expect(await world.mail('carol')).toHaveLength(1)
  })

  it('an alias whose people did not all get it is refused, and those who have it do not get it twice', async () => {
    const people = [person('alice'), person('bob', { quota: { messages: 1 } })]
    const aliases = [{ address: 'team@example.test', to: ['alice@example.test', 'bob@example.test'] }]
    const world = await mailWorld({ people, aliases })
    const client = world.connect('lmtp')
    const to = ['team@example.test', 'alice@example.test', 'bob@example.test']
    // The mailbox is filled while the message is on its way.
    const said = ['LHLO client.test', 'MAIL FROM:<>', ...to.map((one) => `RCPT TO:<${one}>`), 'DATA', 'Subject: x', '', 'x']
    await client.ask(...said)
    await world.connect('lmtp').send({ to: 'bob@example.test' })
    const replies = await client.ask('.')
    expect(replies).toEqual(Array(3).fill('452 4.2.2 One of several mailboxes is full, try again later'))
    expect([(await world.mail('alice')).length, (await world.mail('bob')).length]).toEqual([0, 1])
  })

  it('a person who is named first does not wait for an alias', async () => {
    const people = [person('alice'), person('bob', { quota: { octets: 3000 } })]
    const aliases = [{ address: 'team@example.test', to: ['alice@example.test', 'bob@example.test'] }]
    const content = `Subject: x\n\n${'x'.repeat(2500)}`
    const { world, said } = await replies(['alice@example.test', 'team@example.test'], { people, aliases }, content)
    expect(said).toEqual(['250 2.0.0', '552 5.2.2'])
    expect(await world.mail('alice')).toHaveLength(1)
  })

  it('a loop ends for the one who has been there', async () => {
    const to = ['alice@example.test', 'bob@example.test', 'alice+x@example.test']
    const { world, said } = await replies(to, {}, 'Delivered-To: alice@example.test\n\nx')
    expect(said).toEqual(['554 5.4.6', '250 2.0.0', '250 2.0.0'])
    expect(await world.mail('alice')).toHaveLength(1)
  })

  it('a store that fails for one fails for nobody else', async () => {
    const failed: string[] = []
    const { world, said } = await replies(['alice@example.test', 'bob@example.test'], {
      through: (store) =>
        storeWith(store, {
          mailboxes: async (account) => {
            if (account.startsWith('alice')) throw new Error('disk')
            return store.mailboxes(account)
          },
        }),
    })
    for (const event of world.world.events) if (event.kind === 'failed') failed.push(event.what)
    expect(said).toEqual(['451 4.3.0', '250 2.0.0'])
    expect(failed).toEqual(['deliver to alice@example.test'])
    expect(await world.mail('bob')).toHaveLength(1)
  })

  it('what goes to other servers is queued once', async () => {
    const queue = takingQueue()
    const to = ['joe@other.test', 'alice@example.test']
    const aliases = ['one', 'two'].map((name) => ({ address: `${name}@example.test`, to }))
    const { world, said } = await replies(['one@example.test', 'two@example.test'], { aliases, options: { queue } })
    expect(said).toEqual(['250 2.0.0', '250 2.0.0'])
    expect(queue.taken.map(({ envelope }) => envelope.recipients.map(({ wire }) => wire))).toEqual([['joe@other.test']])
    expect(await world.mail('alice')).toHaveLength(1)
  })

  it.each([[{}, 100], [{ lmtp: { connections: { server: 30 } } }, 30]] as const)(
    'one address may have all the connections, with %j',
    async (listen, most) => {
      const world = await mailWorld({ listen: { lmtp: {}, ...listen } })
      const clients = Array.from({ length: most + 1 }, () => world.connect('lmtp', { address: '127.0.0.1' }))
      const greetings = await Promise.all(clients.map((client) => client.reply()))
      expect(greetings.slice(0, most).every((greeting) => greeting.startsWith('220'))).toBe(true)
      expect(greetings[most]).toBe('421 4.3.2 Too many connections, try again later')
    },
  )
})
