import { turn } from '../../adapters/node/event-loop.ts'
import { print } from '../../adapters/node/print.ts'
import type { Body, StoredBody } from '../../contracts/bodies.ts'
import type { Mailbox, MailboxId, UidSet } from '../../contracts/mailbox.ts'
import type { Entry, MailStore, MessageId, NewMessage, Selection, StoredMessage } from '../../contracts/store.ts'
import { allOf, equal, holds, octetsOf, type Runner } from './checks.ts'

/** A store under test. */
export interface OpenedMailStore {
  readonly store: MailStore
  /**
   * Lets go of the store without a farewell, as a crash would, and opens what it left; again, of what came of that. Needed from
   * durability `process` on.
   */
  readonly reopen?: () => Promise<MailStore>
}

/** What {@link mailStoreContract} takes. */
export interface MailStoreContractOptions extends Runner {
  /** A fresh store with nothing in it. */
  readonly open: () => Promise<OpenedMailStore>
}

/** A method that not every store has. */
type Optional =
  | 'mailbox' | 'appendAll' | 'replace' | 'move' | 'octets' | 'recount' | 'accounts' | 'subscriptions' | 'subscribe' | 'claim'
  | 'search' | 'watch' | 'watchAccount' | 'close'

/** Registers checks that are left out, which is said once, where the store does not have the methods. */
export function needing<M extends Optional>(
  { it, open, skipped = print }: MailStoreContractOptions,
  topic: string,
  ...methods: readonly M[]
): (name: string, run: (store: MailStore & Required<Pick<MailStore, M>>) => Promise<void>) => void {
  let told = false
  return (name, run) => void it(name, async () => {
    const { store } = await open()
    const missing = methods.find((method) => store[method] === undefined)
    if (missing === undefined) return run(store as MailStore & Required<Pick<MailStore, M>>)
    if (!told) skipped(`mailStoreContract: ${topic} (the store has no ${missing})`)
    told = true
  })
}

/** Ids that no store gives to its mailboxes, except for the one that is given. */
export function unknownIds(known: MailboxId = ''): MailboxId[] {
  const ids = ['', '0', '-1', '999999', '01', `${known} `, 'INBOX', '__proto__', '1e0', 'x'.repeat(1000)]
  return ids.filter((id) => id !== known)
}

/** Facts as odd as JSON allows: a store has no business with them. */
export const oddFacts = JSON.parse(
  '{"octets":1,"deep":[[[[null,true,-0.5,1e300]]]],"__proto__":{"a":1},'
    + '"text":"\\u0000\\ud800 \\"quoted\\" \\u2028 \\ud83d\\udcec","":""}',
) as NewMessage['facts']

/** Messages whose facts hold what facts can hold. */
export const realMail: readonly string[] = [
  '',
  'Subject: plain\r\nFrom: "O\\"Hara" <o@example.org>\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\n\r\nText\r\n',
  'Subject: caf\u00e9\r\nSender: <>\r\nReply-To: b@example.org\r\nReferences: <1@example.org> <2@example.org>\r\n\r\n'
    + '\u20ac\u{1f4ec}\r\n',
  'MIME-Version: 1.0\r\nMessage-ID: <3@example.org>\r\nTo: friends: a@example.org, b@example.org;\r\n'
    + 'Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html; charset=utf-8\r\n'
    + 'Content-Language: de, en\r\n\r\n<b>\r\n--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nhi\r\n'
    + '--x\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename="a b"\r\n'
    + 'Content-ID: <4@example.org>\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--x--\r\n',
]

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
export async function mailboxOf(store: MailStore, { account, id }: Pick<Mailbox, 'account' | 'id'>): Promise<Mailbox> {
  const found = (await store.mailboxes(account)).find((mailbox) => mailbox.id === id)
  holds(found !== undefined, `mailbox ${id} is gone`)
  return found as Mailbox
}

/** Small messages with these flags, one after the other. */
export async function fill(store: MailStore, mailbox: MailboxId, ...flags: (readonly string[])[]): Promise<StoredMessage[]> {
  const stored: StoredMessage[] = []
  for (const [index, its] of flags.entries()) {
    stored.push(await store.append(mailbox, message(new Uint8Array(10 + index).fill(index), { flags: its })))
  }
  return stored
}

/** What is known of a message without its facts, fit for comparing: flags in order, and nothing that is the store's own. */
export function entryOf({ id, uid, modSeq, received, saved, flags, octets }: Entry): Entry {
  return { id, uid, modSeq, received, saved, flags: [...flags].sort(), octets }
}

/** The same with its facts. */
export function storedOf(stored: StoredMessage): StoredMessage {
  return { ...entryOf(stored), mailbox: stored.mailbox, facts: plainFacts(stored) }
}

/** Facts as plain data, fit for comparing: a store may give a view that reads them when they are asked for. */
export function plainFacts({ facts }: Pick<StoredMessage, 'facts'>): StoredMessage['facts'] {
  return JSON.parse(JSON.stringify(facts)) as StoredMessage['facts']
}

/** All that `entries` gives. */
export async function entriesOf(store: MailStore, mailbox: MailboxId, which?: Selection): Promise<Entry[]> {
  return (await paged(store.entries(mailbox, which))).map(entryOf)
}

/** All that `list` gives. */
export async function listed(store: MailStore, mailbox: MailboxId, which?: Selection): Promise<StoredMessage[]> {
  const all = (await paged(store.list(mailbox, which))).map(storedOf)
  for (const one of all) equal(one.mailbox, mailbox, 'mailbox of a message')
  return all
}

async function paged<T extends Entry>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = []
  for (const page of await allOf(pages)) {
    holds(page.length > 0, 'an empty page')
    all.push(...page)
  }
  ascending(uidsOf(all), 'UIDs')
  return all
}

/** Looks again and again until something is done, and once more after that; throws what either throws. */
export async function meanwhile(done: Promise<unknown>, look: () => Promise<void>): Promise<void> {
  let over = false
  const ended = done.finally(() => void (over = true))
  ended.catch(() => {})
  while (!over) {
    await look()
    // A store that answers at once would leave no turn to what it works on.
    await turn()
  }
  await ended
  await look()
}

/** The body of a message. */
export async function bodyOf(store: MailStore, id: MessageId): Promise<StoredBody> {
  const body = await store.body(id)
  holds(body !== undefined, `message ${id} has no body`)
  return body as StoredBody
}

/** What the store has as its body. */
export async function octetsIn(store: MailStore, { id }: Pick<Entry, 'id'>): Promise<Uint8Array> {
  return octetsOf(await bodyOf(store, id))
}

/** Their UIDs, in the same order. */
export function uidsOf(messages: readonly Pick<Entry, 'uid'>[]): number[] {
  return messages.map(({ uid }) => uid)
}

/** Every UID there can be. */
export const everyUid: UidSet = [{ first: 1, last: 2 ** 32 - 1 }]

/** UIDs, in any order, as a set. */
export function setOf(uids: readonly number[]): UidSet {
  const set: { first: number; last: number }[] = []
  for (const uid of [...uids].sort((a, b) => a - b)) {
    const before = set.at(-1)
    if (before && uid <= before.last + 1) before.last = uid
    else set.push({ first: uid, last: uid })
  }
  return set
}

/** The set that has the UIDs of these messages. */
export function setFor(messages: readonly Pick<Entry, 'uid'>[]): UidSet {
  return setOf(uidsOf(messages))
}

/** Whether a UID is in the set. */
export function isIn(set: UidSet, uid: number): boolean {
  return set.some(({ first, last }) => first <= uid && uid <= last)
}

/** Throws unless it is a set as sets have to be: ranges that ascend and do not touch. */
export function wellFormed(set: UidSet, what: string): void {
  let before = -1
  for (const { first, last } of set) {
    const fine = Number.isSafeInteger(first) && Number.isSafeInteger(last) && first > before + 1 && first >= 1 && last >= first
    holds(fine, `${what} is no set of UIDs: ${JSON.stringify(set)}`)
    before = last
  }
}

/** Throws unless each number is above the one before, and the first above 0. */
export function ascending(numbers: readonly number[], what: string): void {
  numbers.forEach((number, index) => {
    holds(Number.isSafeInteger(number) && number > (numbers[index - 1] ?? 0), `${what} do not ascend: ${numbers.join(', ')}`)
  })
}

/** Throws unless what the mailboxes of an account say of themselves is what is in them, and its usage the sum of them. */
export async function consistent(store: MailStore, account = 'alice'): Promise<void> {
  let [messages, octets] = [0, 0]
  for (const mailbox of await store.mailboxes(account)) {
    const entries = await entriesOf(store, mailbox.id)
    const name = mailbox.path.join('/')
    equal(
      { messages: mailbox.messages, unseen: mailbox.unseen, deleted: mailbox.deleted, octets: mailbox.octets },
      {
        messages: entries.length,
        unseen: entries.filter(({ flags }) => !flags.includes('\\Seen')).length,
        deleted: entries.filter(({ flags }) => flags.includes('\\Deleted')).length,
        octets: entries.reduce((sum, entry) => sum + entry.octets, 0),
      },
      `counters of ${name}`,
    )
    holds(entries.every(({ uid }) => uid < mailbox.uidNext), `uidNext of ${name} is not above its UIDs`)
    holds(entries.every(({ modSeq }) => modSeq <= mailbox.modSeq), `modSeq of ${name} is below one in it`)
    messages += mailbox.messages
    octets += mailbox.octets
  }
  const usage = await store.usage(account)
  equal([usage.messages, usage.octets], [messages, octets + messages * store.traits.overhead], 'usage')
}
