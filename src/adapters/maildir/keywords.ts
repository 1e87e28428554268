import type { Letters } from './flags.ts'

/** Letters in a file name: `a` to `z`. */
const MOST = 26
/** What Dovecot takes (`mail_max_keyword_length`). */
const MOST_LENGTH = 50

/**
 * The keywords of one mailbox and their letters, as the file `dovecot-keywords` has them: lines of number and name. Numbers are
 * never given to another keyword: names of files far away rely on them.
 */
export class Keywords implements Letters {
  readonly #names = new Map<number, string>()
  readonly #numbers = new Map<string, number>()

  /** From the text of the file. Lines that are none are passed over. */
  static parse(text: string): Keywords {
    const keywords = new Keywords()
    for (const line of text.split('\n')) {
      const space = line.indexOf(' ')
      const index = Number(line.slice(0, space))
      const name = line.slice(space + 1)
      if (space > 0 && Number.isInteger(index) && index >= 0 && index < MOST && name !== '') keywords.#put(index, name)
    }
    return keywords
  }

  /** The text of the file. */
  format(): string {
    return [...this.#names].sort(([a], [b]) => a - b).map(([index, name]) => `${index} ${name}\n`).join('')
  }

  name(index: number): string | undefined {
    return this.#names.get(index)
  }

  indexOf(keyword: string): number | undefined {
    return this.#numbers.get(keyword)
  }

  /** With letters for those of the flags that need one and can have one; the same object where none is new. */
  with(flags: Iterable<string>): Keywords {
    let larger: Keywords | undefined
    for (const flag of flags) {
      const known = larger ?? this
      if (known.#numbers.has(flag) || !isKeyword(flag)) continue
      const index = known.#free()
      if (index === undefined) continue
      larger ??= Keywords.parse(this.format())
      larger.#put(index, flag)
    }
    return larger ?? this
  }

  #put(index: number, name: string): void {
    if (this.#names.has(index)) return
    this.#names.set(index, name)
    if (!this.#numbers.has(name)) this.#numbers.set(name, index)
  }

  #free(): number | undefined {
    for (let index = 0; index < MOST; index++) if (!this.#names.has(index)) return index
    return undefined
  }
}

/** Whether Dovecot would take it for a keyword: an atom (RFC 9051 §9), not too long. Others are kept in our own file alone. */
function isKeyword(flag: string): boolean {
  if (flag === '' || flag.length > MOST_LENGTH) return false
  for (const character of flag) if (character <= ' ' || character > '~' || '(){%*"\\]'.includes(character)) return false
  return true
}
