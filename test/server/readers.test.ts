import { describe, expect, it } from 'vitest'
import { linkedTransports, memoryStore } from '../../src/adapters/memory/index.ts'
import type { Account, Directory } from '../../src/contracts/directory.ts'
import { imapServer, type ImapServerOptions, pop3Server, type ServerEvent } from '../../src/index.ts'
import type { TlsFacts } from '../../src/protocol/session/tls.ts'
import { StageClient } from '../../src/testing/imap-stage.ts'
import { virtualClock } from '../../src/testing/virtual-clock.ts'

const nobody: Directory = {
  resolve: async () => ({ kind: 'unknown' }),
  account: async () => undefined as Account | undefined,
  verify: async () => undefined,
  maySendAs: async () => false,
  named: async () => undefined,
}

const tls: TlsFacts = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', serverName: 'mail.test' }

function stage(make: typeof imapServer | typeof pop3Server, options: Pick<ImapServerOptions, 'connections'> = {}) {
  const clock = virtualClock()
  const events: ServerEvent[] = []
  const observe = (event: ServerEvent): void => void events.push(event)
  const login = { mechanisms: ['PLAIN'] } as const
  const server = make({ hostname: 'mail.test', directory: nobody, store: memoryStore(), clock, login, observe, ...options })
  const connect = async (facts?: TlsFacts, startTls = false): Promise<StageClient> => {
    const link = linkedTransports({ peer: { address: '192.0.2.7', port: 4000, ...(facts ? { tls: facts } : {}) }, clock })
    const conversation = server.serve(link.server, { startTls })
    const client = new StageClient(link.client, () => conversation.drain())
    await clock.advance(0)
    return client
  }
  const ask = async (client: StageClient, line: string): Promise<string> => {
    client.take()
    client.send(`${line}\r\n`)
    await clock.advance(0)
    return client.take()
  }
  return { connect, ask, events, clock }
}

describe.each([
  { make: imapServer, secure: 'a STARTTLS', leave: 'a LOGOUT', why: 'logout', full: '* BYE [UNAVAILABLE] ' },
  { make: pop3Server, secure: 'STLS', leave: 'QUIT', why: 'quit', full: '-ERR [SYS/TEMP] ' },
])('$make.name', ({ make, secure, leave, why, full }) => {
  it('tells of connections, of the TLS they come with, and why they end', async () => {
    const { connect, ask, events, clock } = stage(make)
    const client = await connect(tls)
    await ask(client, leave)
    client.finish()
    await clock.advance(0)
    expect(events).toMatchObject([
      { kind: 'connected', address: '192.0.2.7', session: 1 },
      { kind: 'secured', protocol: 'TLSv1.3', serverName: 'mail.test' },
      { kind: 'closed', why },
    ])
  })

  it('tells of TLS that is begun later', async () => {
    const { connect, ask, events, clock } = stage(make)
    const client = await connect(undefined, true)
    expect(await ask(client, secure)).toMatch(/OK/)
    client.secure()
    await clock.advance(0)
    expect(events).toMatchObject([{ kind: 'connected' }, { kind: 'secured', session: 2 }])
  })

  it('says why a handshake failed, and nothing of peers that go otherwise', async () => {
    const { connect, ask, events, clock } = stage(make)
    const client = await connect(undefined, true)
    await ask(client, secure)
    client.reset()
    await clock.advance(0)
    const other = await connect(undefined, true)
    other.reset()
    await clock.advance(0)
    expect(events.map((event) => (event.kind === 'closed' ? event.why : event.kind))).toEqual([
      'connected', 'turnedAway', 'reset', 'connected', 'reset',
    ])
    expect(events[1]).toMatchObject({ reason: 'handshake', address: '192.0.2.7', error: expect.any(Error) })
  })

  it('takes so many connections of an address, or as many as come', async () => {
    const bounded = stage(make)
    for (let count = 0; count < 20; count++) expect((await bounded.connect()).take()).toMatch(/OK/)
    expect((await bounded.connect()).take()).toContain(full)
    const open = stage(make, { connections: false })
    for (let count = 0; count < 250; count++) expect((await open.connect()).take()).toMatch(/OK/)
  })
})
