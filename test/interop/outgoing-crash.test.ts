import { createTransport } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { reject } from '../../src/index.ts'
import { freePort, holding } from './held.ts'
import { Inbox } from './inbox.ts'
import { Reference } from './reference.ts'

const held = holding()

/** Lives of the server, each but the last ended by `kill -9`. */
const LIVES = 4
/** Messages submitted in each. */
const MESSAGES = 60
/** Messages that may be on their way to one site at a time: as many as connections. */
const IN_FLIGHT = 20

describe('a server that is killed again and again while it delivers', () => {
  it('delivers each message that it has taken, and none twice but what was in flight', { timeout: 300_000 }, async () => {
    const port = await freePort()
    const inbox = held.keep(await Inbox.open({
      listen: { port },
      // Some are refused, so that reports are under way too.
      accepts: ({ local }) => (local === 'nobody' ? reject(550, '5.1.1', 'Nobody here') : true),
    }))
    const settings = { POSTHORN_SMARTHOST: `smtp://127.0.0.1:${port}`, POSTHORN_PLAINTEXT_AUTH: '1', POSTHORN_RETRY: '1s,1s,1s' }
    const server = new Reference(held, settings)
    const acknowledged = new Set<string>()
    const failing: string[] = []
    for (let life = 1; life <= LIVES; life++) {
      await server.start()
      const transport = createTransport({
        host: '127.0.0.1', port: server.submissionPort, pool: true, maxConnections: 5, ignoreTLS: true,
        auth: { user: 'alice@example.test', pass: 'wonderland' },
      })
      const sending = Array.from({ length: MESSAGES }, async (_, number) => {
        const subject = `${life}-${number}`
        const isFailing = number % 10 === 0
        const to = isFailing ? 'nobody@far.test' : 'eve@far.test'
        try {
          await transport.sendMail({ from: 'alice@example.test', to, subject, text: 'x'.repeat(number * 200) })
          if (isFailing) failing.push(subject)
          else acknowledged.add(subject)
        } catch {
          // It was killed: nothing was promised.
        }
        // In the midst of submissions and deliveries; the first ones are on their way by then.
        if (life < LIVES && number === MESSAGES / 2) await server.kill()
      })
      await Promise.all(sending)
      transport.close()
    }
    await server.drained(180_000)
    const arrived = new Map<string, number>()
    for (const { subject = '' } of inbox.taken) arrived.set(subject, (arrived.get(subject) ?? 0) + 1)
    expect([...acknowledged].filter((subject) => !arrived.has(subject))).toEqual([])
    const twice = [...arrived].filter(([, times]) => times > 1)
    expect(twice.length).toBeLessThanOrEqual((LIVES - 1) * IN_FLIGHT)
    expect(twice.filter(([, times]) => times > LIVES)).toEqual([])
    expect(acknowledged.size).toBeGreaterThan(MESSAGES)
    const reports = (await server.mail()).map(({ raw }) => raw.toString())
    const untold = failing.filter((subject) => !reports.some((report) => report.includes(`\r\nSubject: ${subject}\r\n`)))
    expect(untold).toEqual([])
    expect(await server.stop()).toBe(0)
  })
})
