import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { run } from './children.ts'
import type { Security } from './clients.ts'
import { holding } from './held.ts'
import { Dovecot } from './imap-dovecot.ts'
import { letter, letterWithFile } from './imap-mail.ts'
import { ImapPlace, PASSWORD } from './imap-place.ts'
import { atomOf, ImapWire, shown, type Value } from './imap-wire.ts'
import { describeWith, program } from './programs.ts'
import { Tap } from './tap.ts'

const held = holding()
let place: ImapPlace
let dovecot: Dovecot

/** Somebody who has mail with us and with Dovecot, to be kept the same. */
interface Both {
  /** A folder of the program's own. */
  readonly folder: string
  readonly user: string
  readonly name: string
  readonly security: Security
  /** Where we are. */
  readonly port: number
  readonly compress: boolean
}

/** A program that keeps two servers the same; what it said. */
type Synchronise = (both: Both) => Promise<string>

/** All mailboxes: of each message its flags and octets. */
async function mailOf(wire: ImapWire): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for (const [kind, flags, , name] of (await wire.ok('LIST "" *')).lines) {
    if (atomOf(kind) !== 'LIST' || shown(flags).toLowerCase().includes('noselect')) continue
    const mailbox = typeof name === 'string' ? name : (atomOf(name) ?? '')
    await wire.ok(`EXAMINE "${mailbox}"`)
    const messages = await wire.fetch('FETCH 1:* (FLAGS BODY.PEEK[])').catch(() => new Map<number, Map<string, Value>>())
    const each = [...messages.values()].filter((items) => items.has('BODY[]')).map((items) => {
      const flags = (items.get('FLAGS') as readonly Value[]).map(shown).filter((flag) => flag !== '\\Recent').sort()
      // mbsync notes what it copies.
      return `${flags.join(' ')} ${shown(items.get('BODY[]')).replace(/X-TUID: .{12}\\r\\n/, '')}`
    })
    if (each.length > 0) found.set(mailbox, each.sort())
  }
  await wire.ok('UNSELECT').catch(() => undefined)
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function append(wire: ImapWire, mailbox: string, text: string, flags = ''): Promise<void> {
  const octets = Buffer.from(text).toString('latin1')
  await wire.ok(`APPEND "${mailbox}" (${flags}) "17-Jul-2026 02:44:25 -0700" {${octets.length}+}\r\n${octets}`)
}

/** Says these to a mailbox, each after the other. */
async function inside(wire: ImapWire, mailbox: string, ...commands: string[]): Promise<void> {
  await wire.ok(`SELECT "${mailbox}"`)
  for (const command of commands) await wire.ok(command)
  await wire.ok('UNSELECT')
}

/** Changes the message with that subject. */
async function flag(wire: ImapWire, mailbox: string, subject: string, change: string): Promise<void> {
  await wire.ok(`SELECT "${mailbox}"`)
  const [found] = (await wire.ok(`UID SEARCH SUBJECT "${subject}"`)).lines
  await wire.ok(`UID STORE ${atomOf(found?.[1])} ${change}`)
  if (change.includes('Deleted')) await wire.ok('EXPUNGE')
  await wire.ok('UNSELECT')
}

/** Expunges the message with that subject. */
const without = (wire: ImapWire, mailbox: string, subject: string): Promise<void> =>
  flag(wire, mailbox, subject, '+FLAGS.SILENT (\\Deleted)')

/** Four rounds of changes on both sides. */
async function rounds(synchronise: Synchronise, name: string, security: Security, tap?: Tap): Promise<void> {
  const user = await place.person(name)
  const port = tap?.port ?? place.port(security)
  const both: Both = { folder: held.folder(name), user, name, security, port, compress: tap !== undefined }
  const ours = await ImapWire.open(place.port(), user, PASSWORD)
  const theirs = await ImapWire.open(dovecot.port, name, dovecot.password)
  held.later(() => ours.close())
  held.later(() => theirs.close())
  const same = async (subjects: string, round: string): Promise<void> => {
    const said = await synchronise(both)
    const [mine, others] = [await mailOf(ours), await mailOf(theirs)]
    expect([...mine], `${round}: ${said.slice(-3000)}`).toEqual([...others])
    const found = [...mine.values()].flat().map((mail) => /Subject: (\w+)/.exec(mail)?.[1])
    expect(found.sort().join(' '), round).toBe(subjects)
  }
  for (const subject of ['a', 'b', 'c']) await append(ours, 'INBOX', letter(subject, 'Grüße'), subject === 'a' ? '\\Seen' : '')
  await append(theirs, 'INBOX', letterWithFile('x'), '\\Flagged')
  await append(theirs, 'INBOX', letter('y'))
  await same('a b c x y', 'first')

  await flag(ours, 'INBOX', 'a', '-FLAGS (\\Seen)')
  await flag(ours, 'INBOX', 'x', '+FLAGS (\\Answered \\Seen)')
  await without(ours, 'INBOX', 'y')
  await append(ours, 'INBOX', letter('d'), '\\Draft')
  await flag(theirs, 'INBOX', 'b', 'FLAGS (\\Flagged)')
  await without(theirs, 'INBOX', 'c')
  await append(theirs, 'INBOX', letter('z'), '\\Seen')
  await same('a b d x z', 'second')

  await ours.ok('CREATE Work')
  await ours.ok('SUBSCRIBE Work')
  await append(ours, 'Work', letter('w'), '\\Seen')
  await inside(ours, 'INBOX', 'COPY 1 Work')
  await theirs.ok('CREATE Home')
  await theirs.ok('SUBSCRIBE Home')
  await append(theirs, 'Home', letter('h'))
  await flag(ours, 'INBOX', 'b', '+FLAGS (\\Answered)')
  await flag(theirs, 'INBOX', 'b', '-FLAGS (\\Flagged)')
  await same('a a b d h w x z', 'third')

  await inside(ours, 'INBOX', 'MOVE 1:2 Work')
  await without(theirs, 'Home', 'h')
  await same([...(await subjects(ours, theirs))].sort().join(' '), 'fourth')
  const before = await uids(ours)
  await same([...(await subjects(ours, theirs))].sort().join(' '), 'last')
  // Nothing has happened, so nothing may be done.
  expect(await uids(ours)).toEqual(before)
}

/** The same with compression and no TLS, so that it can be seen. */
async function compressed(synchronise: Synchronise, name: string): Promise<void> {
  const tap = await Tap.before(place.port(), held)
  await rounds(synchronise, `${name}-compressed`, 'plain', tap)
  tap.compressed()
}

async function subjects(ours: ImapWire, theirs: ImapWire): Promise<string[]> {
  const [mine, others] = [await mailOf(ours), await mailOf(theirs)]
  const there = others.get('Home') ?? []
  const all = [...mine].flatMap(([mailbox, mail]) => (mailbox === 'Home' ? there : mail))
  return all.map((mail) => /Subject: (\w+)/.exec(mail)![1]!)
}

async function uids(wire: ImapWire): Promise<string[]> {
  const found: string[] = []
  for (const mailbox of ['INBOX', 'Work', 'Home']) {
    const [line] = (await wire.ok(`STATUS ${mailbox} (UIDNEXT MESSAGES)`)).lines
    found.push(shown(line))
  }
  return found
}

beforeAll(async () => {
  place = await ImapPlace.open(held)
  if (program('dovecot')) dovecot = await Dovecot.start(held)
})

const mbsync: Synchronise = async ({ folder, user, name, security, port }) => {
  const config = join(folder, 'mbsyncrc')
  const type = { plain: 'None', starttls: 'STARTTLS', implicit: 'IMAPS' }[security]
  writeFileSync(config, `
IMAPAccount ours
Host localhost
Port ${port}
User ${user}
Pass ${PASSWORD}
SSLType ${type}
CertificateFile ${place.certificate.files.cert}
AuthMechs PLAIN LOGIN

IMAPStore ours
Account ours

IMAPAccount dovecot
Host 127.0.0.1
Port ${dovecot.port}
User ${name}
Pass ${dovecot.password}
SSLType None
AuthMechs LOGIN

IMAPStore dovecot
Account dovecot

Channel all
Far :ours:
Near :dovecot:
Patterns *
Create Both
Expunge Both
Sync All
SyncState ${folder}/
`)
  const { code, text } = await run('mbsync', ['--all', '--config', config, '--verbose'], { env: { HOME: folder } })
  expect(code, text).toBe(0)
  return text
}

/**
 * What lets offlineimap get through STARTTLS, with whatever server. Its library, imaplib2, has a thread that reads and one that
 * writes. At first the reader may end a line too early before TLS, unless Python leaves it running until it waits. Then both use
 * the TLS connection at once, which OpenSSL forbids, while it takes the session tickets that TLS 1.3 sends after the handshake:
 * what is written may be lost.
 */
function startTlsEnvironment(folder: string): Record<string, string> {
  const openssl = join(folder, 'openssl.cnf')
  writeFileSync(join(folder, 'sitecustomize.py'), 'import sys\nsys.setswitchinterval(60)\n')
  writeFileSync(openssl, 'openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMaxProtocol = TLSv1.2\n')
  return { PYTHONPATH: folder, OPENSSL_CONF: openssl }
}

const offlineimap: Synchronise = async ({ folder, user, name, security, port, compress }) => {
  const config = join(folder, 'offlineimaprc')
  const tls = [`ssl = ${security === 'implicit' ? 'yes' : 'no'}`, `starttls = ${security === 'starttls' ? 'yes' : 'no'}`]
  if (security !== 'plain') tls.push(`sslcacertfile = ${place.certificate.files.cert}`)
  writeFileSync(config, `
[general]
accounts = one
metadatadir = ${folder}/state
ui = basic
[Account one]
localrepository = dovecot
remoterepository = ours
[Repository dovecot]
type = IMAP
remotehost = 127.0.0.1
remoteport = ${dovecot.port}
remoteuser = ${name}
remotepass = ${dovecot.password}
ssl = no
starttls = no
auth_mechanisms = LOGIN
[Repository ours]
type = IMAP
remotehost = localhost
remoteport = ${port}
remoteuser = ${user}
remotepass = ${PASSWORD}
usecompression = ${compress ? 'yes' : 'no'}
auth_mechanisms = PLAIN, LOGIN
${tls.join('\n')}
`)
  const env = { HOME: folder, ...(security === 'starttls' ? startTlsEnvironment(folder) : {}) }
  const { code, text } = await run('offlineimap', ['-o', '-c', config], { env })
  expect(code, text).toBe(0)
  return text
}

const interimap: Synchronise = async ({ folder, user, name, security, port, compress }) => {
  const config = join(folder, 'config')
  const tls = security === 'plain' ? 'STARTTLS = NO' : `SSL_CAfile = ${place.certificate.files.cert}`
  writeFileSync(config, `
database = ${folder}/state.db
list-select-opts =
[local]
type = imap
host = 127.0.0.1
port = ${dovecot.port}
username = ${name}
password = ${dovecot.password}
STARTTLS = NO
[remote]
type = ${security === 'implicit' ? 'imaps' : 'imap'}
host = localhost
port = ${port}
username = ${user}
password = ${PASSWORD}
compress = ${compress || security === 'implicit' ? 'YES' : 'NO'}
${tls}
`, { mode: 0o600 })
  mkdirSync(join(folder, 'data'), { recursive: true })
  const env = { HOME: folder, XDG_DATA_HOME: join(folder, 'data'), XDG_CONFIG_HOME: folder }
  const { code, text } = await run('interimap', ['--config', config, '--debug'], { env })
  expect(code, text.slice(-3000)).toBe(0)
  expect(text).toMatch(/SELECT .*QRESYNC/)
  if (security === 'implicit') expect(text).toContain('COMPRESS DEFLATE')
  return text
}

describeWith(['mbsync', 'dovecot'], 'mbsync', () => {
  it.each(['plain', 'starttls', 'implicit'] as const)('keeps us and Dovecot the same, %s', (security) =>
    rounds(mbsync, `mbsync-${security}`, security))

  it('keeps us and Dovecot the same, compressed', () => compressed(mbsync, 'mbsync'))
})

describeWith(['offlineimap', 'dovecot'], 'offlineimap', () => {
  it.each(['plain', 'starttls', 'implicit'] as const)('keeps us and Dovecot the same, %s', (security) =>
    rounds(offlineimap, `offline-${security}`, security))

  it('keeps us and Dovecot the same, compressed', () => compressed(offlineimap, 'offline'))
})

describeWith(['interimap', 'dovecot'], 'interimap', () => {
  it.each(['plain', 'starttls', 'implicit'] as const)('keeps us and Dovecot the same by QRESYNC, %s', (security) =>
    rounds(interimap, `interimap-${security}`, security))

  it('keeps us and Dovecot the same by QRESYNC, compressed', () => compressed(interimap, 'interimap'))
})
