// A whole mail server for one domain: it takes mail from its people and from other servers, keeps what is for them, and sends
// the rest on. It is the same one in the test and for real; what differs is what it is given.
import { generateKeyPairSync } from 'node:crypto'
import { accountAdmin, accountDirectory, mailServer } from 'posthorn'
import { dkim } from 'posthorn/mailauth'
import { passwords, randomBytes } from 'posthorn/node'

/**
 * `db`: where accounts, mailboxes and the queue are kept. `outgoing`: how mail goes out, beside that it is signed. What else is
 * given goes to `mailServer` as it is.
 */
export async function mailServerFor(domain, people, { db, outgoing, ...more }) {
  const places = { records: db.accounts, passwords: passwords() }
  const admin = accountAdmin({ ...places, store: db.store, random: randomBytes, now: Date.now })
  await admin.domains.set({ name: domain })
  for (const [name, password] of Object.entries(people)) await admin.create({ addresses: [`${name}@${domain}`], password })
  // In the world it is the path of a file, so that the key is the same tomorrow, and its public half stands in the DNS.
  const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  const { sign } = await dkim({ keys: [{ domain, selector: 'mail', key }] })
  return mailServer({
    hostname: `mx.${domain}`,
    directory: accountDirectory(places),
    store: db.store,
    queue: db.queue,
    outgoing: { ...outgoing, sign },
    ...more,
  })
}

/** The mail in somebody's INBOX, as text. */
export async function inboxOf({ store }, account) {
  const inbox = (await store.mailboxes(account)).find(({ path }) => path.join('/') === 'INBOX')
  const found = []
  for await (const page of store.list(inbox.id)) {
    for (const { id } of page) {
      const pieces = []
      for await (const piece of (await store.body(id)).read()) pieces.push(piece)
      found.push(Buffer.concat(pieces).toString())
    }
  }
  return found
}
