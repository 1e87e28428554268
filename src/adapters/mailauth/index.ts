/**
 * DKIM signatures, ARC seals, and who sent a message (SPF, DKIM, DMARC, ARC), through mailauth: an optional package, whose
 * inner modules are loaded when they are needed.
 */
export { arcSealer } from './arc-sealer.ts'
export type { ArcSealer, ArcSealerOptions } from './arc-sealer.ts'
export { mailauthAuthenticator } from './authenticator.ts'
export { dkim } from './dkim.ts'
export type { Dkim, DkimEvent, DkimOptions } from './dkim.ts'
export type { DkimKey } from './keys.ts'
export type { Unsigned } from './signed-fields.ts'
