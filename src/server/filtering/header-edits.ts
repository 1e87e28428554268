import type { HeaderEdit } from '../../contracts/filter.ts'
import { readRange } from '../../contracts/read-body.ts'
import type { ReceivedMessage } from '../../contracts/received.ts'
import { encodeWords } from '../../message/encoded-words.ts'
import { formatField } from '../../message/format-field.ts'
import { type Content, type Edit, edited } from '../edited-body.ts'

const LF = 10

/** Gives a message with its header changed. */
export type Contents = (edits: readonly HeaderEdit[]) => Promise<Content>

/** A message as filters change it: one copy for all that change nothing, one for each different change. */
export function editedContents(message: Pick<ReceivedMessage, 'headers' | 'body' | 'facts'>): Contents {
  const made = new Map<string, Promise<Content>>()
  return (edits) => {
    const key = JSON.stringify(edits)
    const content = made.get(key) ?? editsOf(message, edits).then((all) => edited(message, all))
    made.set(key, content)
    return content
  }
}

/** What a filter changes in a header, as changes of octets. */
async function editsOf(
  { headers, body }: Pick<ReceivedMessage, 'headers' | 'body'>, wanted: readonly HeaderEdit[],
): Promise<Edit[]> {
  if (wanted.length === 0) return []
  const { fields } = headers
  const removed = new Set(wanted.flatMap((edit) => (edit.kind === 'remove' ? [edit.start] : [])))
  const edits: Edit[] = fields
    .filter(({ start }) => removed.has(start))
    .map(({ start, end }) => ({ from: start, to: end, text: '' }))
  const added = wanted.filter((edit) => edit.kind === 'add')
  const text = (which: typeof added): string => which.map(({ name, value }) => formatField(name, encodeWords(value))).join('')
  const first = added.filter(({ last }) => !last).reverse()
  if (first.length > 0) edits.push({ from: 0, to: 0, text: text(first) })
  const last = added.filter((edit) => edit.last)
  if (last.length > 0) {
    const at = fields.at(-1)?.end ?? 0
    const [before = LF] = at > 0 ? await readRange(body, { start: at - 1, end: at }) : []
    // A message may end within its header, without a line end.
    edits.push({ from: at, to: at, text: `${before === LF ? '' : '\r\n'}${text(last)}` })
  }
  return edits
}
