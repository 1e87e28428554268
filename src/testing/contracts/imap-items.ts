/** A word of a response, `NIL` as `null`, or a list of them. Words are octets: what was quoted or a literal, as it is. */
export type ImapItem = string | null | readonly ImapItem[]

/** How a command ended. */
export interface ImapAnswer {
  readonly command: string
  readonly status: 'OK' | 'NO' | 'BAD'
  /** What stands in brackets: `COPYUID 1 2:3 4:5`; empty where nothing does. */
  readonly code: string
  /** The lines that came before, literals in them as they came, without the line ends. */
  readonly lines: readonly string[]
}

/** What a server says of one message. */
export interface ImapFetched {
  readonly sequence: number
  readonly uid: number
  /** By the names of the items: `FLAGS`, `BODY[TEXT]<0>`. */
  readonly items: ReadonlyMap<string, ImapItem>
}

/** The words of a response line. */
export function itemsOf(line: string): ImapItem[] {
  const top: ImapItem[] = []
  const open: ImapItem[][] = [top]
  for (let at = 0; at < line.length;) {
    const char = line[at]!
    const list = open[open.length - 1]!
    if (char === ' ') at++
    else if (char === '(') {
      const inner: ImapItem[] = []
      list.push(inner)
      open.push(inner)
      at++
    } else if (char === ')') {
      if (open.length > 1) open.pop()
      at++
    } else {
      const [item, end] = char === '"' ? quotedAt(line, at) : (literalAt(line, at) ?? atomAt(line, at))
      list.push(item)
      at = end
    }
  }
  return top
}

function quotedAt(line: string, start: number): [string, number] {
  let text = ''
  let at = start + 1
  for (; at < line.length && line[at] !== '"'; at++) {
    if (line[at] === '\\') at++
    text += line[at] ?? ''
  }
  return [text, at + 1]
}

function literalAt(line: string, at: number): [string, number] | undefined {
  const found = /^~?\{(\d+)\}\r\n/.exec(line.slice(at, at + 24))
  if (!found) return undefined
  const start = at + found[0].length
  const end = start + Number(found[1])
  return [line.slice(start, end), end]
}

/** Up to the next blank or parenthesis that is not in brackets: `BODY[HEADER.FIELDS (From)]<0>`. */
function atomAt(line: string, start: number): [string | null, number] {
  let brackets = 0
  let at = start
  for (; at < line.length; at++) {
    const char = line[at]!
    if (brackets === 0 && (char === ' ' || char === '(' || char === ')')) break
    if (char === '[') brackets++
    else if (char === ']') brackets--
  }
  const atom = line.slice(start, at)
  return [atom === 'NIL' ? null : atom, at]
}

/** What was said of messages, in the order in which it was. */
export function fetchedOf({ lines }: Pick<ImapAnswer, 'lines'>): ImapFetched[] {
  return lines.filter((line) => /^\* \d+ FETCH /.test(line)).map((line) => {
    const [, sequence, , pairs] = itemsOf(line) as [string, string, string, ImapItem[]]
    const items = new Map<string, ImapItem>()
    for (let at = 0; at + 1 < pairs.length; at += 2) items.set(String(pairs[at]), pairs[at + 1]!)
    return { sequence: Number(sequence), uid: Number(items.get('UID') ?? 0), items }
  })
}

/** The flags in it, in order; `\Recent`, which is no store's, left out. */
export function flagsOf({ items }: ImapFetched): string[] {
  const flags = (items.get('FLAGS') ?? []) as readonly string[]
  return flags.filter((flag) => flag !== '\\Recent').sort()
}

/** The mod-sequence in it. */
export function modSeqOf({ items }: ImapFetched): number {
  return Number((items.get('MODSEQ') as readonly string[] | undefined)?.[0])
}

/** The numbers of `* SEARCH 1 2 3`. */
export function searchedOf({ lines }: Pick<ImapAnswer, 'lines'>): number[] {
  const line = lines.find((one) => /^\* SEARCH\b/.test(one)) ?? ''
  return line.replace(/ ?\(MODSEQ.*$/, '').split(' ').slice(2).map(Number)
}

/** The numbers of a set such as `1:3,5`, in order. */
export function numbersOf(set: string): number[] {
  return set.split(',').filter((range) => range !== '').flatMap((range) => {
    const [first, last = first] = range.split(':').map(Number) as [number, number?]
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

/** The UIDs that are said to be gone: of `VANISHED`, or `VANISHED (EARLIER)`. */
export function vanishedOf({ lines }: Pick<ImapAnswer, 'lines'>): number[] {
  return lines.flatMap((line) => {
    const found = /^\* VANISHED (?:\(EARLIER\) )?([\d:,]+)$/.exec(line)
    return found ? numbersOf(found[1]!) : []
  })
}

/** A text as a quoted string or, where it cannot be one, a literal; of octets. */
export function stringOf(octets: string): string {
  const plain = /^[\x20-\x7e\x80-\xff]*$/.test(octets) && octets.length < 1000
  return plain ? `"${octets.replace(/["\\]/g, '\\$&')}"` : `{${octets.length}+}\r\n${octets}`
}

/** A text in UTF-8, an octet a code unit: as it is on the wire. */
export function wireText(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** What {@link wireText} was made of. */
export function plainText(octets: string): string {
  return Buffer.from(octets, 'latin1').toString()
}
