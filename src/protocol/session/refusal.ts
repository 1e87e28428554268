/** How a host refuses what it is asked. */
export interface RefusedAnswer {
  /** A response code of the protocol, without its brackets. */
  readonly code?: string
  /** For people; printable ASCII. */
  readonly refused: string
  /** The bound that was reached, for those who watch. */
  readonly limit?: string
}

/** The host has refused: ends the command with the protocol's word for it unless it is caught. */
export class Refused extends Error {
  readonly code: string | undefined
  /** The bound that was reached, for those who watch. */
  readonly limit: string | undefined

  constructor(code: string | undefined, text: string, limit?: string) {
    super(text)
    this.name = 'Refused'
    this.code = code
    this.limit = limit
  }
}

/** What is said where the host has no answer. */
export const UNAVAILABLE = 'Temporary failure, try again later'

/** Whether an answer refuses. */
export function isRefusal(answer: unknown): answer is RefusedAnswer {
  return typeof answer === 'object' && answer !== null && 'refused' in answer
}

/** What the host has granted. Throws {@link Refused} where it refuses, or with `unavailable` where it has no answer. */
export function granted<Value>(answer: unknown, unavailable: string): Value {
  if (answer === undefined) throw new Refused(unavailable, UNAVAILABLE)
  if (isRefusal(answer)) throw new Refused(answer.code, answer.refused, answer.limit)
  return answer as Value
}
