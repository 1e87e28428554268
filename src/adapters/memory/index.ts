/** What needs no machine: connections in memory. */
export { linkedTransports } from './link.ts'
export type { ClientTransport, LinkedTransports, LinkOptions, Scheduler } from './link.ts'
export { socketOf } from './duplex.ts'
export { memoryAccounts } from './accounts.ts'
export { memoryBodies } from './bodies.ts'
export { memoryKeyValue } from './key-value.ts'
export { memoryStore } from './store.ts'
export type { MemoryStoreOptions } from './store.ts'
