import type { SmtpServerEvent } from '../events.ts'

/** A reply that is owed. */
export interface Slot {
  question: SmtpServerEvent | undefined
  /** What to say, once it is known. */
  wire: string | undefined
  /** An open question: when it is overdue. A reply that is held back: when to say it. */
  due: number
}

/** The replies that are owed, in the order of the commands. Filled ones go out as soon as none before them is open. */
export class Slots {
  /** What has gone out and was not taken yet. */
  out = ''
  private queue: Slot[] = []

  get empty(): boolean {
    return this.queue.length === 0
  }

  get length(): number {
    return this.queue.length
  }

  /** Whether all that is owed are answers to `recipient` questions. */
  get onlyRecipients(): boolean {
    return this.queue.every((slot) => slot.question === undefined ? slot.due === Infinity : slot.question.kind === 'recipient')
  }

  say(wire: string): void {
    if (wire === '') return
    if (this.queue.length === 0) this.out += wire
    else this.queue.push({ question: undefined, wire, due: Infinity })
  }

  ask(question: SmtpServerEvent, due: number): void {
    this.queue.push({ question, wire: undefined, due })
  }

  /** Says it at `due`, not before. */
  sayAt(wire: string, due: number): void {
    this.queue.push({ question: undefined, wire, due })
  }

  /** The open slot of a question, no longer open; `undefined` when there is none. */
  take(question: SmtpServerEvent): Slot | undefined {
    const { queue } = this
    for (let at = 0; at < queue.length; at++) {
      const slot = queue[at]!
      if (slot.question !== question) continue
      slot.question = undefined
      return slot
    }
    return undefined
  }

  /** What a taken slot says. */
  fill(slot: Slot, wire: string): void {
    slot.wire = wire
    slot.due = Infinity
    this.flush(-Infinity)
  }

  /** Replies that were held back until now go out. */
  release(now: number): void {
    this.flush(now)
  }

  /** When the first slot needs attention; `undefined` where there is none. */
  get due(): number | undefined {
    return this.queue.length === 0 ? undefined : this.queue[0]!.due
  }

  /** The first question, if it is overdue. */
  overdue(now: number): SmtpServerEvent | undefined {
    const first = this.queue[0]
    return first?.question !== undefined && first.due <= now ? first.question : undefined
  }

  /** Every open question gets `wire`; their ids. Replies that are held back stay so. */
  withdraw(wire: string): number[] {
    const ids = close(this.queue, wire)
    this.flush(-Infinity)
    return ids
  }

  /** Nothing behind a slot will be said; the ids of the questions that were open there. */
  dropBehind(slot: Slot): number[] {
    return close(this.queue.splice(this.queue.indexOf(slot) + 1), '')
  }

  /** Nobody listens any more. */
  clear(): void {
    this.queue.length = 0
    this.out = ''
  }

  private flush(now: number): void {
    const { queue } = this
    let filled = 0
    for (; filled < queue.length; filled++) {
      const slot = queue[filled]!
      if (slot.wire === undefined || (slot.due !== Infinity && slot.due > now)) break
      this.out += slot.wire
    }
    // Mostly there was one.
    if (filled === 1 && queue.length === 1) queue.pop()
    else if (filled > 0) queue.splice(0, filled)
  }
}

/** Fills what is open with `wire`; the ids of the questions. */
function close(slots: readonly Slot[], wire: string): number[] {
  const ids: number[] = []
  for (const slot of slots) {
    if (slot.question === undefined) continue
    ids.push((slot.question as { id: number }).id)
    slot.question = undefined
    slot.wire = wire
    slot.due = Infinity
  }
  return ids
}
