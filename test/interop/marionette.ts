import { connect, type Socket } from 'node:net'

/** What is said in a packet of Marionette: a greeting, or a kind, an id, and what belongs to the kind. */
type Packet = Greeting | readonly [kind: number, id: number, error: Failure | null, result: unknown]

/** What it says first. */
interface Greeting {
  readonly marionetteProtocol: number
}

/** Why a command failed. */
interface Failure {
  readonly error: string
  readonly message: string
  readonly stacktrace?: string
}

/** Who waits for the answer to a command. */
interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/**
 * Remote control of a program of Mozilla's, from the inside: packets of JSON with their length and a colon in front, over TCP
 * (version 3 of the protocol).
 */
export class Marionette {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  #came: Buffer = Buffer.alloc(0)
  #id = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes: Buffer) => this.#received(bytes))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#over())
  }

  /** Connects, and begins a session that sees all that the program sees. `patience`: milliseconds for a script. */
  static async open(port: number, patience: number): Promise<Marionette> {
    const marionette = new Marionette(connect(port, '127.0.0.1'))
    await marionette.#command('WebDriver:NewSession', { capabilities: { alwaysMatch: {} } })
    await marionette.#command('Marionette:SetContext', { value: 'chrome' })
    await marionette.#command('WebDriver:SetTimeouts', { script: patience })
    return marionette
  }

  /** Runs the body of an async function in the program, with these arguments, which are JSON as its result is. */
  async run<T>(body: string, given: readonly unknown[] = []): Promise<T> {
    const script = `const done = arguments[arguments.length - 1];
(async (...given) => { ${body} })(...Array.prototype.slice.call(arguments, 0, -1)).then(
  (value) => done({ value }),
  (error) => done({ error: String(error) + '\\n' + (error?.stack ?? '') }),
)`
    const task = { script, args: given, newSandbox: true, sandbox: 'system' }
    const result = await this.#command('WebDriver:ExecuteAsyncScript', task)
    const { value } = result as { value: { value: T } | { error: string } | null }
    if (value === null) throw new Error('it asks its user something')
    if ('error' in value) throw new Error(value.error)
    return value.value
  }

  stop(): void {
    this.#socket.destroy()
  }

  #command(name: string, parameters: object): Promise<unknown> {
    const id = ++this.#id
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error(`${name}: not connected`))
      this.#waiting.set(id, { resolve, reject })
      const packet = JSON.stringify([0, id, name, parameters])
      this.#socket.write(`${Buffer.byteLength(packet)}:${packet}`)
    })
  }

  #received(bytes: Buffer): void {
    this.#came = Buffer.concat([this.#came, bytes])
    for (;;) {
      const colon = this.#came.indexOf(0x3a)
      if (colon < 0) return
      const end = colon + 1 + Number(this.#came.toString('latin1', 0, colon))
      if (this.#came.length < end) return
      this.#packet(JSON.parse(this.#came.toString('utf8', colon + 1, end)) as Packet)
      this.#came = this.#came.subarray(end)
    }
  }

  #packet(packet: Packet): void {
    if (!Array.isArray(packet)) return
    const [, id, error, result] = packet as Exclude<Packet, Greeting>
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error) waiting?.reject(new Error(`${error.error}: ${error.message}\n${error.stacktrace ?? ''}`))
    else waiting?.resolve(result)
  }

  #over(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the program has ended the connection'))
    this.#waiting.clear()
  }
}
