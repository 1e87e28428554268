import { describe, expect, it } from 'vitest'
import type { Connection, Policy } from '../../src/index.ts'
import { maxConnections, reject } from '../../src/index.ts'
import { world } from '../../src/testing/index.ts'

const proxy = '192.0.2.7'
const trusted = ['192.0.2.0/28', '2001:db8::/64']

describe('XCLIENT', () => {
  it.each(['203.0.113.9', '192.0.2.16', '2001:db8:0:1::1', undefined])('is not heard from %s', async (address) => {
    const w = world({ server: { trusted } })
    const client = w.connect(address)
    const [, hello, refusal] = await client.ask('EHLO x.test', 'XCLIENT ADDR=198.51.100.1', 'XFORWARD ADDR=198.51.100.1')
    expect(hello).not.toMatch(/XCLIENT|XFORWARD/)
    expect(refusal).toBe('550 5.7.0 Not authorised')
  })

  it.each([
    ['a peer of a unix socket', {}, true],
    ['a client that a proxy cannot name', { proxy: '192.0.2.7' }, false],
  ])('is heard where unix is trusted from %s: %o %s', async (_, options, isHeard) => {
    const client = world({ server: { trusted: ['unix'] } }).connect(undefined, options)
    const [, hello, answer] = await client.ask('EHLO x.test', 'XCLIENT ADDR=198.51.100.1')
    expect(hello!.includes('XCLIENT')).toBe(isHeard)
    expect(answer).toMatch(isHeard ? /^220 / : /^550 /)
  })

  it.each([
    ['ADDR=198.51.100.1', { address: '198.51.100.1', port: 40_001 }],
    ['ADDR=IPV6:2001:db8::5 PORT=99', { address: '2001:db8::5', port: 99 }],
    ['ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] NAME=[TEMPUNAVAIL]', { address: undefined, port: undefined }],
    ['PORT=x', { address: proxy, port: undefined }],
    ['NAME=mail.example HELO=mail.example', { address: proxy, port: 40_001 }],
  ])('%s speaks for another client', async (attributes, peer) => {
    const w = world({ server: { trusted } })
    const client = w.connect(proxy)
    const replies = await client.ask('EHLO proxy.test', `XCLIENT ${attributes}`)
    expect(replies.at(-1)).toBe('220 mx.test ESMTP')
    await client.send({ to: 'a@mx.test' })
    expect(w.delivered[0]!.connection.peer).toMatchObject({ ...peer, proxy })
    expect(w.delivered[0]!.connection.hello?.name).toBe('client.test')
  })

  it('begins anew: greeting, policies, notes, log-in', async () => {
    const judged: (string | undefined)[] = []
    const closed: Connection[] = []
    const watch: Policy = {
      name: 'watch',
      connect: ({ peer }, { notes }) => {
        judged.push(peer.address)
        notes.tag(`from ${peer.address}`)
        return peer.address === '198.51.100.66' ? reject('Not you') : undefined
      },
      closed: (connection) => void closed.push(connection),
    }
    const w = world({ server: { trusted, policies: [watch], authenticate: () => ({ account: 'proxy' }), plaintextAuth: true } })
    const client = w.connect(proxy)
    await client.login('proxy', 'pw')
    await client.ask('XCLIENT ADDR=198.51.100.1')
    expect((await client.ask('MAIL FROM:<>'))[0]).toMatch(/^503/)
    await client.send({ to: 'a@mx.test' })
    expect(w.delivered[0]!.connection.account).toBeUndefined()
    expect(w.delivered[0]!.notes).toEqual([{ kind: 'tag', policy: 'watch', tag: 'from 198.51.100.1' }])
    expect(await client.ask('XCLIENT ADDR=198.51.100.66', 'EHLO x.test', 'QUIT')).toEqual([
      '550 5.7.1 Not you',
      '503 5.5.1 Only QUIT is accepted here',
      '221 2.0.0 Bye',
    ])
    await client.closed
    expect(judged).toEqual([proxy, '198.51.100.1', '198.51.100.66'])
    expect(closed).toHaveLength(3)
    // One connection, three sessions.
    expect(w.events.filter(({ kind }) => kind === 'connected' || kind === 'proxied')).toMatchObject([
      { kind: 'connected', session: 1, address: proxy, proxy: undefined },
      { kind: 'proxied', session: 2, by: 'XCLIENT', address: '198.51.100.1', client: '198.51.100.1', proxy },
      { kind: 'proxied', session: 3, by: 'XCLIENT', address: '198.51.100.66', client: '198.51.100.66', proxy },
    ])
    expect(w.events.at(-1)).toMatchObject({ kind: 'closed', session: 3, address: '198.51.100.66' })
  })

  it('may bring an account along', async () => {
    const w = world({ server: { trusted } })
    const client = w.connect(proxy)
    await client.ask('EHLO p.test', 'XCLIENT ADDR=198.51.100.1 LOGIN=bob')
    await client.send({ to: 'a@mx.test' })
    expect(w.delivered[0]!.connection.account).toBe('bob')
    expect(Buffer.from(w.delivered[0]!.body.bytes!).toString()).toMatch(
      /from client\.test \(\[198\.51\.100\.1\]\)\r\n\tby mx\.test with ESMTPA|with ESMTPA/,
    )
  })

  it('may say that nobody has logged in', async () => {
    const w = world({ server: { trusted } })
    const client = w.connect(proxy)
    await client.ask('EHLO p.test', 'XCLIENT LOGIN=')
    await client.send({ to: 'a@mx.test' })
    expect(w.delivered[0]!.connection.account).toBeUndefined()
  })

  it.each(['ADDR=+1', 'ADDR=', 'ADDR=somewhere', 'ADDR=192.0.2.256', 'ADDR=IPV6:192.0.2.1', 'COLOR=red', 'ADDR'])(
    'is refused for what is unsound: %s',
    async (attributes) => {
      const client = world({ server: { trusted } }).connect(proxy)
      await client.ask('EHLO p.test')
      expect((await client.ask(`XCLIENT ${attributes}`))[0]).toMatch(/^501/)
    },
  )

  it('is refused in a transaction', async () => {
    const client = world({ server: { trusted } }).connect(proxy)
    await client.ask('EHLO p.test')
    await client.ask('MAIL FROM:<>')
    expect((await client.ask('XCLIENT ADDR=198.51.100.1'))[0]).toMatch(/^503/)
  })

  it('counts connections by the client that it names', async () => {
    const w = world({ server: { trusted, connections: false, policies: [maxConnections({ address: 1 })] } })
    const through = async (address: string): Promise<string> => {
      const client = w.connect(proxy)
      const replies = await client.ask('EHLO p.test', `XCLIENT ADDR=${address}`)
      return replies.at(-1)!.slice(0, 3)
    }
    expect(await through('198.51.100.1')).toBe('220')
    expect(await through('198.51.100.2')).toBe('220')
    expect(await through('198.51.100.1')).toBe('421')
  })
})

describe('XFORWARD', () => {
  it('is for the record alone', async () => {
    const w = world({ server: { trusted } })
    const client = w.connect(proxy)
    const replies = await client.ask(
      'EHLO p.test',
      'XFORWARD NAME=mail.example ADDR=198.51.100.1',
      'XFORWARD PORT=[UNAVAILABLE] HELO=a+20b',
    )
    expect(replies.slice(2)).toEqual(['250 2.0.0 Ok', '250 2.0.0 Ok'])
    await client.send({ to: 'a@mx.test' })
    const { peer, forwarded } = w.delivered[0]!.connection
    expect(peer.address).toBe(proxy)
    expect(forwarded).toEqual(
      new Map([
        ['NAME', 'mail.example'],
        ['ADDR', '198.51.100.1'],
        ['PORT', undefined],
        ['HELO', 'a b'],
      ]),
    )
  })
})
