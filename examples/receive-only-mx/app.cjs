// An HTTP app with tickets, and what it takes to open one for each mail to ticket+<queue>@example.org.
const http = require('node:http')
const { rateLimit, receiver } = require('posthorn')

const tickets = []
const app = http.createServer((_, response) => response.end(JSON.stringify(tickets)))

const mx = receiver({
  hostname: 'mx.example.org',
  accepts: (to) => to.domain === 'example.org' && to.user === 'ticket',
  policies: [rateLimit({ perMinute: 60 })],
  async deliver(message) {
    const { subject, reply, attachments } = await message.parsed()
    const [to] = message.envelope.recipients
    const files = attachments.map(({ filename, size }) => ({ filename, size }))
    tickets.push({ queue: to.tag, thread: message.threadId, subject, text: reply.text, files })
    // The sender hears 250 now. Throw, and it hears 451 and tries again.
  },
})

app.listen(Number(process.env.HTTP_PORT ?? 3000), '127.0.0.1', async () => {
  const smtp = await mx.listen({ port: Number(process.env.SMTP_PORT ?? 2525), host: '127.0.0.1' })
  console.log(`tickets at http://127.0.0.1:${app.address().port}, mail at smtp://127.0.0.1:${smtp.port}`)
  process.once('SIGTERM', () => smtp.stop({ within: 30_000 }).then(() => app.close()))
})
