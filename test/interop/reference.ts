import { existsSync } from 'node:fs'
import { Child, PATIENCE, run } from './children.ts'
import { freePort, type Held } from './held.ts'

const program = 'dist/cli/main.js'

/** A message as `posthorn mail --raw` shows it. */
export interface Kept {
  readonly account: string
  readonly mailbox: string
  readonly subject: string
  readonly octets: number
  readonly raw: Buffer
}

/** `posthorn serve` in a process of its own, and its data folder. */
export class Reference {
  readonly data: string
  #child: Child | undefined
  #ports: Readonly<Record<string, number>> = {}
  readonly #settings: Readonly<Record<string, string>>

  constructor(held: Held, settings: Readonly<Record<string, string>> = {}) {
    if (!existsSync(program)) throw new Error(`${program} is not there: npm run build makes it`)
    this.data = held.folder('data')
    this.#settings = settings
    held.later(() => this.stop())
  }

  /** The MX port; the same one after a restart. */
  get port(): number {
    return this.#ports['mx'] ?? 0
  }

  get lmtpPort(): number {
    return this.#ports['lmtp'] ?? 0
  }

  get submissionPort(): number {
    return this.#ports['submission'] ?? 0
  }

  get imapPort(): number {
    return this.#ports['imap'] ?? 0
  }

  get imapsPort(): number {
    return this.#ports['imaps'] ?? 0
  }

  get smtpsPort(): number {
    return this.#ports['smtps'] ?? 0
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** Its log. */
  get log(): string {
    return this.#child?.err ?? ''
  }

  /** Starts it, once more or for the first time; it is ready then. */
  async start(): Promise<void> {
    const env = {
      POSTHORN_MX_PORT: String(this.port || (await freePort())),
      POSTHORN_LMTP_PORT: String(this.lmtpPort || (await freePort())),
      POSTHORN_SUBMISSION_PORT: String(this.submissionPort || (await freePort())),
      POSTHORN_SMTPS_PORT: String(this.smtpsPort || (await freePort())),
      POSTHORN_IMAP_PORT: String(this.imapPort || (await freePort())),
      POSTHORN_IMAPS_PORT: String(this.imapsPort || (await freePort())),
      POSTHORN_DATA: this.data,
      ...this.#settings,
    }
    const child = new Child('node', [program, 'serve'], { env })
    this.#child = child
    const [line] = await child.said(/^\{"event":"ready".*$/m)
    this.#ports = (JSON.parse(line) as { ports: Record<string, number> }).ports
  }

  /** The `message` lines so far. */
  get told(): number {
    return this.#child?.out.match(/^\{"event":"message"/gm)?.length ?? 0
  }

  /** Resolves when it has told of so many messages since it was started. */
  async tells(messages: number): Promise<void> {
    await this.#child?.until(() => (this.told >= messages ? true : undefined), `${messages} messages`)
  }

  /** SIGTERM; the exit code. */
  async stop(): Promise<number | null> {
    const child = this.#child
    this.#child = undefined
    return (await child?.stop())?.code ?? null
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    await child?.stop('SIGKILL')
  }

  /** What `posthorn queue` prints, line by line. */
  async queue(...given: readonly string[]): Promise<Readonly<Record<string, unknown>>[]> {
    const { code, out, err } = await run('node', [program, 'queue', ...given, '--data', this.data])
    if (code !== 0) throw new Error(err)
    return out.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  /** Resolves when nothing waits to be delivered. Rejects after so many milliseconds. */
  async drained(patience = PATIENCE): Promise<void> {
    const until = performance.now() + patience
    for (;;) {
      const [counts] = await this.queue('counts')
      if (counts?.['jobs'] === 0) return
      if (performance.now() > until) throw new Error(JSON.stringify([counts, await this.queue('list')]))
    }
  }

  /** Everything that is stored. It works while the server runs, and while it does not. */
  async mail(): Promise<Kept[]> {
    const { code, out, err } = await run('node', [program, 'mail', '--data', this.data, '--raw'])
    if (code !== 0) throw new Error(err)
    const lines = out.split('\n').filter((line) => line !== '')
    return lines.map((line) => {
      const { raw, ...rest } = JSON.parse(line) as Omit<Kept, 'raw'> & { raw: string }
      return { ...rest, raw: Buffer.from(raw, 'base64') }
    })
  }
}
