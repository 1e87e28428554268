const LF = 10
const CR = 13

/** Octets of a header: more than any sound one has. What comes behind them is taken for the body. */
const MOST_HEAD = 2 * 1024 * 1024

/** Octets that begin with the whole header, and what comes behind them. */
export interface HeadFirst {
  readonly head: Uint8Array
  readonly rest: AsyncIterator<Uint8Array>
  /** The header goes on beyond `head`. */
  readonly isCut: boolean
}

/** Reads a message as far as its header goes. */
export async function headFirst(message: AsyncIterable<Uint8Array>): Promise<HeadFirst> {
  const rest = message[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let octets = 0
  let isCut = false
  // The start of a message is the start of a line.
  let line: 'empty' | 'return' | 'text' = 'empty'
  for (;;) {
    const { done, value } = await rest.next()
    if (done === true) break
    chunks.push(value)
    octets += value.length
    let isOver = false
    for (let at = 0; at < value.length && !isOver; at++) {
      const octet = value[at]
      if (octet === LF) {
        isOver = line !== 'text'
        line = 'empty'
      } else line = octet === CR && line === 'empty' ? 'return' : 'text'
    }
    if (isOver) break
    if (octets > MOST_HEAD) {
      isCut = true
      break
    }
  }
  return { head: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), rest, isCut }
}
