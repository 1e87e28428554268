import { connect, createServer, type Server, type Socket } from 'node:net'
import { expect } from 'vitest'
import { freePort, type Held } from './held.ts'

/** A relay that writes down what clients say, write by write, and what they are told. */
export class Tap {
  readonly #server: Server
  readonly #open = new Set<Socket>()
  /** What a client said, one text for each piece that came. */
  readonly said: string[] = []
  heard = ''
  readonly port: number

  private constructor(port: number, to: number) {
    this.port = port
    this.#server = createServer({ noDelay: true }, (client) => {
      const server = connect({ port: to, host: '127.0.0.1', noDelay: true })
      client.on('data', (bytes) => this.said.push(bytes.toString('latin1')))
      server.on('data', (bytes) => (this.heard += bytes.toString('latin1')))
      for (const [one, other] of [[client, server], [server, client]] as const) {
        this.#open.add(one)
        one.pipe(other)
        one.on('error', () => other.destroy())
        one.on('close', () => this.#open.delete(one))
      }
    })
  }

  /** Listens on `port` of the loopback, and goes on to `to`. */
  static async open(port: number, to: number): Promise<Tap> {
    const tap = new Tap(port, to)
    await new Promise<void>((resolve, reject) => tap.#server.once('error', reject).listen(port, '127.0.0.1', resolve))
    return tap
  }

  /** One on some port, which stops when the tests are over. */
  static async before(to: number, held: Held): Promise<Tap> {
    return held.keep(await Tap.open(await freePort(), to))
  }

  /** Fails unless an IMAP client asked for compression, got it, and spoke in no other way from then on. */
  compressed(): void {
    const at = this.said.findIndex((piece) => / COMPRESS DEFLATE\r\n$/i.test(piece))
    expect([at >= 0, this.said.length > at + 1], this.said.join('')).toEqual([true, true])
    expect(this.said.slice(at + 1).join('')).not.toMatch(/SELECT|FETCH|LOGOUT/i)
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#open) socket.destroy()
    await closed
  }
}
