import type { Account } from '../../contracts/directory.ts'
import type { Filtered, MailFilter } from '../../contracts/filter.ts'
import type { KeyValue } from '../../contracts/key-value.ts'
import type { Awaitable } from '../../contracts/policy.ts'
import type { Address } from '../../message/address.ts'
import { MailError } from '../../protocol/session/errors.ts'
import {
  aCountAboveZero, aFunction, anObject, aText, checkOptions, having, type OptionKinds, required,
} from '../../protocol/session/options.ts'
import { type CompiledSieve, compileSieve } from './check.ts'
import { defaultSieveLimits, type SieveEnvironment, type SieveLimits } from './environment.ts'
import { runSieve } from './run.ts'
import type { SieveScripts } from './scripts.ts'
import { isScriptName } from './values.ts'

/** Whose scripts run, and what they may do. */
export interface SieveFilterOptions {
  /** Scripts of accounts: the active one runs. */
  readonly scripts: Pick<SieveScripts, 'active' | 'get'>
  /** Runs for accounts without an active one. */
  readonly fallback?: string
  /** Scripts for `include :global`, by name. */
  readonly global?: (name: string) => Awaitable<string | undefined>
  /** Remembers what was seen and who was answered. Without it nobody is answered twice in one run, and that is all. */
  readonly store?: KeyValue
  /** Other addresses of an account: what comes to them is answered, and they may answer. */
  readonly addresses?: (account: Account) => Awaitable<readonly Address[]>
  /** Whether an account may answer as another address: a directory's `maySendAs`. */
  readonly maySendAs?: (account: Account, address: Address) => Awaitable<boolean>
  /** This server's name. */
  readonly hostname?: string
  /** Minutes that local time is ahead of UTC (default 0). */
  readonly zone?: number
  /** Bounds; by default {@link defaultSieveLimits}. */
  readonly limits?: Partial<SieveLimits>
  /** Characters of scripts that are kept ready to run (default 4 million). */
  readonly cached?: number
}

const kinds: OptionKinds<SieveFilterOptions> = {
  scripts: required(having('scripts of accounts', 'active', 'get')),
  fallback: aText,
  global: aFunction,
  store: having('a key-value store', 'get', 'set', 'swap'),
  addresses: aFunction,
  maySendAs: aFunction,
  hostname: aText,
  zone: { takes: 'minutes, between -1439 and 1439', is: (value) => Number.isInteger(value) && Math.abs(value as number) < 1440 },
  limits: anObject,
  cached: aCountAboveZero,
}

const limitKinds: OptionKinds<SieveLimits> = {
  actions: aCountAboveZero, redirects: { takes: 'a whole number from 0 on', is: isCount }, includes: aCountAboveZero,
  variables: aCountAboveZero, variableSize: aCountAboveZero, work: aCountAboveZero, bodyOctets: aCountAboveZero,
  vacationLeast: { takes: 'seconds', is: isCount }, vacationMost: aCountAboveZero, duplicateMost: aCountAboveZero,
  trace: { takes: 'a whole number from 0 on', is: isCount },
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0
}

/** Runs the Sieve scripts of accounts on mail that comes for them. Rejects where scripts cannot be read just now. */
export function sieveFilter(options: SieveFilterOptions): MailFilter {
  checkOptions('sieveFilter', options, kinds)
  checkOptions('sieveFilter: limits', options.limits ?? {}, limitKinds)
  const { scripts, fallback, global, store, addresses, maySendAs, hostname, zone, cached = 4_000_000 } = options
  const limits = { ...defaultSieveLimits, ...options.limits }
  const compiled = new CompiledScripts(cached)
  if (fallback !== undefined) {
    const [error] = compileSieve(fallback).errors
    if (error) throw new MailError('config', `sieveFilter: fallback: ${error.line}:${error.column}: ${error.text}`)
  }
  return {
    async filter(message, { account, recipient, now, hasMailbox, hasUse }) {
      const source = (await scripts.active(account.id))?.script ?? fallback
      if (source === undefined) return undefined
      const script = compiled.of(source)
      if (!script.program) return unusable(script)
      const environment: SieveEnvironment = {
        recipient, now, hostname, zone, limits,
        hasMailbox: (path) => hasMailbox(path),
        hasUse: (use) => hasUse(use),
        addresses: await addresses?.(account),
        maySendAs: (address) => maySendAs?.(account, address) ?? false,
        memory: store && { store, account: account.id },
        async script(location, name) {
          if (!isScriptName(name)) return undefined
          const text = await (location === 'global' ? global?.(name) : scripts.get(account.id, name))
          return text === undefined ? undefined : compiled.of(text)
        },
      }
      return runSieve(script.program, message, environment)
    },
  }
}

/** A script that was put there by somebody who did not look at it, or by another version. */
function unusable({ errors }: Extract<CompiledSieve, { program: undefined }>): Filtered {
  const { line, column, text } = errors[0]
  return { actions: [{ kind: 'keep' }], edits: [], steps: [], error: { at: `${line}:${column}`, text } }
}

/** Scripts ready to run, by their text; those that were not used for longest make room. */
class CompiledScripts {
  readonly #most: number
  readonly #scripts = new Map<string, CompiledSieve>()
  #characters = 0

  constructor(most: number) {
    this.#most = most
  }

  of(source: string): CompiledSieve {
    const known = this.#scripts.get(source)
    const script = known ?? compileSieve(source)
    if (known) this.#scripts.delete(source)
    else this.#characters += source.length
    this.#scripts.set(source, script)
    for (const [oldest] of this.#scripts) {
      if (this.#characters <= this.#most) break
      this.#scripts.delete(oldest)
      this.#characters -= oldest.length
    }
    return script
  }
}
