// A receiver that keeps all mail for alice@example.test in a store, to be killed. Arguments: sqlite | maildir, a folder.
// Prints the port. With `list` as a third argument: prints the subject of each message and the SHA-256 of its octets, a line a message.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { receiver } from '../../dist/index.js'

const [kind, folder, action] = process.argv.slice(2)

async function storeOf() {
  // 64 KiB: so that many of the messages lie in files.
  if (kind === 'sqlite') return (await import('../../dist/sqlite.js')).sqlite({ path: join(folder, 'mail.db'), bodyThreshold: 65_536 }).store
  return (await import('../../dist/maildir.js')).maildir({ path: folder }).store
}

const store = await storeOf()
const inbox = await store.create('alice', ['INBOX'])

async function list() {
  for await (const page of store.list(inbox.id)) {
    for (const { id, uid, facts, octets } of page) {
      const hash = createHash('sha256')
      let read = 0
      let skipped = false
      for await (const chunk of (await store.body(id)).read()) {
        read += chunk.length
        // Without the trace that the receiver put before it.
        const from = skipped ? 0 : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).indexOf('Subject: ')
        if (!skipped && from < 0) continue
        skipped = true
        hash.update(chunk.subarray(from))
      }
      if (read !== octets) throw new Error(`UID ${uid}: ${read} of ${octets} octets`)
      console.log(JSON.stringify({ uid, subject: Buffer.from(facts.envelope.subject ?? '', 'latin1').toString(), sha256: hash.digest('hex') }))
    }
  }
  const [mailbox] = await store.mailboxes('alice')
  const usage = await store.usage('alice')
  const recounted = await store.recount?.('alice')
  console.log(JSON.stringify({ mailbox, usage, recounted: recounted ?? usage }))
  await store.close?.()
}

if (action === 'list') await list()
else {
  const mx = receiver({
    hostname: 'mx.example.test',
    accepts: () => true,
    connections: false,
    async deliver({ body, facts, received }) {
      await store.append(inbox.id, { body, facts, received })
    },
  })
  const { port } = await mx.listen({ port: 0, host: '127.0.0.1' })
  console.log(`port ${port}`)
}
