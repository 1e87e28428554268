import type { AttemptFacts } from '../../contracts/delivery.ts'
import type { Lease } from '../../contracts/queue.ts'
import { encodeMailbox } from '../../protocol/smtp/index.ts'
import type { Judged, Judgement } from './judgement.ts'
import type { Tried } from './tried.ts'

/** A leased job, and how far the work on it has come. */
export class Work {
  readonly lease: Lease
  /** Ticks when it was leased. */
  readonly began: number
  /** Recipients that nothing has been tried for yet, by number. */
  left: readonly number[]
  readonly tried: Tried[] = []
  /** Where it was tried. */
  tls: string | undefined
  /** It has been given to a connection that took no more, and goes again on another. */
  isSecond = false
  /** It is being settled, or was: nobody else is to do so. */
  isSettled = false

  constructor(lease: Lease, began: number) {
    this.lease = lease
    this.began = began
    this.left = lease.recipients.filter(({ state }) => state === 'waiting').map(({ number }) => number)
  }

  /** Something was tried for some recipients. */
  note(tried: readonly Tried[]): void {
    this.tried.push(...tried)
    const done = new Set(tried.map(({ number }) => number))
    this.left = this.left.filter((number) => !done.has(number))
  }

  /** The same for all that are left. */
  noteLeft(each: (number: number) => Tried): void {
    this.note(this.left.map(each))
  }
}

const results = { retry: 'deferred', bounce: 'failed', hold: 'held', drop: 'dropped' } as const

const resultOf = ({ consequence, taken }: Judged): AttemptFacts['result'] => {
  return consequence === 'done' ? taken! : results[consequence]
}

/** What those who watch hear of the work on a job. */
export function attemptsOf({ lease, began, tls }: Work, { recipients, next }: Judgement, ticks: number): AttemptFacts[] {
  const { message: { id, envelope, account }, job, destination, tries } = lease
  const sender = envelope.sender === null ? '<>' : encodeMailbox(envelope.sender)
  return recipients.map((judged) => {
    const { last: { code, enhanced, text, host, address }, cause, number } = judged
    const result = resultOf(judged)
    return {
      message: id,
      job,
      destination,
      account,
      sender,
      recipient: encodeMailbox(envelope.recipients[number]!),
      result,
      cause,
      host,
      address,
      tls,
      code,
      enhanced,
      text,
      took: ticks - began,
      tries: tries + 1,
      next: result === 'deferred' ? next : undefined,
    }
  })
}
