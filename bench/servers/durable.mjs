// Durable: each message is in the SQLite store, flushed to disk, before its 250. env: PORT, STORE (a folder)
import { join } from 'node:path'
import { receiver } from 'posthorn'
import { sqlite } from 'posthorn/sqlite'

const { PORT, STORE } = process.env
const { store } = sqlite({ path: join(STORE, 'mail.db') })
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
