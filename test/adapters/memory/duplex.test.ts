import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { socketOf } from '../../../src/adapters/memory/duplex.ts'
import { linkedTransports, type LinkOptions } from '../../../src/adapters/memory/link.ts'
import { Recorder } from '../../../src/testing/contracts/transport-ends.ts'

function open(options: LinkOptions = {}) {
  const { server, client } = linkedTransports({
    peer: { address: '203.0.113.9', port: 4, localAddress: '192.0.2.1', localPort: 25 },
    ...options,
  })
  const recorder = new Recorder()
  server.open(recorder)
  return { server, recorder, socket: socketOf(client) }
}

describe("the client's end of a link as a socket", () => {
  it('knows whom it is connected to', () => {
    const { socket } = open()
    expect([socket.remoteAddress, socket.remotePort, socket.localAddress, socket.localPort]).toEqual([
      '192.0.2.1',
      25,
      '203.0.113.9',
      4,
    ])
    socket.setTimeout(1).setKeepAlive(true, 1).setNoDelay(true).ref().unref()
  })

  it('carries bytes both ways, and ends when the server does', async () => {
    const { server, recorder, socket } = open()
    socket.write('EHLO x\r\n')
    await recorder.until(() => recorder.octets === 8)
    server.write(['250 ok\r\n'])
    server.end()
    let text = ''
    socket.on('data', (bytes: Buffer) => (text += bytes.toString()))
    await once(socket, 'close')
    await recorder.untilCalled('closed')
    expect(text).toBe('250 ok\r\n')
    expect(recorder.text).toBe('EHLO x\r\n')
    expect(recorder.error).toBeUndefined()
  })

  it('ends its output, and still hears the server out', async () => {
    const { server, recorder, socket } = open()
    socket.end('QUIT\r\n')
    await recorder.untilCalled('ended')
    server.write(['221 bye\r\n'])
    server.end()
    const [[bytes]] = await Promise.all([once(socket, 'data') as Promise<[Buffer]>, once(socket, 'close')])
    expect(bytes.toString()).toBe('221 bye\r\n')
    await recorder.untilCalled('closed')
  })

  it('holds its writer back while the server does not read', async () => {
    const { server, recorder, socket } = open({ highWaterMark: 1000 })
    server.pause()
    const written: number[] = []
    for (let at = 0; at < 4; at++) socket.write(new Uint8Array(900), () => written.push(at))
    await new Promise((resolve) => setImmediate(resolve))
    expect(written).toEqual([0])
    server.resume()
    await recorder.until(() => recorder.octets === 3600)
    await new Promise((resolve) => setImmediate(resolve))
    expect(written.sort()).toEqual([0, 1, 2, 3])
  })

  it('holds the server back while nobody reads it', async () => {
    const { server, recorder, socket } = open({ highWaterMark: 1000 })
    let room = true
    for (let writes = 0; room && writes < 1000; writes++) {
      room = server.write([new Uint8Array(1000)])
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(room).toBe(false)
    socket.resume()
    await recorder.untilCalled('drained')
  })

  it('breaks when the server resets, as sockets do', async () => {
    const { server, socket } = open()
    server.reset()
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
    expect(socket.destroyed).toBe(true)
  })

  it.each(['destroy', 'resetAndDestroy'] as const)('is gone for the server after %s', async (call) => {
    const { recorder, socket } = open()
    socket[call]()
    await recorder.until(() => recorder.calls.includes('ended') || recorder.calls.includes('closed'))
    await once(socket, 'close')
    expect(recorder.error instanceof Error).toBe(call === 'resetAndDestroy')
  })
})
