import { constants, createDeflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Inflating } from '../../../src/adapters/node/inflating.ts'

const { Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_PARTIAL_FLUSH } = constants

/** What a client makes of batches, one stream in all; each with the flush that ends it. */
async function stream(batches: readonly (readonly [string, number])[], options: object = {}): Promise<Buffer[]> {
  const deflate = createDeflateRaw(options)
  const out: Buffer[] = []
  const chunks: Buffer[] = []
  deflate.on('data', (chunk: Buffer) => chunks.push(chunk))
  for (const [text, flush] of batches) {
    deflate.write(Buffer.from(text, 'latin1'))
    await new Promise<void>((resolve) => deflate.flush(flush, resolve))
    out.push(Buffer.concat(chunks.splice(0)))
  }
  deflate.destroy()
  return out
}

/** Reads a stream in pieces; what goes beyond it is done by zlib, as by the transport. Gives what came out by each piece. */
function read(pieces: readonly Uint8Array[]): { readonly out: string[]; readonly kept: boolean; readonly held: number } {
  const inflating = new Inflating()
  const out: string[] = []
  let rest: { dictionary: Uint8Array | undefined; held: Uint8Array; told: number } | undefined
  for (const piece of pieces) {
    if (rest) rest.held = Buffer.concat([rest.held, piece])
    else {
      inflating.push(piece)
      const made = inflating.pull()
      if (made) {
        out.push(Buffer.from(made).toString('latin1'))
        continue
      }
      rest = { ...inflating.unfinished }
    }
    const { dictionary, held, told } = rest
    const all = inflateRawSync(held, { finishFlush: Z_SYNC_FLUSH, ...(dictionary && { dictionary }) })
    out.push(all.subarray(told).toString('latin1'))
    rest.told = all.length
  }
  return { out, kept: rest === undefined, held: inflating.unfinished.held.length }
}

/** What zlib has made out by the end of each piece. */
function expected(pieces: readonly Uint8Array[]): string[] {
  let before = 0
  return pieces.map((_, at) => {
    const all = inflateRawSync(Buffer.concat(pieces.slice(0, at + 1)), { finishFlush: Z_SYNC_FLUSH })
    const fresh = all.subarray(before).toString('latin1')
    before = all.length
    return fresh
  })
}

/** What is put behind a batch. */
const LAST = Uint8Array.of(1, 0, 0, 255, 255)

/** Texts that look like what batches end in, and like what is put behind them. */
const tricky = '\0\0\xff\xff\x01\0\0\xff\xff\0\0\0\xff\xff\x01\0\0\xff\xff\x01\0\0\xff\xff\x03\0'

const kinds: readonly (readonly [string, object])[] = [
  ['stored', { level: 0 }],
  ['fixed codes', { strategy: constants.Z_FIXED }],
  ['codes alone', { strategy: constants.Z_HUFFMAN_ONLY }],
  ['the usual', {}],
  ['the least memory', { windowBits: 9, memLevel: 1, level: 9 }],
]

describe('inflating', () => {
  it('keeps nothing between batches but what came last, however long a connection lives', async () => {
    const line = (at: number): string => `a${at} UID FETCH ${at * 7}:* (FLAGS)\r\n`.repeat(at % 30 + 1)
    const batches = Array.from({ length: 400 }, (_, at) => [line(at), Z_SYNC_FLUSH] as const)
    const inflating = new Inflating()
    for (const [at, packed] of (await stream(batches)).entries()) {
      inflating.push(packed)
      expect(Buffer.from(inflating.pull()!).toString()).toBe(batches[at]![0])
      expect(inflating.unfinished).toMatchObject({ held: Buffer.alloc(0), told: 0 })
    }
    expect(inflating.unfinished.dictionary).toHaveLength(32_768)
  })

  it.each(kinds)('takes no octet for the end of a batch that is none: %s, cut anywhere', async (_, options) => {
    const text = `${tricky}a NOOP\r\n${tricky.repeat(3)}`
    const batches = [[text, Z_SYNC_FLUSH], [`b IDLE\r\n${tricky}`, Z_PARTIAL_FLUSH], [text, Z_FULL_FLUSH]] as const
    const packed = Buffer.concat(await stream(batches, options))
    for (let at = 1; at < packed.length; at++) {
      const pieces = [packed.subarray(0, at), packed.subarray(at)]
      expect(read(pieces).out).toEqual(expected(pieces))
    }
  })

  it('makes out what zlib does, by each piece, whatever the pieces', async () => {
    const piece = fc.oneof(fc.string({ maxLength: 40 }), fc.constant(tricky), fc.constant('a1 UID FETCH 1:* (FLAGS)\r\n'))
    const batch = fc.tuple(
      fc.array(piece, { maxLength: 6 }).map((all) => all.join('').replace(/[^\0-\xff]/g, '?')),
      fc.constantFrom(Z_SYNC_FLUSH, Z_SYNC_FLUSH, Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_PARTIAL_FLUSH),
    )
    const cuts = fc.array(fc.nat({ max: 80 }), { maxLength: 8 })
    const batches = fc.array(batch, { maxLength: 8 })
    await fc.assert(fc.asyncProperty(batches, cuts, fc.constantFrom(...kinds), async (all, at, [, options]) => {
      const pieces: Uint8Array[] = []
      for (const [index, packed] of (await stream(all, options)).entries()) {
        const cut = Math.min(packed.length, at[index] ?? packed.length)
        pieces.push(...[packed.subarray(0, cut), packed.subarray(cut)].filter(({ length }) => length > 0))
      }
      expect(read(pieces).out).toEqual(expected(pieces))
    }), { numRuns: 100 })
  })

  it('leaves to others what is large, cut to pieces, or not flushed as usual', async () => {
    const text = 'a1 NOOP\r\n'.repeat(1000)
    const [large] = await stream([[text, Z_SYNC_FLUSH]], { level: 0 })
    expect(read([large!])).toMatchObject({ kept: false, out: [text] })
    const [dull] = await stream([['x'.repeat(100_000), Z_SYNC_FLUSH]])
    expect(read([dull!])).toMatchObject({ kept: false, out: ['x'.repeat(100_000)] })
    const [line] = await stream([['a1 UID FETCH 1:* (FLAGS)\r\n', Z_SYNC_FLUSH]])
    const octets = [...line!].map((octet) => Uint8Array.of(octet))
    expect(read(octets)).toMatchObject({ kept: false })
    expect(read(octets).out.join('')).toBe('a1 UID FETCH 1:* (FLAGS)\r\n')
    // In a few pieces it is as good as whole.
    expect(read([line!.subarray(0, 5), line!.subarray(5, 9), line!.subarray(9)])).toMatchObject({ kept: true, held: 0 })
    // One that does not align its flushes is understood all the same.
    const partial = await stream(Array.from({ length: 30 }, (_, at) => [`a${at} NOOP\r\n`, Z_PARTIAL_FLUSH] as const))
    expect(read(partial).out).toEqual(expected(partial))
  })

  it('goes on no further where the peer has ended its stream, or it is broken', () => {
    for (const wrong of [deflateRawSync('a NOOP\r\n'), Uint8Array.of(255, 255), Buffer.concat([deflateRawSync('a\r\n'), LAST])]) {
      const inflating = new Inflating()
      inflating.push(wrong)
      expect(inflating.pull()).toBeUndefined()
      expect(inflating.unfinished.held).toEqual(Buffer.from(wrong))
    }
  })

  it('never throws, whatever comes', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 10 }), (pieces) => {
      const inflating = new Inflating()
      for (const piece of pieces) {
        inflating.push(piece)
        if (inflating.pull() === undefined) return
      }
    }), { numRuns: 200 })
  })
})
