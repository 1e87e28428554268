// Two mail servers in one process and on no network: connections are links in memory, the DNS knows what it is told, and days
// pass as soon as nothing is left to do.
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
// It writes reports too, and comes from files, which virtual time does not wait for: it is loaded before.
import { createTransport } from 'nodemailer'
import { linkedTransports, memoryAccounts, memoryQueue, memoryStore } from 'posthorn/memory'
import { fakeDns, testClient, virtualClock, virtualNetwork } from 'posthorn/testing'
import { inboxOf, mailServerFor } from './mail-server.mjs'

const SECOND = 1000
const MINUTE = 60 * SECOND
const addresses = { 'north.test': '192.0.2.1', 'south.test': '198.51.100.1' }

let clock, network, north, south

beforeEach(async () => {
  clock = virtualClock()
  network = virtualNetwork({ clock })
  const dns = fakeDns({}, { clock })
  for (const [domain, address] of Object.entries(addresses)) {
    dns.set(domain, { MX: `10 mx.${domain}` })
    dns.set(`mx.${domain}`, { A: address })
  }
  north = await serverOf('north.test', dns)
  south = await serverOf('south.test', dns)
})

async function serverOf(domain, resolver) {
  const address = addresses[domain]
  const db = { accounts: memoryAccounts(), store: memoryStore(), queue: memoryQueue() }
  const dial = (target, signal) => network.dial({ localAddress: address, ...target }, signal)
  const options = { db, outgoing: { resolver, dial }, listen: { mx: {}, submission: {} }, clock, volatile: true }
  const server = await mailServerFor(domain, { ann: 'secret' }, options)
  const close = network.listen(address, 25, (transport) => server.serve('mx', transport, { startTls: true }))
  return { db, server, close }
}

/** Ann of the north submits a message, as a mail program does. */
async function submit(to, subject) {
  const { server, client } = linkedTransports({ clock, peer: { address: '192.0.2.50' } })
  north.server.serve('submission', server, { startTls: true })
  const ann = testClient(client)
  await ann.startTls()
  assert.match(await ann.login('ann@north.test', 'secret'), /^235/)
  const { reply } = await ann.send({ from: 'ann@north.test', to, subject })
  assert.match(reply, /^250 2\.0\.0 .*queued as /)
}

/** Lets time pass until there is mail in an inbox. */
async function mailFor({ db }, account) {
  for (;;) {
    const mail = await inboxOf(db, account)
    if (mail.length > 0) return mail
    await clock.advance(SECOND)
  }
}

test('what is submitted here is in the mailbox there, and signed', async () => {
  await submit('ann@south.test', 'Hello from the north')
  const [mail] = await mailFor(south, 'ann@south.test')
  assert.match(mail, /^Return-Path: <ann@north\.test>\r\nDelivered-To: ann@south\.test\r\nReceived: from mx\.north\.test/)
  assert.match(mail, /\r\nDKIM-Signature: v=1; a=ed25519-sha256;[^]* d=north\.test;/)
  assert.match(mail, /\r\nSubject: Hello from the north\r\n/)
})

test('what the application around a server sends goes the same way, without a socket', async () => {
  const transport = createTransport(north.server.transport())
  const mail = { from: 'shop@north.test', to: 'ann@south.test', subject: 'Your order', text: 'It is on its way.' }
  const { response } = await transport.sendMail(mail)
  assert.match(response, /^250 2\.0\.0 queued as /)
  assert.match((await mailFor(south, 'ann@south.test'))[0], /\r\nSubject: Your order\r\n/)
})

test('its sender hears of what could not be delivered', async () => {
  await submit('nobody@south.test', 'Anybody there?')
  const [report] = await mailFor(north, 'ann@north.test')
  assert.match(report, /^Return-Path: <>\r\n/)
  assert.match(report, /Final-Recipient: rfc822; nobody@south\.test\r\nAction: failed\r\nStatus: 5\.1\.1\r\n/)
  assert.match(report, /Subject: Anybody there\?\r\n/)
})

test('it waits for a server that is down', async () => {
  network.fault('198.51.100.1', 'refused')
  await submit('ann@south.test', 'Take your time')
  await clock.advance(60 * MINUTE)
  assert.deepEqual(await inboxOf(south.db, 'ann@south.test'), [])
  assert.equal((await north.db.queue.counts(clock.now())).messages, 1)
  network.fault('198.51.100.1', undefined)
  assert.equal((await mailFor(south, 'ann@south.test')).length, 1)
  assert.deepEqual(await inboxOf(north.db, 'ann@north.test'), [])
})
