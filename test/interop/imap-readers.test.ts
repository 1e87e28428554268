import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { run } from './children.ts'
import type { Security } from './clients.ts'
import { holding } from './held.ts'
import { letter, letterWithFile } from './imap-mail.ts'
import { ImapPlace, PASSWORD } from './imap-place.ts'
import { ImapWire } from './imap-wire.ts'
import { describeWith } from './programs.ts'
import { Tap } from './tap.ts'

const held = holding()
const securities = ['plain', 'starttls', 'implicit'] as const
let place: ImapPlace
let ca: string

beforeAll(async () => {
  place = await ImapPlace.open(held)
  ca = place.certificate.files.cert
})

const letters = [letter('one'), letterWithFile('two'), letter('drei', 'Grüße')]

/** Somebody with three messages, of whom the first is read. */
async function reader(name: string): Promise<{ user: string; wire: ImapWire; folder: string }> {
  const user = await place.person(name)
  const wire = await ImapWire.open(place.port(), user, PASSWORD)
  held.later(() => wire.close())
  for (const [at, text] of letters.entries()) {
    const octets = Buffer.from(text).toString('latin1')
    await wire.ok(`APPEND INBOX (${at === 0 ? '\\Seen' : ''}) {${octets.length}+}\r\n${octets}`)
  }
  return { user, wire, folder: held.folder(name) }
}

const stateOf = async (user: string, path = 'INBOX'): Promise<string[]> =>
  (await place.mail(user, path)).map(({ flags, raw }) => [/^Subject: (.*)\r$/m.exec(String(raw))?.[1], ...flags].join(' '))

/** A program that keeps what it is given. */
function takerIn(folder: string): string {
  const [taker, into] = [join(folder, 'take'), join(folder, 'into')]
  writeFileSync(taker, `#!/bin/sh\nmkdir -p ${into} && exec cat > ${into}/$$\n`)
  chmodSync(taker, 0o755)
  return taker
}

/** What that program was given. */
function takenBy(folder: string): string[] {
  const into = join(folder, 'into')
  return readdirSync(into).map((name) => readFileSync(join(into, name), 'utf8'))
}

/** Text with the line ends that files have. */
const inFile = (text: string): string => text.replaceAll('\r\n', '\n')
const bodyOf = (text: string): string => inFile(text.slice(text.indexOf('\r\n\r\n')))

describeWith(['fetchmail'], 'fetchmail', () => {
  const fetchmail = async (user: string, folder: string, security: Security, more: readonly string[]): Promise<string> => {
    const config = join(folder, 'fetchmailrc')
    const taker = takerIn(folder)
    const tls = security === 'implicit' ? 'ssl' : security === 'starttls' ? 'sslproto "auto"' : 'sslproto ""'
    writeFileSync(config, `
set no syslog
poll localhost protocol IMAP service ${place.port(security)} auth password
  user "${user}" password "${PASSWORD}" is ${userInfo().username} here ${tls}
  ${security === 'plain' ? '' : `sslcertck sslcertfile "${ca}"`}
  mda "${taker}"
`)
    chmodSync(config, 0o600)
    const env = { HOME: folder, FETCHMAILHOME: folder }
    const { code, text } = await run('fetchmail', ['-f', config, '-v', '--nodetach', ...more], { env })
    expect([0, 1], text).toContain(code)
    return text
  }

  it.each(securities)('takes new mail and leaves it read, then takes all and deletes it, %s', async (security) => {
    const { user, folder } = await reader(`fetchmail-${security}`)
    await fetchmail(user, folder, security, ['--keep'])
    const heard = takenBy(folder)
    expect(heard.length).toBe(2)
    for (const text of letters.slice(1)) {
      expect(heard.some((one) => inFile(one).includes(bodyOf(text)))).toBe(true)
    }
    expect(await stateOf(user)).toEqual(['one \\Seen', 'two \\Seen', 'drei \\Seen'])
    await fetchmail(user, folder, security, ['--all', '--nokeep'])
    expect(takenBy(folder).length).toBe(5)
    expect(await stateOf(user)).toEqual([])
  })
})

describeWith(['getmail'], 'getmail6', () => {
  it.each(['plain', 'implicit'] as const)('takes mail once, then deletes it, %s', async (security) => {
    const { user, folder } = await reader(`getmail-${security}`)
    const getmail = async (remove: boolean): Promise<string[]> => {
      const config = join(folder, 'getmailrc')
      writeFileSync(config, `
[retriever]
type = ${security === 'implicit' ? 'SimpleIMAPSSLRetriever' : 'SimpleIMAPRetriever'}
server = localhost
port = ${place.port(security)}
username = ${user}
password = ${PASSWORD}
mailboxes = ("INBOX",)
${security === 'implicit' ? `ca_certs = ${ca}` : ''}
[destination]
type = MDA_external
path = ${takerIn(folder)}
allow_root_commands = true
[options]
read_all = false
delete = ${remove}
`)
      chmodSync(config, 0o600)
      const { code, text } = await run('getmail', ['--getmaildir', folder, '--rcfile', config], { env: { HOME: folder } })
      expect(code, text).toBe(0)
      return takenBy(folder)
    }
    const taken = await getmail(false)
    expect(taken.length).toBe(3)
    for (const text of letters) expect(taken.some((one) => inFile(one).endsWith(bodyOf(text)))).toBe(true)
    expect((await getmail(false)).length).toBe(3)
    await getmail(true)
    expect(await stateOf(user)).toEqual([])
  })
})

// It wants a terminal, which script makes.
describeWith(['mutt', 'script'], 'mutt', () => {
  it.each([...securities, 'compressed'] as const)('moves, flags, deletes and sends a copy, %s', async (way) => {
    const { user, folder } = await reader(`mutt-${way}`)
    const security: Security = way === 'compressed' ? 'plain' : way
    const tap = way === 'compressed' ? await Tap.before(place.port(), held) : undefined
    const url = `${security === 'implicit' ? 'imaps' : 'imap'}://localhost:${tap?.port ?? place.port(security)}`
    const config = join(folder, 'muttrc')
    writeFileSync(config, `
set imap_user = "${user}"
set imap_pass = "${PASSWORD}"
set imap_authenticators = "plain:login"
set ssl_starttls = ${security === 'starttls' ? 'yes' : 'no'}
set ssl_force_tls = ${security === 'plain' ? 'no' : 'yes'}
set certificate_file = ${ca}
set ssl_ca_certificates_file = ${ca}
set ssl_usesystemcerts = no
set imap_qresync = yes
set imap_condstore = yes
set imap_deflate = ${tap ? 'yes' : 'no'}
set header_cache = ${folder}/cache
set folder = ${url}/
set spoolfile = ${url}/INBOX
set record = ${url}/Sent
set postponed = ${url}/Drafts
set copy = yes
set delete = yes
set move = no
set confirmappend = no
set wait_key = no
set sendmail = "/bin/true"
set from = ${user}
push "${'<tag-pattern>~s one<enter><tag-prefix><save-message><kill-line>=Archive<enter>'}\
${'<sync-mailbox><limit>all<enter><tag-pattern>~s two<enter><tag-prefix><flag-message>'}\
${'<sync-mailbox><delete-pattern>~s drei<enter><sync-mailbox><quit>'}"
`)
    const env = { HOME: folder, TERM: 'xterm', COLUMNS: '80', LINES: '24' }
    const reading = await run('script', ['--quiet', '--return', '--command', `mutt -n -F ${config}`, '/dev/null'], { env })
    expect(reading.code, reading.text.slice(-2000)).toBe(0)
    tap?.compressed()
    expect(await stateOf(user, 'Archive')).toEqual(['one \\Seen'])
    const [two, ...more] = await stateOf(user)
    expect([two, more]).toEqual([expect.stringMatching(/^two .*\\Flagged/), []])
    const sending = ['-n', '-F', config, '-s', 'sent by mutt', '--', 'bob@example.test']
    const said = await run('mutt', sending, { env, input: 'Hello.\n' })
    expect(said.code, said.text).toBe(0)
    expect(await stateOf(user, 'Sent')).toEqual(['sent by mutt \\Seen'])
  })
})

describeWith(['imapfilter'], 'imapfilter', () => {
  it.each(securities)('finds, flags, moves and deletes, %s', async (security) => {
    const { user, folder } = await reader(`imapfilter-${security}`)
    const config = join(folder, 'config.lua')
    const ssl = security === 'implicit' ? `ssl = 'auto',` : ''
    writeFileSync(config, `
options.certificates = ${security === 'plain' ? 'false' : 'true'}
options.starttls = ${security === 'starttls'}
options.timeout = 30
account = IMAP { server = 'localhost', port = ${place.port(security)}, username = '${user}', password = '${PASSWORD}',
  ${ssl} }
account:create_mailbox('Filtered')
account:subscribe_mailbox('Filtered')
account['INBOX']:contain_subject('two'):mark_flagged()
account['INBOX']:contain_subject('two'):copy_messages(account['Filtered'])
results = account['INBOX']:contain_from('liddell') * account['INBOX']:is_seen()
results:move_messages(account['Archive'])
account['INBOX']:match_body('Grüße'):delete_messages()
exists, unread, unseen, uidnext = account['INBOX']:check_status()
print('left ' .. exists)
`)
    mkdirSync(join(folder, '.imapfilter'))
    const env = { HOME: folder, SSL_CERT_FILE: ca }
    const { code, text } = await run('imapfilter', ['-c', config, '-t', ca], { env })
    expect(code, text).toBe(0)
    expect(text).toContain('left 1')
    expect(await stateOf(user)).toEqual(['two \\Flagged'])
    expect(await stateOf(user, 'Filtered')).toEqual(['two \\Flagged'])
    expect(await stateOf(user, 'Archive')).toEqual(['one \\Seen'])
  })
})
