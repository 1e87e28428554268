import { describe, expect, it } from 'vitest'
import type { Account } from '../../src/contracts/directory.ts'
import type { Observer, ServerEvent } from '../../src/index.ts'
import { turn } from '../../src/adapters/node/event-loop.ts'
import { ImapStage, type ImapStageOptions, type StageClient } from '../../src/testing/imap-stage.ts'
import { world } from '../../src/testing/index.ts'
import { Pop3Stage } from './pop3/stage.ts'

const whence = { connection: expect.any(String), address: '192.0.2.7', port: 4000, listener: undefined }

/** An IMAP server whose observer asks for commands too, with a client that has been greeted. */
async function imap({ server, ...options }: ImapStageOptions = {}) {
  const events: ServerEvent[] = []
  const observe: Observer = Object.assign((event: ServerEvent) => void events.push(event), { commands: true })
  const stage = new ImapStage({ ...options, server: { observe, ...server } })
  await stage.mailbox('INBOX')
  const connect = async (): Promise<StageClient> => {
    const client = stage.connect()
    await stage.settle()
    return client
  }
  const ask = async (client: StageClient, ...lines: readonly string[]): Promise<string> => {
    client.take()
    client.send(lines.map((line) => `${line}\r\n`).join(''))
    await stage.settle()
    return client.take()
  }
  return { stage, events, connect, ask }
}

const told = (events: readonly ServerEvent[], ...kinds: readonly ServerEvent['kind'][]): ServerEvent[] =>
  events.filter(({ kind }) => kinds.includes(kind))

describe('an observer of IMAP', () => {
  it('is told of commands, of refusals and of limits', async () => {
    const { events, connect, ask } = await imap({
      quota: { octets: 1500, messages: Infinity },
      server: { imap: { limits: { messageOctets: 1000 } } },
    })
    const client = await connect()
    await ask(client, 'a LOGIN alice secret', 'b UID FETCH 1 FLAGS', 'c APPEND INBOX {1001}')
    const from = { ...whence, session: 1, at: expect.any(Number), account: 'alice' }
    const replied = { code: undefined, enhanced: undefined }
    const notSelected = { response: 'BAD', text: 'Not in this state: authenticated' }
    expect(told(events, 'command', 'refused', 'limited')).toEqual([
      { ...from, account: undefined, kind: 'command', verb: 'LOGIN', octets: 22 },
      { ...from, kind: 'command', verb: 'UID FETCH', octets: 21 },
      { ...from, ...replied, kind: 'refused', stage: 'protocol', policy: undefined, ...notSelected },
      { ...from, kind: 'command', verb: 'APPEND', octets: 23 },
      { ...from, ...replied, kind: 'limited', limit: 'messageOctets', response: 'NO [TOOBIG]', text: 'Message too large' },
    ])
    await ask(client, 'e APPEND INBOX {600+}', 'x'.repeat(600), 'f COPY 1 INBOX')
    expect(told(events, 'refused').slice(-2)).toMatchObject([
      { stage: 'message', policy: 'quota', response: 'NO [OVERQUOTA]', text: 'The account is full' },
      { stage: 'protocol', policy: undefined, response: 'BAD' },
    ])
  })

  it('is told when both sides begin to compress', async () => {
    const { events, connect, ask } = await imap()
    const client = await connect()
    await ask(client, 'a LOGIN alice secret')
    expect(await ask(client, 'b COMPRESS DEFLATE')).toMatch(/^b OK/)
    expect(told(events, 'compressed')).toEqual([
      { ...whence, session: 1, account: 'alice', at: expect.any(Number), kind: 'compressed', mechanism: 'DEFLATE' },
    ])
    client.reset()
    await turn()
  })

  it('is told of an answer that did not come', async () => {
    const never = new Promise<Account>(() => undefined)
    const directory = {
      resolve: async () => ({ kind: 'unknown' }) as const,
      account: () => never, verify: () => never, named: () => never, maySendAs: async () => true,
    }
    const { stage, events, connect, ask } = await imap({ server: { directory } })
    const client = await connect()
    await ask(client, 'a LOGIN alice secret')
    await stage.settle(60_000)
    expect(told(events, 'failed')).toMatchObject([{ what: 'answer', error: expect.any(Error) }])
    expect(told(events, 'limited')).toMatchObject([{ limit: 'timeout', response: 'BYE' }])
  })
})

describe('an observer is told of clients that found no seat', () => {
  const refusal = (stage: string, response: string, text: string) =>
    ({ kind: 'refused', stage, policy: 'maxConnections', code: undefined, response, text })
  const tooMany = 'Too many connections, try again later'
  const tooManyOfYours = 'Too many connections from your address, try again later'

  it.each([
    ['the server', { server: 1 }, tooMany],
    ['the address', { address: 1 }, tooManyOfYours],
  ])('of %s, by IMAP and by POP3', async (_, connections, text) => {
    const { events, connect } = await imap({ server: { connections } })
    await connect()
    expect((await connect()).take()).toBe(`* BYE [UNAVAILABLE] ${text}\r\n`)
    expect(told(events, 'refused')).toMatchObject([refusal('connect', 'BYE [UNAVAILABLE]', text)])
    expect(events.map(({ kind }) => kind)).toEqual(['connected', 'connected', 'refused'])
    const pop3 = new Pop3Stage({ connections })
    await pop3.connect()
    expect(await (await pop3.connect()).say()).toBe(`-ERR [SYS/TEMP] ${text}\r\n`)
    expect(pop3.told('refused')).toMatchObject([refusal('connect', '-ERR [SYS/TEMP]', text)])
  })

  it('of the account, by IMAP and by POP3', async () => {
    const text = 'Too many connections of this account'
    const { events, connect, ask } = await imap({ server: { connections: { account: 1 } } })
    const [first, second] = [await connect(), await connect()]
    await ask(first, 'a LOGIN alice secret')
    expect(await ask(second, 'a LOGIN alice secret')).toBe(`a NO [LIMIT] ${text}\r\n`)
    expect(told(events, 'refused')).toMatchObject([refusal('auth', 'NO [LIMIT]', text)])
    const pop3 = new Pop3Stage({ connections: { account: 1 } })
    await pop3.visit()
    await pop3.visit()
    expect(pop3.told('refused')).toMatchObject([refusal('auth', '-ERR [SYS/TEMP]', text)])
  })

  it('that it had before UNAUTHENTICATE', async () => {
    const { events, connect, ask } = await imap({ server: { connections: { address: 1 } } })
    const client = await connect()
    await ask(client, 'a LOGIN alice secret')
    await connect()
    await ask(client, 'b UNAUTHENTICATE')
    expect(client.closed).toBe(true)
    expect(told(events, 'refused')).toMatchObject([refusal('connect', 'BYE [UNAVAILABLE]', tooManyOfYours)])
  })

  it.each([
    [{ server: 1 }, '4.3.2', tooMany],
    [{ address: 1 }, '4.7.0', tooManyOfYours],
  ])('by SMTP: %o', async (connections, enhanced, text) => {
    const w = world({ server: { connections } })
    await w.connect('203.0.113.9').ask()
    await w.connect('203.0.113.9').ask()
    expect(told(w.events, 'refused')).toMatchObject([
      { stage: 'connect', policy: 'maxConnections', code: 421, enhanced, text },
    ])
  })
})

describe('an observer of POP3', () => {
  it('is told of commands where it asks for them, of refusals and of limits', async () => {
    const events: ServerEvent[] = []
    const observe = Object.assign((event: ServerEvent) => void events.push(event), { commands: true })
    const stage = new Pop3Stage({ observe, pop3: { limits: { errors: 2 } } })
    const alice = await stage.visit()
    await stage.visit()
    await alice.say('NONSENSE secret', 'NONSENSE')
    const from = { ...whence, session: 1, at: expect.any(Number), account: 'alice' }
    const replied = { code: undefined, enhanced: undefined }
    const nonsense = { ...from, ...replied, kind: 'refused', stage: 'protocol', policy: undefined, response: '-ERR' }
    expect(told(events, 'command', 'refused', 'limited').slice(4)).toEqual([
      {
        ...from, ...replied, kind: 'refused', stage: 'auth', policy: 'maildrop', response: '-ERR [IN-USE]',
        text: 'Another session has the maildrop open',
      },
      { ...from, kind: 'command', verb: undefined, octets: 17 },
      { ...nonsense, text: 'Unknown command' },
      { ...from, kind: 'command', verb: undefined, octets: 10 },
      { ...nonsense, text: 'Unknown command' },
      { ...from, ...replied, kind: 'limited', limit: 'errors', response: '', text: '' },
    ])
    const silent = new Pop3Stage()
    await (await silent.visit()).say('NOOP')
    expect(silent.told('command')).toEqual([])
  })
})
