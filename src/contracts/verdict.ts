/** A reply to be given: what SMTP says. */
export interface PolicyReply {
  /** 4xx or 5xx. */
  readonly code: number
  /** RFC 3463, of the code's class. */
  readonly enhanced?: string
  readonly text: string
}

/**
 * What a policy decides.
 *
 * - `pass`: nothing against it
 * - `accept`: somebody vouches for it; beats nothing but `pass`
 * - `quarantine`: take it, and set it apart
 * - `discard`: say 250 and drop it
 * - `defer`: not now (4xx)
 * - `reject`: not ever (5xx)
 */
export type Verdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'accept'; readonly why: string }
  | { readonly kind: 'quarantine'; readonly why: string }
  | { readonly kind: 'discard'; readonly why: string }
  | { readonly kind: 'defer'; readonly reply: PolicyReply }
  | { readonly kind: 'reject'; readonly reply: PolicyReply }

/** The stages of a conversation at which policies are asked. */
export type PolicyStage = 'connect' | 'hello' | 'auth' | 'sender' | 'recipient' | 'message'
