import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { Child, run } from './children.ts'
import type { Security } from './clients.ts'
import { holding } from './held.ts'
import { letter, letterWithFile } from './imap-mail.ts'
import { ImapPlace, PASSWORD } from './imap-place.ts'
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

const beside = (name: string): string => new URL(name, import.meta.url).pathname
const subjects = async (user: string, path: string): Promise<(string | undefined)[]> =>
  (await place.mail(user, path)).map(({ raw }) => /^Subject: (.*)\r$/m.exec(String(raw))?.[1])

describeWith(['python3'], "Python's imaplib", () => {
  it.each([
    ['plain', 'LOGIN'], ['plain', 'CRAM-MD5'], ['starttls', 'PLAIN'], ['implicit', 'LOGIN'],
  ] as const)('%s, %s', async (security, mechanism) => {
    const user = await place.person(`lib-${security}-${mechanism.toLowerCase()}`)
    const mail = [[letter('one'), '(\\Seen custom)'], [letter('two'), ''], [letter('three', 'Grüße'), '']]
    const task = { port: place.port(security), security, mechanism, ca, user, password: PASSWORD, mail }
    const { out, err } = await run('python3', [beside('imap-imaplib.py')], { input: JSON.stringify(task) })
    expect(err).toBe('')
    expect(JSON.parse(out)).toEqual({
      listed: ['(\\HasChildren) "/" "Sub"', '(\\HasNoChildren) "/" "Sub/Box"'], subscribed: ['() "/" "Sub/Box"'], exists: 3,
      status: '"Sub/Box" (MESSAGES 3 UNSEEN 2)', bodies: mail.map(([text]) => text), flags: ['\\Seen', 'custom'], date: true,
      search: '2', charset: '3', sorted: '2 3 1', thread: '(1)(2)(3)',
      // It keeps what MOVE said.
      expunged: ['3', '1'],
    })
    expect(await subjects(user, 'Sub/Renamed')).toEqual(['two'])
    expect(await subjects(user, 'Archive')).toEqual(['one', 'two'])
    expect(await subjects(user, 'Trash')).toEqual(['three'])
    expect((await place.mailboxes(user)).map(({ path }) => path.join('/'))).toContain('Übersicht')
  })
})

describeWith(['perl', '/usr/share/perl5/Mail/IMAPClient.pm'], "Perl's Mail::IMAPClient", () => {
  it.each([...securities, 'compressed'] as const)('%s', async (security) => {
    const user = await place.person(`perl-${security}`)
    const tap = security === 'compressed' ? await Tap.before(place.port(), held) : undefined
    const port = tap?.port ?? place.port(security as Security)
    const told = [String(port), security, ca, user, PASSWORD]
    const { out, err, code } = await run('perl', [beside('imap-client.pl'), ...told])
    expect([code, err]).toEqual([0, ''])
    tap?.compressed()
    expect(out.trim().split('\n')).toEqual([
      'uid 1', 'messages 1,2', 'same yes', 'subject perl', 'body A string of them.\r', 'size 62',
      'date 17-Jul-2026 09:44:25 +0000',
      'unseen 2', 'found 1,2', 'flags \\Seen', 'type text/plain', 'envelope perl <alice@example.test>', 'left 2',
      'folders Archive Drafts INBOX Perls Sent Spam Trash',
    ])
    const [kept] = await place.mail(user, 'Archive')
    expect(kept).toMatchObject({ flags: ['\\Flagged', '\\Seen'], received: Date.UTC(2026, 6, 17, 9, 44, 25) })
    expect(await subjects(user, 'Trash')).toEqual(['perl'])
  })
})

describeWith(['curl'], 'curl', () => {
  /** What curl prints of an address. */
  async function curl(user: string, security: Security, path: string, more: readonly string[] = []): Promise<string> {
    const address = `${security === 'implicit' ? 'imaps' : 'imap'}://localhost:${place.port(security)}/${path}`
    const { code, out, err } = await run('curl', [
      '--silent', '--show-error', '--ipv4', address, '--user', `${user}:${PASSWORD}`, '--cacert', ca,
      ...(security === 'starttls' ? ['--ssl-reqd'] : []), ...more,
    ])
    expect([code, err]).toEqual([0, ''])
    return out
  }

  it.each(securities)('appends, lists, searches and fetches, %s', async (security) => {
    const user = await place.person(`curl-${security}`)
    const mail = [letter('one'), letterWithFile('two')]
    for (const [at, text] of mail.entries()) {
      const file = join(place.folder, `curl-${security}-${at}`)
      writeFileSync(file, text)
      await curl(user, security, 'INBOX', ['--upload-file', file])
    }
    expect((await place.mail(user)).map(({ raw }) => raw.toString())).toEqual(mail)
    expect(await curl(user, security, '')).toContain('* LIST (\\HasNoChildren \\Drafts) "/" "Drafts"')
    expect(await curl(user, security, 'INBOX', ['--request', 'SEARCH SUBJECT two'])).toBe('* SEARCH 2\r\n')
    expect(await curl(user, security, 'INBOX?SUBJECT%20one')).toBe('* SEARCH 1\r\n')
    expect(await curl(user, security, 'INBOX;UID=2')).toBe(mail[1])
    expect(await curl(user, security, 'INBOX;MAILINDEX=1')).toBe(mail[0])
    expect(await curl(user, security, 'INBOX;UID=2;SECTION=2.MIME')).toContain('filename="cake.bin"')
    expect(await curl(user, security, 'INBOX', ['--request', 'STORE 1 +FLAGS (\\Flagged)'])).toContain('\\Flagged')
    expect(await curl(user, security, 'INBOX', ['--request', 'EXAMINE INBOX'])).toContain('* 2 EXISTS')
  })

  it.each(['PLAIN', 'LOGIN', 'CRAM-MD5'])('logs in by %s', async (mechanism) => {
    const user = await place.person('curl-auth')
    expect(await curl(user, 'implicit', '', ['--login-options', `AUTH=${mechanism}`])).toContain('INBOX')
  })
})

describeWith(['openssl'], 'openssl s_client', () => {
  it.each(['starttls', 'implicit'] as const)('%s', async (security) => {
    const user = await place.person(`ssl-${security}`)
    const client = new Child('openssl', [
      's_client', '-connect', `127.0.0.1:${place.port(security)}`, '-CAfile', ca, '-verify_return_error',
      '-verify_hostname', 'localhost', '-quiet', '-crlf', ...(security === 'starttls' ? ['-starttls', 'imap'] : []),
    ])
    held.later(() => client.stop())
    if (security === 'implicit') await client.said(/^\* OK /m)
    client.write(`a LOGIN ${user} ${PASSWORD}\nb SELECT INBOX\nc LOGOUT\n`)
    await client.said(/^c OK /m)
    expect(client.out).toMatch(/^a OK \[CAPABILITY (?!.*STARTTLS).*\r$/m)
    expect(client.out).toContain('* 0 EXISTS')
  })
})

describeWith(['curl'], 'what is seen before log-in', () => {
  it('is STARTTLS and no way to log in, where there is no TLS', async () => {
    const strict = await ImapPlace.open(held, { plaintextAuth: false })
    await strict.person('alice')
    const { code, out, err } = await run('curl', [
      '--silent', '--show-error', '--verbose', `imap://127.0.0.1:${strict.port('starttls')}/`, '--login-options', 'AUTH=PLAIN',
      '--user', `alice@example.test:${PASSWORD}`,
    ])
    expect([code, out]).toEqual([67, ''])
    expect(err).toMatch(/STARTTLS.*LOGINDISABLED/)
  })
})
