// Runs the test in virtual time; then starts both servers for real, submits at one, and reads at the other.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ImapFlow } from 'imapflow'
import { createTransport } from 'nodemailer'
import { started } from '../started.mjs'

execFileSync(process.execPath, ['--test', fileURLToPath(new URL('virtual.test.mjs', import.meta.url))], { stdio: 'pipe' })

const { app, smtp, imap } = await started('full-server/main.mjs')
const south = Number(/imap:\/\/127\.0\.0\.1:(\d+)/.exec(await app.line())[1])
const tls = { rejectUnauthorized: false }
const transport = createTransport({ host: '127.0.0.1', port: smtp, auth: { user: 'ann@north.test', pass: 'secret' }, tls })
const mail = { from: 'ann@north.test', to: ['ann@south.test', 'nobody@south.test'], subject: 'Hello', text: 'from the north' }
const { response } = await transport.sendMail(mail)
assert.match(response, /^250 2\.0\.0 queued as /)
transport.close()

const attempts = [JSON.parse(await app.line()), JSON.parse(await app.line())]
assert.deepEqual(attempts.map(({ recipient, result, at }) => [recipient, result, at]).sort(), [
  ['ann@south.test', 'relayed', 'mx.south.test'],
  ['nobody@south.test', 'failed', 'mx.south.test'],
])
assert.equal((await mailIn(south, 'ann@south.test')).subject, 'Hello')
assert.equal(JSON.parse(await app.line()).kind, 'reported')
assert.match((await mailIn(imap, 'ann@north.test')).subject, /not be delivered|failed|Undeliver/i)
assert.equal(await app.stop(), 0)

/** The first mail in somebody's inbox, which may be on its way. */
async function mailIn(port, user) {
  const client = new ImapFlow({ host: '127.0.0.1', port, secure: false, auth: { user, pass: 'secret' }, tls, logger: false })
  await client.connect()
  await client.mailboxOpen('INBOX')
  while (client.mailbox.exists === 0) await client.noop()
  const { envelope } = await client.fetchOne('1', { envelope: true })
  await client.logout()
  return envelope
}
