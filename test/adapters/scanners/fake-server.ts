import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'

/** A connection to a fake server. */
export interface Caller {
  readonly socket: Socket
  /** All it has said so far, as octets. */
  said(): string
  /** Resolves when it has said that. */
  heard(what: string): Promise<void>
  /** Says it in these pieces, and ends. */
  answer(...pieces: readonly (string | Uint8Array)[]): Promise<void>
}

const open: (() => Promise<void>)[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()))
})

/** A server that talks by hand to whoever comes; it is gone after the test. On a port, or the unix socket `path`. */
export async function fakeServer(talk: (caller: Caller) => unknown, path?: string): Promise<number> {
  const sockets = new Set<Socket>()
  const server: Server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    void talk(callerOf(socket))
  })
  const where = path === undefined ? { port: 0, host: '127.0.0.1' } : { path }
  await new Promise<void>((resolve) => server.listen(where, resolve))
  open.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(() => resolve()))
  })
  return path === undefined ? (server.address() as AddressInfo).port : 0
}

function callerOf(socket: Socket): Caller {
  let said = ''
  const waiting = new Set<() => void>()
  socket.on('data', (bytes) => {
    said += bytes.toString('latin1')
    for (const look of [...waiting]) look()
  })
  return {
    socket,
    said: () => said,
    heard: (what) => new Promise((resolve) => {
      const look = (): void => {
        if (!said.includes(what)) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    }),
    answer: async (...pieces) => {
      for (const piece of pieces) {
        await new Promise((resolve) => socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece, resolve))
        await new Promise((resolve) => setImmediate(resolve))
      }
      socket.end()
    },
  }
}

/** A text cut at these places. */
export function cutAt(text: string, places: readonly number[]): string[] {
  const sorted = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b)
  return [0, ...sorted].map((from, at) => text.slice(from, sorted[at] ?? text.length)).filter((piece) => piece !== '')
}

/** A port that nobody listens on. */
export async function deadPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
