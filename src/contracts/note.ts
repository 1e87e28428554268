import type { Authentication } from './authentication.ts'
import type { PolicyStage, Verdict } from './verdict.ts'

/** Something learned, apart from what is decided. */
export type Note =
  | { readonly kind: 'tag'; readonly policy: string; readonly tag: string }
  | { readonly kind: 'score'; readonly policy: string; readonly score: number; readonly why: string }
  | { readonly kind: 'header'; readonly policy: string; readonly name: string; readonly value: string }
  /** A field of the header that is to be taken out, by where it stands in the message as it came. */
  | { readonly kind: 'removal'; readonly policy: string; readonly start: number; readonly end: number }
  /** Who sent it; of several notes the last one counts. */
  | { readonly kind: 'authentication'; readonly policy: string; readonly authentication: Authentication }
  /** What it decided at a stage, and in how many milliseconds; taken down where explanations are asked for. */
  | {
    readonly kind: 'decision'
    readonly policy: string
    readonly stage: PolicyStage
    readonly verdict: Verdict
    readonly took: number
  }
  | { readonly kind: 'quarantine'; readonly policy: string; readonly why: string }
  /** It said to drop the message, or what of it was for one recipient. */
  | { readonly kind: 'discard'; readonly policy: string; readonly why: string }
