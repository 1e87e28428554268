import { createTransport, type Transporter } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { run } from './children.ts'
import { swaksOptions } from './clients.ts'
import { documented } from './documented.ts'
import { holding } from './held.ts'
import { sha256, split } from './inbox.ts'
import { fileOf, largeMail, type Mail, plainMail } from './mail.ts'
import { POSTFIX, Postfix } from './postfix.ts'
import { describeWith, program } from './programs.ts'
import { type Kept, Reference } from './reference.ts'

const held = holding()
const folder = held.folder('crash')
const alice = 'alice@example.test'

const subjects = (mails: readonly { readonly subject: string }[]): string[] => mails.map(({ subject }) => subject).sort()

/** Small ones, and now and then one that lies in a file. */
const mixed = (what: string, at: number): Mail => (at % 10 === 9 ? largeMail(what, 700_000) : plainMail(what))

const burst = (what: string, count: number): Mail[] => Array.from({ length: count }, (_, at) => mixed(what, at))

/** Clients that send one message after the other for as long as the server is there, and note what it acknowledged. */
class Load {
  readonly acknowledged: Mail[] = []
  readonly #over: Promise<unknown>
  #enough: () => void = () => undefined

  constructor(port: number, what: string) {
    const options = { host: '127.0.0.1', port, ignoreTLS: true, name: 'client.test' }
    const senders = Array.from({ length: 6 }, () => this.#send(createTransport(options), what))
    this.#over = Promise.all([...senders, ...(program('swaks') === undefined ? [] : [this.#swaks(port, what)])])
  }

  /** Resolves when so many have been acknowledged. */
  async reached(count: number): Promise<void> {
    while (this.acknowledged.length < count) await new Promise<void>((resolve) => (this.#enough = resolve))
  }

  /** Resolves when every client has found the server gone. */
  async over(): Promise<void> {
    await this.#over
  }

  async #send(transport: Transporter, what: string): Promise<void> {
    for (let at = 0; ; at++) {
      const mail = mixed(what, at)
      try {
        await transport.sendMail({ envelope: { from: 'sender@client.test', to: alice }, raw: mail.octets })
      } catch {
        return
      }
      this.#note(mail)
    }
  }

  async #swaks(port: number, what: string): Promise<void> {
    for (;;) {
      const mail = plainMail(what)
      const { code } = await run('swaks', swaksOptions({ port, to: [alice], file: fileOf(mail, folder) }))
      if (code !== 0) return
      this.#note(mail)
    }
  }

  #note(mail: Mail): void {
    this.acknowledged.push(mail)
    this.#enough()
  }
}

describe('kill -9 of posthorn serve', () => {
  it('under load loses no message that was acknowledged, time and again', async () => {
    const server = new Reference(held)
    const acknowledged: Mail[] = []
    for (let life = 0; life < 4; life++) {
      await server.start()
      const load = new Load(server.port, 'crash')
      await load.reached(40 + 25 * life)
      await server.kill()
      await load.over()
      acknowledged.push(...load.acknowledged)
    }
    // Also with nobody there who could put it right, as a back-up would see it.
    const kept = new Map((await server.mail()).map((one) => [one.subject, one]))
    const lost = acknowledged.filter((mail) => !isSame(kept.get(mail.subject), mail))
    expect(lost.map(({ subject }) => subject)).toEqual([])
    expect((await server.mail()).length).toBe(kept.size)
    await server.start()
    expect(subjects(await server.mail())).toEqual([...kept.keys()].sort())
    expect(server.log).not.toMatch(/"level":"(warn|error)"/)
  })
})

/** What follows so many fields: `Return-Path`, `Delivered-To`, `Received`. */
function behind(fields: number, raw: Buffer): Buffer {
  let content = raw
  for (let field = 0; field < fields; field++) content = split(content).content
  return content
}

/** swaks adds a line end of its own. */
function isSame(kept: Kept | undefined, { octets }: Mail): boolean {
  if (kept === undefined) return false
  const content = behind(3, kept.raw)
  return [octets, Buffer.concat([octets, Buffer.from('\r\n')])].some((sent) => sha256(sent) === sha256(content))
}

describeWith(POSTFIX, 'Postfix before posthorn serve', () => {
  /** A server, and a Postfix that knows it. */
  const both = async (): Promise<{ server: Reference; postfix: Postfix }> => {
    const server = new Reference(held)
    await server.start()
    const instead = { 'example.org': 'example.test', '[127.0.0.1]:2525': `[127.0.0.1]:${server.port}` }
    return { server, postfix: await Postfix.start(held, documented('postfix', 'smtp', instead), server.port) }
  }

  it('a server that is killed again and again gets every message in the end', async () => {
    const { server, postfix } = await both()
    const mails = burst('crash postfix', 120)
    for (let life = 0; life < 3; life++) {
      const part = mails.slice(life * 40, life * 40 + 40)
      const posted = Promise.all(part.map((mail) => postfix.post(mail, { to: alice })))
      await server.tells(8)
      await server.kill()
      await posted
      await server.start()
    }
    await postfix.emptied()
    const kept = await server.mail()
    const found = new Map(kept.map((one) => [one.subject, one]))
    expect([...found.keys()].sort()).toEqual(subjects(mails))
    // Behind the fields of posthorn stands that of Postfix.
    const whole = mails.filter(({ subject, octets }) => {
      return behind(4, found.get(subject)!.raw).equals(octets)
    })
    expect(whole.length).toBe(mails.length)
  })

  it('a server that is stopped again and again gets every message once', async () => {
    const { server, postfix } = await both()
    const mails = burst('stop postfix', 120)
    for (let life = 0; life < 3; life++) {
      const part = mails.slice(life * 40, life * 40 + 40)
      const posted = Promise.all(part.map((mail) => postfix.post(mail, { to: alice })))
      await server.tells(8)
      expect(await server.stop()).toBe(0)
      await posted
      await server.start()
    }
    await postfix.emptied()
    expect(subjects(await server.mail())).toEqual(subjects(mails))
  })
})
