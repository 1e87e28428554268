import { join } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { defer, reject } from '../../src/index.ts'
import { run } from './children.ts'
import { documented } from './documented.ts'
import { freePort, holding } from './held.ts'
import { Inbox, type InboxOptions, sha256, split } from './inbox.ts'
import { eightBitMail, fileOf, largeMail, plainMail } from './mail.ts'
import { POSTFIX, Postfix } from './postfix.ts'
import { describeWith } from './programs.ts'

const held = holding()
const folder = held.folder('lmtp')

/** Where a receiver of LMTP listens. */
interface Place {
  readonly port?: number
  readonly path?: string
  readonly mode?: number
}

const everywhere = ['tcp', 'unix'] as const

async function open(place: Place, options: InboxOptions = {}): Promise<Inbox> {
  const inbox = await Inbox.open({ ...options, profile: 'lmtp', listen: place })
  onTestFinished(async () => void (await inbox.stop(0)))
  return inbox
}

/** Takes Alice's copy, defers Bob's `times` times, and refuses Carol's. */
function unequal(times: number): NonNullable<InboxOptions['deliver']> {
  return (message) => message.envelope.recipients.map(({ local }) => {
    if (local === 'bob' && times-- > 0) return defer(452, '4.2.2', 'Mailbox full')
    return local === 'carol' ? reject(550, '5.2.1', 'Mailbox disabled') : undefined
  })
}

const three = ['alice@example.test', 'bob@example.test', 'carol@example.test']

describeWith(['swaks'], 'LMTP by swaks', () => {
  describe.each(everywhere)('%s', (kind) => {
    const place = (): Place => (kind === 'tcp' ? {} : { path: join(folder, 'swaks') })
    const send = async (inbox: Inbox, file: string, to: readonly string[]) => {
      const where = kind === 'tcp' ? ['--server', `127.0.0.1:${inbox.port}`] : ['--socket', join(folder, 'swaks')]
      const from = ['--protocol', 'LMTP', '--ehlo', 'client.test', '--from', 'sender@client.test', '--to', to.join(',')]
      return run('swaks', [...where, ...from, '--data', `@${file}`, '--suppress-data'])
    }

    it('a message arrives', async () => {
      const inbox = await open(place())
      const mail = plainMail('swaks lmtp')
      const { code, text } = await send(inbox, fileOf(mail, folder), ['alice@example.test'])
      expect(code, text).toBe(0)
      const { content, trace, connection } = await inbox.message(mail.subject)
      // swaks puts a line end behind the message.
      expect(content.toString()).toBe(`${mail.octets.toString()}\r\n`)
      expect(trace.with).toBe('LMTP')
      expect(trace.address).toBe(kind === 'tcp' ? '127.0.0.1' : undefined)
      expect(connection.hello).toEqual({ verb: 'LHLO', name: 'client.test' })
    })

    it('there is a reply for each recipient', async () => {
      const inbox = await open(place(), { deliver: unequal(1) })
      const { text } = await send(inbox, fileOf(plainMail('swaks lmtp'), folder), [...three, 'nobody@elsewhere.test'])
      const replies = [...text.matchAll(/^<(?:-|\*\*) +(\d{3} \S+)/gm)].map(([, reply]) => reply)
      expect(replies.slice(-5)).toEqual(['354 End', '250 2.0.0', '452 4.2.2', '550 5.2.1', '221 2.0.0'])
      expect(inbox.told('accepted')).toMatchObject([{ recipients: ['alice@example.test'] }])
    })
  })
})

describeWith(POSTFIX, 'LMTP by Postfix', () => {
  describe.each(everywhere)('%s', (kind) => {
    let postfix: Postfix
    let place: Place
    beforeAll(async () => {
      const path = join(folder, 'postfix')
      const port = await freePort()
      place = kind === 'tcp' ? { port } : { path, mode: 0o666 }
      const instead = { 'example.org': 'example.test' }
      const routes = kind === 'tcp'
        ? documented('postfix', 'lmtp-tcp', { ...instead, '127.0.0.1:2424': `127.0.0.1:${port}` })
        : documented('postfix', 'lmtp-unix', { ...instead, '/run/posthorn/lmtp': path })
      // Bounces go to the sender's domain, by LMTP here too.
      const bounces = `default_transport = ${kind === 'tcp' ? `lmtp:inet:127.0.0.1:${port}` : `lmtp:unix:${path}`}\n`
      postfix = await Postfix.start(held, routes + documented('postfix', 'xforward') + bounces, port)
    })

    it.each([
      ['text', plainMail],
      ['8-bit text', eightBitMail],
      ['20 MB', largeMail],
    ] as const)('%s arrives octet for octet', async (_, make) => {
      const inbox = await open(place)
      const mail = make('postfix lmtp')
      await postfix.post(mail, { to: 'alice@example.test' })
      const { content, trace, connection } = await inbox.message(mail.subject)
      expect(sha256(split(content).content)).toBe(sha256(mail.octets))
      expect(trace.with).toBe('LMTP')
      expect(connection.hello).toEqual({ verb: 'LHLO', name: 'postfix.test' })
      await postfix.emptied()
    })

    it('each recipient gets what is due: delivery, another try, a bounce', async () => {
      const inbox = await open(place, { accepts: () => true, deliver: unequal(1) })
      const mail = plainMail('postfix lmtp')
      await postfix.post(mail, { to: three })
      const bounce = await inbox.until(() => inbox.taken.find(({ sender }) => sender === null), 'the bounce')
      await postfix.emptied()
      const copies = inbox.taken.filter(({ subject }) => subject === mail.subject)
      expect(copies.map(({ recipients }) => recipients)).toEqual([['alice@example.test'], ['bob@example.test']])
      expect(bounce.recipients).toEqual(['sender@client.test'])
      expect(bounce.content.toString()).toMatch(/Final-Recipient: rfc822; carol@example\.test[^]*Status: 5\.2\.1/)
      expect(bounce.content.toString()).not.toContain('Final-Recipient: rfc822; bob')
    })

    it('survives a stop in the middle of a delivery', async () => {
      const waiting: (() => void)[] = []
      let held = true
      const deliver = (): Promise<void> | undefined => (held ? new Promise((resolve) => void waiting.push(resolve)) : undefined)
      const first = await open(place, { deliver })
      const mails = [plainMail('postfix lmtp'), plainMail('postfix lmtp'), plainMail('postfix lmtp')]
      await Promise.all(mails.map((mail) => postfix.post(mail, { to: 'alice@example.test' })))
      await first.until(() => waiting[0], 'a delivery')
      const stopped = first.stop(20_000)
      held = false
      for (const release of waiting) release()
      expect((await stopped).cut).toBe(0)
      const second = await open(place)
      await second.until(() => (first.taken.length + second.taken.length >= mails.length ? true : undefined), 'all of it')
      await postfix.emptied()
      const subjects = [...first.taken, ...second.taken].map(({ subject }) => subject)
      expect(subjects.sort()).toEqual(mails.map(({ subject }) => subject).sort())
    })
  })
})
