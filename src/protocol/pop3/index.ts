/** POP3, the server's side of a conversation as a pure session. */
export { pop3ServerConfig } from './config.ts'
export type { Pop3ServerConfig, Pop3ServerOptions } from './config.ts'
export type * from './events.ts'
export type { Pop3Limits, Pop3Timeouts } from './limits.ts'
export { pop3ServerSession } from './server/session.ts'
export type { Pop3Peer } from './server/session.ts'
