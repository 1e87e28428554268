import type { MessageFacts } from '../../../message/facts.ts'

/** RFC 8474 §5: an id of letters, digits, `-` and `_`, which no other kind of object has. */
export function objectId(kind: 'F' | 'M' | 'T', id: string): string {
  let text: string = kind
  for (let at = 0; at < id.length && text.length < 200; at++) {
    const unit = id.charCodeAt(at)
    const plain = (unit >= 48 && unit <= 57) || ((unit | 32) >= 97 && (unit | 32) <= 122) || unit === 45
    text += plain ? id[at]! : `_${unit.toString(16)}`
  }
  return text
}

/** The id of the conversation, which its first message names; `undefined` where the message names none. */
export function threadId({ references, messageId }: MessageFacts): string | undefined {
  const first = references[0] ?? messageId
  return first === undefined ? undefined : objectId('T', first)
}
