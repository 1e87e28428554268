import { expect, it, onTestFinished } from 'vitest'
import { certificateIn } from './certificate.ts'
import { clientNamed } from './clients.ts'
import { documented } from './documented.ts'
import { freePort, Held, holding } from './held.ts'
import { Inbox, type InboxOptions, sha256 } from './inbox.ts'
import { fileOf, largeMail, plainMail } from './mail.ts'
import { describeWith } from './programs.ts'
import { STUNNEL, stunnel } from './proxies.ts'

const held = holding()
const folder = held.folder('stunnel')
const certificate = certificateIn(folder, held)
const curl = clientNamed('curl')
const alice = ['alice@example.test']

/** stunnel for one test, with what docs/deploy/stunnel.md has under that name. */
async function tunnel(name: string, instead: Readonly<Record<string, string>>): Promise<void> {
  const own = new Held()
  onTestFinished(() => own.release())
  await stunnel(own, documented('stunnel', name, instead))
}

const between = (port: number, to: number): Record<string, string> => ({
  'accept = 465': `accept = 127.0.0.1:${port}`,
  '/etc/stunnel/mail.pem': certificate.both,
  '127.0.0.1:2525': `127.0.0.1:${to}`,
})

async function open(options: InboxOptions): Promise<Inbox> {
  const inbox = await Inbox.open(options)
  onTestFinished(async () => void (await inbox.stop(0)))
  return inbox
}

describeWith([STUNNEL, 'curl'], 'stunnel', () => {
  it('ends TLS; the client is known by its own address', async () => {
    const seen: (string | undefined)[] = []
    const inbox = await open({
      policies: [{ name: 'seen', connect: ({ peer }) => void seen.push(peer.address) }],
      smtp: { tlsRequired: true },
      listen: { proxy: { from: ['127.0.0.1'], tls: true } },
    })
    const port = await freePort()
    await tunnel('smtps', between(port, inbox.port))
    const mail = largeMail('stunnel', 5_000_000)
    const how = { port, security: 'implicit', ca: certificate.files.cert, source: '127.0.0.42' } as const
    expect(await curl.send({ ...how, to: alice, file: fileOf(mail, folder) })).toMatchObject({ accepted: true })
    const { connection, trace, hash } = await inbox.message(mail.subject)
    expect(hash).toBe(sha256(mail.octets))
    expect(connection.tls).toEqual({ protocol: '', cipher: '' })
    expect(connection.peer).toMatchObject({ address: '127.0.0.42', localPort: port, proxy: '127.0.0.1' })
    expect(trace).toMatchObject({ address: '127.0.0.42', with: 'ESMTPS' })
    expect(seen).toEqual(['127.0.0.42'])
    expect(inbox.told('connected')).toMatchObject([{ address: '127.0.0.42' }])
  })

  it('is refused where it is not trusted', async () => {
    const inbox = await open({ listen: { proxy: { from: ['127.0.0.99'] } } })
    const port = await freePort()
    await tunnel('smtps', between(port, inbox.port))
    const how = { port, security: 'implicit', ca: certificate.files.cert } as const
    expect(await curl.send({ ...how, to: alice, file: fileOf(plainMail('stunnel'), folder) })).toMatchObject({ accepted: false })
    expect(inbox.told('turnedAway')).toMatchObject([{ address: '127.0.0.1', reason: 'untrusted-proxy' }])
  })

  it('says STARTTLS for a client that cannot', async () => {
    const tls = { mode: 'starttls', certificates: certificate.source } as const
    const inbox = await open({ smtp: { tlsRequired: true }, listen: { tls } })
    const port = await freePort()
    await tunnel('client', {
      '127.0.0.1:2526': `127.0.0.1:${port}`,
      'connect = mx.example.org:25': `connect = 127.0.0.1:${inbox.port}`,
      'checkHost = mx.example.org': 'checkHost = localhost',
      '/etc/stunnel/ca.pem': certificate.files.cert,
    })
    const mail = plainMail('stunnel')
    expect(await curl.send({ port, to: alice, file: fileOf(mail, folder) })).toMatchObject({ accepted: true })
    const { connection, trace, hash } = await inbox.message(mail.subject)
    expect(hash).toBe(sha256(mail.octets))
    expect(connection.tls?.protocol).toBe('TLSv1.3')
    expect(trace.with).toBe('ESMTPS')
  })
})
