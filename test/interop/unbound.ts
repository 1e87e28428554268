import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child, run } from './children.ts'
import { freePort, type Held } from './held.ts'

/** What tests with a validating resolver need. */
export const UNBOUND = ['unbound', 'ldns-keygen', 'ldns-signzone'] as const

/** A zone file without its SOA and NS, and whether it is signed by a key that Unbound trusts. */
export interface Zone {
  readonly name: string
  readonly records: string
  readonly signed?: boolean
  /** What is made of a piece of it behind the back of its signatures. */
  readonly instead?: readonly [from: string, to: string]
}

/** Unbound on a port of its own, a resolver for a world that is made of these zones. */
export async function unbound(held: Held, zones: readonly Zone[]): Promise<string> {
  const folder = held.folder('unbound')
  const port = await freePort()
  const anchors: string[] = []
  const clauses: string[] = []
  for (const { name, records, signed, instead } of zones) {
    const file = join(folder, `${name}.zone`)
    const head = `$ORIGIN ${name}.\n$TTL 300\n@ IN SOA ns hostmaster 1 3600 900 604800 60\n@ IN NS ns\nns IN A 127.0.0.1\n`
    writeFileSync(file, head + records)
    if (signed === true) anchors.push(await sign(folder, name, file))
    const served = signed === true ? `${file}.signed` : file
    if (instead) writeFileSync(served, readFileSync(served, 'utf8').replaceAll(...instead))
    clauses.push(`auth-zone:
  name: "${name}"
  zonefile: "${served}"
  for-upstream: yes
  for-downstream: no
  fallback-enabled: no
`)
  }
  const conf = join(folder, 'unbound.conf')
  writeFileSync(conf, `server:
  interface: 127.0.0.1
  port: ${port}
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  do-daemonize: no
  module-config: "validator iterator"
  root-hints: ""
  trust-anchor-signaling: no
${anchors.map((file) => `  trust-anchor-file: "${file}"\n`).join('')}
${clauses.join('')}
remote-control:
  control-enable: no
`)
  const child = new Child('unbound', ['-d', '-c', conf])
  held.keep({ stop: () => child.stop() })
  await child.said(/start of service/)
  return `127.0.0.1:${port}`
}

/** Signs the zone; the file with the key to trust. */
async function sign(folder: string, name: string, file: string): Promise<string> {
  const made = await run('ldns-keygen', ['-a', 'ECDSAP256SHA256', '-k', name], { cwd: folder })
  const key = made.out.trim()
  if (made.code !== 0 || key === '') throw new Error(made.text)
  const signed = await run('ldns-signzone', ['-n', file, key], { cwd: folder })
  if (signed.code !== 0) throw new Error(signed.text)
  return join(folder, `${key}.key`)
}
