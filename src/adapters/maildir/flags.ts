/** System flags (RFC 9051 §2.3.2) by their letters. */
const LETTERS = new Map([['D', '\\Draft'], ['F', '\\Flagged'], ['R', '\\Answered'], ['S', '\\Seen'], ['T', '\\Deleted']])
const BY_FLAG = new Map([...LETTERS].map(([letter, flag]) => [flag, letter]))
/** `P`, passed on. Read as the keyword that clients know; written as that keyword's own letter, which Dovecot knows. */
const PASSED = 'P'
const FORWARDED = '$Forwarded'

/** Where keywords have their letters: `dovecot-keywords`. */
export interface Letters {
  /** The keyword with that number, from 0 for `a`. */
  name(index: number): string | undefined
  /** The number of a keyword, from 0 to 25; `undefined` where it has none. */
  indexOf(keyword: string): number | undefined
}

/** The flags that the letters of a file name mean. Letters that nobody knows mean nothing, and stay. */
export function flagsOfInfo(info: string | undefined, letters: Letters): string[] {
  const flags = new Set<string>()
  for (const letter of info ?? '') {
    const system = LETTERS.get(letter)
    const keyword = system ?? (letter >= 'a' && letter <= 'z' ? letters.name(letter.charCodeAt(0) - 97) : undefined)
    if (keyword !== undefined) flags.add(keyword)
    else if (letter === PASSED) flags.add(FORWARDED)
  }
  return [...flags]
}

/** What of the flags goes into the file name, after what was there, and what cannot. */
export function infoOfFlags(
  flags: readonly string[],
  before: string | undefined,
  letters: Letters,
): { readonly info: string; readonly extra: readonly string[] } {
  const passed = flags.includes(FORWARDED)
  const kept = [...(before ?? '')].filter((letter) => isForeign(letter, letters) && (letter !== PASSED || passed))
  const used = new Set(kept)
  const extra: string[] = []
  for (const flag of flags) {
    const letter = BY_FLAG.get(flag) ?? keywordLetter(flag, letters)
    if (letter !== undefined) used.add(letter)
    else extra.push(flag)
  }
  return { info: [...used].sort().join(''), extra }
}

function isForeign(letter: string, letters: Letters): boolean {
  if (LETTERS.has(letter)) return false
  return !(letter >= 'a' && letter <= 'z' && letters.name(letter.charCodeAt(0) - 97) !== undefined)
}

function keywordLetter(flag: string, letters: Letters): string | undefined {
  const index = letters.indexOf(flag)
  return index === undefined ? undefined : String.fromCharCode(97 + index)
}
