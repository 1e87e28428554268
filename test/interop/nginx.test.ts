import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { certificateIn } from './certificate.ts'
import { clientNamed, type Sending, type Sent } from './clients.ts'
import { documented } from './documented.ts'
import { freePort, Held, holding } from './held.ts'
import { Inbox, type InboxOptions, sha256 } from './inbox.ts'
import { fileOf, largeMail, type Mail, plainMail } from './mail.ts'
import { describeWith } from './programs.ts'
import { NGINX, nginx } from './proxies.ts'

const held = holding()
const folder = held.folder('nginx')
const certificate = certificateIn(folder, held)
const curl = clientNamed('curl')
const alice = ['alice@example.test']

/** nginx for one test, with what docs/deploy/nginx.md has under that name. */
async function proxy(name: string, instead: Readonly<Record<string, string>>): Promise<void> {
  const own = new Held()
  onTestFinished(() => own.release())
  await nginx(own, documented('nginx', name, instead))
}

/** A receiver behind nginx, for one test. */
async function open(options: InboxOptions = {}, from = ['127.0.0.1'], tls = false): Promise<Inbox> {
  const inbox = await Inbox.open({ ...options, listen: { ...options.listen, proxy: { from, tls } } })
  onTestFinished(async () => void (await inbox.stop(0)))
  return inbox
}

const send = (mail: Mail, port: number, how: Partial<Sending> = {}): Promise<Sent> =>
  curl.send({ port, to: alice, file: fileOf(mail, folder), source: '127.0.0.42', ...how })

describeWith([...NGINX, 'curl'], 'nginx', () => {
  let port: number
  beforeAll(async () => {
    port = await freePort()
  })
  const verified = { ca: certificate.files.cert }

  it('passes STARTTLS through; the client is known by its own address', async () => {
    const seen: (string | undefined)[] = []
    const inbox = await open({
      policies: [{ name: 'seen', connect: ({ peer }) => void seen.push(peer.address) }],
      listen: { tls: { mode: 'starttls', certificates: certificate.source } },
    })
    await proxy('mx', { 'listen 25': `listen 127.0.0.1:${port}`, '127.0.0.1:2525': `127.0.0.1:${inbox.port}` })
    const mail = largeMail('nginx', 5_000_000)
    expect(await send(mail, port, { security: 'starttls', ...verified })).toMatchObject({ accepted: true })
    const { connection, trace, hash } = await inbox.message(mail.subject)
    expect(hash).toBe(sha256(mail.octets))
    expect(connection.peer).toMatchObject({ address: '127.0.0.42', localPort: port, proxy: '127.0.0.1' })
    expect(trace).toMatchObject({ address: '127.0.0.42', with: 'ESMTPS' })
    expect(seen).toEqual(['127.0.0.42'])
    expect(inbox.told('connected')).toMatchObject([{ address: '127.0.0.42' }])
    expect(inbox.told('failed')).toEqual([])
  })

  it.each([
    ['of which posthorn then knows nothing', false],
    ['which posthorn was told', true],
  ])('ends TLS, %s', async (_, told) => {
    const inbox = await open(told ? { smtp: { tlsRequired: true } } : {}, ['127.0.0.1'], told)
    await proxy('tls', {
      'listen 465': `listen 127.0.0.1:${port}`,
      '/etc/nginx/mail.crt': certificate.files.cert,
      '/etc/nginx/mail.key': certificate.files.key,
      '127.0.0.1:2525': `127.0.0.1:${inbox.port}`,
    })
    const mail = plainMail('nginx')
    expect(await send(mail, port, { security: 'implicit', ...verified })).toMatchObject({ accepted: true })
    const { connection, trace, hash } = await inbox.message(mail.subject)
    expect(hash).toBe(sha256(mail.octets))
    expect(connection.tls).toEqual(told ? { protocol: '', cipher: '' } : undefined)
    expect(connection.peer).toMatchObject({ address: '127.0.0.42', localPort: port, proxy: '127.0.0.1' })
    expect(trace).toMatchObject({ address: '127.0.0.42', with: told ? 'ESMTPS' : 'ESMTP' })
  })

  it('passes implicit TLS through, behind a PROXY header', async () => {
    const inbox = await open({ listen: { tls: { mode: 'implicit', certificates: certificate.source } } })
    await proxy('passthrough', { 'listen 465': `listen 127.0.0.1:${port}`, '127.0.0.1:2465': `127.0.0.1:${inbox.port}` })
    const mail = plainMail('nginx')
    expect(await send(mail, port, { security: 'implicit', ...verified })).toMatchObject({ accepted: true })
    const { connection, trace } = await inbox.message(mail.subject)
    expect(connection.tls?.protocol).toBe('TLSv1.3')
    expect(connection.peer).toMatchObject({ address: '127.0.0.42', localPort: port, proxy: '127.0.0.1' })
    expect(trace).toMatchObject({ address: '127.0.0.42', with: 'ESMTPS' })
  })

  it('is refused where it is not trusted', async () => {
    const inbox = await open({}, ['127.0.0.99'])
    await proxy('mx', { 'listen 25': `listen 127.0.0.1:${port}`, '127.0.0.1:2525': `127.0.0.1:${inbox.port}` })
    expect(await send(plainMail('nginx'), port)).toMatchObject({ accepted: false })
    expect(inbox.told('turnedAway')).toMatchObject([{ address: '127.0.0.1', reason: 'untrusted-proxy' }])
    expect(inbox.told('connected')).toEqual([])
  })

  it('goes to the other server when one of them stops', async () => {
    const [one, two] = [await open(), await open()]
    await proxy('several', {
      'listen 25': `listen 127.0.0.1:${port}`,
      '127.0.0.1:2525': `127.0.0.1:${one.port}`,
      '127.0.0.1:2526': `127.0.0.1:${two.port}`,
    })
    const mails = Array.from({ length: 6 }, () => plainMail('nginx'))
    for (const [at, mail] of mails.entries()) {
      if (at === 2) expect((await one.stop()).cut).toBe(0)
      expect(await send(mail, port)).toMatchObject({ accepted: true })
    }
    expect(two.taken.length).toBeGreaterThanOrEqual(4)
    expect([...one.taken, ...two.taken].map(({ subject }) => subject).sort()).toEqual(mails.map(({ subject }) => subject).sort())
  })
})
