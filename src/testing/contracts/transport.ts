import { turn } from '../../adapters/node/event-loop.ts'
import type { Transport } from '../../protocol/session/transport.ts'
import { equal, holds, type Runner } from './checks.ts'
import { type FarEnd, guarded, Recorder } from './transport-ends.ts'

/** What {@link transportContract} takes. */
export interface TransportContractOptions extends Runner {
  /** What the transport is called in the names of the tests. */
  readonly name: string
  /** A fresh connection, its near end not opened yet. */
  readonly open: () => Promise<{ readonly near: Transport; readonly far: FarEnd }>
  readonly traits: {
    /** The far end can break the connection, so that the near end learns of it. Unix sockets can only end. */
    readonly resets: boolean
  }
}

interface Ends {
  readonly near: Transport
  readonly far: FarEnd
  readonly sink: Recorder
}

type Start = () => Promise<Ends>

const bulk = 64 * 1024 * 1024
const latin = '\u00ff\u0080\u0000z'

const outputs: readonly (readonly [string, readonly (string | Uint8Array)[], string])[] = [
  ['nothing', [], ''],
  ['an empty string', [''], ''],
  ['empty pieces', ['', new Uint8Array(0)], ''],
  ['octets above 127 in a string', [latin], latin],
  ['octets above 127 in bytes', [Uint8Array.of(255, 128, 0, 122)], latin],
  ['several strings', ['a', 'b', '', 'c'], 'abc'],
  ['several bytes', [Uint8Array.of(97), Uint8Array.of(98)], 'ab'],
  ['strings and bytes', ['a', Uint8Array.of(255), 'c', new Uint8Array(0)], 'a\u00ffc'],
  [
    'large pieces of both kinds',
    ['<', new Uint8Array(70_000).fill(97), '', 'b'.repeat(50_000), '>'],
    `<${'a'.repeat(70_000)}${'b'.repeat(50_000)}>`,
  ],
]

/** What every transport has to do, whatever it runs on. Run it against your own: each `it` opens a connection through `open`. */
export function transportContract({ describe, it, name, open, traits }: TransportContractOptions): void {
  const start: Start = async () => {
    const { near, far } = await open()
    const sink = new Recorder()
    const watched = guarded(near, sink)
    watched.open(sink)
    return { near: watched, far, sink }
  }
  describe(`transport contract: ${name}`, () => {
    bytesPass(it, start, open)
    connectionsEnd(it, start, traits.resets)
    readersAndWritersWait(it, start)
  })
}

function bytesPass(it: Runner['it'], start: Start, open: TransportContractOptions['open']): void {
  it('carries bytes both ways', async () => {
    const pair = await start()
    pair.far.send('EHLO x\r\n')
    await pair.sink.until(() => pair.sink.octets === 8)
    equal(pair.sink.text, 'EHLO x\r\n')
    equal(pair.near.write(['250 ok\r\n']), true)
    await pair.far.until(() => pair.far.octets === 8)
    equal(pair.far.text, '250 ok\r\n')
    await finish(pair)
  })

  it('delivers what came before open', async () => {
    const { near, far } = await open()
    far.send('early')
    const sink = new Recorder()
    near.open(sink)
    await sink.until(() => sink.octets === 5)
    equal(sink.text, 'early')
    await finish({ near, sink })
  })

  for (const [what, output, expected] of outputs) {
    it(`writes ${what} as it stands`, async () => {
      const pair = await start()
      pair.near.write(output)
      pair.near.write(['.'])
      await pair.far.until(() => pair.far.octets === expected.length + 1)
      equal(pair.far.text, `${expected}.`)
      await finish(pair)
    })
  }
}

function connectionsEnd(it: Runner['it'], start: Start, resets: boolean): void {
  it('tells the end of the peer, which may still read', async () => {
    const pair = await start()
    pair.far.send('QUIT\r\n')
    pair.far.end()
    await pair.sink.untilCalled('ended')
    equal(pair.sink.text, 'QUIT\r\n')
    pair.near.write(['221 bye\r\n'])
    pair.near.end()
    await pair.sink.untilCalled('closed')
    await pair.far.until(() => pair.far.ended)
    equal(pair.far.text, '221 bye\r\n')
    equal(pair.sink.error, undefined)
    equal(pair.sink.count('closed'), 1)
  })

  it('sends all before it ends, and closes without an error once the peer has', async () => {
    const pair = await start()
    pair.near.write([pattern(300_000)])
    pair.near.end()
    await pair.far.until(() => pair.far.ended)
    equal(pair.far.octets, 300_000)
    pair.far.end()
    await pair.sink.untilCalled('closed')
    equal(pair.sink.error, undefined)
    equal(pair.sink.broken, false)
  })

  it('tells nothing but closed after end', async () => {
    const pair = await start()
    pair.near.write(['421 bye\r\n'])
    pair.near.end()
    equal(pair.near.write(['lost']), true)
    pair.far.send('MAIL FROM:<>\r\n'.repeat(1000))
    pair.far.end()
    await pair.sink.untilCalled('closed')
    equal(pair.sink.calls.join(), 'closed')
    equal(pair.far.text, '421 bye\r\n')
  })

  it('tells nothing but closed after reset, and no error', async () => {
    const pair = await start()
    pair.far.send('MAIL')
    pair.near.write(['lost'])
    pair.near.reset()
    await pair.sink.untilCalled('closed')
    equal(pair.sink.calls.join(), 'closed')
    equal(pair.sink.error, undefined)
    await pair.far.until(() => pair.far.closed || pair.far.ended)
  })

  if (resets) {
    it('tells a reset by the peer once, as an error, with nothing after it', async () => {
      const pair = await start()
      pair.far.send('DATA\r\n')
      await pair.sink.until(() => pair.sink.octets === 6)
      pair.far.reset()
      await pair.sink.untilCalled('closed')
      equal(pair.sink.error instanceof Error, true)
      equal(pair.sink.calls.at(-1), 'closed')
      equal(pair.sink.count('closed'), 1)
    })
  }

  it('takes every call after it has closed, to no effect', async () => {
    const pair = await start()
    pair.far.reset()
    if (!resets) pair.near.reset()
    await pair.sink.untilCalled('closed')
    equal(pair.near.write(['x']), true)
    pair.near.pause()
    pair.near.resume()
    pair.near.end()
    pair.near.reset()
    await turn()
    equal(pair.sink.count('closed'), 1)
    equal(pair.sink.broken, false)
  })
}

function readersAndWritersWait(it: Runner['it'], start: Start): void {
  it('stops reading while paused: the sender is held back, and nothing is lost', async () => {
    const pair = await start()
    const body = pattern(bulk)
    pair.near.pause()
    pair.far.send(body)
    pair.far.end()
    // Far more would have come in this time, had the transport read on.
    const before = pair.sink.octets
    await settle()
    holds(pair.sink.octets - before <= 65_536, `${pair.sink.octets - before} octets came while paused`)
    pair.near.resume()
    await pair.sink.untilCalled('ended')
    equal(pair.sink.octets, body.length)
    equal(Buffer.compare(Buffer.concat(pair.sink.chunks), body), 0)
    await finish(pair)
  })

  it('holds a writer back when the reader is slow: 64 MB pass through a bounded space', async () => {
    const pair = await start()
    const piece = pattern(65_536)
    let written = 0
    let mostHeld = 0
    const pump = (): void => {
      let room = true
      while (room && written < bulk) {
        room = pair.near.write([piece])
        written += piece.length
        mostHeld = Math.max(mostHeld, written - pair.far.octets)
      }
    }
    pair.far.stopReading()
    pump()
    equal(written < bulk, true)
    const stalled = written
    await settle()
    equal(written, stalled)
    pair.far.startReading()
    let drains = 0
    while (written < bulk) {
      await pair.sink.until(() => pair.sink.count('drained') > drains)
      drains = pair.sink.count('drained')
      pump()
    }
    await pair.far.until(() => pair.far.octets === bulk)
    // What the kernel holds on both sides, and a high-water mark on top.
    holds(mostHeld < 24 * 1024 * 1024, `${mostHeld} octets were held on the way`)
    await finish(pair)
  })
}

async function finish({ near, sink }: Pick<Ends, 'near' | 'sink'>): Promise<void> {
  near.reset()
  await sink.untilCalled('closed')
  equal(sink.count('closed'), 1)
  equal(sink.broken, false)
}

/** Lets everything happen that can happen by itself: a few hundred turns of the event loop. */
async function settle(): Promise<void> {
  for (let count = 0; count < 300; count++) await turn()
}

const block = Buffer.from(Uint8Array.from({ length: 65_521 }, (_, index) => (index * 31 + (index >> 8)) & 255))

/** Octets that show any that is lost, doubled or out of place. */
const pattern = (octets: number): Uint8Array => Buffer.alloc(octets, block)
