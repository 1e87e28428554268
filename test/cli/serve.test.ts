import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import nodemailer from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { selfSigned } from '../../src/adapters/node/index.ts'
import { builtCli } from './built.ts'
import { Dialogue } from './dialogue.ts'
import { command, type Line, servers } from './running.ts'

const main = builtCli()
const { folder, serve } = servers(main)

async function mail(data: string, ...flags: readonly string[]): Promise<Line[]> {
  const { code, out, error } = await command(main(), ['mail', '--data', data, ...flags])
  expect({ code, error }).toEqual({ code: 0, error: '' })
  return out.map((line) => JSON.parse(line) as Line)
}

const users = 'alice@example.test:wonderland,bob@example.test:builder'

describe('posthorn serve', () => {
  it('takes mail of a client, says so, and shows it beside itself', async () => {
    const data = folder()
    const { server, ready, mx } = await serve(data, { POSTHORN_USERS: users, POSTHORN_HOSTNAME: 'mx.example.test' })
    const free = expect.any(Number) as number
    const ports = { mx, submission: free, smtps: free, lmtp: free, imap: free, imaps: free }
    expect(ready).toEqual({ event: 'ready', ports, pid: server.child.pid, version: '0.1.0' })
    const transport = nodemailer.createTransport({ host: '127.0.0.1', port: mx, tls: { rejectUnauthorized: false } })
    await transport.sendMail({
      from: 'Zoë <zoe@sender.test>',
      to: ['Alice+lists@example.test', 'bob@example.test', 'BOB@EXAMPLE.TEST'],
      subject: 'Grüße',
      text: 'Hello',
    })
    transport.close()
    const told = await server.event('message')
    expect(told).toEqual({
      event: 'message',
      id: '1',
      transaction: expect.any(String),
      received: expect.stringMatching(/^\d{4}-.*Z$/),
      sender: 'zoe@sender.test',
      recipients: ['Alice+lists@example.test', 'bob@example.test', 'BOB@example.test'],
      octets: expect.any(Number),
    })
    const { received, octets } = told
    const shown = { id: '1', mailbox: 'INBOX', uid: 1, received, from: 'Zoë <zoe@sender.test>', subject: 'Grüße' }
    const [first, second, ...more] = await mail(data, '--raw')
    expect(more).toEqual([])
    expect(first).toEqual({ ...shown, account: 'alice@example.test', octets, raw: expect.any(String) })
    expect(second).toEqual({ ...shown, account: 'bob@example.test', octets, raw: first?.['raw'] })
    const raw = Buffer.from(first?.['raw'] as string, 'base64').toString()
    expect(raw).toHaveLength(octets as number)
    expect(raw).toMatch(/^Return-Path: <zoe@sender.test>\r\nReceived: from .* by mx.example.test with ESMTPS id /s)
    expect(raw.endsWith('\r\n\r\nHello\r\n')).toBe(true)
    expect(await mail(data, '--account', 'BOB@example.test', '--mailbox', 'inbox')).toHaveLength(1)
    expect(await mail(data, '--mailbox', 'Archive')).toEqual([])
    expect(await command(main(), ['mail', '--data', data, '--account', 'x@y.test'])).toMatchObject({
      code: 2,
      error: 'posthorn: There is no account x@y.test here. Without --account the mail of all is shown',
    })
    expect(server.out).toHaveLength(2)
    expect(await server.stop()).toEqual({ code: 0, signal: null })
    const six = (what: string): string[] => Array<string>(6).fill(what)
    const said = server.error.map((line) => (JSON.parse(line) as Line)['msg'])
    expect(said).toEqual([...six('listening'), 'ready', 'stopping', ...six('stopped')])
  })

  it('takes mail from its users, over both kinds of TLS, for each other', async () => {
    const data = folder()
    const other = await serve(folder(), { POSTHORN_DOMAINS: 'other.test', POSTHORN_USERS: 'joe@other.test:secret' })
    const { server, submission, smtps } = await serve(data, {
      POSTHORN_USERS: users, POSTHORN_HOSTNAME: 'mx.example.test', POSTHORN_SMARTHOST: `smtp://127.0.0.1:${other.mx}`,
    })
    const auth = { user: 'Alice@example.test', pass: 'wonderland' }
    const over = async (port: number, secure: boolean, mail: object, who = auth): Promise<string> => {
      const tls = { rejectUnauthorized: false }
      const transport = nodemailer.createTransport({ host: '127.0.0.1', port, secure, requireTLS: !secure, auth: who, tls })
      try {
        return (await transport.sendMail({ from: 'alice@example.test', to: 'bob@example.test', text: 'Hello', ...mail })).response
      } catch (error) {
        return String((error as { response?: string }).response)
      } finally {
        transport.close()
      }
    }
    expect(await over(submission, false, { subject: 'one', bcc: 'alice@example.test' })).toBe('250 2.0.0 queued as 1')
    expect(await server.event('message')).toMatchObject({ id: '1', recipients: ['bob@example.test', 'alice@example.test'] })
    expect(await over(smtps, true, { subject: 'two' })).toBe('250 2.0.0 queued as 2')
    expect(await over(smtps, true, {}, { ...auth, pass: 'wrong' })).toBe('535 5.7.8 Authentication credentials invalid')
    expect(await over(smtps, true, { from: 'bob@example.test' })).toMatch(/^553 5\.7\.1 /)
    expect(await over(smtps, true, { subject: 'three', to: 'joe@other.test' })).toMatch(/^250 2\.0\.0 queued as \w+$/)
    expect(await other.server.event('message')).toMatchObject({ sender: 'alice@example.test', recipients: ['joe@other.test'] })
    expect(await over(smtps, true, { subject: 'four', to: 'nobody@other.test' })).toMatch(/^250 2\.0\.0 queued as \w+$/)
    await expect.poll(() => mail(data, '--account', 'alice@example.test'), { timeout: 30_000, interval: 200 }).toHaveLength(2)
    expect((await mail(data, '--account', 'alice@example.test'))[1]?.['subject']).toBe('Your message could not be delivered')
    const [first, second] = await mail(data, '--account', 'bob@example.test', '--raw')
    const text = (line: Line | undefined): string => Buffer.from(line?.['raw'] as string, 'base64').toString()
    expect(text(first)).toMatch(/^Return-Path: <alice@example.test>\r\nDKIM-Signature: .*\r\nReceived: from .* with ESMTPSA id /s)
    const traces = 'Delivered-To: bob@example.test\r\nDKIM-Signature: '
    expect(text(second).startsWith(`Return-Path: <alice@example.test>\r\n${traces}`)).toBe(true)
  })

  it('keeps the accounts that it has, and counts what is in them', async () => {
    const data = folder()
    const settings = { POSTHORN_QUOTA: '20kB', POSTHORN_PLAINTEXT_AUTH: '1', POSTHORN_DKIM: '0' }
    await (await serve(data, { ...settings, POSTHORN_USERS: users })).server.stop()
    const again = { ...settings, POSTHORN_USERS: users.replace('wonderland', 'looking-glass') }
    const { mx, submission } = await serve(data, again)
    const client = new Dialogue(submission)
    await client.say()
    expect(await client.sayAll('EHLO client.test')).toContain('AUTH ')
    const plain = (password: string): string => Buffer.from(`\0alice@example.test\0${password}`).toString('base64')
    const login = (password: string): string => `AUTH PLAIN ${plain(password)}`
    expect(await client.sayAll(login('looking-glass'))).toMatch(/^535 /)
    expect(await client.sayAll(login('wonderland'))).toMatch(/^235 /)
    client.close()
    const sender = new Dialogue(mx)
    await sender.say()
    const full = await sender.sayAll('EHLO client.test', 'MAIL FROM:<> SIZE=20000', 'RCPT TO:<bob@example.test>')
    expect(full).toMatch(/^552 5\.2\.3 /)
    sender.close()
    // It was told not to sign.
    expect(readdirSync(data)).not.toContain('dkim')
  })

  it('answers for each recipient', async () => {
    const settings = { POSTHORN_DOMAINS: 'example.test,two.test', POSTHORN_USERS: users, POSTHORN_HOSTNAME: 'mx.test' }
    const { mx } = await serve(folder(), settings)
    const client = new Dialogue(mx)
    await client.say()
    await client.sayAll('EHLO client.test', 'MAIL FROM:<>')
    const rcpt = (to: string): Promise<string> => client.sayAll(`RCPT TO:<${to}>`)
    expect(await rcpt('alice@example.test')).toMatch(/^250 2\.1\.5 /)
    expect(await rcpt('ALICE@Example.Test')).toMatch(/^250 /)
    expect(await rcpt('alice+tag@example.test')).toMatch(/^250 /)
    expect(await rcpt('Postmaster')).toMatch(/^250 /)
    expect(await rcpt('postmaster@two.test')).toMatch(/^250 /)
    expect(await rcpt('postmaster@mx.test')).toMatch(/^250 /)
    expect(await rcpt('carol@example.test')).toBe('550 5.1.1 No such user here')
    expect(await rcpt('alice@two.test')).toBe('550 5.1.1 No such user here')
    expect(await rcpt('+tag@example.test')).toBe('550 5.1.1 No such user here')
    expect(await rcpt('alice@elsewhere.test')).toBe('550 5.7.1 Relaying denied: that domain is not one of mine')
    client.close()
  })

  it('gives one reply a recipient over LMTP, and each account one copy', async () => {
    const data = folder()
    const { server, lmtp } = await serve(data, { POSTHORN_USERS: users })
    const client = new Dialogue(lmtp)
    await client.say()
    await client.sayAll('LHLO client.test', 'MAIL FROM:<joe@sender.test>')
    const rcpts = ['bob@example.test', 'nobody@example.test', 'bob+2@example.test', 'alice@example.test']
    for (const to of rcpts) await client.say(`RCPT TO:<${to}>`)
    expect(await client.sayAll('DATA')).toMatch(/^354 /)
    const replies = await client.say('Subject: x\r\n\r\n..\r\n.', 3)
    expect(replies.map((reply) => reply.slice(0, 9))).toEqual(['250 2.0.0', '250 2.0.0', '250 2.0.0'])
    client.close()
    expect(await server.event('message')).toMatchObject({ recipients: [rcpts[0], rcpts[2], rcpts[3]] })
    const stored = await mail(data, '--raw')
    expect(stored.map(({ account, id }) => [account, id])).toEqual([['alice@example.test', '1'], ['bob@example.test', '1']])
    expect(Buffer.from(stored[0]?.['raw'] as string, 'base64').toString()).toMatch(/\r\n\r\n\.\r\n$/)
  })

  it('tells its size, and keeps large mail as it came', async () => {
    const data = folder()
    const { server, mx } = await serve(data, { POSTHORN_MAX_SIZE: '3MB', POSTHORN_LMTP_PORT: '0' })
    const client = new Dialogue(mx)
    await client.say()
    expect(await client.sayAll('EHLO client.test')).toContain('250-SIZE 3000000\r\n')
    expect(await client.sayAll('MAIL FROM:<a@sender.test> SIZE=3000001')).toMatch(/^552 5\.3\.4 /)
    await client.sayAll('MAIL FROM:<a@sender.test>', 'RCPT TO:<alice@example.test>', 'DATA')
    const line = `${'x'.repeat(70)}\r\n`
    expect(await client.sayAll(`Subject: large\r\n\r\n${line.repeat(30_000)}.`)).toMatch(/^250 /)
    client.close()
    expect(await server.event('message')).toMatchObject({ sender: 'a@sender.test', octets: expect.any(Number) })
    const [stored] = await mail(data, '--raw')
    const raw = Buffer.from(stored?.['raw'] as string, 'base64').toString()
    expect(raw.slice(raw.indexOf('\r\n\r\n') + 4)).toBe(line.repeat(30_000))
  })

  it('offers STARTTLS with a certificate of its own', async () => {
    const data = folder()
    const { mx } = await serve(data, { POSTHORN_HOSTNAME: 'mx.example.test' })
    const client = new Dialogue(mx)
    await client.say()
    expect(await client.sayAll('EHLO client.test')).toContain('250-STARTTLS\r\n')
    expect(await client.sayAll('STARTTLS')).toMatch(/^220 /)
    client.socket.removeAllListeners('data')
    const ca = readFileSync(join(data, 'tls', 'self-signed.crt'))
    const secure = connectTls({ socket: client.socket, ca, servername: 'mx.example.test' })
    await new Promise<void>((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject))
    expect(secure.authorized).toBe(true)
    secure.write('EHLO client.test\r\n')
    const [greeting] = (await new Promise((resolve) => secure.once('data', resolve)).then(String)).split('\r\n')
    expect(greeting).toMatch(/^250-mx\.example\.test/)
    secure.destroy()
  })

  it('takes the certificate it is given, and settings from a module', async () => {
    const data = folder()
    const pair = selfSigned({ hostname: 'given.example.test' })
    writeFileSync(join(data, 'a.crt'), pair.cert)
    writeFileSync(join(data, 'a.key'), pair.key)
    const settings = { tlsCert: join(data, 'a.crt'), tlsKey: join(data, 'a.key'), hostname: 'given.example.test' }
    writeFileSync(join(data, 'settings.mjs'), `export default ${JSON.stringify(settings)}`)
    const { mx } = await serve(data, { POSTHORN_HOSTNAME: 'x' }, ['--config', join(data, 'settings.mjs')])
    const client = new Dialogue(mx)
    expect(await client.say()).toEqual(['220 given.example.test ESMTP'])
    await client.sayAll('EHLO client.test', 'STARTTLS')
    client.socket.removeAllListeners('data')
    const secure = connectTls({ socket: client.socket, ca: pair.cert, servername: 'given.example.test' })
    await new Promise<void>((resolve, reject) => secure.once('secureConnect', resolve).once('error', reject))
    secure.destroy()
  })

  it('believes proxies, and only those', async () => {
    const { server, mx } = await serve(folder(), { POSTHORN_PROXY_FROM: '127.0.0.0/8', POSTHORN_LOG: 'debug' })
    const client = new Dialogue(mx)
    client.socket.write('PROXY TCP4 203.0.113.9 192.0.2.1 4711 25\r\n')
    expect((await client.say())[0]).toMatch(/^220 /)
    expect(await server.logged('connected')).toMatchObject({ level: 'debug', address: '203.0.113.9', port: 4711 })
    client.close()
  })

  it('takes so many connections and no more', async () => {
    const { mx } = await serve(folder(), { POSTHORN_MAX_CONNECTIONS: 'smtp:30' })
    const clients = Array.from({ length: 30 }, () => new Dialogue(mx))
    for (const client of clients) expect((await client.say())[0]).toMatch(/^220 /)
    const late = new Dialogue(mx)
    expect((await late.say())[0]).toMatch(/^421 4\.3\.2 /)
    for (const client of [...clients, late]) client.close()
  })
})
