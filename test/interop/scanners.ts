import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { Child } from './children.ts'
import { freePort, type Held } from './held.ts'

/** What every scanner for viruses knows, in two pieces, so that none takes this file for one. */
export const EICAR = ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR', '-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('')

/** What every scanner for spam knows. */
export const GTUBE = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X'

/** Octets of the largest message that {@link startClamd} takes. */
export const CLAMD_MOST = 1024 * 1024

/** clamd with one signature of our own, on a port and a unix socket. */
export async function startClamd(held: Held): Promise<{ readonly port: number; readonly path: string }> {
  const folder = held.folder('clamd')
  const [port, path, database] = [await freePort(), join(folder, 'clamd.sock'), join(folder, 'database')]
  mkdirSync(database)
  writeFileSync(join(database, 'own.ndb'), `Own.Eicar:0:*:${Buffer.from(EICAR).toString('hex')}\n`)
  const conf = join(folder, 'clamd.conf')
  writeFileSync(conf, `Foreground yes
TCPSocket ${port}
TCPAddr 127.0.0.1
LocalSocket ${path}
DatabaseDirectory ${database}
TemporaryDirectory ${folder}
StreamMaxLength ${CLAMD_MOST}
`)
  await started(held, 'clamd', ['-c', conf], /Self checking every/)
  return { port, path }
}

/** spamd with the rules that it comes with, none of which asks the network. */
export async function startSpamd(held: Held): Promise<{ readonly port: number }> {
  const folder = held.folder('spamd')
  const port = await freePort()
  const user = userInfo().uid === 0 ? ['-u', 'nobody'] : []
  const where = ['--listen', '127.0.0.1', '--port', String(port), '--max-children', '2']
  await started(held, 'spamd', ['-L', '-x', '-s', 'stderr', '-H', folder, ...where, ...user], /server successfully spawned/)
  return { port }
}

/** rspamd with nothing but this rule, in Lua, which gets the message as `task`. */
export async function startRspamd(held: Held, rule: string): Promise<{ readonly url: string }> {
  const folder = held.folder('rspamd')
  const port = await freePort()
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  // All top-level domains there are take it half a minute to compile.
  const domains = file('domains', 'com\norg\ntest\n')
  const symbol = `{ name = 'OWN', score = 1.5, callback = function(task)\n${rule}\nend }`
  const lua = file('rule.lua', `rspamd_config:register_symbol(${symbol})\n`)
  const conf = file('rspamd.conf', `options {
  url_tld = "${domains}"; filters = "";
  pidfile = "${folder}/pid"; tempdir = "${folder}"; dbdir = "${folder}"; rundir = "${folder}"; hs_cache_dir = "${folder}";
  control_socket = "${folder}/control.sock mode=0600";
  dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }
}
logging { type = "console"; level = "info"; }
lua = "${lua}";
worker "normal" { bind_socket = "127.0.0.1:${port}"; count = 1; }
actions {
  reject = 15; add_header = 6; greylist = 4;
  discard { flags = ["no_threshold"]; } quarantine { flags = ["no_threshold"]; }
}
`)
  await started(held, 'rspamd', ['-f', '--insecure', '-c', conf], new RegExp(`listen on: 127\\.0\\.0\\.1:${port}`))
  return { url: `http://127.0.0.1:${port}` }
}

async function started(held: Held, program: string, given: readonly string[], ready: RegExp): Promise<void> {
  const child = new Child(program, given)
  held.keep({ stop: () => child.stop() })
  await child.said(ready)
}
