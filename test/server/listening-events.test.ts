import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { certificateObserver, receiver, type ServerEvent } from '../../src/index.ts'
import { nodeClock } from '../../src/adapters/node/index.ts'

const whole = (events: readonly ServerEvent[]): unknown[] => events.map(({ at: _, ...event }) => event)

/** Connects, and resolves when the other side has closed. `leave`: as soon as it is connected. */
const visit = (port: number, leave: boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      if (leave) socket.destroy()
    })
    socket.on('error', reject).on('close', () => resolve())
    socket.resume()
  })

it('listeners tell that they are up, whom they turn away, and what became of a stop', async () => {
  const events: ServerEvent[] = []
  const mx = receiver({
    hostname: 'mx.test',
    accepts: () => true,
    deliver: () => undefined,
    observe: (event) => void events.push(event),
  })
  const running = await mx.listen({ port: 0, host: '127.0.0.1', name: 'inner', proxy: { from: ['10.0.0.0/8'] } })
  await visit(running.port, false)
  expect(await running.stop()).toEqual({ completed: 0, cut: 0 })
  const { port } = running
  expect(whole(events)).toEqual([
    { kind: 'listening', listener: 'inner', protocol: 'smtp', address: '127.0.0.1', port, path: undefined, tls: 'none' },
    { kind: 'turnedAway', listener: 'inner', address: '127.0.0.1', reason: 'untrusted-proxy', error: undefined },
    { kind: 'stopped', listener: 'inner', completed: 0, cut: 0, took: expect.any(Number) },
  ])
})

it('a connection that leaves without a word is no trouble', async () => {
  const kinds = new Set<string>()
  const observe = ({ kind }: ServerEvent): void => void kinds.add(kind)
  const mx = receiver({ hostname: 'mx.test', accepts: () => true, deliver: () => undefined, observe })
  const plain = await mx.listen({ port: 0, host: '127.0.0.1' })
  const proxied = await mx.listen({ port: 0, host: '127.0.0.1', proxy: { from: ['127.0.0.1'] } })
  for (const { port } of [plain, proxied]) for (let time = 0; time < 5; time++) await visit(port, true)
  await Promise.all([plain.stop(), proxied.stop()])
  for (const kind of ['connected', 'closed', 'listening', 'stopped']) kinds.delete(kind)
  expect([...kinds]).toEqual([])
})

it('a listener takes a text for its name', async () => {
  const mx = receiver({ hostname: 'mx.test', accepts: () => true, deliver: () => undefined })
  await expect(mx.listen({ port: 0, name: 5 } as never)).rejects.toThrow('listen: name is 5; it takes a text.')
})

it('certificates tell through the same observer', () => {
  const events: ServerEvent[] = []
  const tell = certificateObserver((event) => void events.push(event), { ...nodeClock, now: () => 7 })
  const certificate = { source: 'a.crt', names: ['a.test'], expires: 5, days: 3 }
  const error = new Error('no key')
  tell({ kind: 'expiry', ...certificate, within: 7 })
  tell({ kind: 'reloaded', certificates: [certificate] })
  tell({ kind: 'refused', error })
  expect(events).toEqual([
    { kind: 'certificate', at: 7, ...certificate, within: 7 },
    { kind: 'certificatesReloaded', at: 7, error: undefined },
    { kind: 'certificatesReloaded', at: 7, error },
  ])
})
