import { expect, it, onTestFinished } from 'vitest'
import { certificates, selfSigned } from '../../src/adapters/node/index.ts'
import { type Certificate, certificateIn } from './certificate.ts'
import { documented } from './documented.ts'
import { freePort, holding } from './held.ts'
import { Inbox, sha256, split } from './inbox.ts'
import { largeMail, plainMail } from './mail.ts'
import { POSTFIX, Postfix } from './postfix.ts'
import { describeWith } from './programs.ts'

const held = holding()

/** A Postfix that asks for TLS, and a certificate that it knows. */
async function secure(more = ''): Promise<{ postfix: Postfix; port: number; certificate: Certificate }> {
  const certificate = certificateIn(held.folder('tls'), held)
  const port = await freePort()
  const routes = documented('postfix', 'smtp', { 'example.org': 'example.test', '[127.0.0.1]:2525': `[127.0.0.1]:${port}` })
  const tls = documented('postfix', 'tls', {
    '/etc/posthorn/self-signed.crt': certificate.files.cert,
    'mail.example.org': 'localhost',
  })
  const postfix = await Postfix.start(held, routes + tls + more, port)
  return { postfix, port, certificate }
}

const open = async (port: number, source: Certificate['source'], options: object = {}): Promise<Inbox> => {
  const inbox = await Inbox.open({ ...options, listen: { port, tls: { mode: 'starttls', certificates: source } } })
  onTestFinished(async () => void (await inbox.stop(0)))
  return inbox
}

describeWith(POSTFIX, 'Postfix, over STARTTLS', () => {
  it('verifies the certificate, and waits where it is another', async () => {
    const { postfix, port, certificate } = await secure()
    const foreign = certificates({ ...selfSigned({ hostname: 'localhost' }), watch: false })
    held.later(() => foreign.close())
    const wrong = await open(port, foreign)
    const mail = plainMail('postfix tls')
    await postfix.post(mail, { to: 'alice@example.test' })
    await postfix.said(/Server certificate not trusted|certificate verification failed/)
    expect(wrong.taken).toEqual([])
    await wrong.stop()
    const right = await open(port, certificate.source)
    const { content, trace, connection } = await right.message(mail.subject)
    expect(split(content).content.equals(mail.octets)).toBe(true)
    expect(trace.with).toBe('ESMTPS')
    expect(connection.tls?.protocol).toBe('TLSv1.3')
    await postfix.said(/Verified TLS connection established to 127\.0\.0\.1/)
    await postfix.emptied()
  })

  it('sends small and large messages, greeting anew behind the handshake', async () => {
    const { postfix, port, certificate } = await secure()
    const inbox = await open(port, certificate.source)
    const mails = [plainMail('postfix tls'), largeMail('postfix tls', 2_000_000), plainMail('postfix tls')]
    for (const mail of mails) await postfix.post(mail, { to: 'alice@example.test' })
    for (const mail of mails) {
      const { content, connection } = await inbox.message(mail.subject)
      expect(sha256(split(content).content)).toBe(sha256(mail.octets))
      expect(connection.hello).toEqual({ verb: 'EHLO', name: 'postfix.test' })
    }
    await postfix.emptied()
    expect(inbox.taken.length).toBe(3)
  })

  it('speaks implicit TLS', async () => {
    const { postfix, port, certificate } = await secure(documented('postfix', 'implicit-tls'))
    const inbox = await Inbox.open({ listen: { port, tls: { mode: 'implicit', certificates: certificate.source } } })
    onTestFinished(async () => void (await inbox.stop(0)))
    const mail = plainMail('postfix tls')
    await postfix.post(mail, { to: 'alice@example.test' })
    const { content, trace } = await inbox.message(mail.subject)
    expect(split(content).content.equals(mail.octets)).toBe(true)
    expect(trace.with).toBe('ESMTPS')
    await postfix.emptied()
  })

  it('tries again what a server without TLS would have had, and nothing goes out in the clear', async () => {
    const { postfix, port, certificate } = await secure()
    const bare = await Inbox.open({ listen: { port } })
    onTestFinished(async () => void (await bare.stop(0)))
    const mail = plainMail('postfix tls')
    await postfix.post(mail, { to: 'alice@example.test' })
    await postfix.said(/TLS is required, but was not offered/)
    expect(bare.taken).toEqual([])
    await bare.stop()
    const inbox = await open(port, certificate.source, { smtp: { tlsRequired: true } })
    await inbox.message(mail.subject)
    await postfix.emptied()
  })
})
