import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from './children.ts'
import { freePort, type Held } from './held.ts'
import { untilListening } from './listening.ts'
import { SUPERUSER } from './programs.ts'

/** What tests with Exim need. */
export const EXIM = ['exim4', SUPERUSER] as const

/** It delivers nothing: what it accepts stays in its queue. */
function configurationOf(folder: string, host: string, port: number): string {
  return `primary_hostname = exim.test
exim_user = root
exim_group = root
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path =
daemon_smtp_ports = ${port}
local_interfaces = ${host}
log_selector = +subject +received_recipients
tls_advertise_hosts =
chunking_advertise_hosts = *
host_lookup =
queue_only = true
acl_smtp_rcpt = rcpt
acl_smtp_data = data
begin acl
rcpt:
  deny local_parts = nobody
       message = 5.1.1 nobody
  defer local_parts = later
       message = 4.2.0 later
  accept
data:
  deny condition = \${if match{$h_subject:}{spam}}
       message = 5.7.1 spam
  accept
begin routers
all:
  driver = accept
  transport = nowhere
begin transports
nowhere:
  driver = appendfile
  file = /dev/null
  user = root
`
}

/** An Exim of its own: queue, configuration and port are those of the test. */
export class Exim {
  readonly #child: Child
  readonly #log: string
  readonly port: number

  private constructor(child: Child, log: string, port: number) {
    this.#child = child
    this.#log = log
    this.port = port
  }

  /** Starts it, on a port that is free unless it is told where. */
  static async start(held: Held, { host = '127.0.0.1', port = 0 } = {}): Promise<Exim> {
    const folder = held.folder('exim')
    for (const name of ['spool', 'log']) mkdirSync(join(folder, name))
    const own = port || (await freePort())
    const path = join(folder, 'exim.conf')
    writeFileSync(path, configurationOf(folder, host, own), { mode: 0o644 })
    const child = new Child('exim4', ['-C', path, '-bdf'])
    const exim = held.keep(new Exim(child, join(folder, 'log/mainlog'), own))
    await untilListening(child, own, host)
    return exim
  }

  /** What it has logged: a line for each message that it has taken, among others. */
  get log(): string {
    return readFileSync(this.#log, 'utf8')
  }

  async stop(): Promise<void> {
    await this.#child.stop()
  }
}
