import type { SmtpServerEvent, SmtpServerSession } from '../../../src/protocol/smtp/index.ts'

export type Asked = SmtpServerEvent & { readonly id: number }

/** What a session holds inside. Looked at by tests alone. */
interface Inside {
  readonly input: { readonly held: number; readonly partial: Uint8Array | undefined }
  readonly slots: { readonly out: string; readonly queue: readonly { readonly wire: string | undefined }[] }
  readonly events: readonly unknown[]
}

/** Octets that a session keeps: unread input, the open line, output nobody has taken, replies that wait for others. */
export function heldOctets(session: SmtpServerSession): number {
  const { input, slots } = session as unknown as Inside
  return (
    input.held +
    (input.partial?.length ?? 0) +
    slots.out.length +
    slots.queue.reduce((sum, { wire }) => sum + (wire?.length ?? 0), 0)
  )
}

/** Events that wait to be taken. */
export const heldEvents = (session: SmtpServerSession): number => (session as unknown as Inside).events.length

/** Keeps the books of a conversation, and throws where what the session says does not add up. */
export class Ledger {
  readonly open = new Map<number, Asked>()
  closed = false
  private lastId = 0
  private transaction: 'none' | 'open' | 'content' | 'void' = 'none'
  private rest = ''

  /** An event has come. */
  event(event: SmtpServerEvent): void {
    this.sure(!this.closed, `${event.kind} after closed`)
    if ('id' in event) this.asked(event)
    if (event.kind === 'body') {
      this.sure(this.transaction === 'content' && event.bytes.length > 0, `body while ${this.transaction}`)
    }
    if (event.kind === 'message') {
      this.sure(this.transaction === 'content', `message while ${this.transaction}`)
      this.transaction = 'none'
    }
    if (event.kind === 'abandoned') this.abandoned(event.why, event.question)
    if (event.kind === 'closed') {
      this.sure(this.open.size === 0, 'closed with questions open')
      this.sure(this.transaction === 'none' || this.transaction === 'void', `closed while a transaction is ${this.transaction}`)
      this.closed = true
    }
  }

  /** The host's answer was taken. */
  answered(question: Asked, refused: boolean): void {
    this.sure(this.open.delete(question.id), `the answer to ${question.kind} was taken twice`)
    if (refused) return
    if (question.kind === 'sender') {
      // A refused content is void, and so is what follows until MAIL begins anew.
      this.sure(this.transaction === 'none' || this.transaction === 'void', `sender accepted while ${this.transaction}`)
      this.transaction = 'open'
    }
    if (question.kind === 'content' && this.transaction === 'open') this.transaction = 'content'
  }

  /** Output was taken: whole lines, replies one after the other. */
  output(text: string): void {
    this.sure(text === '' || !this.ended, 'output after the end')
    const lines = (this.rest + text).split('\r\n')
    this.rest = lines.pop()!
    this.sure(this.rest === '', 'output that is no whole line')
    for (const line of lines) {
      this.sure(line.length <= 510 && /^[2345]\d\d[ -][^\r\n\0]*$/.test(line), `the line ${JSON.stringify(line)}`)
    }
  }

  /** No output may come any more. */
  ended = false

  private asked(event: Asked): void {
    this.sure(event.id > this.lastId, `the id ${event.id} after ${this.lastId}`)
    this.lastId = event.id
    for (const other of this.open.values()) {
      this.sure(event.kind === 'recipient' && other.kind === 'recipient', `${event.kind} while ${other.kind} is open`)
    }
    this.open.set(event.id, event)
  }

  private abandoned(why: string, question: number | undefined): void {
    if (question !== undefined) {
      this.sure(this.open.delete(question), `the question ${question} is void and was not open`)
      return
    }
    this.sure(this.transaction === 'open' || this.transaction === 'content', `abandoned while ${this.transaction}`)
    this.transaction = why === 'refused' ? 'void' : 'none'
  }

  private sure(holds: boolean, what: string): void {
    if (!holds) throw new Error(what)
  }
}
