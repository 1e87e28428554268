/** DKIM signatures, through mailauth: an optional package, whose inner modules are loaded when a signer is made. */
export { dkim } from './dkim.ts'
export type { Dkim, DkimEvent, DkimOptions } from './dkim.ts'
export type { DkimKey } from './keys.ts'
export type { Unsigned } from './signed-fields.ts'
