// Starts servers in the foreground, pinned to one core, and stops what it started.
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { dovecotConf, forgetCache } from './dovecot.mjs'
import { sleep } from './proc.mjs'

const bench = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')
/** Built programs, keys, stores: everything that a run makes. */
export const work = process.env.BENCH_DIR ?? path.join(os.tmpdir(), 'posthorn-bench')
const serverCpu = process.env.SERVER_CPU ?? '0'
const loadCpu = process.env.LOAD_CPU ?? '1'
const basePort = Number(process.env.BENCH_PORT ?? 25100)

/** Several cores, and the tool to keep to one: else server and load disturb each other. */
export const pinned = os.cpus().length > 1 && spawnSync('taskset', ['-V']).status === 0
const pin = (cpu, command, args) => (pinned ? ['taskset', ['-c', cpu, command, ...args]] : [command, args])

/** Compiles the load generator and makes a TLS key. Returns why that cannot be, or nothing. */
export function prepare() {
  fs.mkdirSync(work, { recursive: true })
  const cc = spawnSync('cc', ['-O2', '-DWITH_TLS', '-o', path.join(work, 'smtp-load'), path.join(bench, 'load/smtp-load.c'), '-lssl', '-lcrypto'], { encoding: 'utf8' })
  if (cc.status !== 0) return `the load generator needs a C compiler and OpenSSL's headers (Debian: apt-get install gcc libssl-dev): ${cc.error ?? cc.stderr}`
  const key = path.join(work, 'tls.key')
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30', '-subj', '/CN=bench.example']
  if (!fs.existsSync(key)) spawnSync('openssl', [...args, '-keyout', key, '-out', path.join(work, 'tls.crt')])
  fs.writeFileSync(path.join(work, 'tls.pem'), fs.readFileSync(key, 'utf8') + fs.readFileSync(path.join(work, 'tls.crt'), 'utf8'))
  return undefined
}

function answers(port, child) {
  const end = Date.now() + 30_000
  return new Promise((resolve, reject) => {
    const attempt = () => {
      if (child && child.exitCode !== null) return reject(new Error('it ended at once'))
      const socket = net.connect(port, '127.0.0.1')
      socket.once('connect', () => {
        socket.destroy()
        resolve()
      })
      socket.once('error', () => {
        socket.destroy()
        if (Date.now() > end) reject(new Error(`nothing listens on ${port}`))
        else setTimeout(attempt, 100)
      })
    }
    attempt()
  })
}

async function start(command, args, port, env = {}) {
  const log = fs.openSync(path.join(work, `log-${port}`), 'w')
  const child = spawn(...pin(serverCpu, command, args), { env: { ...process.env, ...env, PORT: String(port) }, stdio: ['ignore', log, log] })
  child.unref()
  await answers(port, child)
  const ended = () => child.exitCode !== null || child.signalCode !== null
  return {
    pid: child.pid,
    port,
    async stop() {
      if (!ended()) child.kill('SIGTERM')
      for (let i = 0; i < 50 && !ended(); i++) await sleep(100)
      if (!ended()) child.kill('SIGKILL')
    },
  }
}

const tls = { TLS_KEY: path.join(work, 'tls.key'), TLS_CERT: path.join(work, 'tls.crt') }
const node = (file, port, env) => start(process.execPath, [path.join(bench, file)], port, env)

function freshStore(name) {
  const store = path.join(work, name)
  fs.rmSync(store, { recursive: true, force: true })
  fs.mkdirSync(store, { recursive: true })
  return store
}

/** What is in it is used again: ten thousand messages take their time. */
function keptStore(name) {
  const store = path.join(work, name)
  fs.mkdirSync(store, { recursive: true })
  return store
}

const dovecot = async (format, port) => {
  const server = await start('/usr/sbin/dovecot', ['-F', '-c', dovecotConf(work, port, format)], port)
  return { ...server, forget: () => forgetCache(work, format) }
}

/** Every server by name: ours first. `start` rejects where one is not installed. */
export const servers = {
  posthorn: () => node('servers/session.mjs', basePort + 1, tls),
  receiver: () => node('servers/receiver.mjs', basePort + 2, tls),
  durable: () => node('servers/durable.mjs', basePort + 3, { STORE: freshStore('store-posthorn') }),
  mailbox: () => node('servers/mailbox.mjs', basePort + 9, { STORE: freshStore('store-mailbox') }),
  'smtp-server': () => node('peers/smtp-server.cjs', basePort + 4, tls),
  'smtp-server-fsync': () => node('peers/smtp-server.cjs', basePort + 5, { STORE: freshStore('store-smtp-server') }),
  'node-floor': () => node('peers/node-floor.mjs', basePort + 6),
  'smtp-sink': () => start('/usr/sbin/smtp-sink', ['-u', 'nobody', '-m', '20000', `127.0.0.1:${basePort + 7}`, '4096'], basePort + 7),
  postfix: () => postfix(basePort + 8),
  imap: () => node('servers/imap.mjs', basePort + 9, { STORE: keptStore('store-imap') }),
  'imap-search': () => node('servers/imap.mjs', basePort + 10, { STORE: keptStore('store-imap-search'), SEARCH: '1' }),
  'dovecot-maildir': () => dovecot('maildir', basePort + 11),
  'dovecot-mdbox': () => dovecot('mdbox', basePort + 12),
  // What these take goes on to `sink`.
  outbound: () => node('servers/outbound.mjs', basePort + 14, { STORE: freshStore('store-outbound'), SINK: String(sinkPort) }),
  'postfix-outbound': () => postfix(basePort + 15, { name: 'postfix-outbound', relay: sinkPort }),
  'haraka-outbound': () => haraka(basePort + 16),
}

const sinkPort = basePort + 13

/** Postfix's `smtp-sink` on the core of the load, and how many messages it has had. */
export async function sink() {
  const command = '/usr/sbin/smtp-sink'
  if (!fs.existsSync(command)) throw new Error('not installed (Debian: apt-get install postfix)')
  const child = spawn(...pin(loadCpu, command, ['-c', '-u', 'nobody', '-m', '20000', `127.0.0.1:${sinkPort}`, '4096']), { stdio: ['ignore', 'pipe', 'ignore'] })
  let messages = 0
  child.stdout.on('data', (data) => {
    const last = [...String(data).matchAll(/mesg=(\d+)/g)].at(-1)
    if (last) messages = Number(last[1])
  })
  await answers(sinkPort, child)
  return { get messages() { return messages }, stop: () => void child.kill() }
}

/** HARAKA: a folder in which `npm install Haraka` was run. */
function haraka(port) {
  const program = path.join(process.env.HARAKA ?? work, 'node_modules/Haraka')
  if (!fs.existsSync(program)) throw new Error('not installed (set HARAKA to a folder in which `npm install Haraka` was run)')
  const home = freshStore('haraka')
  for (const folder of ['config', 'plugins', 'queue']) fs.mkdirSync(path.join(home, folder))
  fs.copyFileSync(path.join(bench, 'peers/haraka-relay.js'), path.join(home, 'plugins/relay.js'))
  fs.copyFileSync(path.join(program, 'config/connection.ini'), path.join(home, 'config/connection.ini'))
  const write = (name, text) => fs.writeFileSync(path.join(home, 'config', name), `${text}\n`)
  write('smtp.ini', `listen=127.0.0.1:${port}\nnodes=0\npublic_ip=192.0.2.1`)
  write('plugins', 'relay')
  write('log.ini', '[main]\nlevel=error')
  write('outbound.ini', 'enable_tls=false\nlocal_mx_ok=true')
  write('me', 'haraka.example')
  return start(process.execPath, [path.join(program, 'bin/haraka'), '-c', home], port, { SINK: String(sinkPort) })
}

async function postfix(port, { name = 'postfix', relay } = {}) {
  if (!fs.existsSync('/usr/sbin/postfix')) throw new Error('not installed')
  const home = path.join(work, name)
  const etc = path.join(home, 'etc')
  for (const folder of ['etc', 'spool', 'data']) fs.mkdirSync(path.join(home, folder), { recursive: true })
  spawnSync('chown', ['postfix', path.join(home, 'data')])
  fs.writeFileSync(path.join(etc, 'main.cf'), mainCf(home, relay))
  fs.writeFileSync(path.join(etc, 'master.cf'), masterCf(port))
  const started = spawnSync(...pin(serverCpu, 'postfix', ['-c', etc, 'start']), { encoding: 'utf8', timeout: 30_000 })
  if (started.status) throw new Error(started.stderr)
  await answers(port)
  const pid = Number(fs.readFileSync(path.join(home, 'spool/pid/master.pid'), 'utf8'))
  return { pid, port, stop: async () => void spawnSync('postfix', ['-c', etc, 'stop'], { timeout: 30_000 }) }
}

const mainCf = (home, relay) => `compatibility_level = 3.6
queue_directory = ${home}/spool
data_directory = ${home}/data
myhostname = postfix.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
${relay === undefined ? `default_transport = discard:
relay_transport = discard:
local_transport = discard:` : `relayhost = [127.0.0.1]:${relay}`}
alias_maps =
alias_database =
in_flow_delay = 0
message_size_limit = 104857600
default_process_limit = 100
smtpd_tls_security_level = may
smtpd_tls_chain_files = ${work}/tls.pem
smtpd_tls_loglevel = 0
maillog_file = ${home}/data/maillog
maillog_file_prefixes = ${home}
`

const masterCf = (port) => `127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
smtp unix - - n - - smtp
relay unix - - n - - smtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

/** Runs the load generator; what it printed as JSON. */
export function load(server, args) {
  return new Promise((resolve) => {
    const child = spawn(...pin(loadCpu, path.join(work, 'smtp-load'), ['-h', '127.0.0.1', '-p', String(server.port), ...args]))
    let out = ''
    let err = ''
    child.stdout.on('data', (data) => (out += data))
    child.stderr.on('data', (data) => (err += data))
    child.on('close', () => {
      try {
        resolve(JSON.parse(out))
      } catch {
        resolve({ messages: 0, errors: 1, err: err.slice(0, 200) })
      }
    })
  })
}

/** Opens so many connections and holds them: `opened`, and a function that lets go. */
export async function hold(server, connections, startTls) {
  const args = ['-h', '127.0.0.1', '-p', String(server.port), ...(startTls ? ['-T'] : []), '-i', String(connections), '-t', '90']
  const child = spawn(...pin(loadCpu, path.join(work, 'smtp-load'), args), { stdio: ['pipe', 'pipe', 'inherit'] })
  const line = await new Promise((resolve) => {
    let text = ''
    child.stdout.on('data', (data) => {
      text += data
      if (text.includes('\n')) resolve(text)
    })
    child.on('close', () => resolve(text))
  })
  return {
    opened: Number(/READY (\d+)/.exec(line)?.[1] ?? 0),
    async release() {
      child.stdin.end()
      if (child.exitCode === null) await new Promise((resolve) => child.on('close', resolve))
    },
  }
}
