import { describe, expect, it } from 'vitest'
import { defer, discard, reject } from '../../src/index.ts'
import { world } from '../../src/testing/index.ts'

const own = { server: { accepts: ({ domain }: { domain: string }) => domain === 'mx.test' } }

describe('recipients that nobody claims', () => {
  it.each([
    'user@elsewhere.test',
    'user@mx.test.elsewhere.test',
    'user%elsewhere.test@mx.test.elsewhere.test',
    '"user@mx.test"@elsewhere.test',
    'elsewhere.test!user@elsewhere.test',
    '@mx.test:user@elsewhere.test',
    '@mx.test,@elsewhere.test:user@elsewhere.test',
    'user@[192.0.2.1]',
    'user@[IPv6:2001:db8::1]',
    'user@sub.mx.test',
    'user@mx',
    'user@mx.test.x',
  ])('are refused: RCPT TO:<%s>', async (to) => {
    const w = world(own)
    const client = w.connect('203.0.113.9')
    await client.ask('EHLO x.test', 'MAIL FROM:<a@mx.test>')
    expect(await client.ask(`RCPT TO:<${to}>`, 'DATA')).toEqual([
      '550 5.1.1 No such recipient here',
      '554 5.5.1 No valid recipients',
    ])
    expect(w.delivered).toEqual([])
  })

  it.each([
    ['user%elsewhere.test@mx.test', 'user%elsewhere.test'],
    ['elsewhere.test!user@mx.test', 'elsewhere.test!user'],
    ['"user@elsewhere.test"@mx.test', 'user@elsewhere.test'],
    ['@elsewhere.test:user@mx.test', 'user'],
  ])('are never found inside those that are: %s is a local part, and nothing else', async (to, local) => {
    const w = world(own)
    const client = w.connect('203.0.113.9')
    const sent = await client.send({ to })
    expect(sent.accepted).toBe(true)
    expect(w.delivered[0]!.envelope.recipients).toMatchObject([{ local, domain: 'mx.test' }])
  })

  it.each([
    'user@mx.test@elsewhere.test',
    'user@elsewhere.test\\0@mx.test',
    '',
    'user@',
    '@mx.test',
    'user@mx..test',
    'user user@mx.test',
  ])('are no addresses at all: RCPT TO:<%s>', async (to) => {
    const w = world({ server: { accepts: () => true } })
    const client = w.connect('203.0.113.9')
    await client.ask('EHLO x.test', 'MAIL FROM:<a@mx.test>')
    const [reply] = await client.ask(`RCPT TO:<${to}>`)
    expect(reply).toMatch(/^501 5\.1\.3/)
  })

  it('are refused whoever asks, logged in or of a trusted network', async () => {
    const w = world({
      server: { ...own.server, authenticate: () => ({ account: 'bob' }), plaintextAuth: true, trusted: ['203.0.113.9'] },
    })
    const client = w.connect('203.0.113.9')
    expect(await client.login('bob', 'pw')).toMatch(/^235/)
    expect((await client.send({ from: 'bob@mx.test', to: 'user@elsewhere.test' })).reply).toBe(
      '550 5.1.1 No such recipient here',
    )
  })

  it('stay unclaimed where the claim says nothing', async () => {
    const w = world({ server: { accepts: () => undefined } })
    expect((await w.connect().send({ to: 'a@mx.test' })).reply).toBe('550 5.1.1 No such recipient here')
  })

  it('are answered 451 where the claim breaks, which is our own fault', async () => {
    for (const accepts of [
      () => {
        throw new Error('db')
      },
      () => Promise.reject(new Error('db')),
    ]) {
      const w = world({ server: { accepts } })
      expect((await w.connect().send({ to: 'a@mx.test' })).reply).toBe('451 4.3.0 Temporary failure, try again later')
      expect(w.events).toContainEqual(expect.objectContaining({ kind: 'failed', what: 'recipient', error: new Error('db') }))
    }
  })
})

describe('recipients that are claimed', () => {
  it.each([
    ['true', true, '250 2.1.5 Recipient ok'],
    ['a promise', Promise.resolve(true), '250 2.1.5 Recipient ok'],
    ['a refusal of its own', reject(552, '5.2.2', 'Mailbox full'), '552 5.2.2 Mailbox full'],
    ['a delay', defer('Ask me later'), '451 4.7.1 Ask me later'],
    ['false', false, '550 5.1.1 No such recipient here'],
  ])('by %s', async (_, claim, reply) => {
    const client = world({ server: { accepts: () => claim } }).connect()
    await client.ask('EHLO x.test', 'MAIL FROM:<>')
    expect(await client.ask('RCPT TO:<a@mx.test>')).toEqual([reply])
  })

  it('are told apart by address, tag and parameters', async () => {
    const seen: unknown[] = []
    const w = world({ server: { accepts: (to) => (seen.push(to), true), smtp: { extensions: { dsn: true } } } })
    await w
      .connect()
      .ask(
        'EHLO x.test',
        'MAIL FROM:<a@Sender.TEST> RET=HDRS ENVID=x+2By BODY=8BITMIME',
        'RCPT TO:<Ticket+42+x@MX.Test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;t@x.test',
        'RCPT TO:<"a b"@mx.test>',
        'RCPT TO:<+42@mx.test>',
        'RCPT TO:<ticket+@mx.test> NOTIFY=NEVER',
        'RCPT TO:<Postmaster>',
      )
    expect(seen).toMatchObject([
      {
        local: 'Ticket+42+x',
        user: 'Ticket',
        tag: '42+x',
        domain: 'mx.test',
        wire: 'Ticket+42+x@MX.Test',
        notify: ['SUCCESS', 'DELAY'],
        originalRecipient: { type: 'rfc822', address: 't@x.test' },
      },
      { local: 'a b', user: 'a b', tag: undefined, wire: '"a b"@mx.test', notify: undefined },
      { local: '+42', user: '+42', tag: undefined },
      { local: 'ticket+', user: 'ticket', tag: '', notify: [] },
      { local: 'Postmaster', domain: 'mx.test', wire: 'Postmaster' },
    ])
  })

  it('are judged with the envelope and the connection at hand', async () => {
    const seen: unknown[] = []
    const w = world({
      server: {
        accepts: (_, { envelope, connection }) => (
          seen.push([envelope.sender?.local, envelope.recipients.length, connection.hello?.name]),
          true
        ),
      },
    })
    await w.connect().send({ from: 'a@s.test', to: ['b@mx.test', 'c@mx.test'] })
    expect(seen).toEqual([
      ['a', 0, 'client.test'],
      ['a', 1, 'client.test'],
    ])
  })

  it('keep the order in which they were named, however long each look-up takes', async () => {
    const later = (ms: number) => (clock: { alarm: (at: number, ring: () => void) => unknown; ticks: () => number }) =>
      new Promise<boolean>((resolve) => clock.alarm(clock.ticks() + ms, () => resolve(true)))
    for (const profile of ['mx', 'lmtp'] as const) {
      const w = world({
        server: {
          profile,
          accepts: (to) => (to.local === 'c' ? false : later(to.local === 'a' ? 30 : to.local === 'b' ? 20 : 10)(w.clock)),
          deliver: ({ envelope }) =>
            envelope.recipients.map(({ local }) =>
              local === 'a' ? reject('Not a') : local === 'd' ? reject('Not d') : undefined,
            ),
        },
      })
      const client = w.connect()
      await client.ask(`${profile === 'lmtp' ? 'LHLO' : 'EHLO'} x.test`)
      const replies = await w.clock.until(
        client.ask(
          'MAIL FROM:<>\r\nRCPT TO:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nRCPT TO:<c@x.test>\r\nRCPT TO:<d@x.test>\r\nDATA',
          '.',
        ),
      )
      expect(replies.slice(1, 5).map((reply) => reply.slice(0, 3))).toEqual(['250', '250', '550', '250'])
      expect(w.delivered[0]!.envelope.recipients.map(({ local }) => local)).toEqual(['a', 'b', 'd'])
      if (profile === 'lmtp')
        expect(replies.slice(6)).toEqual(['550 5.7.1 Not a', expect.stringMatching(/^250/), '550 5.7.1 Not d'])
    }
  })

  it('are none where the answer comes after its deadline: what was answered 451 is not delivered to', async () => {
    const w = world({
      server: {
        profile: 'lmtp',
        accepts: (to) =>
          to.local === 'late' ? new Promise((resolve) => w.clock.alarm(w.clock.ticks() + 61_000, () => resolve(true))) : true,
      },
    })
    const client = w.connect()
    await client.ask('LHLO x.test', 'MAIL FROM:<>')
    expect(await w.clock.until(client.ask('RCPT TO:<late@x.test>'))).toEqual(['451 4.3.0 Temporary failure, try again later'])
    await client.ask('RCPT TO:<a@x.test>')
    await w.clock.advance(2000)
    const replies = await client.ask('RCPT TO:<b@x.test>', 'DATA', '.')
    expect(replies.map((reply) => reply.slice(0, 3))).toEqual(['250', '354', '250', '250'])
    expect(w.delivered[0]!.envelope.recipients.map(({ local }) => local)).toEqual(['a', 'b'])
  })

  it('are not asked about any more when the client has gone', async () => {
    let aborted = false
    const w = world({
      server: {
        accepts: (_, { signal }) =>
          new Promise((resolve) => signal.addEventListener('abort', () => ((aborted = true), resolve(true)))),
      },
    })
    const client = w.connect()
    await client.ask('EHLO x.test', 'MAIL FROM:<>')
    client.write('RCPT TO:<a@x.test>\r\n')
    await w.clock.advance(0)
    client.reset()
    await w.clock.advance(0)
    expect(aborted).toBe(true)
    expect(w.delivered).toEqual([])
  })

  it('may be dropped in silence', async () => {
    const w = world({
      server: {
        accepts: (to) => (to.local === 'trap' ? discard('trap') : true),
        profile: 'lmtp',
        deliver: () => [reject('Only one')],
      },
    })
    const sent = await w.connect().send({ to: ['trap@x.test', 'a@x.test'] })
    expect(sent.recipients.map(({ reply }) => reply.slice(0, 3))).toEqual(['250', '550'])
    expect(w.delivered[0]!.envelope.recipients.map(({ local }) => local)).toEqual(['a'])
    expect((await w.connect().send({ to: 'trap@x.test' })).accepted).toBe(true)
    expect(w.delivered).toHaveLength(1)
  })
})
