// Durable: each message is in the SQLite store, flushed to disk, before its 250.
// env: PORT, STORE (a folder), DRIVER (a folder whose node_modules hold better-sqlite3; default: the driver that the store finds)
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { receiver } from 'posthorn'
import { sqlite } from 'posthorn/sqlite'

const { PORT, STORE, DRIVER } = process.env
const driver = DRIVER && createRequire(join(DRIVER, 'package.json'))('better-sqlite3')
const { store } = sqlite({ path: join(STORE, 'mail.db'), ...(driver ? { driver } : {}) })
const inbox = await store.create('user@example.com', ['INBOX'])
const mx = receiver({
  hostname: 'bench.example',
  connections: false,
  accepts: () => true,
  async deliver({ body, facts, received }) {
    await store.append(inbox.id, { body, facts, received })
  },
})
await mx.listen({ port: Number(PORT), host: '127.0.0.1' })
