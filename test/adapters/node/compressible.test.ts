import { createDeflateRaw, createInflateRaw, constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { linkedTransports, type LinkOptions } from '../../../src/adapters/memory/link.ts'
import { compressible } from '../../../src/adapters/node/compressible.ts'
import { Deflating } from '../../../src/adapters/node/deflating.ts'
import { turn } from '../../../src/adapters/node/event-loop.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { Recorder } from '../../../src/testing/contracts/transport-ends.ts'
import { transportContract } from '../../../src/testing/contracts/transport.ts'

/** A connection whose near end compresses, the far end in the raw. */
function ends(options: LinkOptions = {}, burst?: number) {
  const { server, client } = linkedTransports(options)
  const near = compressible(server, burst === undefined ? {} : { burst })
  const sink = new Recorder()
  const far = new Recorder()
  near.open(sink)
  client.open(far)
  return { near, sink, client, far }
}

const flushed = { finishFlush: constants.Z_SYNC_FLUSH }

/** What a client makes of octets that came. */
async function inflated(chunks: readonly Uint8Array[]): Promise<string> {
  const inflate = createInflateRaw(flushed)
  const out: Uint8Array[] = []
  inflate.on('data', (bytes: Uint8Array) => out.push(bytes))
  const ended = new Promise((resolve, reject) => inflate.on('end', resolve).on('error', reject))
  for (const chunk of chunks) inflate.write(chunk)
  inflate.end()
  await ended
  return Buffer.concat(out).toString('latin1')
}

transportContract({
  describe,
  it,
  name: 'compressible, before it compresses',
  traits: { resets: true },
  open: async () => {
    const { server, client } = linkedTransports()
    const recorder = new Recorder()
    client.open(recorder)
    const far = {
      send: (bytes: Uint8Array | string) => void client.write([bytes]),
      end: () => client.finish(),
      reset: () => client.reset(),
      stopReading: () => client.pause(),
      startReading: () => client.resume(),
      get octets() {
        return recorder.octets
      },
      get text() {
        return recorder.text
      },
      get ended() {
        return recorder.calls.includes('ended')
      },
      get closed() {
        return recorder.calls.includes('closed')
      },
      until: (condition: () => boolean) => recorder.until(condition),
    }
    return { near: compressible(server), far }
  },
})

describe('what is under way', () => {
  it('is waited for as the transport below does, and never from inside the call', async () => {
    const { near } = ends()
    const called: string[] = []
    near.soon!(() => called.push('soon'))
    expect(called).toEqual([])
    await turn()
    expect(called).toEqual(['soon'])
    const { server } = linkedTransports({})
    const later: (() => void)[] = []
    compressible(Object.assign(server, { soon: (run: () => void) => later.push(run) })).soon!(() => called.push('later'))
    expect(called).toEqual(['soon'])
    later[0]!()
    expect(called).toEqual(['soon', 'later'])
  })
})

describe('deflating', () => {
  it('makes one stream of batches, each of which can be read when it has come', () => {
    const batch = fc.array(fc.oneof(fc.string({ maxLength: 40 }), fc.uint8Array({ maxLength: 300 })), { maxLength: 4 })
    const long = fc.nat({ max: 20_000 }).map((length) => ['* 1 FETCH (FLAGS ())\r\n'.repeat(20), 'y'.repeat(length)])
    fc.assert(fc.property(fc.array(fc.oneof(batch, long), { maxLength: 12 }), (batches) => {
      const deflating = new Deflating()
      let plain = Buffer.alloc(0)
      const sent: Uint8Array[] = []
      for (const pieces of batches) {
        const octets = pieces.map((piece) => (typeof piece === 'string' ? piece.replace(/[^\0-\xff]/g, '?') : piece))
        plain = Buffer.concat([plain, ...octets.map((piece) => Buffer.from(piece as string, 'latin1'))])
        sent.push(...deflating.deflate(octets) as Uint8Array[])
        expect(inflateRawSync(Buffer.concat(sent), flushed).equals(plain)).toBe(true)
      }
    }), { numRuns: 60 })
  })

  it('finds what was said before', () => {
    const deflating = new Deflating()
    const line = '* OK [HIGHESTMODSEQ 715194045007] Some text that nobody would guess\r\n'
    const first = deflating.deflate([line])[0]!.length
    expect(deflating.deflate([line])[0]!.length).toBeLessThan(first / 3)
  })
})

describe('a transport that compresses', () => {
  it('carries bytes both ways, however they are cut', async () => {
    for (const chunk of [1, 3, 65_536]) {
      const { near, sink, client, far } = ends({ chunk })
      near.compress!()
      const deflate = createDeflateRaw({ windowBits: 15 })
      deflate.on('data', (bytes: Uint8Array) => void client.write([bytes]))
      let said = ''
      for (let at = 0; at < 20; at++) {
        const line = `a${at} FETCH ${at} FLAGS\r\n`
        said += line
        deflate.write(line)
        // Old clients flush without aligning to an octet.
        deflate.flush(at % 2 ? constants.Z_SYNC_FLUSH : constants.Z_PARTIAL_FLUSH)
        await sink.until(() => sink.octets >= said.length)
        near.write([`* ${at} FETCH `, Uint8Array.of(40, 255, 41), '\r\n'])
      }
      expect(sink.text).toBe(said)
      near.end()
      await far.untilCalled('ended')
      expect(await inflated(far.chunks)).toBe(Array.from({ length: 20 }, (_, at) => `* ${at} FETCH (\xff)\r\n`).join(''))
      client.finish()
      await sink.untilCalled('closed')
      expect(sink.error).toBeUndefined()
    }
  })

  it('says what it says at once, and nothing for nothing', async () => {
    const { near, far } = ends()
    near.write(['plain\r\n'])
    near.compress!()
    near.write([])
    near.write(['', 'packed\r\n'])
    await far.until(() => far.octets > 7)
    expect(far.text.startsWith('plain\r\n')).toBe(true)
    expect(await inflated([Buffer.from(far.text.slice(7), 'latin1')])).toBe('packed\r\n')
  })

  it('tells the end behind all that came before it, whether or not the stream was ended', async () => {
    for (const finishFlush of [constants.Z_SYNC_FLUSH, constants.Z_FINISH]) {
      const { near, sink, client } = ends()
      near.compress!()
      client.write([deflateRawSync('x LOGOUT\r\n', { finishFlush })])
      client.finish()
      await sink.untilCalled('ended')
      expect(sink.text).toBe('x LOGOUT\r\n')
      expect(sink.count('ended')).toBe(1)
      near.reset()
    }
  })

  it('lets a peer wait whose octets nobody takes', async () => {
    const { near, sink, client } = ends({ highWaterMark: 1000 })
    near.compress!()
    near.pause()
    // Noise: it does not compress.
    const noise = Uint8Array.from({ length: 200_000 }, (_, at) => (Math.imul(at, 2_654_435_761) >>> 13) & 255)
    const packed = deflateRawSync(noise, flushed)
    let room = true
    for (let at = 0; at < packed.length && room; at += 5000) room = client.write([packed.subarray(at, at + 5000)])
    expect(room).toBe(false)
    expect(sink.octets).toBe(0)
    near.resume()
    await sink.until(() => sink.octets > 0)
    near.reset()
  })

  it('stops within a piece when it is paused, whatever a piece may hold', async () => {
    const { near, sink, client } = ends()
    near.compress!()
    const pausing = sink.until(() => sink.octets > 0).then(() => near.pause())
    client.write([deflateRawSync(Buffer.alloc(8 * 1024 * 1024), flushed)])
    await pausing
    const then = sink.octets
    for (let turns = 0; turns < 20; turns++) await turn()
    expect(sink.octets - then).toBeLessThanOrEqual(65_536)
    near.resume()
    await sink.until(() => sink.octets === 8 * 1024 * 1024)
    near.reset()
  })

  it('breaks where what comes is a bomb', async () => {
    const { near, sink, client } = ends({}, 1024 * 1024)
    near.compress!()
    client.write([deflateRawSync(Buffer.alloc(64 * 1024 * 1024), flushed)])
    await sink.untilCalled('closed')
    expect(isMailError(sink.error) && sink.error.code).toBe('peer')
    expect(sink.octets).toBeLessThan(8 * 1024 * 1024)
  })

  it('takes as much as it likes of what is written as usual', async () => {
    const { near, sink, client } = ends({}, 1000)
    near.compress!()
    const lines = Array.from({ length: 5000 }, (_, at) => `a${at} UID FETCH ${at * 7} (FLAGS)\r\n`).join('')
    client.write([deflateRawSync(lines, flushed)])
    await sink.until(() => sink.octets === lines.length)
    expect(sink.text).toBe(lines)
    near.reset()
  })

  it('breaks where what comes is not compressed', async () => {
    const { near, sink, client } = ends()
    near.compress!()
    client.write([Uint8Array.of(255, 255, 255, 255, 255)])
    await sink.untilCalled('closed')
    expect(isMailError(sink.error) && sink.error.code).toBe('peer')
    expect(sink.octets).toBe(0)
  })

  it('never throws, whatever comes', async () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 60 })
    await fc.assert(fc.asyncProperty(fc.array(chunk, { maxLength: 5 }), async (chunks) => {
      const { near, sink, client } = ends()
      near.compress!()
      for (const chunk of chunks) client.write([chunk])
      client.finish()
      await sink.until(() => sink.calls.includes('ended') || sink.calls.includes('closed'))
      expect(sink.broken).toBe(false)
      near.reset()
    }), { numRuns: 60 })
  })

  it('tells nothing but the end once it was ended', async () => {
    const { near, sink, client } = ends()
    near.compress!()
    client.write([deflateRawSync('a NOOP\r\n', flushed)])
    near.end()
    client.finish()
    await sink.untilCalled('closed')
    expect(sink.calls).toEqual(['closed'])
  })

  it('compresses once, and takes no TLS on top', () => {
    const { near } = ends()
    near.compress!()
    expect(() => near.compress!()).toThrow(/compressed/)
    expect(() => near.startTls()).toThrow(/compressed/)
  })
})
