import { createTransport } from 'nodemailer'
import { readFileSync, writeFileSync } from 'node:fs'
import { run } from './children.ts'
import { Dialogue } from './openssl.ts'

/** How a connection is secured. */
export type Security = 'plain' | 'starttls' | 'implicit'

/** What a client is to do. */
export interface Sending {
  readonly port: number
  /** Of nodemailer alone; default `localhost`. */
  readonly host?: string
  readonly security?: Security
  /** The certificate to verify the server's by; its name is `localhost`. */
  readonly ca?: string
  readonly from?: string
  readonly to: readonly string[]
  /** The path of the message. */
  readonly file: string
  /** It holds octets above 127. */
  readonly eightBit?: boolean
  /** Addresses or headers are in UTF-8. */
  readonly utf8?: boolean
  readonly auth?: { readonly mechanism: 'PLAIN' | 'LOGIN' | 'CRAM-MD5'; readonly user: string; readonly password: string }
  /** The address to connect from. */
  readonly source?: string
}

/** What became of it. */
export interface Sent {
  /** The client holds the message to be delivered, to one recipient at least. */
  readonly accepted: boolean
  /** Everything it said, for the replies in it. */
  readonly said: string
}

/** A program or library that sends mail. */
export interface Client {
  readonly name: string
  readonly programs: readonly string[]
  readonly securities: readonly Security[]
  /** It can ask for SMTPUTF8. */
  readonly utf8: boolean
  /** It can log in. */
  readonly auth: boolean
  send(sending: Sending): Promise<Sent>
}

const FROM = 'sender@client.test'
const HELLO = 'client.test'
const all = ['plain', 'starttls', 'implicit'] as const

const swaks: Client = {
  name: 'swaks',
  programs: ['swaks'],
  securities: all,
  utf8: false,
  auth: true,
  async send(sending) {
    // It ends the message with a line end of its own.
    const file = `${sending.file}.swaks`
    writeFileSync(file, readFileSync(sending.file).subarray(0, -2))
    const { code, text } = await run('swaks', swaksOptions({ ...sending, file }))
    return { accepted: code === 0, said: text }
  },
}

/** What swaks is told, to be added to. */
export function swaksOptions({ port, security, ca, from = FROM, to, file, auth, source }: Sending): string[] {
  return [
    '--server', `127.0.0.1:${port}`, '--ehlo', HELLO, '--from', from, '--to', to.join(','),
    '--data', `@${file}`, '--suppress-data',
    ...(security === 'starttls' ? ['--tls'] : security === 'implicit' ? ['--tls-on-connect'] : []),
    ...(ca === undefined ? [] : ['--tls-verify', '--tls-ca-path', ca]),
    ...(auth ? ['--auth', auth.mechanism, '--auth-user', auth.user, '--auth-password', auth.password] : []),
    ...(source === undefined ? [] : ['--local-interface', source]),
  ]
}

const curl: Client = {
  name: 'curl',
  programs: ['curl'],
  securities: all,
  utf8: true,
  auth: true,
  async send({ port, security, ca, from = FROM, to, file, auth, source }) {
    const scheme = security === 'implicit' ? 'smtps' : 'smtp'
    const { code, text } = await run('curl', [
      '--silent', '--show-error', '--verbose', `${scheme}://localhost:${port}/${HELLO}`, '--ipv4', '--upload-file', file,
      '--mail-from', from, ...to.flatMap((one) => ['--mail-rcpt', one]), '--mail-rcpt-allowfails',
      ...(security === 'starttls' ? ['--ssl-reqd'] : []),
      ...(ca === undefined ? ['--insecure'] : ['--cacert', ca]),
      ...(auth ? ['--user', `${auth.user}:${auth.password}`, '--login-options', `AUTH=${auth.mechanism}`] : []),
      ...(source === undefined ? [] : ['--interface', source]),
    ])
    return { accepted: code === 0, said: text }
  },
}

const smtplib: Client = {
  name: 'smtplib',
  programs: ['python3'],
  securities: all,
  utf8: true,
  auth: true,
  async send({ from = FROM, to, file, security = 'plain', ...rest }) {
    const task = JSON.stringify({ ...rest, from, to, file, security, hello: HELLO })
    const { code, text } = await run('python3', [new URL('smtplib_client.py', import.meta.url).pathname], { input: task })
    return { accepted: code === 0, said: text }
  },
}

const nodemailer: Client = {
  name: 'nodemailer',
  programs: [],
  securities: all,
  utf8: true,
  auth: true,
  async send({ port, host = 'localhost', security, ca, from = FROM, to, file, auth, source }) {
    const transport = createTransport({
      host,
      port,
      name: HELLO,
      secure: security === 'implicit',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'plain',
      ...(source === undefined ? {} : { localAddress: source }),
      ...(auth ? { authMethod: auth.mechanism, auth: { user: auth.user, pass: auth.password } } : {}),
      tls: ca === undefined ? { rejectUnauthorized: false } : { ca: readFileSync(ca) },
    })
    try {
      const sent = await transport.sendMail({ envelope: { from, to: [...to] }, raw: readFileSync(file) })
      return { accepted: true, said: [sent.response, ...(sent.rejectedErrors ?? []).map((error) => error.message)].join('\n') }
    } catch (error) {
      return { accepted: false, said: String(error) }
    } finally {
      transport.close()
    }
  },
}

const openssl: Client = {
  name: 'openssl s_client',
  programs: ['openssl'],
  securities: ['implicit', 'starttls'],
  utf8: true,
  auth: false,
  async send({ port, from = FROM, to, file, eightBit, utf8, security, ca }) {
    if (security !== 'starttls' && security !== 'implicit') throw new Error('openssl speaks TLS')
    const dialogue = new Dialogue({ port, security, name: 'localhost', ...(ca === undefined ? {} : { ca }) })
    const parameters = `${eightBit ? ' BODY=8BITMIME' : ''}${utf8 ? ' SMTPUTF8' : ''}`
    return dialogue.transaction({ from: `<${from}>${parameters}`, to, content: readFileSync(file), hello: HELLO })
  },
}

/** Everybody who can send a message on its own. */
export const clients: readonly Client[] = [swaks, curl, smtplib, nodemailer, openssl]

/** One of them. */
export function clientNamed(name: 'swaks' | 'curl' | 'nodemailer'): Client {
  return clients.find((client) => client.name === name)!
}
