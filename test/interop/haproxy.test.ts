import { writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { defer } from '../../src/index.ts'
import { issue, type Issued } from '../adapters/node/issue.ts'
import { certificateIn } from './certificate.ts'
import { type Child, run } from './children.ts'
import { clientNamed, type Sending, type Sent, swaksOptions } from './clients.ts'
import { documented } from './documented.ts'
import { freePort, Held, holding } from './held.ts'
import { Inbox, type InboxOptions } from './inbox.ts'
import { fileOf, type Mail, plainMail } from './mail.ts'
import { describeWith } from './programs.ts'
import { haproxy } from './proxies.ts'

const held = holding()
const folder = held.folder('haproxy')
const certificate = certificateIn(folder, held)
const swaks = clientNamed('swaks')
const nodemailer = clientNamed('nodemailer')
const alice = ['alice@example.test']
const smtpCheck = 'option smtpchk EHLO haproxy.example.org'

/** HAProxy for one test, with what docs/deploy/haproxy.md has under that name. */
async function proxy(name: string, instead: Readonly<Record<string, string>>): Promise<Child> {
  const own = new Held()
  onTestFinished(() => own.release())
  return haproxy(own, documented('haproxy', 'defaults') + documented('haproxy', name, { 'inter 2s': 'inter 50ms', ...instead }))
}

/** A receiver behind HAProxy, for one test. */
async function open(options: InboxOptions = {}, from = ['127.0.0.1']): Promise<Inbox> {
  const inbox = await Inbox.open({ ...options, listen: { ...options.listen, proxy: { from } } })
  onTestFinished(async () => void (await inbox.stop(0)))
  return inbox
}

const send = (mail: Mail, port: number, how: Partial<Sending> = {}): Promise<Sent> =>
  swaks.send({ port, to: alice, file: fileOf(mail, folder), source: '127.0.0.42', ...how })

describeWith(['haproxy', 'swaks'], 'HAProxy', () => {
  let port: number
  let behind: number
  beforeAll(async () => {
    port = await freePort()
    behind = await freePort()
  })

  const between = (to: number): Record<string, string> => {
    return { 'bind :25': `bind 127.0.0.1:${port}`, '127.0.0.1:2525': `127.0.0.1:${to}` }
  }

  describe.each([
    ['version 2', {}],
    ['version 1', { 'send-proxy-v2': 'send-proxy' }],
  ] as const)('PROXY protocol %s', (_, version) => {
    it('the client is known by its own address, to policies, events and in the trace field', async () => {
      const seen: (string | undefined)[] = []
      const inbox = await open({
        policies: [{ name: 'seen', connect: ({ peer }) => void seen.push(peer.address) }],
        listen: { tls: { mode: 'starttls', certificates: certificate.source } },
      })
      await proxy('mx', { ...between(inbox.port), ...version })
      const mail = plainMail('haproxy')
      expect(await send(mail, port, { security: 'starttls', ca: certificate.files.cert })).toMatchObject({ accepted: true })
      const { connection, trace, content } = await inbox.message(mail.subject)
      expect(content.equals(mail.octets)).toBe(true)
      expect(connection.peer).toMatchObject({ address: '127.0.0.42', localPort: port, proxy: '127.0.0.1' })
      expect(trace).toMatchObject({ address: '127.0.0.42', with: 'ESMTPS' })
      expect(seen).toContain('127.0.0.42')
      expect(inbox.told('connected').map(({ address }) => address)).toContain('127.0.0.42')
    })

    it('each client has a limit of its own', async () => {
      const inbox = await open({ connections: { address: 1 }, deliver: () => new Promise(() => undefined) })
      await proxy('mx', { ...between(inbox.port), ...version, [smtpCheck]: '', 'check check-send-proxy inter 2s': '' })
      void send(plainMail('haproxy'), port)
      await inbox.until(() => (inbox.taking === 1 ? true : undefined), 'the first')
      expect((await send(plainMail('haproxy'), port)).said).toContain('421 4.7.0 Too many connections from your address')
      void send(plainMail('haproxy'), port, { source: '127.0.0.43' })
      await inbox.until(() => (inbox.taking === 2 ? true : undefined), 'the one from elsewhere')
    })

    it.each([
      ['asks as a client would', {}],
      ['only connects', { [smtpCheck]: '' }],
      ['only connects, and sends no header', { [smtpCheck]: '', 'check check-send-proxy': 'check port BEHIND' }],
    ])('a health check that %s is no client, and no trouble', async (_, instead) => {
      const check = Object.fromEntries(Object.entries(instead).map(([from, to]) => [from, to.replace('BEHIND', String(behind))]))
      const child = await proxy('mx', { ...between(behind), ...version, ...check })
      await child.said(/is DOWN/)
      const inbox = await open({ listen: { port: behind } })
      const { index } = await child.said(/is UP/)
      expect(await send(plainMail('haproxy'), port)).toMatchObject({ accepted: true })
      await child.stop()
      await inbox.quiet()
      expect(inbox.told('failed')).toEqual([])
      for (const kind of ['refused', 'limited', 'turnedAway'] as const) expect(inbox.told(kind)).toEqual([])
      expect(child.text.slice(index)).not.toContain('is DOWN')
      const addresses = inbox.told('connected').map(({ address }) => address)
      // Version 1 cannot say of a check that it is one, only that it names nobody.
      expect(addresses.filter((address) => address !== undefined && address !== '127.0.0.1')).toEqual(['127.0.0.42'])
    })
  })

  if (Object.values(networkInterfaces()).flat().some((one) => one?.address === '::1')) {
    it.each(['send-proxy', 'send-proxy-v2'])('%s tells an address of version 6', async (version) => {
      const inbox = await open()
      await proxy('mx', { ...between(inbox.port), 'bind :25': `bind [::1]:${port}`, 'send-proxy-v2': version })
      const mail = plainMail('haproxy')
      await nodemailer.send({ port, host: '::1', to: alice, file: fileOf(mail, folder) })
      const { connection, traceText } = await inbox.message(mail.subject)
      expect(connection.peer).toMatchObject({ address: '::1', localAddress: '::1', localPort: port, proxy: '127.0.0.1' })
      expect(traceText).toContain('[IPv6:::1]')
    })
  }

  it('is refused where it is not trusted, and so are its checks', async () => {
    const inbox = await open({}, ['127.0.0.99'])
    const child = await proxy('mx', between(inbox.port))
    await child.said(/is DOWN/)
    expect(await send(plainMail('haproxy'), port)).toMatchObject({ accepted: false })
    expect(inbox.told('connected')).toEqual([])
    const refusals = new Set(inbox.told('turnedAway').map(({ address, reason }) => `${address} ${reason}`))
    expect([...refusals]).toEqual(['127.0.0.1 untrusted-proxy'])
  })

  it('finds a server that is full not fit for more, until it is', async () => {
    let full = true
    const inbox = await open({ policies: [{ name: 'full', connect: () => (full ? defer(421, '4.3.2', 'Full') : undefined) }] })
    const child = await proxy('mx', between(inbox.port))
    const down = await child.said(/Server mx\/one is DOWN, reason: Layer7.*421/)
    full = false
    await child.said(/Server mx\/one is UP/, down.index)
  })
})

describeWith(['haproxy', 'swaks'], 'HAProxy that ends TLS', () => {
  const authority = issue({ subject: 'Clients', ca: true })
  const client = issue({ subject: 'Alice of Wonderland', email: ['alice@example.test'], purposes: [2], issuer: authority })
  const files = (name: string, issued: Issued): string[] => {
    const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
    writeFileSync(cert, issued.cert)
    writeFileSync(key, issued.key)
    return ['--tls-cert', cert, '--tls-key', key]
  }
  let inbox: Inbox
  let port: number
  beforeAll(async () => {
    files('clients', authority)
    port = await freePort()
    inbox = await Inbox.open({ listen: { proxy: { from: ['127.0.0.1'] } }, smtp: { tlsRequired: true } })
    held.later(() => inbox.stop())
    await haproxy(held, documented('haproxy', 'defaults') + documented('haproxy', 'tls', {
      'bind :465': `bind 127.0.0.1:${port}`,
      '/etc/haproxy/mail.pem': certificate.both,
      '/etc/haproxy/clients.pem': join(folder, 'clients.crt'),
      '127.0.0.1:2525': `127.0.0.1:${inbox.port}`,
    }))
  })

  const sendOver = async (more: readonly string[]) => {
    const mail = plainMail('haproxy tls')
    const how = { port, security: 'implicit', ca: certificate.files.cert, source: '127.0.0.42' } as const
    const options = swaksOptions({ ...how, to: alice, file: fileOf(mail, folder) })
    const { code, text } = await run('swaks', [...options, ...more])
    expect(code, text).toBe(0)
    return inbox.message(mail.subject)
  }

  it.each([
    ['tlsv1_3', 'TLSv1.3', /^TLS_(AES|CHACHA20)_/],
    ['tlsv1_2', 'TLSv1.2', /^TLS_ECDHE_ECDSA_WITH_/],
  ] as const)('tells of TLS: %s', async (option, protocol, cipher) => {
    const { connection, trace, traceText } = await sendOver(['--tls-protocol', option, '--tls-sni', 'MX.Example.test'])
    expect(connection.peer).toMatchObject({ address: '127.0.0.42', localPort: port, proxy: '127.0.0.1' })
    expect(connection.tls).toEqual({ protocol, cipher: expect.stringMatching(cipher) as string, serverName: 'mx.example.test' })
    expect(trace).toMatchObject({ address: '127.0.0.42', with: 'ESMTPS' })
    expect(traceText).toContain(`(${protocol} ${connection.tls?.cipher})`)
  })

  it('tells of the certificate that the client showed', async () => {
    const { connection } = await sendOver(files('alice', client))
    expect(connection.tls?.clientCertificate).toMatchObject({ authorized: true, subject: 'CN=Alice of Wonderland' })
  })
})

describeWith(['haproxy'], 'HAProxy before two servers', () => {
  it('loses nothing that was acknowledged, and doubles nothing, when one of them stops', async () => {
    const port = await freePort()
    const slowly = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5))
    const [one, two] = [await open({ deliver: slowly }), await open({ deliver: slowly })]
    await proxy('several', {
      'bind :25': `bind 127.0.0.1:${port}`,
      '127.0.0.1:2525': `127.0.0.1:${one.port}`,
      '127.0.0.1:2526': `127.0.0.1:${two.port}`,
    })
    const acknowledged: string[] = []
    let tries = 0
    const sender = async (): Promise<void> => {
      for (let count = 0; count < 15; count++) {
        const mail = plainMail('haproxy burst')
        const file = fileOf(mail, folder)
        // Who is told 421 by the one comes again, to the other.
        while (!(await nodemailer.send({ port, to: alice, file })).accepted) tries++
        acknowledged.push(mail.subject)
      }
    }
    const senders = Promise.all(Array.from({ length: 6 }, sender))
    await one.until(() => (one.taken.length >= 10 ? true : undefined), 'mail at the first')
    expect((await one.stop(10_000)).cut).toBe(0)
    await senders
    const arrived = [...one.taken, ...two.taken].map(({ subject }) => subject)
    expect(arrived.sort()).toEqual(acknowledged.sort())
    expect(two.taken.length).toBeGreaterThan(10)
    expect(tries).toBeLessThan(12)
  })
})
