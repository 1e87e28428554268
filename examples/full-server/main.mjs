// The same two servers for real: sockets on the loopback address, and everything in SQLite. Ports below 1024 are not needed: the
// routes say where MX is. In the world there would be one server to a machine, without `resolver`, `routes` and `loopback`.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificates, selfSignedFiles } from 'posthorn/node'
import { sqlite } from 'posthorn/sqlite'
import { fakeDns } from 'posthorn/testing'
import { mailServerFor } from './mail-server.mjs'

const host = '127.0.0.1'
const domains = ['north.test', 'south.test']
const folder = mkdtempSync(join(tmpdir(), 'full-server-'))
const ports = Object.fromEntries(await Promise.all(domains.map(async (domain) => [domain, await freePort()])))
const routes = domains.map((domain) => ({ to: domain, route: { kind: 'mx', name: domain.split('.')[0], port: ports[domain] } }))
const resolver = fakeDns()
for (const domain of domains) {
  resolver.set(domain, { MX: `10 mx.${domain}` })
  resolver.set(`mx.${domain}`, { A: host })
}

const servers = await Promise.all(domains.map(async (domain) => {
  const db = sqlite({ path: join(folder, `${domain}.db`) })
  const tls = certificates(selfSignedFiles(join(folder, domain), { hostname: `mx.${domain}` }))
  const server = await mailServerFor(domain, { ann: 'secret' }, {
    db,
    outgoing: { resolver, routes, loopback: true },
    listen: {
      mx: { port: ports[domain], host },
      submission: { port: Number(process.env.SUBMISSION_PORT ?? 0), host },
      imap: { port: 0, host },
    },
    tls,
    observe: (event) => told(domain, event),
  })
  const running = await server.start()
  const stop = () => running.stop({ within: 30_000 }).then(() => Promise.all([db.close(), tls.close()]))
  return { running, stop }
}))

for (const [at, { running }] of servers.entries()) {
  const { submission, imap } = running.listeners
  const url = `smtp://${host}:${submission.port}`
  console.log(`ann@${domains[at]} (password: secret) submits at ${url}, reads at imap://${host}:${imap.port}`)
}
process.once('SIGTERM', async () => {
  await Promise.all(servers.map(({ stop }) => stop()))
  rmSync(folder, { recursive: true })
})

/** Prints what becomes of mail. */
function told(domain, event) {
  const { kind } = event
  if (kind === 'attempt') {
    const { recipient, result, host: at, tls } = event
    console.log(JSON.stringify({ from: domain, kind, recipient, result, at, tls }))
  } else if (kind === 'reported' || kind === 'failed') console.log(JSON.stringify({ from: domain, ...event }))
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, host, () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
