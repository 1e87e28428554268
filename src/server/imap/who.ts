import type { Account } from '../../contracts/directory.ts'
import type { LiveConnection } from '../connection.ts'

/** Who does something to their mail, and over which connection. */
export interface Who {
  readonly account: Account
  readonly connection: LiveConnection
}
