import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defer, reject } from '../../src/index.ts'
import { certificateIn } from './certificate.ts'
import { Exim, EXIM } from './exim.ts'
import { freePort, holding } from './held.ts'
import { Inbox, sha256, split } from './inbox.ts'
import { eightBitMail, largeMail, plainMail } from './mail.ts'
import { OPENSMTPD, OpenSmtpd } from './opensmtpd.ts'
import { POSTFIX, Postfix } from './postfix.ts'
import { describeWith } from './programs.ts'
import { dispatch } from './sender.ts'

/*
 * Our client sends the same messages to servers of many kinds, and hears the same of each recipient: `nobody` is refused, `later`
 * deferred, and content whose subject says that it is spam refused when it is there.
 */

const held = holding()
const folder = held.folder('client')
const certificate = certificateIn(folder, held)

const to = ['alice@example.test', 'nobody@example.test', 'later@example.test', 'bob@example.test']
const expected = [
  ['accepted', 'permanent recipient', 'temporary recipient', 'accepted'],
  ['permanent recipient', 'temporary recipient'],
  ['permanent content'],
  ['accepted'],
]

/** Sends what all servers have to treat alike; `judges`: they look at content. */
async function same(port: number, options: Parameters<typeof dispatch>[2] = {}, judges = true): Promise<void> {
  const tls = { trust: 'none' } as const
  const { results, events } = await dispatch({ port, tls }, [
    { to, octets: plainMail('client').octets },
    { to: to.slice(1, 3), octets: plainMail('client').octets },
    { to: to.slice(0, 1), octets: plainMail(judges ? 'client spam' : 'client').octets },
    { to: to.slice(3), octets: plainMail('client').octets },
  ], options)
  const due = judges ? expected : expected.with(2, ['accepted'])
  expect([results, events.at(-1)]).toEqual([due, { kind: 'closed', why: 'quit' }])
}

/** A receiver of ours that treats mail as all servers here do. */
function ours(more: Parameters<typeof Inbox.open>[0] = {}): Promise<Inbox> {
  return Inbox.open({
    accepts: () => true,
    policies: [{
      name: 'who',
      recipient: ({ local }) => {
        if (local === 'nobody') return reject(550, '5.1.1', 'No such user')
        return local === 'later' ? defer(450, '4.2.0', 'Later') : undefined
      },
    }],
    deliver: (message) => (message.headers.text('subject')?.includes('spam') ? reject(550, '5.7.1', 'Spam') : undefined),
    ...more,
  })
}

describe('our client and our server', () => {
  let inbox: Inbox
  beforeAll(async () => {
    inbox = await ours({ listen: { tls: { mode: 'starttls', certificates: certificate.source } } })
  })
  afterAll(() => inbox.stop())

  it('each recipient hears what is due, with TLS and without', async () => {
    await same(inbox.port, { tls: 'required' })
    await same(inbox.port, { tls: 'never' })
  })

  it.each([
    ['text', plainMail, '7bit'],
    ['8-bit text', eightBitMail, '8bit'],
    ['20 MB', largeMail, '7bit'],
  ] as const)('%s arrives octet for octet', async (_, make, encoding) => {
    for (const chunking of ['binary', 'always'] as const) {
      const mail = make('own')
      const more = { content: { encoding, size: mail.octets.length } }
      const tls = { trust: 'pkix', serverName: 'localhost', ca: [certificate.cert] } as const
      const outgoing = { to: to.slice(0, 1), octets: mail.octets, more }
      const { results } = await dispatch({ port: inbox.port, tls }, [outgoing], { chunking })
      expect(results).toEqual([['accepted']])
      expect((await inbox.message(mail.subject)).hash).toBe(sha256(mail.octets))
    }
  })
})

describe('our client and smtp-server', () => {
  /** What it was given, without the end of content that is its own. */
  const contents: Buffer[] = []
  const failed = (code: number, text: string): Error => Object.assign(new Error(text), { responseCode: code })
  const options: SMTPServerOptions = {
    authOptional: true,
    cert: certificate.cert,
    key: certificate.key,
    onRcptTo: ({ address }, _, done) => {
      if (address.startsWith('nobody')) done(failed(550, '5.1.1 No such user'))
      else done(address.startsWith('later') ? failed(450, '4.2.0 Later') : undefined)
    },
    onData: (stream, _, done) => {
      const pieces: Buffer[] = []
      stream.on('data', (piece: Buffer) => pieces.push(piece)).on('end', () => {
        contents.push(Buffer.concat(pieces))
        done(contents.at(-1)!.includes('spam') ? failed(550, '5.7.1 Spam') : undefined)
      })
    },
  }
  const server = new SMTPServer(options)
  let port = 0
  beforeAll(async () => {
    port = await freePort()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  })
  afterAll(() => new Promise<void>((resolve) => server.close(resolve)))

  it('each recipient hears what is due, with TLS and without', async () => {
    await same(port, { tls: 'required' })
    await same(port, { tls: 'never' })
  })

  it('content arrives octet for octet', async () => {
    const mail = plainMail('smtp-server')
    await dispatch({ port, tls: { trust: 'none' } }, [{ to: to.slice(0, 1), octets: mail.octets }])
    expect(contents.at(-1)).toEqual(mail.octets)
  })
})

describeWith(POSTFIX, 'our client and Postfix', () => {
  let inbox: Inbox
  let postfix: Postfix
  beforeAll(async () => {
    inbox = await Inbox.open({ accepts: () => true })
    const access = '{ nobody@example.test = 550 5.1.1 nobody }, { later@example.test = 450 4.2.0 later }'
    const checks = join(folder, 'header-checks')
    writeFileSync(checks, '/^Subject:.*spam/ REJECT spam\n', { mode: 0o644 })
    const main = `smtpd_recipient_restrictions = check_recipient_access inline:{ ${access} }\nheader_checks = regexp:${checks}\n`
    const { cert, key } = certificate.files
    const tls = `smtpd_tls_security_level = may\nsmtpd_tls_cert_file = ${cert}\nsmtpd_tls_key_file = ${key}\n`
    postfix = await Postfix.start(held, main + tls, inbox.port)
  })
  afterAll(() => inbox.stop())

  it('each recipient hears what is due, with TLS and without', async () => {
    await same(postfix.port, { tls: 'required' })
    await same(postfix.port, { tls: 'never' })
  })

  it('content arrives octet for octet', async () => {
    for (const chunking of ['binary', 'always'] as const) {
      const mail = plainMail('to postfix')
      await dispatch({ port: postfix.port, tls: { trust: 'none' } }, [{ to: to.slice(0, 1), octets: mail.octets }], { chunking })
      expect(split((await inbox.message(mail.subject)).content).content.toString()).toBe(mail.octets.toString())
    }
  })
})

describeWith(EXIM, 'our client and Exim', () => {
  let exim: Exim
  beforeAll(async () => {
    exim = await Exim.start(held)
  })

  it('each recipient hears what is due, by DATA and by BDAT', async () => {
    await same(exim.port)
    await same(exim.port, { chunking: 'always' })
  })
})

describeWith(OPENSMTPD, 'our client and OpenSMTPD', () => {
  let inbox: Inbox
  let server: OpenSmtpd
  beforeAll(async () => {
    inbox = await Inbox.open({ accepts: () => true })
    server = await OpenSmtpd.start(held, inbox.port)
  })
  afterAll(() => inbox.stop())

  it('each recipient hears what is due, one command at a time', async () => {
    await same(server.port, {}, false)
  })

  it('content arrives octet for octet', async () => {
    const mail = plainMail('to opensmtpd')
    await dispatch({ port: server.port }, [{ to: to.slice(0, 1), octets: mail.octets }], { tls: 'never' })
    expect(split((await inbox.message(mail.subject)).content).content.toString()).toBe(mail.octets.toString())
  })
})
