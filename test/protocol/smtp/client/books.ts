import type { SmtpClientEvent } from '../../../../src/protocol/smtp/index.ts'

/** Keeps the books of a conversation, and throws where what the session tells does not add up. */
export class Books {
  readonly handed = new Map<number, { readonly recipients: number; readonly told: Set<number>; done: boolean }>()
  open: (SmtpClientEvent & { readonly id: number }) | undefined
  failed = false
  closed = false

  /** A message is handed over, in answer to the question with that id. */
  hand(id: number, recipients: number): void {
    this.handed.set(id, { recipients, told: new Set(), done: false })
  }

  event(event: SmtpClientEvent): void {
    this.sure(!this.closed, `${event.kind} after closed`)
    if ('id' in event) {
      this.sure(!this.open, `${event.kind} while ${this.open?.kind} is open`)
      this.open = event
    } else if (event.kind === 'abandoned') {
      this.sure(event.question === this.open?.id, 'what is withdrawn was not open')
      this.open = undefined
    } else if (event.kind === 'outcome') {
      const message = this.handed.get(event.message)
      this.sure(message && !message.done && !message.told.has(event.recipient), 'an outcome too many')
      this.sure(event.result !== 'accepted' || (event.reply?.code ?? 300) < 300, 'accepted without the server saying so')
      message?.told.add(event.recipient)
    } else if (event.kind === 'done') this.done(event)
    else if (event.kind === 'failed') {
      this.sure(!this.failed, 'failed twice')
      this.failed = true
    } else if (event.kind === 'closed') {
      this.sure(!this.open, 'closed with a question open')
      this.sure((event.why === 'failed') === this.failed, `closed: ${event.why}`)
      for (const message of this.handed.values()) this.sure(message.done, 'closed with a message open')
      this.closed = true
    }
  }

  private done(event: Extract<SmtpClientEvent, { kind: 'done' }>): void {
    const message = this.handed.get(event.message)
    this.sure(message && !message.done, 'a message is done twice')
    const told = event.accepted + event.temporary + event.permanent + event.unknown
    this.sure(told === message?.recipients && message.told.size === told, 'done before all recipients, or miscounted')
    if (message) message.done = true
  }

  private sure(holds: unknown, what: string): void {
    if (!holds) throw new Error(what)
  }
}
