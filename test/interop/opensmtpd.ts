import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './children.ts'
import { freePort, type Held } from './held.ts'
import { untilListening } from './listening.ts'
import { SUPERUSER } from './programs.ts'

/** What tests with OpenSMTPD need. */
export const OPENSMTPD = ['smtpd', SUPERUSER] as const

/** It looks at no content: nothing is refused when it is there. */
function configurationOf(host: string, port: number, to: number): string {
  return `table rejected { "nobody@example.test" }
table deferred { "later@example.test" }
filter "who" phase rcpt-to match rcpt-to <rejected> reject "550 5.1.1 nobody"
filter "when" phase rcpt-to match rcpt-to <deferred> reject "450 4.2.0 later"
listen on ${host} port ${port} hostname opensmtpd.test filter { "who" "when" }
action "out" relay host smtp://127.0.0.1:${to}
match from any for any action "out"
`
}

/** An OpenSMTPD with a configuration and a port of the test. Its queue is that of the system, which is built into it. */
export class OpenSmtpd {
  readonly #child: Child
  readonly port: number

  private constructor(child: Child, port: number) {
    this.#child = child
    this.port = port
  }

  /** Starts it, on a port that is free unless it is told where; what it takes it hands to `receiver` on the loopback. */
  static async start(held: Held, receiver: number, { host = '127.0.0.1', port: wanted = 0 } = {}): Promise<OpenSmtpd> {
    const port = wanted || (await freePort())
    const path = join(held.folder('opensmtpd'), 'smtpd.conf')
    writeFileSync(path, configurationOf(host, port, receiver), { mode: 0o644 })
    // Where it locks its unprivileged half up.
    mkdirSync('/var/lib/opensmtpd/empty', { recursive: true })
    const child = new Child('smtpd', ['-d', '-f', path])
    const server = held.keep(new OpenSmtpd(child, port))
    await untilListening(child, port, host)
    return server
  }

  async stop(): Promise<void> {
    await this.#child.stop()
  }
}
