import { connect, createServer, type Server, type Socket } from 'node:net'

/** A relay that writes down what clients say, write by write, and what they are told. */
export class Tap {
  readonly #server: Server
  readonly #open = new Set<Socket>()
  /** What a client said, one text for each piece that came. */
  readonly said: string[] = []
  heard = ''

  private constructor(to: number) {
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
    const tap = new Tap(to)
    await new Promise<void>((resolve, reject) => tap.#server.once('error', reject).listen(port, '127.0.0.1', resolve))
    return tap
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#open) socket.destroy()
    await closed
  }
}
