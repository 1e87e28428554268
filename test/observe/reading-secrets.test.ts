import { expect, it } from 'vitest'
import { type Logger, logger, type LogLevel, observers, type ServerEvent } from '../../src/index.ts'
import { ImapStage } from '../../src/testing/imap-stage.ts'
import { Pop3Stage } from '../server/pop3/stage.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** What no observer and no log may ever hold: passwords in every form in which they are sent, and what messages say. */
const secrets = ['s3cr3t-pass', 'tok3n', 'hidden-subject', 'hidden-text', 'hidden-word', 'hidden-mailbox', 'hidden-note']
const sent = [
  base64('\0alice\0s3cr3t-pass'),
  base64('alice\0alice\0s3cr3t-pass'),
  base64('s3cr3t-pass'),
  base64('n,a=alice,\u0001auth=Bearer tok3n\u0001\u0001'),
]
const forms = [...secrets.flatMap((secret) => [secret, secret.toUpperCase()]), ...sent]

/** An observer of all that there is to hear, and all that it and a log at the lowest level have heard. */
function listening() {
  const events: ServerEvent[] = []
  const lines: string[] = []
  const at = (level: LogLevel) => (facts: object, message: string) =>
    void lines.push(`${level} ${JSON.stringify(facts)} ${message}`)
  const log: Logger = { trace: at('trace'), debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const all = Object.assign((event: ServerEvent) => void events.push(event), { commands: true })
  const observe = observers(all, logger(log, { level: 'trace' }))
  const check = (...kinds: readonly ServerEvent['kind'][]): void => {
    expect([...new Set(events.map(({ kind }) => kind))].sort()).toEqual(kinds)
    expect(lines.length).toBe(events.length)
    const heard = `${JSON.stringify(events)}\n${lines.join('\n')}`
    for (const secret of forms) expect(heard.includes(secret), secret).toBe(false)
  }
  return { observe, check }
}

it('no secret and no text of a message reaches an observer or a log by IMAP, whatever is tried', async () => {
  const { observe, check } = listening()
  const imap = { limits: { errors: 100, authAttempts: 100, messageOctets: 2000 }, timeouts: { authDelay: 0 } }
  const stage = new ImapStage({ server: { observe, imap } })
  await stage.mailbox('INBOX')
  await stage.mailbox('Junk', '\\Junk')
  const say = async (...lines: readonly string[]): Promise<void> => {
    const client = stage.connect()
    await stage.settle()
    for (const line of lines) {
      client.send(`${line}\r\n`)
      await stage.settle()
    }
    client.reset()
    await stage.settle()
  }
  const [plain, both, password, bearer] = sent as [string, string, string, string]
  // Wrong, or where they do not belong: what a client says then may be taken for commands.
  await say('a LOGIN alice s3cr3t-pass', 'b LOGIN {5}', 'alice {11}', 's3cr3t-pass', 'c LOGIN alice "s3cr3t-pass', 's3cr3t-pass')
  await say(`a AUTHENTICATE PLAIN ${plain}`, 'b AUTHENTICATE PLAIN', both, 'c AUTHENTICATE NOSUCH', plain, `${password} x`)
  await say(`a AUTHENTICATE s3cr3t-pass`, `b AUTHENTICATE PLAIN ?${plain}`, 's3cr3t-pass NOOP', 's3cr3t-pass', 'd s3cr3t-pass')
  await say(`a AUTHENTICATE OAUTHBEARER ${bearer}`, `b AUTHENTICATE LOGIN`, password, `UID s3cr3t-pass`, 'e UID s3cr3t-pass 1')
  await say(`${'s3cr3t-pass'.repeat(1000)}`, `a LOGIN alice {99999}`, 'a LOGIN alice {x-s3cr3t-pass}', 's3cr3t-pass')
  const message = 'Subject: hidden-subject\r\n\r\nhidden-text\r\n'
  const inside = ['a LOGIN alice secret', 'b SELECT INBOX']
  await say(...inside, `c APPEND INBOX ($Junk hidden-word) {${message.length}}`, message)
  await say(...inside, `c APPEND Junk {${message.length}+}`, message, 'd LIST (hidden-word) "" *')
  await say(...inside, `c APPEND INBOX {3000+}`, message.padEnd(3000, 'x'), `d APPEND hidden-mailbox {9}`, 'e hidden-text')
  await say(...inside, 'c FETCH 1 (BODY[] hidden-word)', 'd FETCH 1 BODY[HEADER.FIELDS (hidden-word)]', 'e COPY 1 Junk')
  await say(...inside, 'c SEARCH TEXT "hidden-text"', 'd SEARCH hidden-word', 'e SORT (hidden-word) UTF-8 ALL')
  await say(...inside, 'c SELECT hidden-mailbox', 'd CREATE hidden-mailbox', 'e SETMETADATA INBOX (/private/x "hidden-note")')
  await say(...inside, 'c SETMETADATA INBOX (/private/hidden-word "hidden-note" hidden-word)', 'd ID ("name" "hidden-word")')
  await say(...inside, 'c STORE 1 +FLAGS (hidden-word)', 'd STATUS INBOX (hidden-word)', 'e COMPRESS hidden-word')
  await say(...inside, 'c NOTIFY SET (hidden-mailbox (hidden-word))', 'd GETQUOTA hidden-word', 'e IDLE', 'hidden-word', 'f IDLE')
  check('authenticated', 'closed', 'command', 'connected', 'denied', 'limited', 'marked', 'refused')
})

it('nor by POP3', async () => {
  const { observe, check } = listening()
  const stage = new Pop3Stage({
    observe, pop3: { limits: { errors: 100, authAttempts: 100 }, timeouts: { authDelay: 0 } },
  })
  await stage.deliver('Subject: hidden-subject\r\n\r\nhidden-text\r\n')
  const say = async (...lines: readonly string[]): Promise<void> => {
    const client = await stage.connect()
    for (const line of lines) await client.say(line)
    client.wire.reset()
    await client.say()
  }
  const [plain, both, password, bearer] = sent as [string, string, string, string]
  await say('PASS s3cr3t-pass', 'USER alice', 'PASS s3cr3t-pass', 's3cr3t-pass', 'USER', 's3cr3t-pass s3cr3t-pass')
  await say(`AUTH PLAIN ${plain}`, 'AUTH PLAIN', both, 'AUTH NOSUCH', plain, password, `AUTH s3cr3t-pass`, `AUTH PLAIN ?${plain}`)
  await say(`AUTH OAUTHBEARER ${bearer}`, 'AUTH LOGIN', password, `APOP alice s3cr3t-pass`, 's3cr3t-pass'.repeat(100))
  await say('USER alice', 'PASS secret', 'RETR 1', 'TOP 1 1', 'RETR hidden-word', 'hidden-word', 'NOOP hidden-word')
  check('authenticated', 'closed', 'command', 'connected', 'denied', 'limited', 'refused')
})
