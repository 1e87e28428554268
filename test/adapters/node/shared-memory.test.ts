import { afterAll, describe, expect, it } from 'vitest'
import { listenNode, type NodeListener } from '../../../src/adapters/node/index.ts'
import type { Transport } from '../../../src/protocol/session/transport.ts'
import { Accepted, dial, opened, type SocketEnd } from './ends.ts'

const listeners: NodeListener[] = []
const accepted = new Accepted()

afterAll(async () => {
  for (const listener of listeners) listener.close()
  accepted.resetAll()
  await Promise.all(listeners.map((listener) => listener.closed))
})

interface Pair {
  readonly near: Transport
  readonly far: SocketEnd
}

/** Two connections to one listener, each from its two ends. */
async function two(): Promise<[Pair, Pair]> {
  const listener = await listenNode({ port: 0, host: '127.0.0.1', onTransport: accepted.take })
  listeners.push(listener)
  const pair = async (): Promise<Pair> => {
    const far = await dial({ port: listener.port as number })
    const near = await accepted.next()
    opened(near)
    return { near, far }
  }
  return [await pair(), await pair()]
}

/** An output in pieces, each in letters of its own. */
const piecesOf = (letter: string): [string, Uint8Array] => [`${letter}:`, Buffer.alloc(9000, letter)]

const textOf = ([text, bytes]: [string, Uint8Array]): string => text + Buffer.from(bytes).toString('latin1')

describe('memory that connections share for small outputs', () => {
  it('is not written over while a peer that does not read has not got it yet', async () => {
    const [slow, quick] = await two()
    slow.far.stopReading()
    let [given, others] = ['', '']
    // More than the kernel takes, so that the last of it waits in this process; then as many outputs of the other one.
    for (let at = 0; at < 2000; at++) {
      const pieces = piecesOf('abcdefgh'[at % 8]!)
      given += textOf(pieces)
      if (!slow.near.write(pieces)) break
    }
    for (let at = 0; at < 20; at++) {
      const pieces = piecesOf('XYZ'[at % 3]!)
      others += textOf(pieces)
      quick.near.write(pieces)
    }
    await quick.far.until(() => quick.far.octets >= others.length)
    slow.far.startReading()
    await slow.far.until(() => slow.far.octets >= given.length)
    expect(quick.far.text === others).toBe(true)
    expect(slow.far.text === given).toBe(true)
  })
})
