import { describe, expect, it } from 'vitest'
import { turn } from '../../../src/adapters/node/event-loop.ts'
import { LiveConnection } from '../../../src/server/connection.ts'
import { type Access, ImapHost } from '../../../src/server/imap/host.ts'

const nobody = { address: undefined, port: undefined, localAddress: undefined, localPort: undefined }

/** A host whose store has a message of so many octets at hand, by a clock that goes on with every look at it. */
function hostOf(octets: number): ImapHost {
  let ticks = 0
  const body = {
    id: 'm',
    size: octets,
    async *read({ start, end }: { readonly start: number; readonly end: number }) {
      yield new Uint8Array(end - start)
    },
  }
  const access = { clock: { now: () => 0, ticks: () => (ticks += 11) }, store: { body: async () => body } }
  return new ImapHost(access as unknown as Access, new LiveConnection('c', 0, 'imap', nobody))
}

describe('a long message', () => {
  it('I65 is sent in pieces, between which others have their turns', async () => {
    const size = 13_000_000
    let turns = 0
    let isOver = false
    const others = (async () => {
      for (; !isOver; turns++) await turn()
    })()
    let octets = 0
    let pieces = 0
    for await (const piece of await hostOf(size).read({ message: 'm', start: 0, end: size })) {
      expect(piece.length).toBeLessThanOrEqual(256 * 1024)
      octets += piece.length
      pieces++
    }
    isOver = true
    await others
    expect(octets).toBe(size)
    expect(turns).toBeGreaterThanOrEqual(pieces)
  })
})
