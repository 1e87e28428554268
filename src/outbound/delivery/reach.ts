import type { Alarm, Clock } from '../../protocol/session/clock.ts'
import type { Dial } from '../../protocol/session/dial.ts'
import type { Transport } from '../../protocol/session/transport.ts'
import type { NextHop } from './target.ts'

/** One address of one server. */
export interface Candidate {
  readonly hop: NextHop
  /** An IP address, or the path of a unix socket. */
  readonly address: string
}

/** How to connect. */
export interface ReachTerms {
  readonly dial: Dial
  readonly clock: Clock
  /** Milliseconds that one address may take. */
  readonly patience: number
  /** Milliseconds after which the next address is tried beside one that is silent (RFC 8305 calls this Happy Eyeballs). */
  readonly head: number
  readonly localAddress: string | undefined
}

/** A connection to the candidate of that number; or the errors of all that were tried, by number. */
export type Reached =
  | { readonly transport: Transport; readonly at: number }
  | { readonly errors: readonly { readonly at: number; readonly error: unknown }[] }

/**
 * Connects to the first of the candidates, from number `from` on, that answers. What comes behind it is given up; it can be tried
 * by another call. Never rejects.
 */
export function reach(candidates: readonly Candidate[], from: number, terms: ReachTerms, signal: AbortSignal): Promise<Reached> {
  return new Reaching(candidates, terms, signal).from(from)
}

class Reaching {
  private readonly candidates: readonly Candidate[]
  private readonly terms: ReachTerms
  private readonly signal: AbortSignal
  private readonly tries = new Map<number, AbortController>()
  private readonly errors: { at: number; error: unknown }[] = []
  private next = 0
  private isDone = false
  private head: Alarm | undefined
  private resolve: (reached: Reached) => void = () => undefined

  constructor(candidates: readonly Candidate[], terms: ReachTerms, signal: AbortSignal) {
    this.candidates = candidates
    this.terms = terms
    this.signal = signal
  }

  from(at: number): Promise<Reached> {
    this.next = at
    return new Promise((resolve) => {
      this.resolve = resolve
      const stop = (): void => this.stop()
      this.signal.addEventListener('abort', stop)
      this.resolve = (reached) => {
        this.signal.removeEventListener('abort', stop)
        resolve(reached)
      }
      if (this.signal.aborted) this.stop()
      else this.start()
    })
  }

  /** Tries the next one, if there is one. */
  private start(): void {
    this.head?.cancel()
    const at = this.next
    if (at >= this.candidates.length) return this.end()
    this.next++
    void this.tryOne(at)
    const { clock, head } = this.terms
    if (this.next < this.candidates.length) this.head = clock.alarm(clock.ticks() + head, () => this.start())
  }

  private async tryOne(at: number): Promise<void> {
    const { dial, clock, patience, localAddress } = this.terms
    const { hop, address } = this.candidates[at]!
    const controller = new AbortController()
    this.tries.set(at, controller)
    const late = (): void => controller.abort(new Error(`No connection within ${patience / 1000} s`))
    const limit = clock.alarm(clock.ticks() + patience, late)
    try {
      const { port, tls, demand, path } = hop
      const dialled = dial({
        host: address,
        port,
        ...(path === undefined ? {} : { path }),
        ...(localAddress === undefined ? {} : { localAddress }),
        ...(tls === 'implicit' ? { implicitTls: true } : {}),
        ...(demand === undefined || tls === 'never' ? {} : { tls: demand }),
      }, controller.signal)
      // Whoever does not hear the signal is not waited for; what comes late of it is of no use.
      dialled.then((late) => controller.signal.aborted && late.reset(), () => undefined)
      const transport = await Promise.race([dialled, whenAborted(controller.signal)])
      if (this.isDone) transport.reset()
      else this.finish({ transport, at })
    } catch (error) {
      this.errors.push({ at, error })
      if (!this.isDone) this.start()
    } finally {
      limit.cancel()
      this.tries.delete(at)
      this.end()
    }
  }

  /** Everything was tried, and came to nothing. */
  private end(): void {
    if (!this.isDone && this.tries.size === 0 && this.next >= this.candidates.length) this.finish({ errors: this.errors })
  }

  private stop(): void {
    if (!this.isDone) this.finish({ errors: [{ at: this.next, error: this.signal.reason as unknown }] })
  }

  private finish(reached: Reached): void {
    this.isDone = true
    this.head?.cancel()
    for (const [at, controller] of this.tries) {
      if (!('at' in reached) || reached.at !== at) controller.abort(new Error('Not needed any more'))
    }
    this.resolve(reached)
  }
}

const whenAborted = (signal: AbortSignal): Promise<never> => new Promise((_, reject) => {
  signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
})
