import { afterAll, describe, expect, it } from 'vitest'
import { certificates, listenNode, selfSigned } from '../../../src/adapters/node/index.ts'
import type { ListenOptions, NodeListener } from '../../../src/adapters/node/index.ts'
import { Recorder } from '../../../src/testing/contracts/transport-ends.ts'
import { Accepted, dial, dialTls } from './ends.ts'

const source = certificates({ ...selfSigned({ hostname: 'localhost' }), watch: false })
const listeners: NodeListener[] = []
const accepting: Accepted[] = []

afterAll(async () => {
  for (const listener of listeners) listener.close()
  for (const accepted of accepting) accepted.resetAll()
  await Promise.all(listeners.map((listener) => listener.closed))
})

async function listen(options: Partial<ListenOptions> = {}): Promise<{ readonly accepted: Accepted; readonly port: number }> {
  const accepted = new Accepted()
  accepting.push(accepted)
  const listener = await listenNode({ port: 0, host: '127.0.0.1', onTransport: accepted.take, ...options })
  listeners.push(listener)
  return { accepted, port: listener.port ?? 0 }
}

/** Does nothing for so many milliseconds, as long as commands may take. */
function work(milliseconds: number): void {
  const began = performance.now()
  while (performance.now() - began < milliseconds) continue
}

describe('turns of the event loop', () => {
  it.each([
    ['TCP', {}, dial],
    ['TLS', { tls: { mode: 'implicit', certificates: source } }, dialTls],
  ] as const)('lets others have their turn while there is much to do with what came: %s', async (_, options, reach) => {
    const { accepted, port } = await listen(options)
    const far = await reach({ port })
    const near = await accepted.next()
    let turn = 0
    const next = (): void => void (turn++, ticking = setImmediate(next))
    let ticking = setImmediate(next)
    const recorder = new Recorder()
    const worked: number[] = []
    near.open({
      received(bytes) {
        recorder.received(bytes)
        work(11)
        worked.push(turn)
      },
      ended: () => recorder.ended(),
      drained: () => recorder.drained(),
      secured: (tls) => recorder.secured(tls),
      closed: (error) => recorder.closed(error),
    })
    far.send(new Uint8Array(400_000))
    await recorder.until(() => recorder.octets === 400_000)
    clearImmediate(ticking)
    expect(new Set(worked).size).toBe(worked.length)
    near.reset()
  })

  it('keeps a turn short, however many peers have sent much to do', async () => {
    const { accepted, port } = await listen()
    const peers = 16
    const sent = 65_536
    let turn = 0
    const next = (): void => void (turn++, ticking = setImmediate(next))
    let ticking = setImmediate(next)
    const octets: number[] = []
    let done = 0
    const all = new Recorder()
    for (let count = 0; count < peers; count++) {
      const far = await dial({ port })
      const near = await accepted.next()
      let came = 0
      near.open({
        received(bytes) {
          // A fifth of a millisecond for 1,024 octets: as short commands take.
          work(bytes.length / 5120)
          octets[turn] = (octets[turn] ?? 0) + bytes.length
          came += bytes.length
          if (came === sent && ++done === peers) all.ended()
        },
        ended: () => undefined,
        drained: () => undefined,
        secured: () => undefined,
        closed: () => undefined,
      })
      far.send(new Uint8Array(sent))
    }
    await all.until(() => done === peers)
    clearImmediate(ticking)
    // A piece of each, and the ten milliseconds of those who wait, which may end in a piece.
    expect(Math.max(...octets.filter(Number.isInteger))).toBeLessThanOrEqual((peers + 1) * 8192 + 10 * 5120)
  })
})
