import type { TlsFacts } from '../../protocol/session/tls.ts'
import type { Transport, TransportSink } from '../../protocol/session/transport.ts'
import { Observed } from '../observed.ts'

/** The far end of a connection, in the hands of a test. */
export interface FarEnd {
  /** A string's code units are octets. */
  send(bytes: Uint8Array | string): void
  /** Ends the output; still reads. */
  end(): void
  /** Breaks the connection. */
  reset(): void
  /** Leaves what arrives where it is. */
  stopReading(): void
  /** Reads again. */
  startReading(): void
  /** What has arrived. */
  readonly octets: number
  /** The same, an octet a code unit. */
  readonly text: string
  /** The near end has ended its output. */
  readonly ended: boolean
  readonly closed: boolean
  /** Resolves when the condition holds, looking after each change. */
  until(condition: () => boolean): Promise<void>
}

/** A sink that records its calls. */
export class Recorder extends Observed implements TransportSink {
  readonly chunks: Uint8Array[] = []
  readonly calls: string[] = []
  octets = 0
  tls: TlsFacts | undefined
  error: Error | undefined
  /** Set while a call to the transport is under way: no call of ours may happen then. */
  inside = false
  broken = false

  received(bytes: Uint8Array): void {
    this.chunks.push(bytes)
    this.octets += bytes.length
    this.#note('received')
  }

  ended(): void {
    this.#note('ended')
  }

  drained(): void {
    this.#note('drained')
  }

  secured(tls: TlsFacts): void {
    this.tls = tls
    this.#note('secured')
  }

  closed(error?: Error): void {
    this.error = error
    this.#note('closed')
  }

  /** What has arrived, an octet a code unit. */
  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1')
  }

  count(call: string): number {
    return this.calls.filter((made) => made === call).length
  }

  async untilCalled(call: string): Promise<void> {
    await this.until(() => this.calls.includes(call))
  }

  #note(call: string): void {
    if (this.inside) this.broken = true
    this.calls.push(call)
    this.changed()
  }
}

/** The transport, telling the recorder when a call to it is under way. */
export function guarded(transport: Transport, recorder: Recorder): Transport {
  const within = <T>(call: () => T): T => {
    recorder.inside = true
    try {
      return call()
    } finally {
      recorder.inside = false
    }
  }
  return {
    peer: transport.peer,
    open: (sink) => within(() => transport.open(sink)),
    write: (output) => within(() => transport.write(output)),
    pause: () => within(() => transport.pause()),
    resume: () => within(() => transport.resume()),
    startTls: () => within(() => transport.startTls()),
    end: () => within(() => transport.end()),
    reset: () => within(() => transport.reset()),
  }
}
