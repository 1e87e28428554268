// IMAP over the SQLite store. Anybody gets in with the password `password`. env: PORT, STORE (a folder), DRIVER (as durable.mjs has
// it), SEARCH (with an index of words)
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { imapServer } from 'posthorn'
import { sqlite } from 'posthorn/sqlite'

const { PORT, STORE, DRIVER, SEARCH } = process.env
const driver = DRIVER && createRequire(join(DRIVER, 'package.json'))('better-sqlite3')
const { store } = sqlite({ path: join(STORE, 'mail.db'), search: Boolean(SEARCH), ...(driver ? { driver } : {}) })

const accounts = new Map()
function account(id) {
  const rights = { smtp: true, imap: true, admin: false }
  const quota = { octets: Infinity, messages: Infinity }
  if (!accounts.has(id)) accounts.set(id, { id, disabled: false, rights, quota })
  return accounts.get(id)
}
/** A plain comparison: what is measured is the server, not a password's hash. */
const directory = {
  resolve: async () => ({ kind: 'unknown' }),
  account: async (id) => account(id),
  verify: async ({ username, password }) => (password === 'password' ? account(username) : undefined),
  named: async ({ username }) => account(username),
  maySendAs: async () => false,
}
await store.create('user', ['INBOX'])
const server = imapServer({ hostname: 'bench.example', directory, store, plaintextAuth: true, connections: false })
await server.listen({ port: Number(PORT), host: '127.0.0.1' })
