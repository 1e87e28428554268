import type { ImapMessage } from './mailbox.ts'

/**
 * Texts of several messages in one: so words are looked for in all of them at the speed at which memory is read, rather than in
 * one after the other.
 */
export class TextColumn {
  readonly uids: readonly number[]
  readonly weight: number
  /** All texts, one behind the other. */
  private readonly text: string
  /** Where each of them ends, and the index of the message it is of. */
  private readonly ends: Uint32Array
  private readonly owners: Uint32Array

  constructor(uids: readonly number[], texts: readonly string[], owners: readonly number[]) {
    this.uids = uids
    this.text = texts.join('')
    this.ends = new Uint32Array(texts.length)
    this.owners = Uint32Array.from(owners)
    let end = 0
    texts.forEach((text, at) => {
      this.ends[at] = end += text.length
    })
    this.weight = 400 + 8 * (uids.length + texts.length) + 2 * this.text.length
  }

  /** The UIDs of messages that have the words in one of their texts, ascending; without words, of those that have a text. */
  having(words: string): number[] {
    const { text, ends, owners, uids } = this
    const found: number[] = []
    for (let segment = 0, at = 0; segment < ends.length; at = ends[segment - 1]!) {
      if (words !== '') {
        at = text.indexOf(words, at)
        if (at < 0) break
        segment = this.segmentAt(at, segment)
        // They begin in one text and end in another.
        if (at + words.length > ends[segment]!) {
          segment++
          continue
        }
      }
      const owner = owners[segment]!
      found.push(uids[owner]!)
      while (segment < ends.length && owners[segment] === owner) segment++
    }
    return found
  }

  /** The text that an offset lies in, which is `from` or behind it. */
  private segmentAt(offset: number, from: number): number {
    let low = from
    let high = this.ends.length - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.ends[middle]! <= offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The column of what `textsOf` gives for each message. */
export function textColumn(messages: readonly ImapMessage[], textsOf: (message: ImapMessage) => readonly string[]): TextColumn {
  const texts: string[] = []
  const owners: number[] = []
  messages.forEach((message, owner) => {
    for (const text of textsOf(message)) {
      texts.push(text)
      owners.push(owner)
    }
  })
  return new TextColumn(messages.map(({ uid }) => uid), texts, owners)
}
