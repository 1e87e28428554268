import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, describe, expect, it } from 'vitest'
import { certificates, listenNode } from '../../../src/adapters/node/index.ts'
import type { ListenOptions, NodeListener, Refusal } from '../../../src/adapters/node/index.ts'
import type { Transport } from '../../../src/protocol/session/transport.ts'
import { behind, dialSocket, opened } from './ends.ts'
import { issue } from './issue.ts'

const source = certificates({ ...issue({ subject: 'default.test', dns: ['default.test'] }), watch: false })

const listeners: NodeListener[] = []
afterAll(async () => {
  for (const listener of listeners) listener.close()
  await Promise.all(listeners.map(({ closed }) => closed))
})

/** Listens with implicit TLS; the port. */
async function listen(
  onTransport: (transport: Transport) => void,
  options: Partial<ListenOptions> = {},
): Promise<{ port: number }> {
  const listener = await listenNode({
    port: 0, host: '127.0.0.1', tls: { mode: 'implicit', certificates: source }, onTransport, ...options,
  })
  listeners.push(listener)
  return { port: listener.port as number }
}

describe('the end of a TLS connection', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is announced to the peer, right after the handshake too: %s', async (version) => {
    const wire = await dialSocket(await listen((transport) => {
      opened(transport)
      transport.write(['421 full\r\n'])
      transport.end()
    }))
    const records: Buffer[] = []
    wire.on('data', (bytes) => records.push(bytes))
    const socket = behind(new Uint8Array(0), wire)
    const far = connectTls({ socket, rejectUnauthorized: false, minVersion: version, maxVersion: version })
    const text: Buffer[] = []
    far.on('data', (bytes) => text.push(bytes)).on('error', () => {})
    await new Promise((resolve) => wire.once('end', resolve))
    expect(Buffer.concat(text).toString()).toBe('421 full\r\n')
    // An alert: in TLS 1.3 a record of 2 octets, their type and a tag, that calls itself application data (RFC 8446 §5.2).
    const last = lastRecord(Buffer.concat(records))
    expect([last.type, last.octets]).toEqual(version === 'TLSv1.3' ? [23, 19] : [21, 26])
    far.destroy()
    wire.destroy()
  })
})

/** Type and length of the last TLS record. */
function lastRecord(bytes: Buffer): { type: number; octets: number } {
  let found = { type: 0, octets: 0 }
  for (let at = 0; at < bytes.length; at += 5 + found.octets) {
    found = { type: bytes.readUInt8(at), octets: bytes.readUInt16BE(at + 3) }
  }
  return found
}

describe('a connection that leaves without a word, as health checks do', () => {
  it.each([
    ['at its end', '', (plain: Socket) => plain.end()],
    ['at its break', '', (plain: Socket) => plain.resetAndDestroy()],
    ['at its end behind the PROXY header', 'PROXY UNKNOWN\r\n', (plain: Socket) => plain.end()],
  ] as const)('is not told of %s', async (_, header, leave) => {
    const refusals: Refusal[] = []
    const proxy = header === '' ? {} : { proxy: { from: ['127.0.0.1'] } }
    let arrived = (_near: Transport): void => {}
    const near = new Promise<Transport>((resolve) => {
      arrived = resolve
    })
    const onRefused = (refusal: Refusal): void => void refusals.push(refusal)
    const place = await listen((transport) => arrived(transport), { ...proxy, onRefused })
    const plain = await dialSocket(place)
    plain.resume()
    if (header !== '') plain.write(header)
    leave(plain)
    if (!plain.closed) await new Promise((resolve) => plain.once('close', resolve))
    const far = connectTls({ socket: behind(Buffer.from(header), await dialSocket(place)), rejectUnauthorized: false })
    ;(await near).reset()
    expect(refusals).toEqual([])
    far.on('error', () => {}).destroy()
  })
})
