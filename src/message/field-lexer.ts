import { commentEnd, isBlank, quotedEnd, unescaped } from './lexemes.ts'

/**
 * Walks through a structured field's value. Total and linear: when the rest has no partner for a quote or a parenthesis, none
 * is looked for again.
 */
export class FieldLexer {
  readonly text: string
  at = 0
  #quotes = true
  #comments = true

  constructor(text: string) {
    this.text = text
  }

  get done(): boolean {
    return this.at >= this.text.length
  }

  /** The code unit at hand; NaN at the end. */
  peek(): number {
    return this.text.charCodeAt(this.at)
  }

  /** Passes blanks and comments; gives what the last comment said. */
  skip(): string | undefined {
    let said: string | undefined
    for (;;) {
      while (!this.done && isBlank(this.peek())) this.at++
      const comment = this.peek() === 40 ? this.comment() : undefined
      if (comment === undefined) return said
      said = comment
    }
  }

  /** At `(`: passes the comment and gives what it says; `undefined`, and nothing passed, where it never ends. */
  comment(): string | undefined {
    const from = this.at
    const end = this.#comments ? commentEnd(this.text, from) : -1
    this.#comments = end >= 0
    if (end < 0) return undefined
    this.at = end
    return unescaped(this.text, from + 1, end - 1)
  }

  /**
   * At `"`: passes the quoted string and gives what it means. Where it never ends, `undefined`, and the quote alone is passed.
   */
  quoted(): string | undefined {
    const from = this.at
    const end = this.#quotes ? quotedEnd(this.text, from) : -1
    this.#quotes = end >= 0
    this.at = end < 0 ? from + 1 : end
    return end < 0 ? undefined : unescaped(this.text, from + 1, end - 1)
  }

  /** Passes what comes before the first unit that `ends`, and gives it. */
  run(ends: (unit: number) => boolean): string {
    const { text, at: from } = this
    let at = from
    while (at < text.length && !ends(text.charCodeAt(at))) at++
    this.at = at
    return text.slice(from, at)
  }
}
