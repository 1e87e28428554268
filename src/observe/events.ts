import type { Envelope } from '../contracts/received.ts'

/**
 * What a server tells those who watch it. Plain data; never a password, never the text of a message. `at` is in
 * milliseconds since the Unix epoch, `connection` the id of the connection.
 */
export type ServerEvent =
  | {
      readonly kind: 'connected'
      readonly at: number
      readonly connection: string
      readonly address: string | undefined
      readonly port: number | undefined
    }
  | {
      readonly kind: 'secured'
      readonly at: number
      readonly connection: string
      readonly protocol: string
      readonly cipher: string
    }
  | {
      readonly kind: 'authenticated'
      readonly at: number
      readonly connection: string
      readonly mechanism: string
      readonly username: string
      /** `undefined`: the attempt failed. */
      readonly account: string | undefined
    }
  | {
      readonly kind: 'refused'
      readonly at: number
      readonly connection: string
      readonly stage: RefusalStage
      /** The reply that was given. */
      readonly code: number
      readonly text: string
      readonly sender?: string
      readonly recipient?: string
    }
  | {
      readonly kind: 'accepted'
      readonly at: number
      readonly connection: string
      readonly message: string
      readonly sender: string
      readonly recipients: readonly string[]
      readonly octets: number
      /** From the end of the content to the answer, in milliseconds. */
      readonly took: number
      /** A policy had it dropped. */
      readonly discarded: boolean
    }
  | {
      readonly kind: 'failed'
      readonly at: number
      readonly connection: string | undefined
      readonly what: string
      readonly error: unknown
    }
  | { readonly kind: 'closed'; readonly at: number; readonly connection: string; readonly why: string; readonly lasted: number }

/** Where in a conversation mail was refused. */
export type RefusalStage = 'connect' | 'hello' | 'auth' | 'sender' | 'recipient' | 'message'

/** Watches. Called at once and in order; what it throws or rejects with is dropped, and nobody waits for it. */
export type Observer = (event: ServerEvent) => void

/** An envelope address as the log shows it: `<>` for the null sender. */
export const shown = (address: Envelope['sender']): string => (address === null ? '<>' : `${address.local}@${address.domain}`)
