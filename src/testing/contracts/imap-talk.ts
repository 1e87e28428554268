import { patience } from '../../adapters/node/event-loop.ts'
import type { ClientTransport } from '../../adapters/memory/index.ts'
import { StageClient } from '../imap-stage.ts'
import type { ImapAnswer } from './imap-items.ts'
import { Amiss, type StoreMethod, type Witness } from './imap-witness.ts'

/** Something that is waited for. */
interface Awaited {
  readonly fits: (line: string) => boolean
  readonly suspects: readonly StoreMethod[]
  readonly resolve: (line: string) => void
  readonly reject: (error: Error) => void
}

/** A client that speaks IMAP, or any other protocol of lines and literals, and waits for answers. */
export class Talk {
  /** Lines that came and that no answer has taken. */
  heard: string[] = []
  /** Told each line that comes, before anybody acts on it. */
  onLine: (line: string) => void = () => undefined
  private readonly name: string
  private readonly client: StageClient
  private readonly witness: Witness
  private readonly patience: number
  private awaited: Awaited[] = []
  /** What came and could not be. */
  private wrong: Error | undefined
  private tags = 0
  private rest = ''
  /** Where the next line end is to be sought: behind literals. */
  private from = 0

  /** `patience`: milliseconds after which it waits no longer for a word of the server's. */
  constructor(name: string, wire: ClientTransport, witness: Witness, patience: number) {
    this.name = name
    this.patience = patience
    this.witness = witness
    this.client = new StageClient(wire, () => undefined, () => this.listen())
  }

  get closed(): boolean {
    return this.client.closed
  }

  /** Says octets. */
  say(octets: string): void {
    this.witness.note(`${this.name} > ${octets.trimEnd()}`)
    this.client.send(octets)
  }

  /** Sends a command; tells how it ended. */
  async send(command: string, ...suspects: StoreMethod[]): Promise<ImapAnswer> {
    const tag = `${this.name}${++this.tags}`
    const ended = this.until((line) => line.startsWith(`${tag} `), command, ...suspects)
    this.say(`${tag} ${command}\r\n`)
    const line = await ended
    const at = this.heard.indexOf(line)
    const lines = this.heard.splice(0, at + 1).slice(0, -1)
    const [, status, , code] = /^\S+ (OK|NO|BAD) (\[([^\]]*)\])?/.exec(line) ?? []
    return { command, status: status as ImapAnswer['status'], code: code ?? '', lines }
  }

  /** Sends a command that has to succeed. */
  async ok(command: string, ...suspects: StoreMethod[]): Promise<ImapAnswer> {
    const answer = await this.send(command, ...suspects)
    if (answer.status !== 'OK') throw new Amiss(`${nameOf(command)} was refused: ${answer.status} [${answer.code}]`, suspects)
    return answer
  }

  /** Sends a command that has to be refused with this code. */
  async refused(command: string, code: string, ...suspects: StoreMethod[]): Promise<void> {
    const answer = await this.send(command, ...suspects)
    if (answer.status === 'NO' && answer.code.split(' ')[0] === code) return
    throw new Amiss(`${nameOf(command)} was to be refused with [${code}], and ended ${answer.status} [${answer.code}]`, suspects)
  }

  /** Begins to IDLE. */
  async idle(): Promise<void> {
    const begun = this.until((line) => line.startsWith('+ '), 'IDLE')
    this.say(`${this.name}${++this.tags} IDLE\r\n`)
    await begun
    this.heard = []
  }

  /** Ends IDLE. */
  async done(): Promise<void> {
    const ended = this.until((line) => line.startsWith(`${this.name}${this.tags} OK`), 'DONE')
    this.say('DONE\r\n')
    await ended
    this.heard = []
  }

  /** A line that fits, of those that came or as soon as it comes. */
  until(fits: (line: string) => boolean, what: string, ...suspects: StoreMethod[]): Promise<string> {
    const there = this.heard.find(fits)
    if (this.wrong) return Promise.reject(this.wrong)
    if (there !== undefined) return Promise.resolve(there)
    if (this.closed) return Promise.reject(new Amiss(`The server has hung up before ${nameOf(what)}`, suspects))
    return new Promise((resolve, reject) => {
      const late = `Nothing was heard of ${nameOf(what)} within ${this.patience} ms`
      const patient = patience(this.patience, () => reject(new Amiss(late, suspects)))
      const over = <T>(act: (value: T) => void) => (value: T): void => {
        patient.cancel()
        act(value)
      }
      this.awaited.push({ fits, suspects, resolve: over(resolve), reject: over(reject) })
    })
  }

  /** Is gone without a word. */
  vanish(): void {
    this.client.reset()
  }

  private listen(): void {
    this.rest += this.client.take()
    for (let line = this.line(); line !== undefined; line = this.line()) this.take(line)
    if (!this.closed) return
    for (const { reject, suspects } of this.awaited.splice(0)) reject(new Amiss('The server has hung up', suspects))
  }

  private take(line: string): void {
    this.witness.note(`${this.name} < ${line}`)
    this.heard.push(line)
    try {
      this.onLine(line)
    } catch (error) {
      this.wrong = error as Error
      for (const { reject } of this.awaited.splice(0)) reject(this.wrong)
    }
    const waiting = this.awaited
    this.awaited = waiting.filter(({ fits }) => !fits(line))
    for (const { fits, resolve } of waiting) if (fits(line)) resolve(line)
  }

  /** The next line, when all of it is there. */
  private line(): string | undefined {
    while (this.rest.length >= this.from) {
      const end = this.rest.indexOf('\r\n', this.from)
      if (end < 0) return undefined
      const literal = /\{(\d+)\}$/.exec(this.rest.slice(Math.max(this.from, end - 12), end))
      if (literal) this.from = end + 2 + Number(literal[1])
      else {
        const line = this.rest.slice(0, end)
        this.rest = this.rest.slice(end + 2)
        this.from = 0
        return line
      }
    }
    return undefined
  }
}

/** The beginning of a command. */
function nameOf(command: string): string {
  const line = command.split('\r\n', 1)[0]!
  return line.length > 80 ? `${line.slice(0, 77)}...` : line
}
