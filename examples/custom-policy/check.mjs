// Starts the receiver and sends it what its policies are there for.
import assert from 'node:assert/strict'
import { createTransport } from 'nodemailer'
import { started } from '../started.mjs'

const { app, smtp } = await started('custom-policy/main.mjs', { SMTP_PORT: '0' })
const transport = createTransport({ host: '127.0.0.1', port: smtp, name: 'laptop' })
const send = async (to, filename) => {
  const attachments = filename ? [{ filename, content: 'x' }] : []
  const mail = { from: 'jo@customer.example', to, subject: 'It squeaks', text: 'Listen.', attachments }
  return transport.sendMail(mail).then(({ response }) => response, (error) => error.response)
}

assert.match(await send('ticket+7@example.org', 'squeak.wav'), /^250 2\.0\.0 /)
assert.deepEqual(JSON.parse(await app.line()), {
  ticket: '7',
  tags: ['would reject: 550 5.7.1 Say EHLO with a full domain name', 'with-files'],
  attachments: '1',
})
assert.equal(await send('ticket+8@example.org', 'Squeak.EXE'), '552 5.7.0 Programs are not taken by mail')
assert.equal(await send('ticket+9@example.org'), '550 5.1.6 That ticket is closed')
transport.close()
assert.equal(await app.stop(), 0)
