import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Body } from '../../src/contracts/bodies.ts'
import { indexMessage } from '../../src/message/indexer.ts'
import { edited } from '../../src/server/edited-body.ts'

/** A body that is in memory, or one that is read in pieces. */
function bodyOf(bytes: Uint8Array, isHeld: boolean): Body {
  return {
    size: bytes.length,
    ...(isHeld ? { bytes } : {}),
    async *read({ start, end } = { start: 0, end: bytes.length }) {
      for (let at = start; at < end; at += 7) yield bytes.subarray(at, Math.min(end, at + 7))
    },
  }
}

async function textOf(body: Body, range?: { start: number; end: number }): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of body.read(range)) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

it('an edited body is what editing its text gives, and any range of it too', async () => {
  const cut = fc.tuple(fc.nat(9), fc.nat(9), fc.stringMatching(/^[A-Z]{0,9}$/))
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(cut, { maxLength: 5 }), fc.nat(40), fc.nat(90), async (isHeld, cuts, rest, from) => {
      const size = cuts.reduce((sum, [gap, length]) => sum + gap + length, 0) + rest
      const original = 'abcdefghijklmnopqrstuvwxyz'.repeat(5).slice(0, size)
      let at = 0
      let expected = ''
      const edits = cuts.map(([gap, length, text]) => {
        expected += original.slice(at, at + gap) + text
        at += gap + length
        return { from: at - length, to: at, text }
      })
      expected += original.slice(at)
      const bytes = Buffer.from(original)
      // From the last place to the first: places come in any order, what goes into one place stays as given.
      const backwards = [...edits].sort((a, b) => b.from - a.from || b.to - a.to)
      const { body, facts } = await edited({ body: bodyOf(bytes, isHeld), facts: indexMessage(bytes) }, backwards)
      expect(await textOf(body)).toBe(expected)
      expect(body.size).toBe(expected.length)
      expect(facts.octets).toBe(expected.length)
      const start = Math.min(from, expected.length)
      const end = Math.min(expected.length, start + 20)
      expect(await textOf(body, { start, end })).toBe(expected.slice(start, end))
    }),
  )
})

it('a body that is not edited is the very same', async () => {
  const message = { body: bodyOf(Buffer.from('x'), true), facts: indexMessage(Buffer.from('x')) }
  const same = await edited(message, [])
  expect(same.body).toBe(message.body)
  expect(same.facts).toBe(message.facts)
})
