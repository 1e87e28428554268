import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { run } from './children.ts'
import { clients, swaksOptions } from './clients.ts'
import { holding } from './held.ts'
import { sha256, split } from './inbox.ts'
import { eightBitMail, fileOf, largeMail, plainMail } from './mail.ts'
import { describeWith } from './programs.ts'
import { Reference } from './reference.ts'

const held = holding()
const folder = held.folder('serve')
const alice = ['alice@example.test']

/** A large message for a server, not for a test. */
const spilling = (what: string) => largeMail(what, 2_000_000)

describe('posthorn serve', () => {
  let server: Reference
  beforeAll(async () => {
    server = new Reference(held, { POSTHORN_USERS: 'alice@example.test:wonderland,bob@example.test:builder' })
    await server.start()
  })

  for (const client of clients) {
    describeWith(client.programs, client.name, () => {
      it.each([
        ['text', plainMail],
        ['8-bit text', eightBitMail],
        ['2 MB', spilling],
      ] as const)('%s is kept octet for octet', async (_, make) => {
        const mail = make(`serve ${client.name}`)
        const ca = join(server.data, 'tls/self-signed.crt')
        const how = { port: server.port, security: 'starttls', ca, to: alice, file: fileOf(mail, folder) } as const
        expect(await client.send(how)).toMatchObject({ accepted: true })
        const kept = (await server.mail()).find(({ subject }) => subject === mail.subject)
        expect(kept).toMatchObject({ account: 'alice@example.test', mailbox: 'INBOX', octets: kept?.raw.length })
        const returnPath = split(kept!.raw)
        expect(returnPath.traceText).toBe('Return-Path: <sender@client.test>\r\n')
        const { traceText, content } = split(returnPath.content)
        expect(traceText).toBe('Delivered-To: alice@example.test\r\n')
        expect(split(content).traceText).toMatch(/^Received: from client\.test \(\[127\.0\.0\.1\]\)[^]*with ESMTPS/)
        expect(sha256(split(content).content)).toBe(sha256(mail.octets))
      })
    })
  }

  describeWith(['swaks'], 'and swaks', () => {
    it('refuses to relay, and strangers', async () => {
      const to = ['alice@example.test', 'stranger@example.test', 'alice@elsewhere.test']
      const { text } = await run('swaks', swaksOptions({ port: server.port, to, file: fileOf(plainMail('serve'), folder) }))
      expect(text).toContain('550 5.1.1 No such user here')
      expect(text).toContain('550 5.7.1 Relaying denied')
    })

    it('takes LMTP', async () => {
      const mail = plainMail('serve lmtp')
      const to = ['alice@example.test', 'stranger@example.test', 'bob@example.test', 'bob+tag@example.test']
      const options = swaksOptions({ port: server.lmtpPort, to, file: fileOf(mail, folder) })
      const { code, text } = await run('swaks', [...options, '--protocol', 'LMTP'])
      expect(code, text).toBe(0)
      expect(text.match(/^<- {2}250 2\.0\.0 Ok /gm)?.length).toBe(3)
      const kept = (await server.mail()).filter(({ subject }) => subject === mail.subject)
      expect(kept.map(({ account }) => account).sort()).toEqual(['alice@example.test', 'bob@example.test'])
    })
  })
})

describeWith(['swaks'], 'posthorn serve with few connections', () => {
  it('says 421 to one too many', async () => {
    const server = new Reference(held, { POSTHORN_MAX_CONNECTIONS: 'smtp:1' })
    await server.start()
    const file = fileOf(plainMail('serve'), folder)
    const other = connect(server.port, '127.0.0.1')
    held.later(() => other.destroy())
    await once(other, 'data')
    const { code, text } = await run('swaks', swaksOptions({ port: server.port, to: alice, file }))
    expect(code).toBe(21)
    expect(text).toContain('421 4.3.2 Too many connections')
    other.destroy()
    expect(await server.stop()).toBe(0)
  })
})

describeWith(['swaks'], 'posthorn serve behind a proxy', () => {
  it('knows the client, and serves those whom no proxy stands before', async () => {
    const server = new Reference(held, { POSTHORN_PROXY_FROM: '127.0.0.9' })
    await server.start()
    const proxied = plainMail('serve')
    const direct = plainMail('serve')
    const header = ['--proxy-version', '1', '--proxy-family', 'TCP4', '--proxy-source', '192.0.2.9', '--proxy-source-port', '99']
    const options = swaksOptions({ port: server.port, to: alice, file: fileOf(proxied, folder), source: '127.0.0.9' })
    const { code, text } = await run('swaks', [...options, ...header, '--proxy-dest', '192.0.2.1', '--proxy-dest-port', '25'])
    expect(code, text).toBe(0)
    const plain = swaksOptions({ port: server.port, to: alice, file: fileOf(direct, folder), source: '127.0.0.8' })
    expect((await run('swaks', plain)).code).toBe(0)
    const kept = await server.mail()
    const received = (subject: string): string | undefined => kept.find((one) => one.subject === subject)?.raw.toString('latin1')
    expect(received(proxied.subject)).toContain('([192.0.2.9])')
    expect(received(direct.subject)).toContain('([127.0.0.8])')
  })
})
