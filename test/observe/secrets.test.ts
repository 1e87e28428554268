import { expect, it } from 'vitest'
import { type Logger, logger, type LogLevel, observers, type ServerEvent } from '../../src/index.ts'
import { world } from '../../src/testing/index.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** What no observer and no log may ever hold: passwords in every form in which they are sent, and what messages say. */
const secrets = ['s3cr3t-pass', 'tok3n', 'hidden subject', 'hidden text', 'hidden argument', 'hidden name', 'hidden fault']
const forms = secrets.flatMap((secret) => [secret, secret.toUpperCase(), encodeURIComponent(secret)])
const sent = [
  base64('\0bob\0s3cr3t-pass'),
  base64('s3cr3t-pass'),
  base64('\0bob\0wrong s3cr3t-pass'),
  base64('n,a=bob,\u0001auth=Bearer tok3n\u0001\u0001'),
]

it('no secret and no text of a message reaches an observer or a log, at any level, whatever is tried', async () => {
  const events: ServerEvent[] = []
  const lines: string[] = []
  const at = (level: LogLevel) => (facts: object, message: string) =>
    void lines.push(`${level} ${JSON.stringify(facts)} ${message}`)
  const log: Logger = { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const all = Object.assign((event: ServerEvent) => void events.push(event), { commands: true })
  const w = world({
    server: {
      trusted: ['203.0.113.9'],
      plaintextAuth: true,
      authenticate: (given) =>
        given.kind === 'password' && given.password === 's3cr3t-pass' ? { account: 'bob' } : undefined,
      smtp: { limits: { errors: 100, authAttempts: 100, messageOctets: 2000 }, timeouts: { authDelay: 0 }, verbs: ['XPING'] },
      observe: observers(all, logger(log, { level: 'trace' })),
    },
  })
  const say = async (...lines: string[]): Promise<void> => {
    const client = w.connect('203.0.113.9', { startTls: true })
    await w.clock.until(client.ask('EHLO x.test', ...lines))
    client.reset()
    await client.closed
  }
  const [plain, password, wrong, bearer] = sent as [string, string, string, string]
  await say(`AUTH PLAIN ${plain}`, 'MAIL FROM:<a@x.test>')
  await say('AUTH PLAIN', plain)
  await say('AUTH LOGIN', base64('bob'), password)
  await say(`AUTH LOGIN ${base64('bob')}`, base64('wrong s3cr3t-pass'))
  await say(`AUTH PLAIN ${wrong}`, `AUTH PLAIN ${base64('hidden fault')}`, `AUTH PLAIN ?${plain}`, 'AUTH PLAIN', `?${plain}`)
  await say(`AUTH OAUTHBEARER ${bearer}`, `AUTH XOAUTH2 ${bearer}`, `AUTH tok3n`)
  await say(`AUTH SCRAM-SHA-256 ${base64('n,,n=bob,r=tok3n')}`)
  // What a client goes on to send when AUTH was refused, or never began.
  await say('AUTH NOSUCH', base64('bob'), password, 's3cr3t-pass', `s3cr3t-pass and more`)
  await say('XCLIENT ADDR=198.51.100.1 LOGIN=bob NAME=hidden+20name', 'EHLO x.test', 'XCLIENT LOGIN=s3cr3t-pass+')
  await say('XFORWARD tok3n=tok3n', 'XCLIENT tok3n=tok3n')
  await say('XFORWARD NAME=hidden+20name ADDR=198.51.100.1', 'XPING hidden argument', 'NOOP hidden argument')
  await say('VRFY hidden argument', 'HELP hidden argument')
  await say('MAIL FROM:<a@x.test> TOK3N=tok3n', 'MAIL FROM:<hidden argument', 'EXPN hidden argument', 'RSET hidden argument')
  const content = 'Subject: hidden subject\r\n\r\nhidden text\r\n'
  for (const body of [content, `${content}${'hidden text '.repeat(300)}\r\n`, `${content}hidden text\nhidden text\r\n`]) {
    await say('MAIL FROM:<a@x.test>', 'RCPT TO:<b@mx.test>', 'DATA', `${body}.`)
    await say('MAIL FROM:<a@x.test>', 'RCPT TO:<b@mx.test>', `BDAT ${body.length} LAST\r\n${body}`.trimEnd())
  }
  await say(`${'s3cr3t-pass'.repeat(1000)}`)
  await w.stop()
  const kinds = [...new Set(events.map(({ kind }) => kind))].sort()
  expect(kinds).toEqual([
    'accepted', 'authenticated', 'closed', 'command', 'connected', 'denied', 'limited', 'proxied', 'refused',
  ])
  expect(lines.length).toBe(events.length)
  const heard = `${JSON.stringify(events)}\n${lines.join('\n')}`
  for (const secret of [...forms, ...sent]) expect(heard.includes(secret), secret).toBe(false)
})
