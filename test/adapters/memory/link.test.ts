import { describe, expect, it } from 'vitest'
import { type ClientTransport, type LinkOptions, linkedTransports } from '../../../src/adapters/memory/link.ts'
import type { Transport } from '../../../src/protocol/session/transport.ts'
import { type FarEnd, Recorder } from '../../../src/testing/contracts/transport-ends.ts'
import { transportContract } from '../../../src/testing/contracts/transport.ts'
import { virtualClock } from '../../../src/testing/virtual-clock.ts'

/** The client's end in the hands of a test. */
function farEnd(wire: ClientTransport): FarEnd {
  const recorder = new Recorder()
  wire.open(recorder)
  return {
    send: (bytes) => void wire.write([bytes]),
    end: () => wire.finish(),
    reset: () => wire.reset(),
    stopReading: () => wire.pause(),
    startReading: () => wire.resume(),
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
    until: (condition) => recorder.until(condition),
  }
}

const pairs = (options: () => LinkOptions) => async () => {
  const { server, client } = linkedTransports(options())
  return { near: server, far: farEnd(client) }
}

const laterBy = (): LinkOptions => {
  const clock = virtualClock()
  return { clock, schedule: (task) => void setImmediate(() => clock.advance(1).then(task)) }
}

transportContract({ describe, it, name: 'link', traits: { resets: true }, open: pairs(() => ({})) })
transportContract({
  describe,
  it,
  name: 'link with a clock',
  traits: { resets: true },
  open: pairs(() => ({ clock: virtualClock() })),
})

transportContract({
  describe,
  it,
  name: "link, the client's end",
  traits: { resets: true },
  open: async () => {
    const { server, client } = linkedTransports()
    return { near: client, far: farEnd(server as ClientTransport) }
  },
})

function linked(options: LinkOptions = {}): {
  server: Transport
  client: ClientTransport
  atServer: Recorder
  atClient: Recorder
} {
  const { server, client } = linkedTransports(options)
  const atServer = new Recorder()
  const atClient = new Recorder()
  server.open(atServer)
  client.open(atClient)
  return { server, client, atServer, atClient }
}

/** Everything that can happen has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('link', () => {
  it('says who is at the other end, to each end its own view', () => {
    const { server, client } = linkedTransports({
      peer: { address: '203.0.113.9', port: 40_000, localAddress: '192.0.2.1', localPort: 25 },
    })
    expect(server.peer).toEqual({ address: '203.0.113.9', port: 40_000, localAddress: '192.0.2.1', localPort: 25 })
    expect(client.peer).toEqual({ address: '192.0.2.1', port: 25, localAddress: '203.0.113.9', localPort: 40_000 })
    expect(linkedTransports().server.peer.address).toBeUndefined()
  })

  it('copies what is written', async () => {
    const { client, atServer } = linked()
    const bytes = Uint8Array.of(1, 2, 3)
    client.write([bytes])
    bytes.fill(9)
    await settled()
    expect(Buffer.concat(atServer.chunks)).toEqual(Buffer.from([1, 2, 3]))
  })

  it('delivers one write as one piece, and large ones in chunks of the size asked for', async () => {
    const { client, atServer } = linked({ chunk: 3 })
    client.write(['a', 'b'])
    client.write(['1234567'])
    await settled()
    expect(atServer.chunks.map((chunk) => Buffer.from(chunk).toString())).toEqual(['ab', '123', '456', '7'])
  })

  it('delivers in its own turn only, and when the scheduler says so', async () => {
    const tasks: (() => void)[] = []
    const { client, server, atServer, atClient } = linked({ schedule: (task) => tasks.push(task) })
    client.write(['a'])
    client.write(['b'])
    server.write(['c'])
    expect(atServer.calls).toEqual([])
    tasks.splice(0).forEach((task) => task())
    expect(atServer.text).toBe('ab')
    expect(atClient.text).toBe('c')
    expect(tasks).toEqual([])
  })

  it('says false above the high-water mark of each direction, and drained once half of it has gone', async () => {
    const { client, server, atServer, atClient } = linked({ highWaterMark: 10 })
    server.pause()
    await settled()
    expect(client.write(['0123456789'])).toBe(true)
    expect(client.write(['!'])).toBe(false)
    expect(server.write(['0123456789'])).toBe(true)
    await settled()
    expect(atClient.calls).toEqual(['received'])
    server.resume()
    await settled()
    expect(atServer.text).toBe('0123456789!')
    expect(atClient.calls).toEqual(['received', 'drained'])
  })

  it('goes on in one direction after a half-close of the other, and closes both when both are over', async () => {
    const { client, server, atServer, atClient } = linked()
    client.write(['last'])
    client.finish()
    client.write(['lost'])
    await settled()
    expect([atServer.text, ...atServer.calls]).toEqual(['last', 'received', 'ended'])
    server.write(['answer'])
    await settled()
    expect(atClient.text).toBe('answer')
    server.end()
    await settled()
    expect(atServer.calls.at(-1)).toBe('closed')
    expect(atClient.calls).toEqual(['received', 'ended', 'closed'])
    expect([atServer.error, atClient.error]).toEqual([undefined, undefined])
  })

  it('lets the peer of an end that was ended read all, whatever time it takes', async () => {
    const { client, server, atServer, atClient } = linked()
    client.pause()
    server.write(['421 bye'])
    server.end()
    await settled()
    expect(atServer.calls).toEqual([])
    client.resume()
    await settled()
    expect(atServer.calls).toEqual(['closed'])
    expect([atClient.text, ...atClient.calls]).toEqual(['421 bye', 'received', 'ended'])
  })

  it('with a clock gives up on a peer that does not read', async () => {
    const clock = virtualClock()
    const { client, server, atServer, atClient } = linked({ clock, flushWithin: 1000 })
    client.pause()
    server.write(['421 bye'])
    server.end()
    await clock.advance(999)
    expect(atServer.calls).toEqual([])
    await clock.advance(1)
    expect(atServer.error?.message).toMatch(/did not read/)
    expect(atClient.calls).toEqual(['closed'])
    expect(clock.pending).toBe(0)
  })

  it('with a clock waits a while for the peer to end in turn, then closes all the same', async () => {
    const clock = virtualClock()
    const { server, client, atServer, atClient } = linked({ clock, lingerFor: 500 })
    server.end()
    await clock.advance(499)
    expect(atClient.calls).toEqual(['ended'])
    expect(atServer.calls).toEqual([])
    client.write(['dropped'])
    await clock.advance(1)
    expect(atServer.calls).toEqual(['closed'])
    expect(atServer.error).toBeUndefined()
    client.write(['to nobody'])
    await settled()
    expect(atClient.error?.message).toMatch(/closed by the peer/)
    expect(clock.pending).toBe(0)
  })

  it('with a clock closes at once when the peer ends in turn', async () => {
    const clock = virtualClock()
    const { server, client, atServer, atClient } = linked({ clock })
    server.end()
    await settled()
    client.finish()
    await settled()
    expect([...atServer.calls, ...atClient.calls]).toEqual(['closed', 'ended', 'closed'])
    expect(clock.pending).toBe(0)
  })

  it('takes a break for the end it is, once all was sent and read', async () => {
    const { server, client, atServer } = linked({ clock: virtualClock() })
    server.write(['bye'])
    server.end()
    await settled()
    client.reset()
    await settled()
    expect(atServer.calls).toEqual(['closed'])
    expect(atServer.error).toBeUndefined()
  })

  it('takes a break for the loss it is, when something was not read yet', async () => {
    const { server, client, atServer } = linked({ clock: virtualClock() })
    client.pause()
    server.write(['bye'])
    server.end()
    client.reset()
    await settled()
    expect(atServer.error?.message).toMatch(/reset/)
  })

  it('runs with any latency', async () => {
    const { server, client, atServer, atClient } = linked(laterBy())
    client.write(['ping'])
    await atServer.until(() => atServer.octets === 4)
    server.write(['pong'])
    server.end()
    await atClient.untilCalled('ended')
    client.finish()
    await atServer.untilCalled('closed')
    expect(atClient.text).toBe('pong')
  })
})

describe('TLS on a link', () => {
  const begin = async () => {
    const ends = linked()
    ends.server.startTls()
    ends.client.secure({
      serverName: 'mx.example.org',
      clientCertificate: { authorized: true, subject: 'CN=x', fingerprint: 'ab', names: [] },
    })
    await settled()
    return ends
  }

  it("gives both ends the facts, whoever was first; the client's certificate to the server alone", async () => {
    const { atServer, atClient } = await begin()
    expect(atClient.tls).toEqual({ protocol: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', serverName: 'mx.example.org' })
    expect(atServer.tls).toEqual({
      ...atClient.tls,
      clientCertificate: { authorized: true, subject: 'CN=x', fingerprint: 'ab', names: [] },
    })
    const { server, client, atServer: second } = linked()
    client.secure()
    server.startTls()
    await settled()
    expect(second.calls).toEqual(['secured'])
  })

  it('carries bytes afterwards', async () => {
    const { server, client, atServer, atClient } = await begin()
    client.write(['EHLO'])
    server.write(['250'])
    await settled()
    expect([atServer.text, atClient.text]).toEqual(['EHLO', '250'])
  })

  it('is there from the start where the peer says so', () => {
    const tls = {
      protocol: 'TLSv1.2',
      cipher: 'x',
      clientCertificate: { authorized: false, subject: '', fingerprint: '', names: [] },
    }
    const { server, client } = linkedTransports({ peer: { tls } })
    expect(server.peer.tls).toBe(tls)
    expect(client.peer.tls).toEqual({ protocol: 'TLSv1.2', cipher: 'x' })
    expect(() => server.startTls()).toThrow(/begun before/)
  })

  it('cannot be begun twice', async () => {
    const { server, client } = await begin()
    expect(() => server.startTls()).toThrow(expect.objectContaining({ code: 'misuse' }))
    expect(() => client.secure()).toThrow(expect.objectContaining({ code: 'misuse' }))
  })

  type Ends = ReturnType<typeof linked>
  const breaks: readonly (readonly [string, (ends: Ends) => void, RegExp])[] = [
    [
      'plaintext was already on its way',
      ({ server, client }) => (client.write(['EHLO']), server.startTls()),
      /plaintext came behind/,
    ],
    [
      'plaintext comes instead of it',
      ({ server, client }) => (server.startTls(), client.write(['EHLO'])),
      /instead of a TLS handshake/,
    ],
    ['the other end ends instead', ({ server, client }) => (server.startTls(), client.finish()), /during the TLS handshake/],
    [
      'the other end has ended already',
      ({ server, client }) => (client.finish(), server.startTls()),
      /during the TLS handshake/,
    ],
    [
      'this end ends its output within',
      ({ server, client }) => (client.secure(), client.finish(), server.resume()),
      /during the TLS handshake/,
    ],
  ]
  it.each(breaks)('breaks the connection where %s', async (_, act, why) => {
    const ends = linked()
    act(ends)
    await settled()
    expect(ends.atServer.error?.message).toMatch(why)
    expect(ends.atClient.calls.at(-1)).toBe('closed')
    expect(ends.atServer.calls).not.toContain('secured')
  })

  it('takes end for reset, and writes for nothing, until it is there', async () => {
    const { server, client, atServer, atClient } = linked()
    server.startTls()
    expect(server.write(['250'])).toBe(true)
    server.end()
    client.secure()
    await settled()
    expect([atServer.calls, atServer.error]).toEqual([['closed'], undefined])
    expect(atClient.calls).toEqual(['closed'])
  })
})
