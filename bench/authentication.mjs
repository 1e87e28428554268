// What it costs to find out who sent a message: SPF, DKIM and DMARC of one of 10 KB, signed by rsa-2048, through our policy beside
// mailauth alone; DNS in memory. CPU time, in turn. Run by hand, after `npm run build`:  node bench/authentication.mjs
// env: ROUNDS (default 15), MESSAGES (in each round, default 400)
import { generateKeyPairSync } from 'node:crypto'
import { createRequire } from 'node:module'
import { authentication } from 'posthorn'
import { dkim } from 'posthorn/mailauth'
import { indexMessage, parseHeaderBlock } from 'posthorn/message'
import { fakeDns } from 'posthorn/testing'
import { fmt, median, spread } from './lib/proc.mjs'

const require = createRequire(import.meta.url)
const { spf } = require('mailauth/lib/spf/index.js')
const { dkimVerify } = require('mailauth/lib/dkim/verify.js')
const { evaluateDmarc } = require('mailauth/lib/dmarc/index.js')

const rounds = Number(process.env.ROUNDS ?? 15)
const messages = Number(process.env.MESSAGES ?? 400)
/** The most that ours may cost beside mailauth. */
const MOST = 1.15

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const record = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
const zone = {
  'example.org': { TXT: 'v=spf1 mx ip4:203.0.113.0/24 -all', MX: '10 mail.example.org' },
  'mail.example.org': { A: '192.0.2.7' },
  's._domainkey.example.org': { TXT: record },
  '_dmarc.example.org': { TXT: 'v=DMARC1; p=reject' },
}
const dns = fakeDns(zone)
const address = '203.0.113.9'

/** The same DNS as `node:dns` has it. */
async function lookup(name, type) {
  const { records, exists } = await dns.resolve(name, type)
  if (records.length === 0) throw Object.assign(new Error(name), { code: exists ? 'ENODATA' : 'ENOTFOUND' })
  if (type === 'MX') return records.map(({ preference, exchange }) => ({ priority: preference, exchange }))
  return type === 'TXT' ? records.map((text) => [text]) : records
}

async function content() {
  const head = [
    'Received: from a.example.org by mail.example.org; Thu, 1 Jan 2026 12:00:00 +0000', 'From: Alice <alice@example.org>',
    'To: Bob <bob@example.net>', 'Subject: How are you?', 'Date: Thu, 1 Jan 2026 12:00:00 +0000', 'Message-ID: <1@example.org>',
    'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8',
  ].join('\r\n')
  const text = `${head}\r\n\r\n${`${'All is well here, and so it is with the others. '.repeat(1)}\r\n`.repeat(208)}`
  const bytes = Buffer.from(text)
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const { sign } = await dkim({ keys: [{ domain: 'example.org', selector: 's', key: pem }], now: () => 1_767_268_800_000 })
  return Buffer.concat([Buffer.from(await sign({ body: bodyOf(bytes), facts: indexMessage(bytes) })), bytes])
}

const bodyOf = (bytes) => ({
  size: bytes.length,
  bytes,
  read: async function* ({ start = 0, end = bytes.length } = {}) {
    yield bytes.subarray(start, end)
  },
})

const bytes = await content()
const policy = authentication({ arc: false, iprev: false })
const sender = { local: 'alice', domain: 'example.org' }

/** Asks our policy as a server does. */
async function ours() {
  const noted = []
  const { signal } = new AbortController()
  const stage = {
    now: 1_767_268_800_000, hostname: 'mx.example.net', resolver: dns, signal, noted,
    connection: { peer: { address }, hello: { verb: 'EHLO', name: 'mail.example.org' } },
    notes: {
      authentication: (found) => noted.push({ kind: 'authentication', authentication: found }),
      header: (name, value) => noted.push({ kind: 'header', name, value }), remove() {}, tag() {},
    },
    wait: (_, until) => new Promise((resolve) => until.addEventListener('abort', resolve, { once: true })),
  }
  await policy.sender(sender, stage)
  const body = bodyOf(bytes)
  const headers = parseHeaderBlock(bytes)
  const message = { id: 'x', received: stage.now, envelope: { sender }, body, headers, raw: body.read }
  await policy.message(message, stage)
  const [{ authentication: found }] = noted.filter(({ kind }) => kind === 'authentication').slice(-1)
  if (found.dmarc.result !== 'pass' || !found.dmarc.aligned.spf || !found.dmarc.aligned.dkim) throw new Error(JSON.stringify(found))
}

/** What its `authenticate()` does, which cannot be loaded by Node 20. */
async function alone() {
  const { results, headerFrom, fromFields } = await dkimVerify(bytes, { resolver: lookup, sender: 'alice@example.org' })
  const found = await spf({
    resolver: lookup, sender: 'alice@example.org', ip: address, helo: 'mail.example.org', mta: 'mx.example.net',
  })
  const { response } = await evaluateDmarc({
    headerFrom, fromFields, resolver: lookup, spfDomains: found.status.result === 'pass' ? [found.domain] : [],
    dkimDomains: results.filter(({ status }) => status.result === 'pass').map(({ signingDomain }) => ({ domain: signingDomain })),
  })
  if (response.status.result !== 'pass') throw new Error(JSON.stringify(response))
}

/** Microseconds of CPU that a message takes. */
async function cost(one) {
  const began = process.cpuUsage()
  for (let at = 0; at < messages; at++) await one()
  const { user, system } = process.cpuUsage(began)
  return (user + system) / messages
}

const figures = { ours: [], alone: [], ratio: [] }
for (const one of [ours, alone, ours, alone]) await cost(one)
for (let round = 0; round < rounds; round++) {
  const turns = round % 2 === 0 ? [['ours', ours], ['alone', alone]] : [['alone', alone], ['ours', ours]]
  const taken = {}
  for (const [name, one] of turns) figures[name].push((taken[name] = await cost(one)))
  figures.ratio.push(taken.ours / taken.alone)
}
const line = (name) => `${fmt(median(figures[name]))} (${spread(figures[name]).map(fmt).join('–')})`
console.log(`${bytes.length} octets, ${rounds} rounds of ${messages} messages, Node ${process.version}`)
console.log(`posthorn       ${line('ours')} µs of CPU a message`)
console.log(`mailauth alone ${line('alone')} µs`)
console.log(`ratio          ${line('ratio')}; at most ${MOST}: ${median(figures.ratio) <= MOST ? 'yes' : 'no'}`)
