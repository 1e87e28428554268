// A receiver with policies of its own, tried out beside one that comes with the package.
import { hostnameCheck, observeOnly, receiver } from 'posthorn'
import { noPrograms, openTickets } from './policies.mjs'

const open = new Set(['7', '8'])
const mx = receiver({
  hostname: 'mx.example.org',
  accepts: (to) => to.domain === 'example.org' && to.user === 'ticket',
  policies: [
    openTickets((ticket) => open.has(ticket)),
    noPrograms(),
    // New here: see what it would do before it does it.
    observeOnly(hostnameCheck()),
  ],
  async deliver({ envelope, headers, notes }) {
    const tags = notes.flatMap((note) => (note.kind === 'tag' ? [note.tag] : []))
    console.log(JSON.stringify({ ticket: envelope.recipients[0].tag, tags, attachments: headers.value('x-attachments') }))
  },
})

const running = await mx.listen({ port: Number(process.env.SMTP_PORT ?? 2525), host: '127.0.0.1' })
console.log(`mail for ticket+7@example.org at smtp://127.0.0.1:${running.port}`)
process.once('SIGTERM', () => running.stop())
