import type { Terminal } from './terminal.ts'

/** Milliseconds between two looks at how far it is. */
const EVERY = 200
const MIB = 1024 * 1024

/** Tells a person how far long work is; nobody else. */
export class Progress {
  messages = 0
  octets = 0
  readonly #terminal: Terminal
  readonly #done: string
  readonly #all: number | undefined
  #told = -Infinity

  /** `done`: what happens to messages (`exported`). `all`: how many there are, if that is known. */
  constructor(terminal: Terminal, done: string, all?: number) {
    this.#terminal = terminal
    this.#done = done
    this.#all = all
  }

  /** One more. */
  add(octets: number): void {
    this.messages++
    this.octets += octets
    if (!this.#terminal.watched) return
    const now = this.#terminal.clock.ticks()
    if (now - this.#told < EVERY) return
    this.#told = now
    this.#terminal.progress(this.#text())
  }

  /** It is over, well or not. */
  end(): void {
    if (this.#terminal.watched && this.#told > -Infinity) this.#terminal.progress(`${this.#text()}\n`)
  }

  #text(): string {
    const of = this.#all === undefined ? '' : ` of ${this.#all}`
    return `${this.messages}${of} messages ${this.#done}, ${Math.round(this.octets / MIB)} MiB`
  }
}
