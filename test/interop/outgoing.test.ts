import { userInfo } from 'node:os'
import { createTransport } from 'nodemailer'
import { beforeAll, expect, it } from 'vitest'
import { sqlite } from '../../src/adapters/sqlite/index.ts'
import { reject } from '../../src/index.ts'
import { Child, run } from './children.ts'
import { swaksOptions } from './clients.ts'
import { EXIM, Exim } from './exim.ts'
import { freePort, type Held, holding } from './held.ts'
import { Inbox } from './inbox.ts'
import { untilListening } from './listening.ts'
import { fileOf, type Mail, plainMail } from './mail.ts'
import { OPENSMTPD, OpenSmtpd } from './opensmtpd.ts'
import { POSTFIX, Postfix } from './postfix.ts'
import { describeWith } from './programs.ts'
import { Reference } from './reference.ts'
import { UNBOUND, unbound } from './unbound.ts'

/*
 * The whole flow: somebody submits to the reference server, it delivers to others, and tells what could not be delivered.
 */

const held = holding()
const auth = { mechanism: 'PLAIN', user: 'alice@example.test', password: 'wonderland' } as const
const from = auth.user

/** Submits a message by swaks, over STARTTLS and with log-in. */
async function submit(server: Reference, mail: Mail, to: readonly string[]): Promise<string> {
  // Swaks ends the message with a line end of its own.
  const file = fileOf({ ...mail, octets: mail.octets.subarray(0, -2) }, held.folder('mail'))
  const options = swaksOptions({ port: server.submissionPort, security: 'starttls', auth, from, to, file })
  const { text } = await run('swaks', [...options, '--h-From', `<${from}>`])
  const [, id] = /250 2\.0\.0 queued as (\S+)/.exec(text) ?? []
  expect(id, text).toBeDefined()
  return id!
}

/** The next mail in alice's INBOX that says this. */
async function report(server: Reference, pattern: RegExp): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    const found = (await server.mail()).find(({ raw }) => pattern.test(raw.toString()))
    if (found) return found.raw.toString()
  }
  throw new Error(`nothing in the INBOX says ${pattern}: ${server.log.slice(-4000)}`)
}

describeWith([...POSTFIX, 'swaks'], 'through Postfix as a smart host', () => {
  let inbox: Inbox
  let postfix: Postfix
  let server: Reference
  beforeAll(async () => {
    inbox = held.keep(await Inbox.open({
      accepts: ({ local, domain }) => domain === 'far.test' && (local === 'nobody' ? reject(550, '5.1.1', 'Nobody here') : true),
    }))
    const [mx, port] = [await freePort(), await freePort()]
    server = new Reference(held, { POSTHORN_MX_PORT: String(mx), POSTHORN_SMARTHOST: `smtp://127.0.0.1:${port}` })
    const ours = `transport_maps = inline:{ { example.test = smtp:[127.0.0.1]:${mx} } }\n`
    postfix = await Postfix.start(held, ours, inbox.port, port)
    await server.start()
  })

  it('what is submitted arrives, octet for octet', async () => {
    const mail = plainMail('smart host')
    await submit(server, mail, ['eve@far.test'])
    const taken = await inbox.message(mail.subject)
    expect(taken).toMatchObject({ sender: from, recipients: ['eve@far.test'] })
    expect(taken.content.toString()).toMatch(/^Received: from localhost [^]*\r\nReceived: from client\.test [^]*with ESMTPSA/)
    expect(taken.content.subarray(-1000).equals(mail.octets.subarray(-1000))).toBe(true)
    await server.drained()
  })

  it('what Postfix cannot deliver comes back to who sent it, with the words of who refused it', async () => {
    const mail = plainMail('bounce')
    await submit(server, mail, ['nobody@far.test'])
    const bounce = await report(server, /550 5\.1\.1 Nobody here/)
    expect(bounce).toMatch(/^Return-Path: <>\r\nDelivered-To: alice@example\.test\r\n/)
    expect(bounce).toContain(`Subject: ${mail.subject}`)
  })

  it('tells Postfix what its sender wants to hear, and who has asked for it hears that it was passed on', async () => {
    const login = { user: auth.user, pass: auth.password }
    const tls = { rejectUnauthorized: false }
    const transport = createTransport({ host: '127.0.0.1', port: server.submissionPort, auth: login, tls })
    const dsn = { id: 'Q+1=x', return: 'headers', notify: 'success' }
    await transport.sendMail({ from, to: 'eve@far.test', subject: 'DSN', text: 'x', dsn })
    transport.close()
    const told = await report(server, /Original-Envelope-Id: Q\+1=x/)
    expect(told).toMatch(/Final-Recipient: rfc822; ?eve@far\.test[^]*Action: (relayed|delivered)/)
    expect(told).toContain('postfix.test')
  })

  it('passes on by an alias what Postfix brings', async () => {
    const db = sqlite({ path: `${server.data}/mail.db` })
    await db.accounts.setAlias({ address: 'sales@example.test', to: ['eve@far.test'] })
    await db.close()
    const mail = plainMail('alias')
    await postfix.post(mail, { to: 'sales@example.test' })
    const taken = await inbox.message(mail.subject)
    expect(taken.recipients).toEqual(['eve@far.test'])
    // What passes on must not look as if the sender's servers had sent it (SRS).
    expect(taken.sender).toMatch(/^SRS0=.*=client\.test=sender@example\.test$/)
    expect(taken.content.toString().match(/^Received:/gm)).toHaveLength(3)
    await server.drained()
  })
})

describeWith([...UNBOUND, ...EXIM, ...OPENSMTPD, 'swaks'], 'by MX', () => {
  const [atExim, atOpen] = [{ host: '127.0.0.25', port: 25 }, { host: '127.0.0.26', port: 25 }]
  let inbox: Inbox
  let exim: Exim
  let server: Reference
  beforeAll(async () => {
    inbox = held.keep(await Inbox.open({ accepts: () => true }))
    exim = await Exim.start(held, atExim)
    await OpenSmtpd.start(held, inbox.port, atOpen)
    const dns = await unbound(held, [
      { name: 'exim.example', records: `@ IN MX 10 dead\n@ IN MX 20 mx\ndead IN A 127.0.0.27\nmx IN A ${atExim.host}\n` },
      { name: 'open.example', records: `@ IN MX 10 mx\nmx IN A ${atOpen.host}\n` },
      { name: 'null.example', records: '@ IN MX 0 .\n' },
    ])
    server = new Reference(held, { POSTHORN_DNS: dns, POSTHORN_RETRY: '1s,1s' })
    await server.start()
  })

  it('goes to Exim, past a server that is down', async () => {
    const mail = plainMail('exim')
    await submit(server, mail, ['eve@exim.example'])
    await server.drained()
    expect(exim.log).toMatch(new RegExp(`<= ${from} .*T="${mail.subject}".* for eve@exim\\.example`))
  })

  it('goes to OpenSMTPD, and on from there', async () => {
    const mail = plainMail('opensmtpd')
    await submit(server, mail, ['eve@open.example', 'eva@open.example'])
    const taken = await inbox.message(mail.subject)
    expect(taken.content.subarray(-1000).equals(mail.octets.subarray(-1000))).toBe(true)
    await server.drained()
  })

  it('comes back where it is refused, each recipient with the reason', async () => {
    const mail = plainMail('refused')
    await submit(server, mail, ['nobody@exim.example', 'eve@exim.example', 'x@null.example', 'x@gone.open.example'])
    const one = await report(server, /Diagnostic-Code: smtp; 550 5\.1\.1 nobody/)
    expect(one).toMatch(/Final-Recipient: rfc822; nobody@exim\.example\r\nAction: failed\r\nStatus: 5\.1\.1/)
    await report(server, /Final-Recipient: rfc822; x@null\.example\r\nAction: failed\r\nStatus: 5\.1\.10/)
    await report(server, /Final-Recipient: rfc822; x@gone\.open\.example\r\nAction: failed\r\nStatus: 5\.1\.2/)
    expect(exim.log).toContain('for eve@exim.example')
    await server.drained()
  })
})

/** A sink of Postfix with these flags. */
async function sink(holder: Held, flags: readonly string[]): Promise<number> {
  const port = await freePort()
  const child = new Child('smtp-sink', [...(userInfo().uid === 0 ? ['-u', 'nobody'] : []), ...flags, `127.0.0.1:${port}`, '100'])
  holder.keep({ stop: () => child.stop() })
  await untilListening(child, port)
  return port
}

describeWith(['smtp-sink', 'swaks'], 'to a sink that fails', () => {
  it.each([
    ['takes all', [], undefined],
    ['refuses recipients for good', ['-f', 'RCPT'], /Action: failed\r\nStatus: 5\.\d\.\d/],
    ['refuses content for good', ['-f', '.'], /Action: failed\r\nStatus: 5\.\d\.\d/],
    ['refuses senders for now', ['-r', 'MAIL'], /Action: failed\r\nStatus: 4\.\d\.\d/],
    ['refuses content for now', ['-r', '.'], /Action: failed\r\nStatus: 4\.\d\.\d/],
    ['hangs up at DATA', ['-q', 'DATA'], /Action: failed\r\nStatus: 4\.\d\.\d/],
  ] as const)('which %s', async (_, flags, told) => {
    const port = await sink(held, flags)
    const server = new Reference(held, { POSTHORN_SMARTHOST: `smtp://127.0.0.1:${port}`, POSTHORN_RETRY: '1s,1s,1s' })
    await server.start()
    const mail = plainMail('sink')
    await submit(server, mail, ['eve@far.test'])
    await server.drained(150_000)
    const reports = (await server.mail()).map(({ raw }) => raw.toString())
    expect(reports).toHaveLength(told ? 1 : 0)
    if (told) expect(reports[0]).toMatch(told)
    expect(await server.stop()).toBe(0)
  })

  it('waits for orders, which whoever looks after the queue gives beside the server', async () => {
    const port = await sink(held, ['-r', 'MAIL'])
    const server = new Reference(held, { POSTHORN_SMARTHOST: `smtp://127.0.0.1:${port}`, POSTHORN_RETRY: '10h' })
    await server.start()
    const one = await submit(server, plainMail('order'), ['eve@far.test'])
    const two = await submit(server, plainMail('order'), ['eva@far.test'])
    /** Resolves when the message was tried so many times. */
    const tried = async (id: string, times: number): Promise<void> => {
      for (let looks = 0; looks < 100; looks++) {
        const jobs = await server.queue('list', id, '--destination', 'hosts:smarthost')
        if (jobs[0]?.['tries'] === times) return
      }
      throw new Error(`${id} was not tried ${times} times: ${server.log.slice(-4000)}`)
    }
    await tried(one, 1)
    await tried(two, 1)
    await server.queue('retry', two)
    await tried(two, 2)
    await server.queue('hold', two)
    await server.queue('bounce', one, '--why', 'Enough of it')
    expect(await report(server, /Enough of it/)).toMatch(/Final-Recipient: rfc822; eve@far\.test\r\nAction: failed/)
    expect(await server.queue('list', two, '--state', 'held')).not.toEqual([])
    await server.queue('drop', two)
    await server.drained()
    expect(await server.mail()).toHaveLength(1)
  })
})
