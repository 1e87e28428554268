import type { Authentication, DmarcFinding } from './authentication.ts'
import type { PolicyStage, Verdict } from './verdict.ts'

/** One policy at one stage. */
export interface ExplainedStep {
  readonly stage: PolicyStage
  readonly policy: string
  readonly verdict: Verdict['kind']
  /** The reply, such as `550 5.7.1 …`, or the reason that it gave. */
  readonly why?: string
  /** What it would have decided, had it not only been observed: `reject: 550 5.7.1 …`. */
  readonly would?: string
  /** Milliseconds. */
  readonly took: number
}

/** What was found out about the sender; without the record that DMARC was read from. */
export type ExplainedAuthentication = Omit<Authentication, 'dmarc'> & {
  readonly dmarc: Omit<DmarcFinding, 'record'> | undefined
}

/**
 * Why a message was taken, set apart, dropped or refused, step by step: plain data that goes into JSON as it is. Nothing of the
 * message's own text is in it.
 */
export interface Explanation {
  /** Of the message; before MAIL, of the connection. */
  readonly id: string
  /** Milliseconds since the Unix epoch. */
  readonly at: number
  readonly client: {
    readonly address: string | undefined
    /** As it called itself. */
    readonly name: string | undefined
    readonly account: string | undefined
    /** The version of TLS. */
    readonly tls: string | undefined
  }
  /** `<>`: the null sender; absent before MAIL. */
  readonly sender?: string
  /** Those that were taken so far. */
  readonly recipients: readonly string[]
  readonly outcome: {
    readonly kind: 'accepted' | 'quarantined' | 'discarded' | 'deferred' | 'refused'
    /** Where it was decided; `deliver`: by whoever took the message over, or did not. */
    readonly stage: PolicyStage | 'deliver'
    /** Who decided, where anybody did. */
    readonly policy?: string
    readonly reply?: string
    /** The recipient that was refused. */
    readonly recipient?: string
  }
  readonly steps: readonly ExplainedStep[]
  /** All points together; the higher, the worse. */
  readonly score: number
  readonly scores: readonly { readonly policy: string; readonly score: number; readonly why: string }[]
  readonly tags: readonly { readonly policy: string; readonly tag: string }[]
  /** Header fields that were put before the message. */
  readonly fields: readonly { readonly policy: string; readonly name: string; readonly value: string }[]
  readonly authentication?: ExplainedAuthentication
}
