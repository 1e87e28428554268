import { describe, expect, it } from 'vitest'
import { mailWorld, person, type Place } from './mail-world.ts'

/** What the memory store counts each message for beside its octets. */
const OVERHEAD = 1024

const aliases = [{ address: 'team@example.test', to: ['alice@example.test', 'bob@example.test'] }]
const people = (octets: number) => [person('alice', { quota: { octets, messages: 100 } }), person('bob')]

/** What MAIL and RCPT hear. */
async function rcpt(place: Place, size: number | undefined, to: string): Promise<string> {
  const client = (await mailWorld(place)).connect('mx')
  const mail = `MAIL FROM:<joe@sender.test>${size === undefined ? '' : ` SIZE=${size}`}`
  return (await client.ask('EHLO client.test', mail, `RCPT TO:<${to}@example.test>`)).at(-1)!
}

describe('a full mailbox', () => {
  const full = '552 5.2.2 Mailbox full'
  const large = '552 5.2.3 Message is larger than that mailbox takes'
  it.each([
    ['nothing announced', 2000, undefined, 'alice', /^250 /],
    ['as much as there is room', 2000, 2000 - OVERHEAD, 'alice', /^250 /],
    ['more than ever fits', 2000, 2001 - OVERHEAD, 'alice', large],
    ['no room for anything', OVERHEAD, undefined, 'alice', large],
    ['one of two', OVERHEAD, undefined, 'team', large],
    ['who has no bound', OVERHEAD, 10_000_000, 'bob', /^250 /],
  ] as const)('is known at RCPT: %s', async (_, octets, size, to, reply) => {
    expect(await rcpt({ people: people(octets), aliases }, size, to)).toMatch(reply)
  })

  it('is known by what is in it', async () => {
    const world = await mailWorld({ people: people(5000), aliases })
    const client = world.connect('mx')
    const content = `Subject: x\n\n${'x'.repeat(1000)}`
    expect((await client.send({ to: 'alice@example.test', content })).reply).toMatch(/^250 /)
    const used = await world.store.usage('alice@example.test')
    expect(used).toMatchObject({ messages: 1, octets: (await world.mail('alice'))[0]!.octets + OVERHEAD })
    const left = 5000 - used.octets - OVERHEAD
    const said = async (size: number, to: string): Promise<string> =>
      (await client.ask(`MAIL FROM:<> SIZE=${size}`, `RCPT TO:<${to}@example.test>`, 'RSET'))[1]!
    expect(await said(left, 'alice')).toMatch(/^250 /)
    expect(await said(left + 1, 'alice')).toBe(full)
    expect(await said(left + 1, 'team')).toBe('452 4.2.2 One of several mailboxes is full, try again later')
    expect(await said(left + 1, 'bob')).toMatch(/^250 /)
  })

  it('is found when the message is there, and nobody gets a part of it', async () => {
    const world = await mailWorld({ people: people(4000), aliases })
    const client = world.connect('mx')
    const content = `Subject: x\n\n${'x'.repeat(3500)}`
    expect((await client.send({ to: 'alice@example.test', content })).reply).toBe(full)
    const both = await client.send({ to: ['alice@example.test', 'bob@example.test'], content })
    expect(both.reply).toBe(large)
    expect([...(await world.mail('alice')), ...(await world.mail('bob'))]).toEqual([])
    const alice = await world.person('alice')
    const submitted = { from: 'alice@example.test', to: 'alice@example.test', content: `From: alice@example.test\n${content}` }
    expect((await alice.send(submitted)).reply).toBe(full)
  })

  it('counts messages, too', async () => {
    const few = [person('alice', { quota: { octets: null, messages: 1 } })]
    const client = (await mailWorld({ people: few })).connect('mx')
    expect((await client.send({ to: 'alice@example.test' })).reply).toMatch(/^250 /)
    expect((await client.send({ to: 'alice@example.test' })).reply).toBe(full)
  })

  it('is nobody\'s who takes only small messages', async () => {
    const small = [person('alice', { messageOctets: 500 })]
    const world = await mailWorld({ people: small })
    expect(await rcpt({ people: small }, 501, 'alice')).toBe(large)
    const sent = await world.connect('mx').send({ to: 'alice@example.test', content: `Subject: x\n\n${'x'.repeat(500)}` })
    expect(sent.reply).toBe(large)
  })
})

describe('warnings', () => {
  it('come once for each crossing of 80, 90 and 95 %', async () => {
    const world = await mailWorld({ people: [person('alice', { quota: { octets: null, messages: 20 } })] })
    const client = world.connect('mx')
    const warned = (): string[] =>
      world.world.events
        .filter((event) => event.kind === 'quota')
        .map(({ percent, used, limit }) => `${percent} at ${used} of ${limit}`)
    for (let sent = 0; sent < 20; sent++) await client.send({ to: 'alice@example.test' })
    const all = ['80 at 16 of 20', '90 at 18 of 20', '95 at 19 of 20']
    expect(warned()).toEqual(all)
    const [inbox] = await world.store.mailboxes('alice@example.test')
    await world.store.expunge(inbox!.id, [{ first: 1, last: 3 }])
    await client.send({ to: 'alice@example.test' })
    expect(warned()).toEqual([...all, '90 at 18 of 20'])
    await world.store.expunge(inbox!.id, [{ first: 4, last: 15 }])
    for (let sent = 0; sent < 10; sent++) await client.send({ to: 'alice@example.test' })
    expect(warned()).toEqual([...all, '90 at 18 of 20', '80 at 16 of 20'])
  })

  it('come once however the account fills up: delivery, APPEND, COPY', async () => {
    const options = { plaintextAuth: true }
    const people = [person('alice', { quota: { octets: null, messages: 20 } })]
    const world = await mailWorld({ people, listen: { mx: {}, imap: {} }, options })
    const mx = world.connect('mx')
    const imap = world.connect('imap')
    const warned = (): string[] =>
      world.world.events.filter((event) => event.kind === 'quota').map(({ percent, used }) => `${percent} at ${used}`)
    const append = 'APPEND INBOX {3+}\r\nx\r\n'
    for (let sent = 0; sent < 15; sent++) await mx.send({ to: 'alice@example.test' })
    expect(warned()).toEqual([])
    imap.write(`a LOGIN alice@example.test secret\r\nb ${append}\r\n`)
    await world.world.clock.advance(1)
    expect(warned()).toEqual(['80 at 16'])
    await mx.send({ to: 'alice@example.test' })
    imap.write('c SELECT INBOX\r\nd COPY 1 INBOX\r\ne COPY 1 Nowhere\r\n')
    await world.world.clock.advance(1)
    expect(warned()).toEqual(['80 at 16', '90 at 18'])
    imap.write('f STORE 1:9 +FLAGS (\\Deleted)\r\ng EXPUNGE\r\n')
    await world.world.clock.advance(1)
    imap.write(`h COPY 1:3 INBOX\r\ni APPEND INBOX {3+}\r\nx\r\n {3+}\r\nx\r\n\r\nj COPY 1:5 INBOX\r\nk ${append}\r\n`)
    await world.world.clock.advance(1)
    expect(warned()).toEqual(['80 at 16', '90 at 18', '80 at 19', '90 at 19', '95 at 19'])
  })

  it('are told for all levels that one message crosses', async () => {
    const world = await mailWorld({ people: [person('alice', { quota: { octets: 10_000 } })] })
    await world.connect('mx').send({ to: 'alice@example.test', content: `Subject: x\n\n${'x'.repeat(8500)}` })
    const quotas = world.world.events.filter(({ kind }) => kind === 'quota')
    const about = { account: 'alice@example.test', of: 'octets', limit: 10_000 }
    expect(quotas).toMatchObject([80, 90, 95].map((percent) => ({ ...about, percent })))
  })
})
