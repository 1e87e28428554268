import { once } from 'node:events'
import { connect } from 'node:net'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { defer } from '../../src/index.ts'
import { documented } from './documented.ts'
import { freePort, holding } from './held.ts'
import { Inbox, type InboxOptions, sha256, split, type Taken } from './inbox.ts'
import { eightBitMail, largeMail, type Mail, plainMail, utf8Mail } from './mail.ts'
import { POSTFIX, Postfix } from './postfix.ts'
import { describeWith } from './programs.ts'
import { Tap } from './tap.ts'

const held = holding()
const alice = { to: 'alice@example.test' }

/** The octets that Postfix was given: what it sent, without the field it put before them. */
function given(taken: Taken): Buffer {
  const { traceText, content } = split(taken.content)
  expect(traceText).toMatch(/^Received: from origin\.test \(unknown \[127\.0\.0\.33\]\)\r\n\tby postfix\.test \(Postfix\)/)
  return content
}

describeWith(POSTFIX, 'Postfix, over SMTP', () => {
  let port: number
  let postfix: Postfix
  beforeAll(async () => {
    port = await freePort()
    const smtp = documented('postfix', 'smtp', { 'example.org': 'example.test', '[127.0.0.1]:2525': `[127.0.0.1]:${port}` })
    postfix = await Postfix.start(held, smtp + documented('postfix', 'xforward'), port)
  })

  /** The receiver that Postfix knows, for one test. */
  const open = async (options: InboxOptions = {}): Promise<Inbox> => {
    const inbox = await Inbox.open({ ...options, listen: { ...options.listen, port: options.listen?.port ?? port } })
    onTestFinished(async () => void (await inbox.stop(0)))
    return inbox
  }

  it.each([
    ['text', plainMail, 'ESMTP'],
    ['8-bit text', eightBitMail, 'ESMTP'],
    ['a header in UTF-8', utf8Mail, 'ESMTP'],
    ['20 MB', largeMail, 'ESMTP'],
  ] as const)('%s arrives octet for octet', async (_, make, type) => {
    const inbox = await open()
    const mail = make('postfix')
    await postfix.post(mail, alice)
    const taken = await inbox.message(mail.subject)
    const content = given(taken)
    expect([content.length, sha256(content)]).toEqual([mail.octets.length, sha256(mail.octets)])
    expect(taken).toMatchObject({ sender: 'sender@client.test', recipients: ['alice@example.test'] })
    expect(taken.trace).toMatchObject({ from: 'postfix.test', address: '127.0.0.1', with: type })
    await postfix.emptied()
  })

  it('addresses in UTF-8 arrive as they are', async () => {
    const inbox = await open()
    const mail = utf8Mail('postfix')
    await postfix.post(mail, { from: 'jürgen@client.test', to: 'grüße@example.test' })
    const taken = await inbox.message(mail.subject)
    expect(taken).toMatchObject({ sender: 'jürgen@client.test', recipients: ['grüße@example.test'] })
    expect(taken.trace.with).toBe('UTF8SMTP')
    await postfix.emptied()
  })

  it('pipelines: MAIL, every RCPT and DATA come in one piece; and sends no BDAT, though it is offered', async () => {
    const inbox = await open({ listen: { port: 0 } })
    const tap = await Tap.open(port, inbox.port)
    onTestFinished(() => tap.stop())
    const mail = plainMail('postfix pipelining')
    await postfix.post(mail, { to: ['a@example.test', 'b@example.test', 'c@example.test'] })
    expect((await inbox.message(mail.subject)).recipients).toEqual(['a@example.test', 'b@example.test', 'c@example.test'])
    await postfix.emptied()
    expect(tap.heard).toContain('250-CHUNKING')
    const envelope = tap.said.find((piece) => piece.includes('MAIL FROM'))
    expect(envelope).toMatch(/^MAIL FROM:<sender@client\.test> SIZE=\d+.*\r\n(?:RCPT TO:<.@example\.test>.*\r\n){3}DATA\r\n$/)
    expect(tap.said.at(-1)).toMatch(/\r\n\.\r\n(?:QUIT\r\n)?$|^QUIT\r\n$/)
    expect(tap.said.join('')).not.toMatch(/^BDAT/m)
  })

  it('tells the client before it by XFORWARD to whom trusts it', async () => {
    const inbox = await open({ trusted: ['127.0.0.1'] })
    const mail = plainMail('postfix xforward')
    await postfix.post(mail, alice)
    const { connection, trace } = await inbox.message(mail.subject)
    const forwarded = Object.fromEntries(connection.forwarded ?? [])
    expect(forwarded).toMatchObject({ ADDR: '127.0.0.33', HELO: 'origin.test', PROTO: 'ESMTP' })
    expect(trace.address).toBe('127.0.0.1')
    await postfix.emptied()
  })

  it('delivers to whom it can, and returns the rest to the sender', async () => {
    const inbox = await open({ accepts: (to) => to.local !== 'nobody' })
    const mail = plainMail('postfix partial')
    await postfix.post(mail, { to: ['alice@example.test', 'nobody@example.test', 'bob@example.test'] })
    expect((await inbox.message(mail.subject)).recipients).toEqual(['alice@example.test', 'bob@example.test'])
    const bounce = await inbox.until(() => inbox.taken.find(({ sender }) => sender === null), 'the bounce')
    expect(bounce.recipients).toEqual(['sender@client.test'])
    const report = bounce.content.toString()
    expect(report).toMatch(/Final-Recipient: rfc822; nobody@example\.test[^]*Status: 5\.1\.1[^]*No such recipient here/)
    await postfix.emptied()
    expect(inbox.taken.length).toBe(2)
  })

  it('learns by SIZE that a message is too large, and returns it unsent', async () => {
    const inbox = await open({ accepts: () => true, smtp: { limits: { messageOctets: 60_000 } } })
    const mail = largeMail('postfix too large', 100_000)
    await postfix.post(mail, alice)
    const bounce = await inbox.until(() => inbox.taken.find(({ sender }) => sender === null), 'the bounce')
    expect(bounce.content.toString()).toMatch(/Status: 5\.3\.4/)
    await postfix.emptied()
    expect(inbox.taken.length).toBe(1)
  })

  describe('what fails for now comes again, and arrives once', () => {
    const arrivesOnce = async (options: InboxOptions, code: number): Promise<void> => {
      const inbox = await open(options)
      const mail = plainMail('postfix deferred')
      await postfix.post(mail, alice)
      const taken = await inbox.message(mail.subject)
      expect(given(taken).equals(mail.octets)).toBe(true)
      await postfix.emptied()
      expect(inbox.taken.length).toBe(1)
      expect(inbox.told('refused').map((event) => event.code)).toContain(code)
    }

    it('a recipient that a greylist defers', async () => {
      const seen = new Set<string>()
      const recipient = (to: { local: string }) => {
        if (seen.has(to.local)) return undefined
        seen.add(to.local)
        return defer(450, '4.7.1', 'Greylisted, try again later')
      }
      await arrivesOnce({ policies: [{ name: 'greylist', recipient }] }, 450)
    })

    it('a message that the delivery defers', async () => {
      let tries = 0
      await arrivesOnce({ deliver: () => (++tries < 3 ? defer('Not yet') : undefined) }, 451)
    })

    it('a connection that is refused', async () => {
      let tries = 0
      const policies = [{ name: 'busy', connect: () => (++tries < 2 ? defer(421, '4.3.2', 'Busy') : undefined) }]
      await arrivesOnce({ policies }, 421)
    })

    it('a connection more than there may be', async () => {
      const inbox = await open({ connections: { address: 1 } })
      const other = connect(port, '127.0.0.1')
      onTestFinished(() => void other.destroy())
      await once(other, 'data')
      const mail = plainMail('postfix crowded')
      await postfix.post(mail, alice)
      const refused = await inbox.until(() => inbox.told('refused')[0], 'the refusal')
      expect(refused).toMatchObject({ stage: 'connect', code: 421 })
      other.destroy()
      await inbox.message(mail.subject)
      await postfix.emptied()
      expect(inbox.taken.length).toBe(1)
    })

    it('a message to several, of whom one is deferred', async () => {
      let tries = 0
      const busy = defer(450, '4.2.1', 'Bob is busy')
      const inbox = await open({ accepts: (to) => (to.local === 'bob' && ++tries < 2 ? busy : true) })
      const mail = plainMail('postfix one deferred')
      await postfix.post(mail, { to: ['alice@example.test', 'bob@example.test'] })
      await inbox.until(() => (inbox.taken.length === 2 ? true : undefined), 'both')
      await postfix.emptied()
      expect(inbox.taken.map(({ recipients }) => recipients)).toEqual([['alice@example.test'], ['bob@example.test']])
    })
  })

  describe('a server that goes away', () => {
    const burst = (count: number): Mail[] => Array.from({ length: count }, () => plainMail('postfix burst'))

    it('gently, in the middle of a burst: everything arrives once', async () => {
      const inboxes: Inbox[] = []
      const arrived = (): string[] => inboxes.flatMap(({ taken }) => taken.map(({ subject }) => subject ?? ''))
      const slowly = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20))
      const mails = burst(60)
      inboxes.push(await open({ deliver: slowly }))
      await Promise.all(mails.map((mail) => postfix.post(mail, alice)))
      for (let life = 0; life < 3; life++) {
        const inbox = inboxes.at(-1)!
        await inbox.until(() => (arrived().length >= 12 * (life + 1) ? true : undefined), 'some of the burst')
        expect((await inbox.stop(20_000)).cut).toBe(0)
        inboxes.push(await open({ deliver: slowly }))
      }
      const last = inboxes.at(-1)!
      await last.until(() => (arrived().length >= mails.length ? true : undefined), 'the whole burst')
      await postfix.emptied()
      expect(arrived().sort()).toEqual(mails.map(({ subject }) => subject).sort())
    })

    it('at once, in the middle of deliveries: everything arrives', async () => {
      const inboxes: Inbox[] = []
      const mails = burst(20)
      inboxes.push(await open({ deliver: () => new Promise(() => undefined) }))
      await Promise.all(mails.map((mail) => postfix.post(mail, alice)))
      const [first] = inboxes
      await first!.until(() => (first!.taking > 0 ? true : undefined), 'a delivery')
      expect((await first!.stop(0)).cut).toBeGreaterThan(0)
      const second = await open()
      await second.until(() => (second.taken.length >= mails.length ? true : undefined), 'the whole burst')
      await postfix.emptied()
      expect(second.taken.map(({ subject }) => subject).sort()).toEqual(mails.map(({ subject }) => subject).sort())
    })
  })
})
