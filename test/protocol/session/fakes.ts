import type { Alarm, Clock, Output, Peer, TlsFacts, Transport, TransportSink } from '../../../src/protocol/session/index.ts'

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')

/** A transport that writes down what it is told, and tells what a test makes happen. */
export class FakeTransport implements Transport {
  readonly peer: Peer = { address: '192.0.2.1', port: 1025, localAddress: undefined, localPort: undefined }
  /** Calls in order: a write is its text, any other its name. */
  readonly calls: string[] = []
  /** What `write` returns. */
  room = true
  /** What `startTls` throws. */
  broken: Error | undefined
  sink!: TransportSink

  open(sink: TransportSink): void {
    this.sink = sink
    this.calls.push('open')
  }

  write(output: readonly Output[]): boolean {
    this.calls.push(output.map((piece) => (typeof piece === 'string' ? piece : Buffer.from(piece).toString('latin1'))).join(''))
    return this.room
  }

  pause(): void {
    this.calls.push('pause')
  }

  resume(): void {
    this.calls.push('resume')
  }

  startTls(): void {
    this.calls.push('startTls')
    if (this.broken) throw this.broken
  }

  end(): void {
    this.calls.push('end')
  }

  reset(): void {
    this.calls.push('reset')
  }

  /** The peer sends lines. */
  say(...lines: readonly string[]): void {
    this.sink.received(latin1(lines.map((line) => `${line}\r\n`).join('')))
  }

  send(text: string): void {
    this.sink.received(latin1(text))
  }

  /** The calls since the last look. */
  since(): string[] {
    return this.calls.splice(0)
  }
}

/** One that a write costs something, so that it offers to wait a little. */
export class CostlyTransport extends FakeTransport {
  private readonly waiting: (() => void)[] = []

  soon(run: () => void): void {
    this.waiting.push(run)
  }

  /** Nothing is under way any more that does not wait for something outside. */
  calm(): void {
    for (const run of this.waiting.splice(0)) run()
  }
}

/** A clock moved by hand, which counts what it was asked for. */
export class FakeClock implements Clock {
  ticksNow = 0
  /** How many alarms were ever set. */
  set = 0
  private readonly alarms = new Set<{ at: number; ring: () => void }>()

  now(): number {
    return 1_000_000 + this.ticksNow
  }

  ticks(): number {
    return this.ticksNow
  }

  alarm(at: number, ring: () => void): Alarm {
    this.set++
    const alarm = { at, ring }
    this.alarms.add(alarm)
    return { cancel: () => void this.alarms.delete(alarm) }
  }

  get pending(): number {
    return this.alarms.size
  }

  /** Lets time pass; each alarm rings when it is due. */
  pass(milliseconds: number): void {
    const until = this.ticksNow + milliseconds
    for (let rounds = 0; ; rounds++) {
      if (rounds > 10_000) throw new Error('alarms without end')
      const due = [...this.alarms].filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)[0]
      if (!due) break
      this.alarms.delete(due)
      this.ticksNow = Math.max(this.ticksNow, due.at)
      due.ring()
    }
    this.ticksNow = until
  }
}

/** A promise settled by hand. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((good, bad) => {
    resolve = good
    reject = bad
  })
  return { promise, resolve, reject }
}

/** Lets all promises settle that can. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

export const tls: TlsFacts = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' }
