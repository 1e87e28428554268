/** What a try to deliver a message has come to, for one recipient. */
export interface AttemptFacts {
  /** The id of the message in the queue. */
  readonly message: string
  readonly job: string
  readonly destination: string
  /** The account that submitted it. */
  readonly account: string | undefined
  /** `<>` for the null sender. */
  readonly sender: string
  readonly recipient: string
  /**
   * `delivered` into a mailbox, `relayed` to another server, `expanded` into others; `deferred` to a later try; `failed`, of
   * which the sender is told; `dropped`, of which nobody is; `held` until somebody has looked.
   */
  readonly result: 'delivered' | 'relayed' | 'expanded' | 'deferred' | 'failed' | 'dropped' | 'held'
  /** What is wrong: `network`, `unknown-user`, `full` …; `undefined` where nothing is. */
  readonly cause: string | undefined
  /** The server that was spoken to, and its address; `undefined` where there was none. */
  readonly host: string | undefined
  readonly address: string | undefined
  /** `TLSv1.3`; `undefined` where the connection was not encrypted. */
  readonly tls: string | undefined
  /** The reply, or what says the same. */
  readonly code: number
  readonly enhanced: string | undefined
  readonly text: string
  /** Milliseconds since the message was leased. */
  readonly took: number
  /** Which try it was, from 1. */
  readonly tries: number
  /** When it is tried again, in milliseconds since the Unix epoch. */
  readonly next: number | undefined
}

/** A sender was told what has become of a message. */
export interface ReportFacts {
  /** The id in the queue of the message that the report is about. */
  readonly message: string
  readonly report: 'failed' | 'delayed' | 'succeeded'
  readonly to: string
  readonly recipients: readonly string[]
}

/** The servers of a destination cannot be reached any more (`open`), or can again (`closed`): the state of their breaker. */
export interface SiteFacts {
  readonly site: string
  readonly state: 'open' | 'closed'
  /** Why. */
  readonly text: string
  /** When it is tried again, in milliseconds since the Unix epoch. `undefined` of one that is open: now, by somebody's order. */
  readonly until: number | undefined
}
