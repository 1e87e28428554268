import type { FilterStep } from '../../contracts/filter.ts'
import type { Address } from '../../message/address.ts'
import { flattenAddresses, parseAddressList } from '../../message/addresses.ts'
import { type BodyTexts, readBodyTexts } from './body.ts'
import { EditedHeaders } from './edited-headers.ts'
import { defaultSieveLimits, type SieveEnvironment, type SieveLimits } from './environment.ts'
import type { Captures } from './matcher.ts'
import { ScriptMemory } from './memory.ts'
import type { SieveMessage } from './message.ts'
import { Outcome } from './outcome.ts'
import type { Text, VariableName } from './program.ts'
import { Budget, SieveFailure, type Steps, waitFor } from './steps.ts'

/** Characters of a text that a script puts together. */
const MOST_TEXT = 1024 * 1024

/** What belongs to one script of several that include each other. */
export interface Frame {
  /** Before the places in its trace: empty for the script that was started. */
  readonly prefix: string
  readonly own: Map<string, string>
  /** Whether matches set variables. */
  readonly variables: boolean
  /** Of the last match of `:matches` that succeeded. */
  matches: Captures
}

/** What belongs to a run as a whole. */
export class RunState {
  readonly message: SieveMessage
  readonly environment: SieveEnvironment
  readonly limits: SieveLimits
  readonly budget: Budget
  readonly headers: EditedHeaders
  readonly outcome: Outcome
  readonly memory: ScriptMemory
  readonly steps: FilterStep[] = []
  readonly globals = new Map<string, string>()
  /** Scripts that have been included, for `:once`, and how often any was. */
  readonly included = new Set<string>()
  includes = 0
  /** Flags that the message gets (RFC 5232 §3: the internal variable). */
  flags: readonly string[] = []
  /** Where it is, for what goes wrong. */
  at = ''
  readonly #addresses = new Map<string, readonly Address[]>()
  #body: BodyTexts | undefined

  constructor(message: SieveMessage, environment: SieveEnvironment) {
    this.message = message
    this.environment = environment
    this.limits = { ...defaultSieveLimits, ...environment.limits }
    this.budget = new Budget(this.limits.work)
    this.headers = new EditedHeaders(message.headers)
    this.outcome = new Outcome(this.limits)
    this.memory = new ScriptMemory(environment.memory, environment.now)
  }

  /** Adds to the trace, as long as there is room in it. */
  note(what: string): void {
    if (this.steps.length < this.limits.trace) this.steps.push({ at: this.at, what })
  }

  /** A text as it is now (RFC 5229 §3). */
  text(text: Text, frame: Frame): string {
    if (typeof text === 'string') return text
    let length = 0
    const pieces = text.pieces.map((piece) => {
      const found = typeof piece === 'string' ? piece : this.variable(piece, frame)
      length += found.length
      if (length > MOST_TEXT) throw new SieveFailure(`a text may have ${MOST_TEXT} characters`)
      return found
    })
    this.budget.spend(pieces.length + (length >>> 6))
    return pieces.join('')
  }

  /** Several of them. */
  texts(texts: readonly Text[], frame: Frame): readonly string[] {
    return texts.map((text) => this.text(text, frame))
  }

  /** What a variable holds; empty where it was never set. */
  variable(name: VariableName, frame: Frame): string {
    if (name.kind === 'match') return frame.matches[name.index] ?? ''
    return (name.kind === 'own' ? frame.own : this.globals).get(name.name) ?? ''
  }

  /** Sets a variable; of a value that is too long, what there is room for. */
  set(name: VariableName, value: string, frame: Frame): void {
    if (name.kind === 'match') return
    const variables = name.kind === 'own' ? frame.own : this.globals
    if (!variables.has(name.name) && variables.size >= this.limits.variables) {
      throw new SieveFailure(`a script may set ${this.limits.variables} variables`)
    }
    variables.set(name.name, value.slice(0, this.limits.variableSize))
  }

  /** The addresses of a field's value, read once: members of groups are some, names without an address none. */
  addresses(value: string): readonly Address[] {
    let found = this.#addresses.get(value)
    if (!found) {
      this.budget.spend(value.length >>> 4)
      found = flattenAddresses(parseAddressList(value)).flatMap(({ address }) => address ?? [])
      this.#addresses.set(value, found)
    }
    return found
  }

  /** The body, read once. */
  *body(): Steps<BodyTexts> {
    this.#body ??= yield* waitFor(readBodyTexts(this.message, this.limits.bodyOctets))
    return this.#body
  }
}
