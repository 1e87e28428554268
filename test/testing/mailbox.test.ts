import { connect } from 'node:net'
import { createTransport } from 'nodemailer'
import { afterEach, describe, expect, it } from 'vitest'
import { discard, reject } from '../../src/index.ts'
import { type TestMailbox, testMailbox, type TestMailboxOptions } from '../../src/testing/index.ts'

const open: TestMailbox[] = []
const make = (options?: TestMailboxOptions): TestMailbox => {
  const mailbox = testMailbox(options)
  open.push(mailbox)
  return mailbox
}
afterEach(() => open.splice(0).forEach((mailbox) => mailbox.close()))

const from = 'Shop <shop@example.com>'

describe('a mailbox', () => {
  it('has an address, and a domain, that no other has', () => {
    const [one, other] = [make(), make()]
    expect(one.address).toBe(`inbox@${one.domain}`)
    expect(one.alias('billing')).toBe(`billing@${one.domain}`)
    expect(other.domain).not.toBe(one.domain)
  })

  it('gets what nodemailer sends, before sending resolves', async () => {
    const mailbox = make()
    const sent = await createTransport(mailbox.transport).sendMail({
      from,
      to: [mailbox.address, mailbox.alias('billing')],
      subject: 'Gr\u00fc\u00dfe',
      text: 'Hall\u00f6chen\n.\n',
    })
    expect(sent.accepted).toEqual([mailbox.address, mailbox.alias('billing')])
    expect(sent.response).toMatch(/^250 2\.0\.0 Ok/)
    expect(mailbox.messages).toHaveLength(1)
    const [mail] = mailbox.messages
    expect(mail).toMatchObject({
      subject: 'Gr\u00fc\u00dfe',
      from: 'shop@example.com',
      to: sent.accepted,
      text: 'Hall\u00f6chen\n.\n',
      html: undefined,
    })
    expect(mail!.raw).toMatch(/^From: Shop <shop@example.com>\r\n/)
    expect(mail!.received.connection.hello?.verb).toBe('EHLO')
  })

  it('is sent to through its transport alone', async () => {
    const mailbox = make()
    const sent = await mailbox.transport.sendMail({ from, to: mailbox.address, subject: 'Direct', text: 'x' })
    expect(sent).toMatchObject({
      accepted: [mailbox.address],
      rejected: [],
      envelope: { from: 'shop@example.com', to: [mailbox.address] },
    })
    expect(sent.messageId).toMatch(/^<.*@example.com>$/)
  })

  it('takes many through a pool, each over a connection that is used again', async () => {
    const mailbox = make()
    const pool = createTransport({ ...mailbox.transport, pool: true, maxConnections: 2 })
    await Promise.all(
      Array.from({ length: 20 }, (_, at) => pool.sendMail({ from, to: mailbox.address, subject: `No ${at}`, text: 'x' })),
    )
    pool.close()
    expect(mailbox.messages).toHaveLength(20)
    expect(new Set(mailbox.messages.map(({ received }) => received.connection.id)).size).toBe(2)
  })

  it('takes a message of many megabytes, and names in UTF-8', async () => {
    const mailbox = make()
    const content = Buffer.alloc(5_000_000, 'attachment ')
    await mailbox.transport.sendMail({
      from,
      to: mailbox.alias('j\u00f6rg'),
      subject: 'Large',
      text: 'x',
      attachments: [{ filename: 'a.bin', content }],
    })
    const [mail] = mailbox.messages
    expect(mail!.to).toEqual([mailbox.alias('j\u00f6rg')])
    expect(mail!.received.octets).toBeGreaterThan(6_000_000)
    expect((await mail!.received.parsed()).attachments[0]).toMatchObject({ filename: 'a.bin', size: 5_000_000 })
  })

  it('refuses whom it does not know, as a server does', async () => {
    const mailbox = make()
    const other = make()
    const some = await mailbox.transport.sendMail({
      from,
      to: [mailbox.address, 'nobody@example.org'],
      subject: 'x',
      text: 'x',
    })
    expect(some).toMatchObject({ accepted: [mailbox.address], rejected: ['nobody@example.org'] })
    await expect(mailbox.transport.sendMail({ from, to: other.address, subject: 'x', text: 'x' })).rejects.toMatchObject({
      code: 'EENVELOPE',
      responseCode: 550,
    })
    expect(other.messages).toEqual([])
  })

  it('takes mail to whomever it is told to claim', async () => {
    const mailbox = make({
      accepts: (to) => to.domain === 'example.org' || (to.local === 'full' && reject(552, '5.2.2', 'Full')),
    })
    await mailbox.transport.sendMail({ from, to: ['a@example.org', mailbox.address], text: 'x' })
    expect(mailbox.messages[0]!.to).toEqual(['a@example.org', mailbox.address])
    await expect(mailbox.transport.sendMail({ from, to: 'full@b.test', text: 'x' })).rejects.toMatchObject({
      responseCode: 552,
    })
  })

  it('is a whole receiver: policies, log-in, refusals at the end', async () => {
    const mailbox = make({
      receiver: {
        policies: [
          { name: 'spam', message: ({ headers }) => (headers.text('subject') === 'spam' ? discard('spam') : undefined) },
        ],
        authenticate: ({ username }) => (username === 'app' ? { account: 'app' } : undefined),
        plaintextAuth: true,
        deliver: ({ headers }) => (headers.text('subject') === 'bad' ? reject('No bad ones') : undefined),
      },
    })
    const app = createTransport({ ...mailbox.transport, auth: { user: 'app', pass: 'secret' } })
    await expect(app.sendMail({ from, to: mailbox.address, subject: 'bad', text: 'x' })).rejects.toMatchObject({
      responseCode: 550,
    })
    await app.sendMail({ from, to: mailbox.address, subject: 'spam', text: 'x' })
    await app.sendMail({ from, to: mailbox.address, subject: 'good', text: 'x' })
    expect(mailbox.messages.map(({ subject }) => subject)).toEqual(['good'])
    expect(mailbox.messages[0]!.received.connection.account).toBe('app')
  })

  it('speaks SMTP to clients of any kind', async () => {
    const mailbox = make()
    expect((await mailbox.client().send({ from: null, to: mailbox.address, subject: 'By hand' })).accepted).toBe(true)
    expect(mailbox.messages[0]).toMatchObject({ subject: 'By hand', from: '' })
    const socket = mailbox.connect()
    const greeting = await new Promise((resolve) => socket.once('data', (bytes) => resolve(String(bytes))))
    expect(greeting).toBe(`220 mx.${mailbox.domain} ESMTP\r\n`)
    socket.destroy()
  })

  it('opens no port', async () => {
    const mailbox = make()
    const error = await new Promise((resolve) =>
      connect({ port: mailbox.transport.port, host: '127.0.0.1' }).once('error', resolve),
    )
    expect(error).toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('is over when it is closed: connections end, and whoever waits is told', async () => {
    const mailbox = make()
    const client = mailbox.client()
    await client.ask('EHLO app.test')
    const waiting = mailbox.next()
    mailbox.close()
    await expect(waiting).rejects.toMatchObject({ code: 'closed' })
    expect(await client.reply()).toMatch(/^421/)
    await client.closed
    expect(() => mailbox.connect()).toThrow(expect.objectContaining({ code: 'closed' }))
    await expect(mailbox.transport.sendMail({ from, to: mailbox.address, text: 'x' })).rejects.toThrow(/closed/)
  })
})

describe('what has come', () => {
  const alternative = {
    from,
    subject: 'Confirm',
    text: 'Code 123 456\nhttps://shop.test/c?a=1&b=2\n',
    html: '<style>p { color: red }</style><p>Code <b>123456</b></p><a href="https://shop.test/c?a=1&amp;b=2">Confirm</a>',
  }

  it('is read as a person would', async () => {
    const mailbox = make()
    await mailbox.transport.sendMail({
      ...alternative,
      to: mailbox.address,
      attachments: [{ filename: 'a.txt', content: 'attached 999999' }],
    })
    const [mail] = mailbox.messages
    expect(mail!.text).toBe(alternative.text)
    expect(mail!.html).toBe(alternative.html)
    expect(mail!.links).toEqual(['https://shop.test/c?a=1&b=2'])
    expect(mail!.codes).toEqual(['123456'])
  })

  it('has text also where it is HTML alone, or nothing', async () => {
    const mailbox = make()
    await mailbox.transport.sendMail({ from, to: mailbox.address, html: alternative.html })
    await mailbox.client().send({ to: mailbox.address, content: 'Subject: only a header\n\n' })
    const [html, none] = mailbox.messages
    expect(html!.text).toBe('Code 123456 Confirm')
    expect(html!.codes).toEqual(['123456'])
    expect(none).toMatchObject({ text: '', html: undefined, links: [], codes: [], from: 'sender@client.test' })
  })

  it('is sent by whom From names, and by the envelope', async () => {
    const mailbox = make()
    const client = mailbox.client()
    await client.send({
      from: 'bounces@example.com',
      to: mailbox.address,
      content: 'From: A <a@example.com>, b@example.com\nCc: c@example.com\n\n',
    })
    await client.send({ from: null, to: mailbox.address, content: 'Subject: report\n\n' })
    expect(mailbox.messages[0]).toMatchObject({
      from: 'a@example.com',
      senders: ['a@example.com', 'b@example.com', 'bounces@example.com'],
      recipients: [mailbox.address, 'c@example.com'],
    })
    expect(mailbox.messages[1]).toMatchObject({ from: '', senders: [], subject: 'report' })
  })
})

describe('waiting for mail', () => {
  const send = (mailbox: TestMailbox, subject: string): Promise<unknown> =>
    mailbox.client().send({ from: 'shop@example.com', to: mailbox.address, subject, text: 'Hello.\n' })

  it('gives one after the other, now or later', async () => {
    const mailbox = make()
    await send(mailbox, 'one')
    expect((await mailbox.next()).subject).toBe('one')
    const later = mailbox.next()
    await send(mailbox, 'two')
    expect((await later).subject).toBe('two')
    await expect(mailbox.next({}, { within: 10 })).rejects.toThrow(/There came 2:\n.*"one".*\n +it was given out before/)
  })

  it('gives those that match, and leaves the rest for others', async () => {
    const mailbox = make()
    for (const subject of ['one', 'two', 'three']) await send(mailbox, subject)
    expect((await mailbox.next({ subject: /t/ })).subject).toBe('two')
    expect((await mailbox.next()).subject).toBe('one')
    expect((await mailbox.next()).subject).toBe('three')
    expect((await mailbox.receives({ subject: 'one' })).subject).toBe('one')
  })

  it('never gives the same to two', async () => {
    const mailbox = make()
    const both = Promise.all([mailbox.next(), mailbox.next()])
    await send(mailbox, 'one')
    await send(mailbox, 'two')
    expect((await both).map(({ subject }) => subject)).toEqual(['one', 'two'])
  })

  it('forgets when it is told to', async () => {
    const mailbox = make()
    await send(mailbox, 'one')
    mailbox.clear()
    expect(mailbox.messages).toEqual([])
    await mailbox.receivesNothing({}, { within: 1 })
  })

  it('says what came instead, why that does not match, and what was refused', async () => {
    const mailbox = make()
    await send(mailbox, 'Welcome')
    await mailbox.client().send({ to: 'other@example.com' })
    const asked = {
      subject: /confirm/,
      from: 'a@b.test',
      to: 'x@y.test',
      text: 'code',
      html: 'code',
      header: { 'X-A': 'b', Subject: /z/, To: true },
      where: () => false,
    } as const
    const error = await mailbox.receives(asked, { within: 5 }).catch((reason: Error) => reason.message)
    expect(error).toBe(
      [
        'Expected a mail with { subject: /confirm/, from: "a@b.test", to: "x@y.test", text: "code", html: "code", ' +
          'header: { "X-A": "b", "Subject": /z/, "To": true }, where: a function } within 5 ms. There came:',
        `  - "Welcome" from shop@example.com to ${mailbox.address}`,
        `     its subject is "Welcome"; it is from shop@example.com; it is to ${mailbox.address}; ` +
          'its text is "Hello.\\n"; it has no HTML; it has no X-A; its Subject is "Welcome"; it is not what `where` asks for',
        'Refused:',
        '  - recipient other@example.com: 550 No such recipient here',
      ].join('\n'),
    )
    await expect(make().next({}, { within: 1 })).rejects.toThrow('Expected any mail within 1 ms. None came.')
  })

  it('matches what is asked for, and nothing else', async () => {
    const mailbox = make()
    await mailbox
      .client()
      .send({
        from: 'Shop@Example.com',
        to: mailbox.alias('a'),
        content: 'X-Tag: one\nX-Tag: two\nTo: b@x.test\nSubject: Hi\n\nText\n',
      })
    const fits = [
      {},
      { subject: 'H' },
      { from: 'shop@example.COM' },
      { from: /^Shop/ },
      { to: mailbox.alias('a') },
      { to: 'b@x.test' },
      { text: /^Text$/m },
      { header: { 'x-tag': 'two' } },
      { header: { Subject: true } } as const,
      { where: () => true },
    ]
    for (const match of fits) expect((await mailbox.receives(match, { within: 1 })).subject).toBe('Hi')
    const sticky = /H/g
    for (let round = 0; round < 3; round++) await mailbox.receives({ subject: sticky }, { within: 1 })
    for (const match of [{ from: 'shop' }, { to: 'x.test' }, { header: { 'x-tag': 'three' } }])
      await mailbox.receivesNothing(match, { within: 1 })
  })

  it('tells at once when something comes where nothing should', async () => {
    const mailbox = make()
    const nothing = mailbox.receivesNothing({ subject: 'two' }, { within: 60_000 })
    await send(mailbox, 'one')
    await send(mailbox, 'two')
    await expect(nothing).rejects.toThrow(
      'The mailbox was to receive nothing like a mail with { subject: "two" }, but there came\n' +
        `  - "two" from shop@example.com to ${mailbox.address}`,
    )
  })

  it('passes on what `where` throws', async () => {
    const mailbox = make()
    await send(mailbox, 'one')
    await expect(
      mailbox.next({
        where: () => {
          throw new Error('mine')
        },
      }),
    ).rejects.toThrow('mine')
  })
})
