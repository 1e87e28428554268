import { baseSubject } from './base-subject.ts'
import type { Headers } from './header-block.ts'
import { MOST_IDS, parseMessageIds } from './message-id.ts'

/** Ids that are kept of a conversation: its first and its latest. */
const MOST_REFERENCES = 100

/** Where a message belongs. */
export interface ThreadReferences {
  /**
   * Names the conversation: the id of its first message as far as this one tells. The same for every message whose References
   * begin alike and for the first message itself; `undefined` where the message names neither itself nor any other.
   */
  readonly thread: string | undefined
  /**
   * What `thread` rests on, the strongest first. `in-reply-to`: the message answered, which may not be the first of its thread.
   */
  readonly basis: 'references' | 'in-reply-to' | 'message-id' | 'none'
  /** The message's own id, in brackets. */
  readonly messageId: string | undefined
  /** The messages before it, oldest first, the one it answers last; without itself, each once, at most a hundred. */
  readonly references: readonly string[]
  /**
   * The subject without reply words of any common language, in lower case: a hint for messages that answer without saying
   * whom. Weak: join by it only among people who write to each other already, and only where `reply` is true.
   */
  readonly subject: string
  /** The subject says that the message is a reply or a forward. */
  readonly reply: boolean
}

/** Words for a reply or a forward in the languages that mail programs speak. */
const PREFIXES: ReadonlySet<string> = new Set([
  're', 'fw', 'fwd', 'aw', 'wg', 'antw', 'antwort', 'wtr', 'sv', 'vs', 'vb', 'vl', 'rv', 'res', 'enc', 'ref', 'tr', 'rif', 'i',
  'r', 'rép', 'rep', 'odp', 'pd', 'ynt', 'ilt', 'vá', 'továbbítás', 'απ', 'σχετ', 'πρθ', 'отв', 'на', 'пересл', 'תגובה', 'הועבר',
  'رد', '回复', '回覆', '答复', '转发', '轉寄', '返信', '転送', '답장', '전달',
])

/** What a message says of itself and of those before it. */
export interface Ancestry {
  /** Its own id, in brackets. */
  readonly messageId: string | undefined
  /** As {@link ThreadReferences.references}. */
  readonly references: readonly string[]
  readonly basis: ThreadReferences['basis']
}

/** Finds out which conversation a message belongs to: References, else In-Reply-To (RFC 5322 §3.6.4), else it begins one. */
export function threadReferences(headers: Headers): ThreadReferences {
  const values = (name: string): string[] => headers.all(name).map((field) => field.value)
  const { messageId, references, basis } = ancestryOf(headers.value('message-id'), values('references'), values('in-reply-to'))
  const thread = references[0] ?? messageId
  const { text, reply } = baseSubject(headers.text('subject') ?? '', PREFIXES)
  return { thread, basis, messageId, references, subject: text.normalize('NFC').toLowerCase(), reply }
}

/** Reads the values of Message-ID, of all References and of all In-Reply-To fields. */
export function ancestryOf(own: string | undefined, references: readonly string[], inReplyTo: readonly string[]): Ancestry {
  const messageId = own === undefined ? undefined : parseMessageIds(own, 1)[0]
  const alone = messageId === undefined ? 'none' : 'message-id'
  if (references.length === 0 && inReplyTo.length === 0) return { messageId, references: [], basis: alone }
  const known = idsOf(references, messageId)
  const chained = known.size > 0
  // RFC 5322 §3.6.4: several parents have no order; the first stands for all.
  for (const parent of idsOf(inReplyTo, messageId)) {
    known.add(parent)
    break
  }
  const basis = chained ? 'references' : known.size > 0 ? 'in-reply-to' : alone
  return { messageId, references: shortened([...known]), basis }
}

/** Some send a field twice, a piece of the list in each. */
function idsOf(values: readonly string[], without: string | undefined): Set<string> {
  const ids = new Set<string>()
  for (const value of values.slice(0, 10)) {
    for (const id of parseMessageIds(value)) if (id !== without && ids.size < MOST_IDS) ids.add(id)
  }
  return ids
}

function shortened(ids: string[]): string[] {
  return ids.length <= MOST_REFERENCES ? ids : [...ids.slice(0, 1), ...ids.slice(1 - MOST_REFERENCES)]
}
