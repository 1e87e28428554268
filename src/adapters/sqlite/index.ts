export type { SqliteDriver } from './driver.ts'
export { type FolderLock, lockFolder } from './lock.ts'
export type { SqliteMailQueue } from './queue.ts'
export { type SqliteMail, type SqliteMailStore, type SqliteOptions, sqlite } from './sqlite.ts'
