import { connect } from 'node:net'
import { connect as secure } from 'node:tls'
import { once } from 'node:events'
import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { defer, earlyTalker } from '../../src/index.ts'
import { certificateIn } from './certificate.ts'
import { type Client, clients, type Security } from './clients.ts'
import { holding } from './held.ts'
import { Inbox, type InboxOptions } from './inbox.ts'
import { fileOf, largeMail, plainMail } from './mail.ts'
import { describeWith } from './programs.ts'

const held = holding()
const folder = held.folder('refusals')
const certificate = certificateIn(folder, held)
const alice = ['alice@example.test']

interface Where {
  readonly port: number
  readonly security: Security
}

/** A receiver for one test, and how a client is to reach it: in plain text where it can. */
async function opened(client: Client, options: InboxOptions = {}): Promise<{ inbox: Inbox; where: Where }> {
  const security = client.securities[0] ?? 'plain'
  const tls = { tls: { mode: security === 'implicit' ? security : 'starttls', certificates: certificate.source } } as const
  const inbox = await Inbox.open({ ...options, listen: tls })
  onTestFinished(async () => void (await inbox.stop(0)))
  return { inbox, where: { port: inbox.port, security } }
}

for (const client of clients) {
  describeWith(client.programs, client.name, () => {
    let file = ''
    beforeAll(() => {
      file = fileOf(plainMail(client.name), folder)
    })

    it('delivers to the recipients that are accepted, and learns of the others', async () => {
      const { inbox, where } = await opened(client)
      const to = ['alice@example.test', 'nobody@elsewhere.test', 'bob@example.test']
      const { accepted, said } = await client.send({ ...where, to, file })
      expect(accepted).toBe(true)
      expect(said).toMatch(/550.5\.1\.1 No such recipient here/)
      expect(inbox.taken.map(({ recipients }) => recipients)).toEqual([['alice@example.test', 'bob@example.test']])
      expect(inbox.told('refused')).toMatchObject([{ stage: 'recipient', code: 550, recipient: 'nobody@elsewhere.test' }])
    })

    it('gives up where no recipient is accepted', async () => {
      const { inbox, where } = await opened(client)
      const sent = await client.send({ ...where, to: ['nobody@elsewhere.test', 'none@elsewhere.test'], file })
      expect(sent).toMatchObject({ accepted: false, said: expect.stringMatching(/550.5\.1\.1/) as string })
      expect(inbox.taken).toEqual([])
    })

    it('is told that a message is too large, before or after it has sent it', async () => {
      const { inbox, where } = await opened(client, { smtp: { limits: { messageOctets: 100_000 } } })
      const large = fileOf(largeMail(`${client.name} too large`, 150_000), folder)
      const sent = await client.send({ ...where, to: alice, file: large })
      expect(sent).toMatchObject({ accepted: false, said: expect.stringMatching(/552.5\.3\.4/) as string })
      expect(inbox.taken).toEqual([])
    })

    it('learns of a delivery that failed for now, and succeeds the next time', async () => {
      let tries = 0
      const { inbox, where } = await opened(client, {
        deliver: () => (++tries === 1 ? Promise.reject(new Error('the disk is full')) : undefined),
      })
      const first = await client.send({ ...where, to: alice, file })
      expect(first).toMatchObject({ accepted: false, said: expect.stringMatching(/451.4\.3\.0/) as string })
      expect(await client.send({ ...where, to: alice, file })).toMatchObject({ accepted: true })
      expect(inbox.taken.length).toBe(1)
    })

    it('learns of a policy that defers', async () => {
      const greylist = { name: 'greylist', recipient: () => defer(450, '4.7.1', 'Greylisted, try again later') }
      const { inbox, where } = await opened(client, { policies: [greylist] })
      const sent = await client.send({ ...where, to: alice, file })
      expect(sent).toMatchObject({ accepted: false, said: expect.stringMatching(/450.4\.7\.1 Greylisted/) as string })
      expect(inbox.taken).toEqual([])
    })

    it('waits for the greeting', async () => {
      const { inbox, where } = await opened(client, { policies: [earlyTalker({ wait: 150 })] })
      expect(await client.send({ ...where, to: alice, file })).toMatchObject({ accepted: true })
      expect(inbox.told('refused')).toEqual([])
    })

    it('hears 421 where there are too many connections', async () => {
      const { inbox, where } = await opened(client, { connections: { address: 1 } })
      const there = { port: inbox.port, host: '127.0.0.1' }
      const other = where.security === 'implicit' ? secure({ ...there, rejectUnauthorized: false }) : connect(there)
      onTestFinished(() => void other.destroy())
      await once(other, 'data')
      const sent = await client.send({ ...where, to: alice, file })
      expect(sent).toMatchObject({ accepted: false, said: expect.stringContaining('421') as string })
      expect(inbox.told('refused')).toMatchObject([{ stage: 'connect', code: 421 }])
      other.destroy()
      await inbox.quiet()
      expect(await client.send({ ...where, to: alice, file })).toMatchObject({ accepted: true })
    })

    it('gets its reply from a server that is being stopped', async () => {
      let release = (): void => undefined
      const { inbox, where } = await opened(client, { deliver: () => new Promise<void>((resolve) => void (release = resolve)) })
      const sending = client.send({ ...where, to: alice, file })
      await inbox.until(() => (inbox.taking ? true : undefined), 'a message')
      const stopped = inbox.stop(20_000)
      release()
      expect(await sending).toMatchObject({ accepted: true })
      expect(await stopped).toEqual({ completed: 1, cut: 0 })
      expect(inbox.taken.length).toBe(1)
    })

    if (client.auth) {
      it.each(['PLAIN', 'LOGIN'] as const)('logs in by %s, over TLS alone', async (mechanism) => {
        const { inbox, where } = await opened(client, {
          authenticate: (given) =>
            given.kind === 'password' && given.password === 'wonderland' ? { account: given.username } : undefined,
          smtp: { timeouts: { authDelay: 0 } },
        })
        const auth = { mechanism, user: 'alice@example.test', password: 'wonderland' }
        const over = { port: where.port, security: 'starttls', to: alice, file } as const
        expect(await client.send({ ...over, auth })).toMatchObject({ accepted: true })
        expect(inbox.taken).toMatchObject([{ connection: { account: 'alice@example.test' }, trace: { with: 'ESMTPSA' } }])
        const wrong = await client.send({ ...over, auth: { ...auth, password: 'wonderworld' } })
        expect(wrong).toMatchObject({ accepted: false, said: expect.stringMatching(/535/) as string })
        const plain = await client.send({ ...over, security: 'plain', auth })
        expect(plain.accepted && inbox.taken.at(-1)?.connection.account !== undefined).toBe(false)
        expect(inbox.told('authenticated')).toMatchObject([{ mechanism, account: 'alice@example.test' }])
        expect(inbox.told('denied')).toMatchObject([{ mechanism, username: 'alice@example.test', code: 535 }])
      })

      it('is known by the address that it comes from', async () => {
        const { inbox, where } = await opened(client)
        expect(await client.send({ ...where, to: alice, file, source: '127.0.0.42' })).toMatchObject({ accepted: true })
        expect(inbox.taken).toMatchObject([{ connection: { peer: { address: '127.0.0.42' } }, trace: { address: '127.0.0.42' } }])
        expect(inbox.told('connected')).toMatchObject([{ address: '127.0.0.42' }])
      })
    }
  })
}
