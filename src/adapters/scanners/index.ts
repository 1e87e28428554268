/** Programs that look into messages: ClamAV's clamd, SpamAssassin's spamd, rspamd. */
export { clamd } from './clamd.ts'
export type { Clamd, ClamdOptions } from './clamd.ts'
export { rspamd } from './rspamd.ts'
export type { RspamdOptions } from './rspamd.ts'
export { spamd } from './spamd.ts'
export type { SpamdOptions } from './spamd.ts'
export type { ScannerBreaker, ScannerEvent, ScannerOptions, ScannerPlace, ScannerTimeouts } from './options.ts'
