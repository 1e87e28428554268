import type { Filtered } from '../../contracts/filter.ts'
import type { Address } from '../../message/address.ts'
import { encodeUtf8 } from '../../protocol/bytes/text.ts'
import { compileSieve } from './check.ts'
import type { SieveEnvironment, SieveLimits } from './environment.ts'
import { type SieveMessage, sieveMessage } from './message.ts'
import { runSieve } from './run.ts'
import type { SieveError } from './syntax.ts'

/** For whom, from whom and when a script is tested. */
export interface TestSieveOptions {
  /** Default: `null`, which nobody answers. */
  readonly sender?: Address | null
  /** Default: `user@example.org`. */
  readonly recipient?: Address
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** Mailboxes that there are (default: any), as `Archive/2026`, and special uses (default: none). */
  readonly mailboxes?: readonly string[]
  readonly uses?: readonly string[]
  /** Scripts to be included, by name. */
  readonly scripts?: ReadonlyMap<string, string>
  /** Other addresses of the account. */
  readonly addresses?: readonly Address[]
  readonly memory?: SieveEnvironment['memory']
  readonly hostname?: string
  /** Minutes that local time is ahead of UTC (default 0). */
  readonly zone?: number
  readonly limits?: Partial<SieveLimits>
}

/** What would happen, and why: plain JSON data. */
export interface TestedSieve extends Omit<Filtered, 'done'> {
  /** What is wrong with the script; then it would keep the message, and did not run. */
  readonly errors: readonly SieveError[]
}

/**
 * Runs a script on a message and tells what it would do with it, every test with what it looked at among the steps. Nothing is
 * remembered, unless there is a memory, and nothing is done.
 */
export async function testSieve(
  script: string | Uint8Array,
  message: Uint8Array | string | SieveMessage,
  options: TestSieveOptions,
): Promise<TestedSieve> {
  const { sender = null, recipient = { local: 'user', domain: 'example.org' }, mailboxes, uses, scripts, ...others } = options
  const compiled = compileSieve(script)
  if (!compiled.program) return { errors: compiled.errors, actions: [{ kind: 'keep' }], edits: [], steps: [] }
  const names = mailboxes && new Set(mailboxes)
  const known = new Set(uses?.map((use) => use.toLowerCase()))
  const octets = typeof message === 'string' ? encodeUtf8(message) : message
  const result = await runSieve(compiled.program, octets instanceof Uint8Array ? sieveMessage(octets, sender) : octets, {
    ...others,
    recipient,
    explain: true,
    hasMailbox: (path) => names?.has(path.join('/')) ?? true,
    hasUse: (use) => known.has(use.toLowerCase()),
    maySendAs: () => true,
    script: (_, name) => {
      const source = scripts?.get(name)
      return source === undefined ? undefined : compileSieve(source)
    },
  })
  const { done: _, ...told } = result
  return { errors: [], ...told }
}
