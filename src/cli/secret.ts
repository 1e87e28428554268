import { MailError } from '../protocol/session/errors.ts'

/** The part of standard input that secrets are read from. */
interface Input {
  readonly isTTY?: boolean
  setRawMode?(raw: boolean): unknown
  setEncoding(encoding: 'utf8'): unknown
  on(event: 'data', heard: (text: string) => void): unknown
  on(event: 'end' | 'error', heard: () => void): unknown
  resume(): unknown
  pause(): unknown
}

/** Characters of a line beyond which it is no password. */
const MOST = 4096

/** Reads passwords: from a person who types them, unseen, or a line each from a program. Never from the arguments. */
export class SecretReader {
  readonly #input: Input
  readonly #say: (text: string) => void
  #text = ''
  #over = false
  #begun = false
  #wake: (() => void) | undefined

  /** `say` shows a text to the person who types. */
  constructor(input: Input, say: (text: string) => void) {
    this.#input = input
    this.#say = say
  }

  /** Somebody types. */
  get isTyped(): boolean {
    return this.#input.isTTY === true
  }

  /** The next line, without its end. Rejects with a `config` MailError where there is none, or the person gave up. */
  async read(prompt: string): Promise<string> {
    this.#begin()
    if (this.isTyped) this.#say(prompt)
    this.#input.setRawMode?.(true)
    this.#input.resume()
    try {
      return await this.#line()
    } finally {
      this.#input.pause()
      this.#input.setRawMode?.(false)
      if (this.isTyped) this.#say('\n')
    }
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    const ended = (): void => {
      this.#over = true
      this.#wake?.()
    }
    this.#input.setEncoding('utf8')
    this.#input.on('data', (text) => {
      this.#text += text
      this.#wake?.()
    })
    this.#input.on('end', ended)
    this.#input.on('error', ended)
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#text.search(/[\r\n]/)
      if (end >= 0 || this.#text.length > MOST || this.#over) return this.#take(end < 0 ? this.#text.length : end)
      if (this.isTyped && /[\x03\x04]/.test(this.#text)) throw new MailError('config', 'No password was given.')
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #take(end: number): string {
    const line = this.#text.slice(0, end)
    const isPair = this.#text.startsWith('\r\n', end)
    this.#text = this.#text.slice(end + (isPair ? 2 : 1))
    const typed = this.isTyped ? corrected(line) : line
    if (typed === '' || typed.length > MOST) throw new MailError('config', 'No password was given: type one, or pipe in a line.')
    return typed
  }
}

/** What is left of a line when its backspaces have done their work. */
function corrected(line: string): string {
  const kept: string[] = []
  for (const character of line) {
    if (character === '\b' || character === '\x7f') kept.pop()
    else kept.push(character)
  }
  return kept.join('')
}
