import { describe, expect, it } from 'vitest'
import { mailWorld, person, type Place, storeWith, takingQueue } from './mail-world.ts'

const fault = '451 4.3.0 Temporary failure, try again later'

/** What RCPT hears of a path at the MX. */
async function rcpt(path: string, place: Place = {}, mail = 'MAIL FROM:<joe@sender.test>'): Promise<string> {
  const client = (await mailWorld(place)).connect('mx')
  const replies = await client.ask('EHLO client.test', mail, `RCPT TO:${path}`)
  return replies.at(-1)!
}

describe('the MX', () => {
  const denied = '550 5.7.1 Relaying denied: that domain is not one of mine'
  const unknown = '550 5.1.1 No such user here'
  const syntax = /^501 5\.1\.3 /
  // Forms in which relays have been found: open-relay tests of ORBS, abuse.net and their heirs.
  const relays: readonly (readonly [path: string, reply: string | RegExp])[] = [
    ['<user@other.test>', denied],
    ['<user@OTHER.TEST>', denied],
    ['<user@sub.example.test>', denied],
    ['<user@example.test.other.test>', denied],
    ['<user@other.test.>', syntax],
    ['<user%other.test@example.test>', unknown],
    ['<user%other.test@mx.test>', denied],
    ['<user%other.test>', syntax],
    ['<"user%other.test">', syntax],
    ['<"user@other.test"@example.test>', unknown],
    ['<"user%other.test"@example.test>', unknown],
    ['<"user@other.test"@mx.test>', denied],
    ['<"user@other.test">', syntax],
    ['<user@other.test@example.test>', syntax],
    ['<user@example.test@other.test>', syntax],
    ['<@example.test:user@other.test>', denied],
    ['<@mx.test,@example.test:user@other.test>', denied],
    ['<@example.test:user%other.test@example.test>', unknown],
    ['<@other.test:alice@example.test>', /^250 2\.1\.5 /],
    ['<other.test!user@example.test>', unknown],
    ['<other.test!user>', syntax],
    ['<example.test!other.test!user@example.test>', unknown],
    ['<user@[192.0.2.1]>', denied],
    ['<user@[IPv6:2001:db8::1]>', denied],
    ['<user%other.test@[192.0.2.1]>', denied],
    ['<user@[192.0.2.1%25other.test]>', syntax],
    ['<user@[other.test]>', syntax],
    ['<user@other.test\\@example.test>', syntax],
    ['<user\\@other.test@example.test>', syntax],
    ['<"alice"@example.test>', /^250 2\.1\.5 /],
    ['<"al\\ice"@example.test>', /^250 2\.1\.5 /],
    ['<ALICE@Example.TEST>', /^250 2\.1\.5 /],
    ['<"alice "@example.test>', unknown],
    ['<localhost>', syntax],
    ['<user@localhost>', denied],
    ['<user@127.0.0.1>', denied],
  ]
  it.each(relays)('answers RCPT TO:%s as no relay would', async (path, reply) => {
    const heard = await rcpt(path)
    if (typeof reply === 'string') expect(heard).toBe(reply)
    else expect(heard).toMatch(reply)
  })

  it.each([
    ['from here to there', 'MAIL FROM:<alice@example.test>'],
    ['from nobody', 'MAIL FROM:<>'],
    ['from the server itself', 'MAIL FROM:<postmaster@mx.test>'],
    ['from a literal', 'MAIL FROM:<alice@[192.0.2.1]>'],
  ])('does not relay %s', async (_, mail) => {
    expect(await rcpt('<user@other.test>', {}, mail)).toBe(denied)
  })

  it('offers no AUTH, and does not do it', async () => {
    const client = (await mailWorld()).connect('mx', { tls: true })
    const [, hello, auth] = await client.ask('EHLO client.test', 'AUTH PLAIN AGEAYg==')
    expect(hello).not.toContain('AUTH')
    expect(auth).toBe('502 5.5.1 Command not implemented')
  })

  const aliases = [
    { address: 'team@example.test', to: ['alice@example.test', 'bob@example.test'] },
    { address: 'away@example.test', to: ['alice@other.test'] },
    { address: 'one@example.test', to: ['two@example.test'] },
    { address: 'two@example.test', to: ['one@example.test'] },
  ]
  const people = [person('alice'), person('bob'), person('dora', { disabled: true })]
  it.each([
    ['<dora@example.test>', '550 5.2.1 Mailbox is not available'],
    ['<nobody@example.test>', unknown],
    ['<one@example.test>', '451 4.2.4 That address cannot be resolved now, try again later'],
    ['<away@example.test>', '550 5.7.1 This server does not send mail to other servers'],
    ['<team@example.test>', /^250 /],
    ['<alice+tag@example.test>', /^250 /],
    ['<alice@caf\u00e9.test>', /^250 /],
  ] as const)('answers for %s', async (path, reply) => {
    const domains = [{ name: 'xn--caf-dma.test', aliasOf: 'example.test' }]
    const heard = await rcpt(path, { aliases, people, domains }, 'MAIL FROM:<joe@sender.test> SMTPUTF8')
    expect(heard).toMatch(reply)
  })

  it.each(['<postmaster>', '<PostMaster>', '<postmaster@example.test>', '<POSTMASTER@mx.test>'])(
    'takes mail for %s',
    async (path) => {
      expect(await rcpt(path, { options: { postmaster: 'bob@example.test' } })).toMatch(/^250 /)
    },
  )

  it('says 451 while the directory cannot be asked', async () => {
    const place = await mailWorld()
    const resolve = async (): Promise<never> => Promise.reject(new Error('down'))
    expect(await rcpt('<alice@example.test>', { options: { directory: { ...place.directory, resolve } } })).toBe(fault)
  })

  it('passes mail on where an alias leads to another server, and there is a queue', async () => {
    const queue = takingQueue()
    const place = await mailWorld({
      aliases: [{ address: 'away@example.test', to: ['alice@other.test', 'bob@example.test'] }],
      options: { queue },
    })
    const sent = await place.connect('mx').send({ from: 'joe@sender.test', to: 'away@example.test', text: 'Hello' })
    expect(sent.reply).toMatch(/^250 2\.0\.0 Ok /)
    const [taken, ...more] = queue.taken
    expect(more).toEqual([])
    expect(taken).toMatchObject({
      account: undefined,
      envelope: { sender: { local: 'joe' }, recipients: [{ local: 'alice', domain: 'other.test', wire: 'alice@other.test' }] },
    })
    expect(taken!.text).toMatch(/^Delivered-To: away@example\.test\r\nReceived: from/)
    expect(taken!.facts.octets).toBe(taken!.body.size)
    const [kept] = await place.mail('bob')
    expect(kept!.text).toBe(`Return-Path: <joe@sender.test>\r\n${taken!.text}`)
    expect(await rcpt('<user@other.test>', { options: { queue } })).toBe(denied)
  })
})

describe('a message that comes in', () => {
  it('is in the inbox before the client hears of it, with its trace', async () => {
    const place = await mailWorld()
    const hello = { from: 'joe@sender.test', to: 'Alice+x@example.test', subject: 'Hi', text: 'Hello' }
    const sent = await place.connect('mx').send(hello)
    expect(sent.reply).toMatch(/^250 2\.0\.0 Ok /)
    const [kept, ...more] = await place.mail('alice')
    expect(more).toEqual([])
    expect(kept!.text.split('\r\n').slice(0, 3)).toEqual([
      'Return-Path: <joe@sender.test>',
      'Delivered-To: Alice+x@example.test',
      'Received: from client.test ([203.0.113.9])',
    ])
    expect(kept!.facts.envelope.subject).toBe('Hi')
    expect(kept!.received).toBe(place.world.clock.now())
    expect(place.world.events.filter(({ kind }) => kind === 'accepted')).toMatchObject([
      { listener: 'mx', recipients: ['Alice+x@example.test'] },
    ])
  })

  it('is one copy for all, each account once, and says to nobody who else got it', async () => {
    const place = await mailWorld({ aliases: [{ address: 'team@example.test', to: ['alice@example.test', 'bob@example.test'] }] })
    const to = ['alice@example.test', 'team@example.test', 'ALICE+y@example.test', 'carol@example.test']
    await place.connect('mx').send({ from: 'joe@sender.test', to, text: 'Hello' })
    const kept = [...(await place.mail('alice')), ...(await place.mail('bob')), ...(await place.mail('carol'))]
    expect(kept.map(({ id }) => id)).toEqual([kept[0]!.id, kept[0]!.id, kept[0]!.id])
    expect(kept[0]!.text).not.toMatch(/Delivered-To|for </)
  })

  it('that a policy quarantines goes to the junk mailbox, whatever that is called', async () => {
    const suspicious = { name: 'suspicious', sender: () => ({ kind: 'quarantine', why: 'odd' }) as const }
    const place = await mailWorld({ options: { policies: [suspicious] } })
    await place.store.create('bob@example.test', ['Unwanted'], '\\Junk')
    const content = 'Subject: x\r\nX-Quarantine-Reason: nothing at all\r\n\r\nx'
    await place.connect('mx').send({ to: ['alice@example.test', 'bob@example.test'], content })
    expect(await place.mail('alice')).toEqual([])
    const [set] = await place.mail('alice', 'Spam')
    expect(set!.text).toMatch(/^X-Quarantine-Reason: suspicious: odd\r$/m)
    expect(set!.text).not.toContain('nothing at all')
    expect(await place.mail('bob', 'Unwanted')).toHaveLength(1)
    expect((await place.store.mailboxes('alice@example.test')).find(({ path }) => path[0] === 'Spam')?.use).toBe('\\Junk')
  })

  it('finds the inbox that is there, soon after it was renamed', async () => {
    const place = await mailWorld()
    const client = place.connect('mx')
    await client.send({ to: 'alice@example.test' })
    const [inbox] = await place.store.mailboxes('alice@example.test')
    await place.store.rename(inbox!.id, ['Old'])
    await place.world.clock.advance(1000)
    await client.send({ to: 'alice@example.test' })
    expect(await place.mail('alice')).toHaveLength(1)
    expect(await place.mail('alice', 'Old')).toHaveLength(1)
  })

  it('finds an inbox where the one that was there a moment ago is gone', async () => {
    const place = await mailWorld()
    const client = place.connect('mx')
    await client.send({ to: 'alice@example.test' })
    await place.store.erase('alice@example.test')
    expect((await client.send({ to: ['alice@example.test', 'bob@example.test'] })).reply).toMatch(/^250 /)
    expect(await place.mail('alice')).toHaveLength(1)
  })

  it.each([
    ['who was removed', undefined],
    ['who was disabled, and whose mail was erased', { disabled: true }],
  ])('makes no mailbox for somebody %s while it came in', async (_, account) => {
    const { directory } = await mailWorld()
    let there = true
    const place = await mailWorld({
      options: {
        directory: {
          ...directory,
          account: async (id) => {
            const found = await directory.account(id)
            return there || !found ? found : account && { ...found, ...account }
          },
        },
      },
    })
    const client = place.connect('mx')
    await client.send({ to: 'alice@example.test' })
    await client.ask('MAIL FROM:<>', 'RCPT TO:<alice@example.test>', 'RCPT TO:<bob@example.test>', 'DATA')
    there = false
    await place.store.erase('alice@example.test')
    expect(await client.ask('Subject: x', '', '.')).toEqual([fault])
    expect(await place.store.mailboxes('alice@example.test')).toEqual([])
    expect(await place.mail('bob')).toEqual([])
  })

  it.each([
    ['alice@example.test', 'Delivered-To: alice@example.test', '554 5.4.6 Delivered here before: this is a mail loop'],
    ['alice@example.test', 'Delivered-To: <ALICE@Example.Test>', '554 5.4.6 Delivered here before: this is a mail loop'],
    ['alice@example.test', 'DELIVERED-TO: bob@example.test\r\nDelivered-To: alice@example.test', /^554 5\.4\.6 /],
    ['alice@example.test,bob@example.test', 'Delivered-To: bob@example.test', /^554 5\.4\.6 /],
    ['alice@example.test', 'Delivered-To: bob@example.test', /^250 /],
    ['alice+x@example.test', 'Delivered-To: alice@example.test', /^250 /],
    ['alice@example.test', 'Delivered-To: ,,,(', /^250 /],
    ['alice@example.test', 'X: y\r\n\r\nDelivered-To: alice@example.test', /^250 /],
  ] as const)('to %s with %s is no loop unless it has been there', async (to, header, reply) => {
    const place = await mailWorld()
    const content = `${header}\r\n\r\nHello\r\n`
    const sent = await place.connect('mx').send({ to: to.split(','), content })
    expect(sent.reply).toMatch(reply)
    const kept = [...(await place.mail('alice')), ...(await place.mail('bob'))]
    expect(kept).toHaveLength(sent.accepted ? 1 : 0)
  })
})

describe('starting', () => {
  it('is refused where mail would be lost, unless that is wanted', async () => {
    await expect(mailWorld({ options: { volatile: false } })).rejects.toThrow(/store forgets all mail.*volatile: true/s)
    const store = (await mailWorld()).store
    const through = (): typeof store => storeWith(store, { traits: { durability: 'disk', overhead: 0 } })
    await expect(mailWorld({ through, options: { volatile: false, queue: takingQueue() } })).rejects.toThrow(/queue forgets/)
    await expect(mailWorld({ through, options: { volatile: false } })).resolves.toBeDefined()
  })

  it.each([
    [{ listen: {} }, /listen names no listener/],
    [{ listen: { pop4: {} } }, /listen: there is no option "pop4"/],
    [{ listen: { mx: { colour: 1 } } }, /listen\.mx: there is no option "colour"/],
    [{ listen: { mx: { connections: 3 } } }, /listen\.mx: connections is 3/],
    [{ options: { postmaster: 'nobody' } }, /postmaster is "nobody"; it takes an address/],
    [{ options: { hostname: 'a b' } }, /hostname/],
    [{ options: { directory: {} } }, /directory is an object; it takes a directory/],
    [{ options: { plaintextAuth: 'yes' } }, /plaintextAuth is "yes"/],
    [{ options: { limits: {} } }, /there is no option "limits"/],
  ])('with %o is refused', async (place, says) => {
    const config = expect.objectContaining({ code: 'config', message: expect.stringMatching(says) as string }) as Error
    await expect(mailWorld(place as Place)).rejects.toThrow(config)
  })
})
