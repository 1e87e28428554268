import {
  bulkhead,
  type BulkheadPolicy,
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  handleWhen,
  isBrokenCircuitError,
} from 'cockatiel'
import { isMailError, MailError } from '../../protocol/session/errors.ts'
import type { ScannerEvent, ScannerTerms } from './options.ts'
import { Unscannable } from './said.ts'

/** The answer is not wanted any more: no sign that the scanner is sick. */
class Withdrawn extends MailError {}

/**
 * What stands between whoever has a message scanned and the scanner: so many at a time, within so much time, and not at all for a
 * while when it has failed often.
 */
export class Asking {
  readonly #scanner: string
  readonly #terms: ScannerTerms
  readonly #breaker: CircuitBreakerPolicy
  readonly #seats: BulkheadPolicy
  /** What is under way, and when it is over. */
  readonly #open = new Map<Bound, Promise<void>>()
  #isClosed = false
  #lastFailure: unknown

  constructor(scanner: string, terms: ScannerTerms) {
    this.#scanner = scanner
    this.#terms = terms
    // Whoever waits has a connection of a client, of which there are so many: no bound of their own.
    this.#seats = bulkhead(terms.connections, Infinity)
    const { failures, pause } = terms.breaker
    const isSick = (error: Error): boolean => this.#isSick(error)
    this.#breaker = circuitBreaker(handleWhen(isSick), { breaker: new ConsecutiveBreaker(failures), halfOpenAfter: pause })
    this.#watch()
  }

  /**
   * Runs an exchange with the scanner; its signal aborts when `signal` does or time is up, and its reason is what to reject with.
   * Rejects with a MailError: `permanent` for a message that the scanner never takes, `closed`, otherwise `temporary`.
   */
  async ask<T>(signal: AbortSignal, exchange: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw closed(this.#scanner)
    if (signal.aborted) throw givenUp(this.#scanner, signal)
    const bound = new Bound(this.#terms.timeouts.total, signal, this.#scanner)
    const answer = this.#guarded(bound.signal, exchange)
    this.#open.set(bound, answer.then(() => undefined, () => undefined).then(() => void this.#open.delete(bound)))
    try {
      // One that waits for its turn learns of the bound only when that comes.
      return await Promise.race([answer, bound.passed])
    } catch (error) {
      throw this.#told(error)
    } finally {
      bound.over()
    }
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const bound of this.#open.keys()) bound.end(closed(this.#scanner))
    await Promise.all(this.#open.values())
  }

  #guarded<T>(signal: AbortSignal, exchange: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const exchanged = async (): Promise<T> => {
      signal.throwIfAborted()
      return exchange(signal)
    }
    // The breaker comes first: what it refuses does not wait for a turn.
    return this.#breaker.execute(() => this.#seats.execute(exchanged, signal))
  }

  /** Whether a failure is one of the scanner. A try whether it is well again has failed unless it has answered. */
  #isSick(error: Error): boolean {
    if (error instanceof Unscannable) return false
    const wasAsked = isMailError(error) && !(error instanceof Withdrawn)
    if (!wasAsked && this.#breaker.state !== CircuitState.HalfOpen) return false
    this.#lastFailure = error
    return true
  }

  #watch(): void {
    let isOpen = false
    this.#breaker.onBreak(() => {
      if (isOpen) return
      isOpen = true
      this.#tell({ kind: 'opened', scanner: this.#scanner, error: this.#told(this.#lastFailure) })
    })
    this.#breaker.onReset(() => {
      isOpen = false
      this.#tell({ kind: 'closed', scanner: this.#scanner })
    })
  }

  #tell(event: ScannerEvent): void {
    try {
      this.#terms.onEvent(event)
    } catch {
      // It watches at its own risk.
    }
  }

  /** A failure with the name of the scanner; one of the breaker says why it is open. */
  #told(error: unknown): MailError {
    if (isBrokenCircuitError(error)) {
      const last = this.#lastFailure
      const why = last instanceof Error ? last.message : ''
      return new MailError('temporary', `${this.#scanner} is not asked for a while, for it has failed: ${why}`, { cause: last })
    }
    if (error instanceof Withdrawn) return error
    const text = `${this.#scanner}: ${error instanceof Error ? error.message : String(error)}`
    return new MailError(isMailError(error) ? error.code : 'temporary', text, { cause: error })
  }
}

const closed = (scanner: string): MailError => new Withdrawn('closed', `${scanner} was closed`)
const givenUp = (scanner: string, { reason }: AbortSignal): MailError =>
  new Withdrawn('temporary', `${scanner}: the scan was given up`, { cause: reason })

/** How long an answer is waited for: until time is up, whoever asked does not want it any more, or the scanner is closed. */
class Bound {
  readonly #controller = new AbortController()
  readonly passed: Promise<never>
  readonly over: () => void

  constructor(milliseconds: number, asked: AbortSignal, scanner: string) {
    const withdrawn = (): void => this.end(givenUp(scanner, asked))
    const late = (): void => this.end(new MailError('temporary', `no answer within ${milliseconds} ms`))
    const timer = setTimeout(late, milliseconds)
    asked.addEventListener('abort', withdrawn)
    this.over = () => {
      clearTimeout(timer)
      asked.removeEventListener('abort', withdrawn)
    }
    this.passed = new Promise((_, reject) => {
      this.signal.addEventListener('abort', () => reject(this.signal.reason as Error))
    })
    // It may pass before anybody listens.
    this.passed.catch(() => undefined)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  end(why: MailError): void {
    this.#controller.abort(why)
  }
}
