// Mail that goes out: somebody logs in, what he submits is in the queue on disk before its 250, and is brought to a smart host.
// env: PORT, SINK (the smart host's port), STORE (a folder), DRIVER (a folder whose node_modules hold better-sqlite3; default: the
// driver that the store finds)
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { mailServer } from 'posthorn'
import { sqlite } from 'posthorn/sqlite'

const { PORT, SINK, STORE, DRIVER } = process.env
const driver = DRIVER && createRequire(join(DRIVER, 'package.json'))('better-sqlite3')
const db = sqlite({ path: join(STORE, 'mail.db'), ...(driver ? { driver } : {}) })
const rights = { smtp: true, imap: false, admin: false }
const account = { id: 'load@example.net', disabled: false, rights, quota: {} }
// One account, whose password nobody checks: what a log-in costs is measured elsewhere.
const directory = {
  resolve: async ({ domain }) => (domain === 'example.net' ? { kind: 'unknown' } : { kind: 'elsewhere' }),
  account: async (id) => (id === account.id ? account : undefined),
  named: async () => account,
  verify: async () => account,
  maySendAs: async () => true,
}
const sink = { kind: 'hosts', name: 'sink', hosts: [{ host: '127.0.0.1', port: Number(SINK), tls: 'never' }] }
await mailServer({
  hostname: 'bench.example',
  directory,
  store: db.store,
  queue: db.queue,
  outgoing: { routes: sink },
  plaintextAuth: 'loopback',
  listen: { submission: { port: Number(PORT), host: '127.0.0.1', connections: false } },
}).start()
