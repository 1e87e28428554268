/**
 * What every transport has to do, whatever it runs on: a table to be run against each. `open` gives a fresh connection, its
 * near end not yet opened.
 */
import type { ExpectStatic, SuiteAPI, TestAPI } from 'vitest'
import type { Transport } from '../../../src/protocol/session/transport.ts'
import { guarded, Recorder } from './ends.ts'
import type { FarEnd } from './ends.ts'

export interface TransportPair {
  readonly near: Transport
  readonly far: FarEnd
}

export interface TransportTraits {
  /** The far end can break the connection, so that the near end learns of it. Unix sockets can only end. */
  readonly resets: boolean
}

interface Runner {
  readonly describe: SuiteAPI
  readonly it: TestAPI
  readonly expect: ExpectStatic
}

const block = Buffer.from(Uint8Array.from({ length: 65_521 }, (_, index) => (index * 31 + (index >> 8)) & 255))
/** Octets that show any that is lost, doubled or out of place. */
const pattern = (octets: number): Uint8Array => Buffer.alloc(octets, block)

/** Lets everything happen that can happen by itself: a few hundred turns of the event loop. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 300; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Puts the table to a test runner. */
export function transportContract(
  runner: Runner,
  name: string,
  traits: TransportTraits,
  open: () => Promise<TransportPair>,
): void {
  const { describe, it, expect } = runner
  const start = async (): Promise<TransportPair & { sink: Recorder }> => {
    const { near, far } = await open()
    const sink = new Recorder()
    const watched = guarded(near, sink)
    watched.open(sink)
    return { near: watched, far, sink }
  }
  const finish = async ({ near, sink }: { near: Transport; sink: Recorder }): Promise<void> => {
    near.reset()
    await sink.untilCalled('closed')
    expect(sink.count('closed')).toBe(1)
    expect(sink.broken).toBe(false)
  }

  describe(`transport contract: ${name}`, () => {
    it('carries bytes both ways', async () => {
      const pair = await start()
      pair.far.send('EHLO x\r\n')
      await pair.sink.until(() => pair.sink.octets === 8)
      expect(pair.sink.text).toBe('EHLO x\r\n')
      expect(pair.near.write(['250 ok\r\n'])).toBe(true)
      await pair.far.until(() => pair.far.octets === 8)
      expect(pair.far.text).toBe('250 ok\r\n')
      await finish(pair)
    })

    it('delivers what came before open', async () => {
      const { near, far } = await open()
      far.send('early')
      const sink = new Recorder()
      near.open(sink)
      await sink.until(() => sink.octets === 5)
      expect(sink.text).toBe('early')
      await finish({ near, sink })
    })

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
      ['large pieces of both kinds', ['<', new Uint8Array(70_000).fill(97), '', 'b'.repeat(50_000), '>'],
        `<${'a'.repeat(70_000)}${'b'.repeat(50_000)}>`],
    ]
    it.each(outputs)('writes %s as it stands', async (_, output, expected) => {
      const pair = await start()
      pair.near.write(output)
      pair.near.write(['.'])
      await pair.far.until(() => pair.far.octets === expected.length + 1)
      expect(pair.far.text).toBe(`${expected}.`)
      await finish(pair)
    })

    it('tells the end of the peer, which may still read', async () => {
      const pair = await start()
      pair.far.send('QUIT\r\n')
      pair.far.end()
      await pair.sink.untilCalled('ended')
      expect(pair.sink.text).toBe('QUIT\r\n')
      pair.near.write(['221 bye\r\n'])
      pair.near.end()
      await pair.sink.untilCalled('closed')
      await pair.far.until(() => pair.far.ended)
      expect(pair.far.text).toBe('221 bye\r\n')
      expect(pair.sink.error).toBeUndefined()
      expect(pair.sink.count('closed')).toBe(1)
    })

    it('sends all before it ends, and closes without an error once the peer has', async () => {
      const pair = await start()
      const body = pattern(300_000)
      pair.near.write([body])
      pair.near.end()
      await pair.far.until(() => pair.far.ended)
      expect(pair.far.octets).toBe(300_000)
      pair.far.end()
      await pair.sink.untilCalled('closed')
      expect(pair.sink.error).toBeUndefined()
      expect(pair.sink.broken).toBe(false)
    })

    it('tells nothing but closed after end', async () => {
      const pair = await start()
      pair.near.write(['421 bye\r\n'])
      pair.near.end()
      expect(pair.near.write(['lost'])).toBe(true)
      pair.far.send('MAIL FROM:<>\r\n'.repeat(1000))
      pair.far.end()
      await pair.sink.untilCalled('closed')
      expect(pair.sink.calls).toEqual(['closed'])
      expect(pair.far.text).toBe('421 bye\r\n')
    })

    it('tells nothing but closed after reset, and no error', async () => {
      const pair = await start()
      pair.far.send('MAIL')
      pair.near.write(['lost'])
      pair.near.reset()
      await pair.sink.untilCalled('closed')
      expect(pair.sink.calls).toEqual(['closed'])
      expect(pair.sink.error).toBeUndefined()
      await pair.far.until(() => pair.far.closed || pair.far.ended)
    })

    if (traits.resets) {
      it('tells a reset by the peer once, as an error, with nothing after it', async () => {
        const pair = await start()
        pair.far.send('DATA\r\n')
        await pair.sink.until(() => pair.sink.octets === 6)
        pair.far.reset()
        await pair.sink.untilCalled('closed')
        expect(pair.sink.error).toBeInstanceOf(Error)
        expect(pair.sink.calls.at(-1)).toBe('closed')
        expect(pair.sink.count('closed')).toBe(1)
      })
    }

    it('takes every call after it has closed, to no effect', async () => {
      const pair = await start()
      pair.far.reset()
      if (!traits.resets) pair.near.reset()
      await pair.sink.untilCalled('closed')
      expect(pair.near.write(['x'])).toBe(true)
      pair.near.pause()
      pair.near.resume()
      pair.near.end()
      pair.near.reset()
      await Promise.resolve()
      expect(pair.sink.count('closed')).toBe(1)
      expect(pair.sink.broken).toBe(false)
    })

    it('stops reading while paused: the sender is held back, and nothing is lost', async () => {
      const pair = await start()
      const body = pattern(64 * 1024 * 1024)
      pair.near.pause()
      pair.far.send(body)
      pair.far.end()
      // Far more would have come in this time, had the transport read on.
      const before = pair.sink.octets
      await settle()
      expect(pair.sink.octets - before).toBeLessThanOrEqual(65_536)
      pair.near.resume()
      await pair.sink.untilCalled('ended')
      expect(pair.sink.octets).toBe(body.length)
      expect(Buffer.compare(Buffer.concat(pair.sink.chunks), body)).toBe(0)
      await finish(pair)
    })

    it('holds a writer back when the reader is slow: 64 MB pass through a bounded space', async () => {
      const pair = await start()
      const piece = pattern(65_536)
      const total = 64 * 1024 * 1024
      let written = 0
      let mostHeld = 0
      const pump = (): void => {
        let room = true
        while (room && written < total) {
          room = pair.near.write([piece])
          written += piece.length
          mostHeld = Math.max(mostHeld, written - pair.far.octets)
        }
      }
      pair.far.stopReading()
      pump()
      expect(written).toBeLessThan(total)
      const stalled = written
      await settle()
      expect(written).toBe(stalled)
      pair.far.startReading()
      let drains = 0
      while (written < total) {
        await pair.sink.until(() => pair.sink.count('drained') > drains)
        drains = pair.sink.count('drained')
        pump()
      }
      await pair.far.until(() => pair.far.octets === total)
      // What the kernel holds on both sides, and a high-water mark on top.
      expect(mostHeld).toBeLessThan(24 * 1024 * 1024)
      await finish(pair)
    })
  })
}
