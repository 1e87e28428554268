// A whole MX: each message is looked up in the directory, checked against its quota, and in its mailbox on disk before its 250.
// env: PORT, STORE (a folder), DRIVER (a folder whose node_modules hold better-sqlite3; default: the driver that the store finds)
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { accountDirectory, mailServer } from 'posthorn'
import { passwords } from 'posthorn/node'
import { sqlite } from 'posthorn/sqlite'

const { PORT, STORE, DRIVER } = process.env
const driver = DRIVER && createRequire(join(DRIVER, 'package.json'))('better-sqlite3')
const db = sqlite({ path: join(STORE, 'mail.db'), ...(driver ? { driver } : {}) })
const address = 'user@example.com'
await db.accounts.setDomain({ name: 'example.com' })
await db.accounts.updateAccount(address, () => ({ id: address, addresses: [address], quota: { octets: 2 ** 50 }, created: 0 }))
await db.store.create(address, ['INBOX'])
await mailServer({
  hostname: 'bench.example',
  directory: accountDirectory({ records: db.accounts, passwords: passwords() }),
  store: db.store,
  listen: { mx: { port: Number(PORT), host: '127.0.0.1', connections: false } },
}).start()
