import type { Body, StoredBody } from '../../contracts/bodies.ts'
import type { Mailbox, MailStore, NewMessage, StoredMessage } from '../../contracts/store.ts'
import { holds, octetsOf, type Runner } from './checks.ts'

/** A store under test. */
export interface OpenedMailStore {
  readonly store: MailStore
  /** Lets go of the store without a farewell, as a crash would, and opens what it left. Needed from durability `process` on. */
  readonly reopen?: () => Promise<MailStore>
}

/** What {@link mailStoreContract} takes. */
export interface MailStoreContractOptions extends Runner {
  /** A fresh store with nothing in it. */
  readonly open: () => Promise<OpenedMailStore>
}

/** Facts as odd as JSON allows: a store has no business with them. */
export const oddFacts = JSON.parse(
  '{"octets":1,"deep":[[[[null,true,-0.5,1e300]]]],"__proto__":{"a":1},'
    + '"text":"\\u0000\\ud800 \\"quoted\\" \\u2028 \\ud83d\\udcec","":""}',
) as NewMessage['facts']

/** Facts that differ from others by their octets. */
export function factsOf(octets: number): NewMessage['facts'] {
  return { ...oddFacts, octets }
}

/** A message at hand, received on 14 November 2023. */
export function message(bytes: Uint8Array, more: Partial<NewMessage> = {}): NewMessage {
  const body: Body = {
    size: bytes.length,
    bytes,
    async *read({ start, end } = { start: 0, end: bytes.length }) {
      if (start < end) yield bytes.subarray(start, end)
    },
  }
  return { body, facts: factsOf(bytes.length), received: 1_700_000_000_000, ...more }
}

/** A body that is not in memory. `size` is what it says of itself. */
export function streamed(bytes: Uint8Array, size = bytes.length, chunk = 10_000): Body {
  return {
    size,
    async *read() {
      for (let at = 0; at < bytes.length; at += chunk) {
        await Promise.resolve()
        yield bytes.subarray(at, at + chunk)
      }
    },
  }
}

/** The INBOX of an account. */
export async function inbox(store: MailStore, account = 'alice'): Promise<Mailbox> {
  return store.create(account, ['INBOX'])
}

/** The mailbox as it is now. */
export async function mailboxOf(store: MailStore, { account, id }: Mailbox): Promise<Mailbox> {
  const found = (await store.mailboxes(account)).find((mailbox) => mailbox.id === id)
  holds(found !== undefined, `mailbox ${id} is gone`)
  return found as Mailbox
}

/** What the store has as its body. */
export async function octetsIn(store: MailStore, { id }: StoredMessage): Promise<Uint8Array> {
  const body = await store.body(id)
  holds(body !== undefined, `message ${id} has no body`)
  return octetsOf(body as StoredBody)
}

/** Their UIDs, in the same order. */
export function uidsOf(messages: readonly StoredMessage[]): number[] {
  return messages.map(({ uid }) => uid)
}

/** Throws unless each number is above the one before, and the first above 0. */
export function ascending(numbers: readonly number[], what: string): void {
  numbers.forEach((number, index) => {
    holds(Number.isSafeInteger(number) && number > (numbers[index - 1] ?? 0), `${what} do not ascend: ${numbers.join(', ')}`)
  })
}
