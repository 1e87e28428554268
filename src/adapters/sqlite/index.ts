export type { SqliteDriver } from './driver.ts'
export { type FolderLock, lockFolder } from './lock.ts'
export { type SqliteMail, type SqliteOptions, sqlite } from './sqlite.ts'
