import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import nodemailer from 'nodemailer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DnsTestServer, dnsServer } from '../adapters/node/dns-server.ts'
import { builtCli } from './built.ts'
import { command, type Line, servers } from './running.ts'

const main = builtCli()
const { folder, serve } = servers(main)

let dns: DnsTestServer
/** Speaks clamd's words: what has EICAR in it is a virus. */
let clamd: Server

beforeAll(async () => {
  dns = await dnsServer({
    'good.test': { TXT: ['v=spf1 ip4:127.0.0.1 -all'] },
    '_dmarc.good.test': { TXT: ['v=DMARC1; p=reject'] },
    'bad.test': { TXT: ['v=spf1 -all'] },
    '_dmarc.bad.test': { TXT: ['v=DMARC1; p=reject'] },
    '_dmarc.odd.test': { TXT: ['v=DMARC1; p=quarantine'] },
    '2.0.0.127.listed.test': { A: ['127.0.0.2'] },
  })
  clamd = createServer((socket) => {
    let text = ''
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (!text.endsWith('\u0000\u0000\u0000\u0000')) return
      socket.end(text.includes('EICAR') ? 'stream: Eicar-Test FOUND\u0000' : 'stream: OK\u0000')
    })
  })
  await new Promise<void>((resolve) => void clamd.listen(0, '127.0.0.1', () => resolve()))
})

afterAll(async () => {
  await dns.close()
  clamd.close()
})

/** The reply to a message, over a connection of its own. */
async function send(mx: number, domain: string, text = 'Hello'): Promise<string> {
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port: mx, tls: { rejectUnauthorized: false } })
  try {
    const from = `x@${domain}`
    const { response } = await transport.sendMail({ from, to: 'alice@example.test', subject: domain, text })
    return response
  } catch (error) {
    return (error as { response?: string }).response ?? String(error)
  } finally {
    transport.close()
  }
}

async function headersIn(data: string, mailbox: string): Promise<string[]> {
  const { out } = await command(main(), ['mail', '--data', data, '--mailbox', mailbox, '--raw'])
  return out.map((line) => {
    const raw = Buffer.from((JSON.parse(line) as Line)['raw'] as string, 'base64').toString('latin1')
    return raw.slice(0, raw.indexOf('\r\n\r\n')).replaceAll('\r\n\t', ' ').replaceAll('\r\n ', ' ')
  })
}

describe('checks of mail that comes in', () => {
  it('look who sent it, once a resolver is named', async () => {
    const data = folder()
    const { mx } = await serve(data, { POSTHORN_DNS: dns.at, POSTHORN_HOSTNAME: 'mx.example.test' })
    expect(await send(mx, 'good.test')).toMatch(/^250 /)
    expect(await send(mx, 'bad.test')).toMatch(/^550 5\.7\.1 /)
    expect(await send(mx, 'odd.test')).toMatch(/^250 /)
    expect(await send(mx, 'unknown.test')).toMatch(/^250 /)
    const [good, unknown] = await headersIn(data, 'INBOX')
    expect(good).toMatch(/^Authentication-Results: mx\.example\.test;.*spf=pass.*dmarc=pass/m)
    expect(unknown).toMatch(/^Authentication-Results: mx\.example\.test;.*spf=none/m)
    const [odd, ...more] = await headersIn(data, 'Spam')
    expect(odd).toMatch(/^Authentication-Results: mx\.example\.test;.*dmarc=fail/m)
    expect(more).toEqual([])
  })

  it('let this machine send what it likes, where nobody names them or a resolver', async () => {
    const data = folder()
    const { mx } = await serve(data)
    expect(await send(mx, 'bad.test')).toMatch(/^250 /)
    expect((await headersIn(data, 'INBOX'))[0]).not.toContain('Authentication-Results')
  })

  it('may be none at all', async () => {
    const { mx } = await serve(folder(), { POSTHORN_DNS: dns.at, POSTHORN_CHECKS: '' })
    expect(await send(mx, 'bad.test')).toMatch(/^250 /)
  })

  it('ask lists, let who is new wait, and explain what they did', async () => {
    const { server, mx } = await serve(folder(), {
      POSTHORN_DNS: dns.at, POSTHORN_CHECKS: 'spf,dnsbl=listed.test,greylist=300', POSTHORN_LOG: 'debug',
    })
    expect(await send(mx, 'unknown.test')).toMatch(/^450 4\.7\.1 /)
    const { explanation } = (await server.logged('explained')) as unknown as { explanation: Line }
    expect(explanation).toMatchObject({ outcome: { kind: 'deferred', stage: 'recipient' }, sender: 'x@unknown.test' })
    expect(dns.asked.map(({ name }) => name)).toContain('1.0.0.127.listed.test')
  })

  it('have a scanner look into it', async () => {
    const { port } = clamd.address() as { port: number }
    const { mx } = await serve(folder(), { POSTHORN_CHECKS: `clamd=127.0.0.1:${port}` })
    expect(await send(mx, 'good.test', 'Hello')).toMatch(/^250 /)
    expect(await send(mx, 'good.test', 'EICAR')).toMatch(/^550 5\.7\.1 .*Eicar-Test/)
  })

  it('keep mail waiting while a scanner for viruses is away', async () => {
    const { mx } = await serve(folder(), { POSTHORN_CHECKS: 'clamd=127.0.0.1:1' })
    expect(await send(mx, 'good.test')).toMatch(/^451 /)
  })
})

describe('a Sieve script', () => {
  it('sorts the mail of its account, also when it comes while the server runs', async () => {
    const data = folder()
    const { mx } = await serve(data)
    expect(await send(mx, 'first.test')).toMatch(/^250 /)
    const script = join(data, 'mine.sieve')
    writeFileSync(script, 'require ["fileinto", "mailbox"]; if address :domain "from" "list.test" { fileinto :create "Lists"; }')
    const put = ['sieve', 'put', 'alice@example.test', 'mine', script, '--activate', '--data', data]
    expect(await command(main(), put)).toMatchObject({ code: 0 })
    expect(await send(mx, 'list.test')).toMatch(/^250 /)
    expect(await send(mx, 'other.test')).toMatch(/^250 /)
    const subjectsIn = async (mailbox: string): Promise<(string | undefined)[]> =>
      (await headersIn(data, mailbox)).map((header) => /^Subject: (.*)$/m.exec(header)?.[1])
    expect(await subjectsIn('Lists')).toEqual(['list.test'])
    expect(await subjectsIn('INBOX')).toEqual(['first.test', 'other.test'])
  })
})
