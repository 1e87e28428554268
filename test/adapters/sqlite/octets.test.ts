import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { numbered } from './mail.ts'

describe.each(drivers)('octets of several messages with %s', (_name, driver) => {
  it('are those of each, whatever they are, and nothing of those that are not there', async () => {
    const { store } = openMail({ driver })
    const { id } = await store.create('alice', ['INBOX'])
    const odd = Uint8Array.of(0xff, 0, 0xc3, 0x28, 0xe2)
    const bodies: Uint8Array[] = [Uint8Array.of(), Uint8Array.of(0), odd, new Uint8Array(9000).fill(0x80)]
    const ids: string[] = []
    for (const bytes of bodies) {
      const message = numbered(1, 0)
      const body = { size: bytes.length, bytes, read: message.body.read }
      ids.push((await store.append(id, { ...message, body })).id)
    }
    const range = fc.record({ at: fc.nat(bodies.length), start: fc.nat(9000), length: fc.nat(9000) })
    await fc.assert(fc.asyncProperty(fc.array(range, { minLength: 1, maxLength: 12 }), async (wanted) => {
      const ranges = wanted.map(({ at, start, length }) => {
        const size = bodies[at]?.length ?? 5
        const from = Math.min(start, size)
        return { message: ids[at] ?? '999999', start: from, end: Math.min(size, from + length) }
      })
      const found = await store.octets!(ranges)
      expect(found.map((octets) => octets && [...octets])).toEqual(ranges.map(({ start, end }, index) => {
        const body = bodies[wanted[index]!.at]
        return body && [...body.subarray(start, end)]
      }))
    }), { numRuns: 100 })
  })
})
