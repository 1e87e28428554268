// Starts the app, sends it mail, and looks at its tickets.
import assert from 'node:assert/strict'
import { createTransport } from 'nodemailer'
import { started } from '../started.mjs'

const { app, http, smtp } = await started('receive-only-mx/app.cjs', { HTTP_PORT: '0', SMTP_PORT: '0' })
const transport = createTransport({ host: '127.0.0.1', port: smtp })
const mail = { from: 'jo@customer.example', subject: 'Re: It squeaks', messageId: '<2@x>', references: ['<1@x>'] }

await transport.sendMail({
  ...mail,
  to: 'ticket+sales@example.org',
  text: 'Still does.\n\nOn Mon, 3 Mar 2026 at 10:00, Support <help@example.org> wrote:\n> Does it squeak?',
  attachments: [{ filename: 'squeak.wav', content: Buffer.from('RIFF') }],
})
const refused = await transport.sendMail({ ...mail, to: 'somebody@else.example' }).catch((error) => error.responseCode)
assert.equal(refused, 550)

const tickets = await fetch(`http://127.0.0.1:${http}`).then((response) => response.json())
assert.deepEqual(tickets, [{
  queue: 'sales',
  thread: '<1@x>',
  subject: 'Re: It squeaks',
  text: 'Still does.',
  files: [{ filename: 'squeak.wav', size: 4 }],
}])
assert.equal(await app.stop(), 0)
