import { memoryStore, type MemoryStoreOptions } from '../../../src/adapters/memory/index.ts'
import type { UidSet } from '../../../src/contracts/mailbox.ts'
import type { Entry, MailStore } from '../../../src/contracts/store.ts'
import { allOf, type Runner } from '../../../src/testing/contracts/checks.ts'
import type { OpenedMailStore } from '../../../src/testing/contracts/mail-store.ts'

/** A store with every method. */
export type WholeStore = Required<MailStore>

/** A store that breaks one promise, and the topic of the suite that has to notice. */
export interface Fault {
  readonly topic: string
  /** What the store does: "forgets the use". */
  readonly name: string
  readonly open: () => OpenedMailStore
}

/** A store in memory in which some methods are others. */
export function fault(
  topic: string,
  name: string,
  methods: (store: WholeStore) => Partial<WholeStore>,
  options: MemoryStoreOptions = {},
): Fault {
  return {
    topic,
    name,
    open: () => {
      const store = memoryStore(options) as WholeStore
      return { store: overlaid(store, methods(store)) }
    },
  }
}

/** The store with other methods in the place of its own. */
export function overlaid(store: WholeStore, methods: Partial<WholeStore>): WholeStore {
  return new Proxy(store, {
    get(target, key) {
      const found = Reflect.get(key in methods ? methods : target, key) as unknown
      return typeof found === 'function' ? found.bind(target) : found
    },
  })
}

/** The pages of a listing, each changed. */
export async function* mapped<T>(pages: AsyncIterable<readonly T[]>, change: (one: T) => T): AsyncGenerator<readonly T[], void> {
  for await (const page of pages) yield page.map(change)
}

/** The entries of a mailbox in one list. */
export async function all(store: MailStore, mailbox: string, uids?: UidSet): Promise<Entry[]> {
  return (await allOf(store.entries(mailbox, uids ? { uids } : {}))).flat()
}

/** The UID alone, as a set. */
export function only(uid: number): UidSet {
  return [{ first: uid, last: uid }]
}

/** One check of a suite. */
export interface Check {
  readonly topic: string
  readonly name: string
  readonly run: () => Promise<void>
}

/** The checks that a suite registers, by the outermost group they are in. */
export function checksOf(define: (runner: Pick<Runner, 'describe' | 'it'>) => void): Check[] {
  const checks: Check[] = []
  let topic = ''
  define({
    describe: (name, inner) => {
      const before = topic
      topic ||= name
      inner()
      topic = before
    },
    it: (name, run) => checks.push({ topic, name, run }),
  })
  return checks
}
