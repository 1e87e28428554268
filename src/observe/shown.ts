import type { Envelope } from '../contracts/received.ts'

/** An envelope address as events show it: `<>` for the null sender. */
export const shown = (address: Envelope['sender']): string => (address === null ? '<>' : `${address.local}@${address.domain}`)
