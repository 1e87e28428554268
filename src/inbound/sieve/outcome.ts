import type { FilterAction, HeaderEdit } from '../../contracts/filter.ts'
import type { SpecialUse } from '../../contracts/mailbox.ts'
import type { Address } from '../../message/address.ts'
import { asciiDomain } from '../../message/domain.ts'
import type { SieveLimits } from './environment.ts'
import { SieveFailure } from './steps.ts'

/** A message that is put somewhere, with its flags and the header as it was then. */
interface Kept {
  readonly flags: readonly string[]
  readonly edits: readonly HeaderEdit[]
}

/** Where a message is filed. */
export interface FilePlace {
  readonly path: readonly string[]
  readonly use: SpecialUse | undefined
  readonly create: boolean
}

type Delivery =
  | Kept & { readonly place: FilePlace | undefined }
  | { readonly to: Address; readonly edits: readonly HeaderEdit[] }

/**
 * What a script has decided so far. The same mailbox or address twice is one copy (RFC 5228 §2.10.3), with the flags and the
 * header of the last time (RFC 5232 §3, RFC 5293 §7).
 */
export class Outcome {
  readonly #limits: SieveLimits
  /** By mailbox or address, in the order in which they first came. */
  readonly #deliveries = new Map<string, Delivery>()
  readonly #others: FilterAction[] = []
  #rejection: string | undefined
  #hasVacation = false
  #implicitKeep = true
  #count = 0
  #redirects = 0

  constructor(limits: SieveLimits) {
    this.#limits = limits
  }

  /** What ends in no copy of its own does not keep the message in INBOX: `discard`. */
  cancelKeep(): void {
    this.#implicitKeep = false
  }

  /** Counts an action, or a change of the header. */
  count(): void {
    const { actions } = this.#limits
    if (++this.#count > actions) throw new SieveFailure(`a script may do ${actions} things with a message, and no more`)
  }

  /** `keep`; `fileinto` where there is a place. */
  deliver(place: FilePlace | undefined, kept: Kept): void {
    this.#notBeside('kept')
    this.count()
    if (place === undefined || (place.use === undefined && place.path.length === 1 && place.path[0] === 'INBOX')) {
      this.#deliveries.set('keep', { ...kept, place: undefined })
      return
    }
    const key = `file ${JSON.stringify([place.use ?? '', place.path])}`
    const before = this.#deliveries.get(key)
    const create = place.create || (before !== undefined && 'place' in before && before.place?.create === true)
    this.#deliveries.set(key, { ...kept, place: { ...place, create } })
  }

  redirect(to: Address, edits: readonly HeaderEdit[]): void {
    this.#notBeside('redirected')
    this.count()
    const key = `to ${to.local}@${asciiDomain(to.domain)}`
    if (!this.#deliveries.has(key) && ++this.#redirects > this.#limits.redirects) {
      throw new SieveFailure(`a script may redirect a message to ${this.#limits.redirects} addresses, and no more`)
    }
    this.#deliveries.set(key, { to, edits })
  }

  /** @throws SieveFailure where anything else was decided (RFC 5429 §2.4) */
  reject(reason: string): void {
    this.count()
    if (this.#rejection !== undefined) throw new SieveFailure('a message can be rejected once')
    if (this.#deliveries.size > 0 || this.#hasVacation) {
      throw new SieveFailure('a message that is kept, filed, redirected or answered cannot be rejected')
    }
    this.#rejection = reason
    this.#implicitKeep = false
  }

  /** An answer is asked for, whether it goes out or not. @throws SieveFailure for a second one (RFC 5230 §4.7) */
  vacation(): void {
    this.#notBeside('answered')
    this.count()
    if (this.#hasVacation) throw new SieveFailure('vacation may be used once in a run: put one of them into an else')
    this.#hasVacation = true
  }

  /** Anything else. */
  act(action: FilterAction): void {
    this.#others.push(action)
  }

  /** What is to be done, in order, when the script has come to its end. */
  finish(kept: Kept): readonly FilterAction[] {
    if (this.#rejection !== undefined) return [{ kind: 'reject', reason: this.#rejection }, ...this.#others]
    if (this.#implicitKeep) this.#deliveries.set('keep', { ...kept, place: undefined })
    return [...[...this.#deliveries.values()].map((delivery) => actionOf(delivery, kept.edits)), ...this.#others]
  }

  #notBeside(what: string): void {
    if (this.#rejection !== undefined) throw new SieveFailure(`a message that is rejected cannot be ${what} too`)
  }
}

function actionOf(delivery: Delivery, last: readonly HeaderEdit[]): FilterAction {
  const edits = delivery.edits === last ? {} : { edits: delivery.edits }
  if ('to' in delivery) return { kind: 'redirect', to: delivery.to, ...edits }
  const flags = delivery.flags.length === 0 ? {} : { flags: delivery.flags }
  if (delivery.place === undefined) return { kind: 'keep', ...flags, ...edits }
  const { path, use, create } = delivery.place
  return { kind: 'file', path, ...(use === undefined ? {} : { use }), create, ...flags, ...edits }
}
