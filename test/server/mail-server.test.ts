import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { certificates, selfSigned } from '../../src/adapters/node/index.ts'
import type { Directory } from '../../src/contracts/directory.ts'
import { mailServer, type RunningMailServer } from '../../src/server/mail-server.ts'
import type { MailServerOptions } from '../../src/server/mail-server-options.ts'
import { mailWorld } from './mail-world.ts'

const { cert, key } = selfSigned({ hostname: 'mx.test', now: Date.now() })
const tls = certificates({ cert, key })
const running: RunningMailServer[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop({ within: 0 })))
})

async function options(listen: MailServerOptions['listen'], more: Partial<MailServerOptions> = {}): Promise<MailServerOptions> {
  const { directory, store } = await mailWorld()
  return { hostname: 'mx.test', directory, store, volatile: true, listen, ...more }
}

async function started(listen: MailServerOptions['listen'], more: Partial<MailServerOptions> = {}): Promise<RunningMailServer> {
  const server = await mailServer(await options(listen, more)).start()
  running.push(server)
  return server
}

/** What a port says first, over TCP or TLS. */
function greeting(port: number, secure: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const where = { port, host: '127.0.0.1' }
    const socket = secure ? connectTls({ ...where, rejectUnauthorized: false }) : connectTcp(where)
    socket.once('error', reject)
    socket.once('data', (bytes: Buffer) => {
      socket.destroy()
      resolve(bytes.toString('latin1'))
    })
  })
}

const here = { host: '127.0.0.1', port: 0 }

describe('a mail server', () => {
  it('listens where it is told to, in the way of each port', async () => {
    const server = await started({ mx: here, submission: here, submissions: here, lmtp: here }, { tls })
    const { mx, submission, submissions, lmtp } = server.listeners
    expect(await greeting(mx!.port, false)).toBe('220 mx.test ESMTP\r\n')
    expect(await greeting(submission!.port, false)).toBe('220 mx.test ESMTP\r\n')
    expect(await greeting(submissions!.port, true)).toBe('220 mx.test ESMTP\r\n')
    expect(await greeting(lmtp!.port, false)).toBe('220 mx.test LMTP\r\n')
    expect(await server.stop()).toEqual({ completed: expect.any(Number), cut: 0 })
    await expect(greeting(mx!.port, false)).rejects.toThrow(/ECONNREFUSED/)
  })

  it('listens everywhere or nowhere', async () => {
    const taken = (await started({ lmtp: here })).listeners.lmtp!.port
    const events: string[] = []
    const both = await options({ mx: here, lmtp: { ...here, port: taken } }, { observe: ({ kind }) => events.push(kind) })
    await expect(mailServer(both).start()).rejects.toMatchObject({ code: 'config' })
    expect(events).toEqual(['listening', 'stopped'])
  })

  it.each<[string, MailServerOptions['listen'], Partial<MailServerOptions>, RegExp]>([
    ['submission without TLS', { submission: here }, {}, /tlsRequired is set/],
    ['submission whose TLS was taken away', { submission: { ...here, tls: false } }, { tls }, /tlsRequired is set/],
    ['submissions without TLS', { submissions: here }, {}, /listen\.submissions: TLS comes first there/],
    ['LMTP on port 25', { lmtp: { port: 25 } }, {}, /RFC 2033/],
    ['a listener without a place', { mx: {} }, {}, /either a port or a path/],
  ])('does not start with %s', async (_, listen, more, says) => {
    await expect(started(listen, more)).rejects.toThrow(says)
  })

  it('starts without TLS where people may log in without it', async () => {
    await started({ submission: here }, { plaintextAuth: 'loopback' })
    await started({ submission: here }, { plaintextAuth: true })
  })

  it('serves only the listeners that it has', async () => {
    const server = mailServer(await options({ mx: {} }))
    expect(() => server.serve('submission', {} as never)).toThrow(/there is no listener submission/)
  })

  it('stops at a safe point: what is being delivered is answered, then comes 421', async () => {
    const world = await mailWorld()
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    const resolve: Directory['resolve'] = async (address) => {
      await held
      return world.directory.resolve(address)
    }
    const slow = await mailWorld({ options: { directory: { ...world.directory, resolve } } })
    const idle = slow.connect('mx')
    await idle.reply()
    const busy = slow.connect('mx')
    const said = busy.ask('EHLO x.test', 'MAIL FROM:<>', 'RCPT TO:<alice@example.test>')
    await new Promise((done) => setImmediate(done))
    const stopping = slow.world.stop()
    expect(await idle.reply()).toBe('421 4.3.2 Service is shutting down, try again later')
    release()
    expect((await said).filter((reply) => reply.startsWith('250')).at(-1)).toBe('250 2.1.5 Recipient ok')
    expect(await stopping).toEqual({ completed: 2, cut: 0 })
  })

  it('takes 100 connections a port, whoever is at the others', async () => {
    const { connect } = await mailWorld()
    const address = (at: number): string => `192.0.2.${at % 100}`
    const greetings = Array.from({ length: 101 }, (_, at) => connect('mx', { address: address(at) }).reply())
    const other = connect('submission').reply()
    expect((await Promise.all(greetings)).filter((reply) => reply.startsWith('220'))).toHaveLength(100)
    expect(await greetings[100]).toBe('421 4.3.2 Too many connections, try again later')
    expect(await other).toMatch(/^220 /)
  })

  it('takes as many as it is told to, port by port, and limits likewise', async () => {
    const { connect } = await mailWorld({
      listen: { mx: { connections: { server: 1 }, smtp: { limits: { recipients: 1 } } }, lmtp: {} },
      options: { smtp: { limits: { recipients: 2, messageOctets: 5000 } } },
    })
    const mx = connect('mx')
    const hello = await mx.say('EHLO x.test')
    expect(hello).toMatch(/SIZE 5000\n[^]*RCPTMAX=1$/m)
    expect(await connect('mx').reply()).toMatch(/^421 4\.3\.2 /)
    expect(await connect('lmtp').say('LHLO x.test')).toMatch(/SIZE 5000\n[^]*RCPTMAX=2$/m)
  })

  it('ends who says nothing for five minutes, and who does not end a command within thirty seconds', async () => {
    const { connect, world } = await mailWorld()
    const [idle, slow] = [connect('mx'), connect('mx')]
    await idle.ask('EHLO x.test')
    await slow.ask('EHLO x.test')
    slow.write('NOO')
    await world.clock.advance(29_999)
    expect(slow.isClosed).toBe(false)
    await world.clock.advance(1)
    expect(slow.replies.at(-1)).toBe('421 4.4.2 Timeout, closing connection')
    await world.clock.advance(269_999)
    expect(idle.isClosed).toBe(false)
    await world.clock.advance(1)
    expect(idle.replies.at(-1)).toBe('421 4.4.2 Timeout, closing connection')
  })
})
