import { describe, expect, it } from 'vitest'
import type { Body } from '../../../src/contracts/bodies.ts'
import type { MailStore } from '../../../src/contracts/store.ts'
import { MailError, pop3Server } from '../../../src/index.ts'
import { storeWith } from '../mail-world.ts'
import { Pop3Stage, type Visitor } from './stage.ts'

const hello = 'Subject: hello\r\n\r\n.dot\r\n'

/** What a visitor leaves with, said by QUIT. */
const leave = (visitor: Visitor): Promise<string> => visitor.say('QUIT')

describe('a maildrop', () => {
  it('is INBOX, and nothing else', async () => {
    const stage = new Pop3Stage()
    const { id } = await stage.store.create('alice', ['Sent'])
    await stage.deliver(hello)
    await stage.store.copy((await stage.store.create('alice', ['INBOX'])).id, [{ first: 1, last: 1 }], id)
    const alice = await stage.visit()
    expect(await alice.say('STAT', 'RETR 1')).toBe(
      '+OK 1 24\r\n+OK 24 octets\r\nSubject: hello\r\n\r\n..dot\r\n.\r\n',
    )
  })

  it('is empty where nobody has written yet, and is not made by looking', async () => {
    const stage = new Pop3Stage()
    const bob = await stage.visit('bob')
    expect(await bob.say('STAT', 'UIDL', 'QUIT')).toBe('+OK 0 0\r\n+OK 0 messages (0 octets)\r\n.\r\n+OK Good bye\r\n')
    expect(await stage.store.mailboxes('bob')).toEqual([])
  })

  it('stays as it stood at log-in', async () => {
    const stage = new Pop3Stage()
    await stage.deliver(hello)
    const alice = await stage.visit()
    await stage.deliver('late\r\n')
    expect(await alice.say('STAT')).toBe('+OK 1 24\r\n')
    expect(await alice.say('DELE 1', 'QUIT')).toBe('+OK Marked\r\n+OK Good bye\r\n')
    expect(await stage.inbox()).toEqual([2])
  })

  it('tells of a message that others have deleted', async () => {
    const stage = new Pop3Stage()
    await stage.deliver(hello)
    await stage.deliver('two\r\n')
    const alice = await stage.visit()
    await stage.store.expunge((await stage.store.create('alice', ['INBOX'])).id, [{ first: 1, last: 1 }])
    expect(await alice.say('RETR 1', 'RETR 2')).toBe(
      '-ERR [SYS/TEMP] The message cannot be had\r\n+OK 5 octets\r\ntwo\r\n.\r\n',
    )
    expect(await alice.say('DELE 1', 'QUIT')).toBe('+OK Marked\r\n+OK Good bye\r\n')
  })

  it('has unique ids that last', async () => {
    const stage = new Pop3Stage()
    await stage.deliver(hello)
    await stage.deliver(hello)
    const before = await (await stage.visit()).say('UIDL 2', 'DELE 1', 'QUIT')
    const after = await (await stage.visit()).say('UIDL 1')
    expect(after.split(' ')[2]).toBe(`${before.split(' ')[2]!.split('\r\n')[0]}\r\n`)
  })

  it.each([
    ['is reset', (visitor: Visitor) => visitor.wire.reset()],
    ['ends', (visitor: Visitor) => visitor.wire.finish()],
  ])('loses nothing when the connection %s', async (_, break_) => {
    const stage = new Pop3Stage()
    await stage.deliver(hello)
    const alice = await stage.visit()
    await alice.say('DELE 1')
    break_(alice)
    await stage.clock.advance(0)
    expect(await stage.inbox()).toEqual([1])
    expect(await (await stage.visit()).say('STAT')).toBe('+OK 1 24\r\n')
  })
})

describe('a maildrop that is open', () => {
  it('is in use for everybody else, and free as soon as the client hears of the end', async () => {
    const stage = new Pop3Stage()
    const first = await stage.visit()
    const second = await stage.connect()
    expect(await second.login()).toBe('+OK And the password?\r\n-ERR [IN-USE] Another session has the maildrop open\r\n')
    expect(second.wire.closed).toBe(true)
    expect(await (await stage.connect()).login('bob')).toContain('+OK 0 messages')
    await leave(first)
    expect(await (await stage.connect()).login()).toContain('+OK 0 messages')
  })

  it('is free again when its client is gone, or has been silent for long', async () => {
    const stage = new Pop3Stage()
    const first = await stage.visit()
    first.wire.reset()
    await stage.clock.advance(0)
    await stage.visit()
    await stage.clock.advance(610_000)
    expect(await (await stage.connect()).login()).toContain('+OK 0 messages')
    expect(stage.told('closed').map(({ why }) => why)).toEqual(['reset', 'timeout'])
  })

  it('is in use until messages are deleted, though nobody waits for it', async () => {
    let deleted = (): void => undefined
    const slow = (store: MailStore): MailStore =>
      storeWith(store, {
        expunge: async (mailbox, uids) => {
          await new Promise<void>((resolve) => (deleted = resolve))
          return store.expunge(mailbox, uids)
        },
      })
    const stage = new Pop3Stage({}, slow)
    await stage.deliver(hello)
    const first = await stage.visit()
    await first.say('DELE 1', 'QUIT')
    first.wire.reset()
    await stage.clock.advance(0)
    expect(await (await stage.connect()).login()).toContain('[IN-USE]')
    deleted()
    await stage.clock.advance(0)
    expect(await (await stage.connect()).login()).toContain('+OK 0 messages')
  })

  it('is not taken by who has gone while the password was looked at', async () => {
    const stage = new Pop3Stage({ connections: { account: 1 } })
    for (let times = 0; times < 3; times++) {
      const gone = await stage.connect()
      gone.wire.send('USER alice\r\nPASS secret\r\n')
      gone.wire.reset()
      await stage.clock.advance(0)
    }
    expect(await (await stage.connect()).login()).toContain('+OK 0 messages')
  })
})

describe('logging in', () => {
  it('takes TLS, by STLS or from the start', async () => {
    const stage = new Pop3Stage({ plaintextAuth: false })
    const plain = await stage.connect()
    expect(await plain.login()).toBe('-ERR TLS first\r\n-ERR TLS first\r\n')
    const started = await stage.connect({ startTls: true })
    await started.say()
    expect(await started.say('STLS')).toBe('+OK Begin TLS\r\n')
    started.wire.secure()
    expect(await started.login()).toContain('+OK 0 messages')
    expect(stage.told('secured')).toHaveLength(1)
    const secure = await stage.connect({ tls: { protocol: 'TLSv1.3', cipher: 'x' } })
    expect(await secure.login('bob')).toContain('+OK 0 messages')
  })

  it('may do without from this machine', async () => {
    const stage = new Pop3Stage({ plaintextAuth: 'loopback' })
    expect(await (await stage.connect()).login()).toContain('-ERR TLS first')
    expect(await (await stage.connect({ address: '127.0.0.1' })).login()).toContain('+OK 0 messages')
  })

  it('fails late, and is told of', async () => {
    const stage = new Pop3Stage()
    const mallory = await stage.connect()
    await mallory.say()
    expect(await mallory.say('USER alice', 'PASS guess')).toBe('+OK And the password?\r\n')
    await stage.clock.advance(1000)
    expect(mallory.wire.take()).toBe('-ERR [AUTH] Name or password is wrong\r\n')
    await mallory.say('AUTH PLAIN AGFsaWNlAHNlY3JldA==')
    expect(stage.told('denied')).toMatchObject([{ mechanism: 'PASS', username: 'alice' }])
    expect(stage.told('authenticated')).toMatchObject([{ mechanism: 'PLAIN', account: 'alice' }])
  })

  it('fails for now where the directory does', async () => {
    const fails = async (): Promise<never> => Promise.reject(new MailError('temporary', 'down'))
    const directory = { resolve: fails, account: fails, verify: fails, maySendAs: fails, named: fails }
    const stage = new Pop3Stage({ directory })
    expect(await (await stage.connect()).login()).toContain('-ERR [SYS/TEMP] Temporary failure')
    expect(stage.told('failed')).toMatchObject([{ what: 'auth' }])
  })
})

describe('a store that fails', () => {
  const fails = async (): Promise<never> => Promise.reject(new MailError('temporary', 'disk full'))

  it('at log-in', async () => {
    const stage = new Pop3Stage({}, (store) => storeWith(store, { mailboxes: fails }))
    expect(await (await stage.connect()).login()).toContain('-ERR [SYS/TEMP] Temporary failure')
    await stage.clock.advance(10_000)
    expect(stage.told('closed')).toMatchObject([{ why: 'refused' }])
  })

  it('to give a message', async () => {
    const stage = new Pop3Stage({}, (store) => storeWith(store, { body: fails }))
    await stage.deliver(hello)
    expect(await (await stage.visit()).say('RETR 1', 'STAT')).toMatch(/^-ERR \[SYS\/TEMP\] .*\r\n\+OK 1 24\r\n$/)
  })

  it('to delete', async () => {
    const stage = new Pop3Stage({}, (store) => storeWith(store, { expunge: fails }))
    await stage.deliver(hello)
    expect(await (await stage.visit()).say('DELE 1', 'QUIT')).toContain('-ERR [SYS/TEMP] Marked messages were not deleted')
    expect(await (await stage.visit()).say('STAT')).toBe('+OK 1 24\r\n')
  })
})

describe('a long message', () => {
  const long = `Subject: long\r\n\r\n${`${'.'.repeat(70)}\r\n`.repeat(30_000)}`

  /** A store that gives octets in small chunks and none at once; how many it has given. */
  const counting = (given: { octets: number }) => (store: MailStore): MailStore =>
    storeWith(store, {
      body: async (id) => {
        const body = (await store.body(id))!
        const read: Body['read'] = async function* ({ start, end } = { start: 0, end: body.size }) {
          for (let at = start; at < end; at += 10_000) {
            const chunk = body.bytes!.subarray(at, Math.min(end, at + 10_000))
            given.octets += chunk.length
            yield chunk
          }
        }
        return { id: body.id, size: body.size, read }
      },
    })

  it('comes whole', async () => {
    const stage = new Pop3Stage({}, counting({ octets: 0 }))
    await stage.deliver(long)
    const said = await (await stage.visit()).say('RETR 1')
    expect(said).toBe(`+OK ${long.length} octets\r\n${long.replace(/^\./gm, '..')}.\r\n`)
  })

  it('is read no faster than the client takes it', async () => {
    const given = { octets: 0 }
    const stage = new Pop3Stage({}, counting(given))
    await stage.deliver(long)
    const alice = await stage.visit()
    alice.wire.deaf(true)
    await alice.say('RETR 1')
    expect(given.octets).toBeLessThanOrEqual(2 * 256 * 1024)
    alice.wire.deaf(false)
    expect((await alice.say()).length).toBeGreaterThan(long.length)
    expect(given.octets).toBe(long.length)
  })

  it('is given up on when nobody takes it', async () => {
    const stage = new Pop3Stage()
    await stage.deliver(long)
    const alice = await stage.visit()
    alice.wire.deaf(true)
    await alice.say('RETR 1')
    await stage.clock.advance(700_000)
    expect(await (await stage.connect()).login()).toContain('+OK 1 messages')
  })

  it('costs little where only its top is wanted', async () => {
    const given = { octets: 0 }
    const stage = new Pop3Stage({}, counting(given))
    await stage.deliver(long)
    expect(await (await stage.visit()).say('TOP 1 0')).toBe('+OK Top of message follows\r\nSubject: long\r\n\r\n.\r\n')
    expect(given.octets).toBe(16_384)
  })
})

describe('the server', () => {
  it('takes so many connections and no more', async () => {
    const stage = new Pop3Stage({ connections: { server: 2, address: 1 } })
    await stage.connect()
    const tooMany = '-ERR [SYS/TEMP] Too many connections from your address, try again later\r\n'
    expect(await (await stage.connect()).say()).toBe(tooMany)
    await stage.connect({ address: '192.0.2.8' })
    expect(await (await stage.connect({ address: '192.0.2.9' })).say()).toContain('-ERR')
  })

  it('ends conversations between commands, and deletes nothing', async () => {
    const stage = new Pop3Stage()
    await stage.deliver(hello)
    const alice = await stage.visit()
    await alice.say('DELE 1')
    const stopped = stage.server.stop({ within: 1000 })
    await stage.clock.advance(0)
    expect(alice.wire.take()).toBe('-ERR [SYS/TEMP] Server shutting down\r\n')
    alice.wire.finish()
    await stage.clock.advance(1000)
    expect(await stopped).toEqual({ completed: 1, cut: 0 })
    expect(await stage.inbox()).toEqual([1])
  })

  it('tells of a connection from its beginning to its end', async () => {
    const stage = new Pop3Stage()
    await leave(await stage.visit())
    await stage.clock.advance(10_000)
    expect(stage.events.map(({ kind }) => kind)).toEqual(['connected', 'authenticated', 'closed'])
    expect(stage.told('closed')).toMatchObject([{ why: 'quit', account: 'alice' }])
  })

  it.each([
    [{ hostname: 7 }, 'hostname'],
    [{ store: {} }, 'store'],
    [{ pop3: { expires: 3 } }, 'expire'],
    [{ plaintextAuth: 'yes' }, 'plaintextAuth'],
    [{ hostName: 'x' }, 'hostname'],
  ])('cannot be made of %j: %s', (options, name) => {
    const { store, server: _ } = new Pop3Stage()
    const fails = async (): Promise<undefined> => undefined
    const directory = { resolve: fails, account: fails, verify: fails, maySendAs: fails, named: fails }
    expect(() => pop3Server({ hostname: 'x', directory, store, ...options } as never)).toThrow(name)
  })
})
