import { Child } from './children.ts'
import type { Sent } from './clients.ts'

/** How `openssl s_client` is to connect. */
export interface TlsClientOptions {
  readonly port: number
  readonly security: 'starttls' | 'implicit'
  /** The server name to ask for (SNI). */
  readonly name?: string
  /** The certificate to verify the server's by. */
  readonly ca?: string
  /** Further options of s_client. */
  readonly more?: readonly string[]
}

/** Starts `openssl s_client`. It tells what it found before it connects its standard input and output to the server. */
export function tlsClient({ port, security, name, ca, more = [] }: TlsClientOptions, quiet = false): Child {
  return new Child('openssl', [
    's_client', '-connect', `127.0.0.1:${port}`,
    ...(security === 'starttls' ? ['-starttls', 'smtp', '-name', 'client.test'] : []),
    ...(name === undefined ? [] : ['-servername', name, '-verify_hostname', name]),
    ...(ca === undefined ? [] : ['-CAfile', ca, '-verify_return_error']),
    // Without it a line that begins with R or Q is a command to s_client.
    ...(quiet ? ['-quiet'] : []),
    ...more,
  ])
}

/** An SMTP conversation in lock step through `openssl s_client`. */
export class Dialogue {
  readonly #child: Child
  readonly #greets: boolean
  #read = 0

  constructor(options: TlsClientOptions) {
    this.#child = tlsClient(options, true)
    this.#greets = options.security === 'implicit'
  }

  /** Says something, and waits for the last line of the reply. Empty where the server closes instead. */
  async say(words: string | Uint8Array): Promise<string> {
    this.#child.write(words)
    return this.reply()
  }

  /** The next reply. */
  async reply(): Promise<string> {
    const look = (): RegExpExecArray | undefined => {
      return /^(?:\d{3}-.*\r\n)*\d{3}(?: .*)?\r\n/.exec(this.#child.out.slice(this.#read)) ?? undefined
    }
    const found = await Promise.race([this.#child.ended.then(look), this.#child.until(look, 'a reply').catch(look)])
    const reply = found?.[0] ?? ''
    this.#read += reply.length
    return reply
  }

  /** A whole transaction, and the end of the conversation. */
  async transaction(mail: { from: string; to: readonly string[]; content: Buffer; hello: string }): Promise<Sent> {
    const said = this.#greets ? [await this.reply()] : []
    const words = [`EHLO ${mail.hello}`, `MAIL FROM:${mail.from}`, ...mail.to.map((to) => `RCPT TO:<${to}>`), 'DATA']
    for (const line of words) if (said.at(-1) !== '') said.push(await this.say(`${line}\r\n`))
    if (said.at(-1)?.startsWith('354')) {
      said.push(await this.say(Buffer.concat([stuffed(mail.content), Buffer.from('.\r\n')])))
    }
    const accepted = said.at(-1)?.startsWith('250') ?? false
    await this.say('QUIT\r\n')
    await this.#child.stop()
    return { accepted, said: said.join('') }
  }
}

/** The octets of a message with the dots of its lines doubled (RFC 5321 §4.5.2). */
export function stuffed(content: Buffer): Buffer {
  return Buffer.from(`\r\n${content.toString('latin1')}`.replaceAll('\r\n.', '\r\n..').slice(2), 'latin1')
}
