import type { SaslClientExchange } from '../../sasl/client/exchange.ts'

/** An AUTH exchange under way. */
export interface Login {
  readonly exchange: SaslClientExchange
  readonly mechanism: string
  /** What was held back because a line has no room for it; it answers the challenge that asks for it. */
  initial: Uint8Array | undefined
  /** We have given it up, and wait for the server to say so too. */
  cancelled: boolean
}
