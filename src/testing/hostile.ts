import type { Alarm, Clock } from '../protocol/session/clock.ts'
import type { Output } from '../protocol/session/session.ts'
import type { TransportSink } from '../protocol/session/transport.ts'
import type { SeededRandom } from './random.ts'
import { octetsOf, type Wire } from './wire.ts'

/** Makes a wire misbehave. Given to `connect` as `through`, or put around a wire; several may be put around each other. */
export type Hostility = (wire: Wire) => Wire

/** So many octets a second, one by one, in the time of the clock. */
export function slow(options: { readonly octetsPerSecond: number; readonly clock: Clock }): Hostility {
  const { octetsPerSecond, clock } = options
  const pause = 1000 / octetsPerSecond
  return (wire) => {
    const waiting: (number | 'end')[] = []
    let alarm: Alarm | undefined
    const trickle = (): void => {
      alarm = undefined
      const next = waiting.shift()
      if (next === undefined) return
      if (next === 'end') wire.finish()
      else wire.write([Uint8Array.of(next)])
      if (waiting.length > 0) begin()
    }
    const begin = (): void => {
      alarm ??= clock.alarm(clock.ticks() + pause, trickle)
    }
    const stop = (): void => {
      alarm?.cancel()
      waiting.length = 0
    }
    return {
      ...around(wire),
      open: (sink) => wire.open(closing(sink, stop)),
      write(output) {
        for (const piece of output) for (const octet of octetsOf(piece)) waiting.push(octet)
        if (waiting.length > 0) begin()
        return true
      },
      finish() {
        waiting.push('end')
        begin()
      },
      reset() {
        stop()
        wire.reset()
      },
    }
  }
}

/** Breaks the connection after so many octets. */
export const resetAt = (octets: number): Hostility => upTo(octets, (wire) => wire.reset())

/** Ends its output after so many octets, in the middle of whatever it says, and goes on listening. */
export const finishAt = (octets: number): Hostility => upTo(octets, (wire) => wire.finish())

function upTo(octets: number, then: (wire: Wire) => void): Hostility {
  return (wire) => {
    let left = octets
    return {
      ...around(wire),
      write(output: readonly Output[]) {
        if (left <= 0) return true
        const bytes = Buffer.concat(output.map(octetsOf))
        const room = wire.write([bytes.subarray(0, left)])
        left -= bytes.length
        if (left <= 0) then(wire)
        return room
      },
    }
  }
}

/** Talks, and never reads an answer. */
export const deaf: Hostility = (wire) => ({
  ...around(wire),
  open(sink) {
    wire.pause()
    wire.open(sink)
  },
  resume: () => undefined,
})

/** Changes about one octet in `every` of what is said. */
export function garbled(options: { readonly random: SeededRandom; readonly every: number }): Hostility {
  const { random, every } = options
  return (wire) => ({
    ...around(wire),
    write: (output) =>
      wire.write(
        output.map((piece) => octetsOf(piece).map((octet) => (random.below(every) === 0 ? random.below(256) : octet))),
      ),
  })
}

/** Octets without sense, half of them such as conversations are made of, so that some of it gets further than the first line. */
export function garbage(random: SeededRandom, octets: number): Uint8Array {
  const words = [
    'EHLO x\r\n',
    'MAIL FROM:<',
    'RCPT TO:<a@',
    '>\r\n',
    'DATA\r\n',
    '.\r\n',
    'BDAT 9 LAST\r\n',
    '\r\n',
    ' ',
    'AUTH PLAIN =',
    'RSET\r\n',
    '\n',
    '\r',
    '"',
    '\\',
  ]
  const out = new Uint8Array(octets)
  for (let at = 0; at < octets;) {
    const piece = random.below(2) === 0 ? random.octets(1 + random.below(8)) : Buffer.from(words[random.below(words.length)]!)
    out.set(piece.subarray(0, octets - at), at)
    at += piece.length
  }
  return out
}

/** The sink, and what else is to happen when all is over. */
const closing = (sink: TransportSink, over: () => void): TransportSink => ({
  received: (bytes) => sink.received(bytes),
  ended: () => sink.ended(),
  drained: () => sink.drained(),
  secured: (tls) => sink.secured(tls),
  closed(error) {
    over()
    sink.closed(error)
  },
})

/** The same wire; methods of classes do not survive being spread. */
const around = (wire: Wire): Wire => ({
  open: (sink) => wire.open(sink),
  write: (output) => wire.write(output),
  pause: () => wire.pause(),
  resume: () => wire.resume(),
  finish: () => wire.finish(),
  reset: () => wire.reset(),
  secure: (facts) => wire.secure(facts),
})
