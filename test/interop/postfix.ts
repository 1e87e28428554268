import { chownSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { Child, run } from './children.ts'
import { freePort, type Held } from './held.ts'
import type { Mail } from './mail.ts'
import { programAt, SUPERUSER } from './programs.ts'

/** What tests with Postfix need. */
export const POSTFIX = ['postfix', 'postqueue', SUPERUSER] as const

/** What a message goes with. */
export interface Posting {
  readonly from?: string
  readonly to: string | readonly string[]
}

/** What Postfix must have to run beside everything else, and not to make a test wait. */
function mainOf(folder: string, port: number): string {
  return `compatibility_level = 3.6
queue_directory = ${folder}/spool
data_directory = ${folder}/data
maillog_file = /dev/stdout
myhostname = postfix.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
disable_dns_lookups = yes
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
message_size_limit = 50000000
smtputf8_enable = yes
default_transport = smtp:[127.0.0.1]:${port}
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
smtp_tls_loglevel = 1
`
}

/** The services, none of them in a chroot. `qmgr` looks after deferred mail every second. */
function masterOf(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
`
}

/** A Postfix of its own: queue, configuration and ports are those of the test, the one of the system is not touched. */
export class Postfix {
  readonly #child: Child
  readonly #etc: string
  readonly #port: number
  readonly #pidFile: string

  private constructor(child: Child, folder: string, port: number) {
    this.#child = child
    this.#etc = join(folder, 'etc')
    this.#port = port
    this.#pidFile = join(folder, 'spool/pid/master.pid')
  }

  /**
   * Starts it, on a port that is free unless one is wanted. `main` is added to its main.cf; mail for elsewhere (bounces, say)
   * goes to `receiver` on the loopback.
   */
  static async start(held: Held, main: string, receiver: number, wanted = 0): Promise<Postfix> {
    const folder = held.folder('postfix')
    for (const name of ['etc', 'spool', 'data']) mkdirSync(join(folder, name))
    chownSync(join(folder, 'data'), await idOf('postfix'), -1)
    const port = wanted || (await freePort())
    writeFileSync(join(folder, 'etc/main.cf'), `${mainOf(folder, receiver)}${main}`)
    writeFileSync(join(folder, 'etc/master.cf'), masterOf(port))
    // Its log goes to a pipe, for it cannot open the socket that is a child's standard output here.
    const child = new Child('sh', ['-c', '"$0" -c "$1" start-fg 2>&1 | cat', programAt('postfix'), join(folder, 'etc')])
    const postfix = new Postfix(child, folder, port)
    await postfix.said(/daemon started/)
    return held.keep(postfix)
  }

  /** All that it has logged. */
  get log(): string {
    return this.#child.text
  }

  get port(): number {
    return this.#port
  }

  /** The first match in its log. */
  said(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    return this.#child.said(pattern, from)
  }

  /** Hands it a message, from the loopback; it has queued it then. */
  async post(mail: Mail, { from = 'sender@client.test', to }: Posting): Promise<void> {
    const where = { host: '127.0.0.1', port: this.#port, localAddress: '127.0.0.33' }
    const transport = createTransport({ ...where, name: 'origin.test', ignoreTLS: true })
    try {
      await transport.sendMail({ envelope: { from, to: [to].flat() }, raw: mail.octets })
    } finally {
      transport.close()
    }
  }

  /** Resolves when its queue is empty: everything has been delivered or returned. */
  async emptied(): Promise<void> {
    const { out } = await run('postqueue', ['-c', this.#etc, '-j'])
    const ids = out.split('\n').filter((line) => line !== '').map((line) => (JSON.parse(line) as { queue_id: string }).queue_id)
    await Promise.all(ids.map((id) => this.said(new RegExp(`${id}: removed`))))
    if (ids.length > 0) await this.emptied()
  }

  /** Has it try everything in its queue now. */
  async flush(): Promise<void> {
    await run('postqueue', ['-c', this.#etc, '-f'])
  }

  async stop(): Promise<void> {
    // The command only waits for the master process, which takes all others with it.
    process.kill(Number(readFileSync(this.#pidFile, 'utf8')), 'SIGTERM')
    await this.#child.ended
  }
}

async function idOf(user: string): Promise<number> {
  const { out } = await run('id', ['-u', user])
  return Number(out)
}
