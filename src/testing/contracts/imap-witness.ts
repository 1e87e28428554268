import type { UidSet } from '../../contracts/mailbox.ts'
import type { MailStore } from '../../contracts/store.ts'

/** A method of a mail store. */
export type StoreMethod = Exclude<keyof MailStore, 'traits'>

/** What the methods promise, for those who see what came of it in IMAP. */
const promises: Readonly<Record<StoreMethod, string>> = {
  mailboxes: 'all mailboxes of the account as they are now, each with its counters, `uidNext` and `modSeq`',
  mailbox: 'what `mailboxes` has under a path',
  create: 'makes the mailbox, or gives back the one that has this path; UIDVALIDITY grows under a path that was used before',
  rename: 'gives the mailbox and all below it other paths in one step; messages, UIDs and flags stay',
  remove: 'removes the mailbox with its messages; those below it stay',
  append: 'keeps octets, facts, date and flags as given; the UID and the mod-sequence are above all before; heeds the quota',
  appendAll: 'adds all or none, UIDs in the order given; heeds the quota',
  replace: 'appends one and expunges another in one step, or neither; heeds the quota by what the one has more than the other',
  entries: 'all messages that are there, in ascending UID order, of the UIDs and above the mod-sequence asked for',
  list: 'what `entries` gives, with the facts that were appended',
  changes: 'all that was added or changed after a mod-sequence, by mod-sequence, and the UIDs that were expunged since',
  flag: 'changes flags in one step and tells what became different; leaves alone what changed after `unchangedSince`',
  expunge: 'removes those of the UIDs that are there, no others, and takes a mod-sequence for it',
  copy: 'copies octets, flags and dates, all or none, in UID order, and tells which UID became which; heeds the quota',
  move: 'copies, and expunges what was copied, in one step; tells which UID became which',
  body: 'the octets that were appended, whole or any range of them',
  octets: 'the octets that `body` has of each message, or nothing',
  usage: 'messages and octets of all mailboxes of the account, with `traits.overhead` for each message',
  recount: 'counts anew',
  erase: 'removes all that the account has',
  accounts: 'the accounts that have mailboxes',
  subscriptions: 'the paths that were subscribed to, whether or not there are such mailboxes',
  subscribe: 'remembers or forgets a path',
  claim: 'the UID from which on messages were claimed by nobody before',
  search: 'a superset of the messages that have the words: never one too few',
  watch: 'tells soon of every mailbox in which something changed',
  watchAccount: 'tells soon of whatever changed in the mailboxes of the account, their names and its subscriptions',
  close: 'finishes what it has begun',
}

/** Lines of what happened that are kept. */
const MOST_LINES = 40

/** Sees what the clients, the server and the store say to each other, to tell it where something is amiss. */
export class Witness {
  private lines: string[] = []

  /** Notes a line, cut to what can be read. */
  note(line: string): void {
    const flat = line.replace(/[^\x20-\x7e\xa0-\uffff]+/g, ' ')
    this.lines.push(flat.length > 160 ? `${flat.slice(0, 157)}...` : flat)
    if (this.lines.length > MOST_LINES) this.lines.shift()
  }

  /** The store, without some of its methods; what it is asked is noted. */
  over(store: MailStore, without: readonly StoreMethod[] = []): MailStore {
    const noted = (name: string, method: (...given: unknown[]) => unknown) => (...given: unknown[]): unknown => {
      const call = `   store.${name}(${given.filter((one) => one !== undefined).map(shown).join(', ')})`
      const answer = method.apply(store, given)
      if (!(answer instanceof Promise)) this.note(call)
      else {
        answer.then(
          (value) => this.note(`${call} -> ${shown(value)}`),
          (error: unknown) => this.note(`${call} rejects: ${String(error)}`),
        )
      }
      return answer
    }
    return new Proxy(store, {
      get: (target, key) => {
        if (without.includes(key as StoreMethod)) return undefined
        const found = Reflect.get(target, key) as unknown
        return typeof found === 'function' ? noted(String(key), found as () => unknown) : found
      },
    })
  }

  /** What was amiss, which methods are to be looked at, what they promise, and what happened before. */
  report(what: string, suspects: readonly StoreMethod[]): string {
    const blamed = suspects.map((method) => `  ${method}: ${promises[method]}`)
    return [
      what,
      ...(blamed.length > 0 ? ['Look first at what your store promises in', ...blamed] : []),
      'What happened (> clients, < the server, store: what it asked):',
      ...this.lines.map((line) => `  ${line}`),
    ].join('\n')
  }
}

/** A check that fails, and the methods of the store whose fault it would be. */
export class Amiss extends Error {
  readonly suspects: readonly StoreMethod[]

  constructor(what: string, suspects: readonly StoreMethod[]) {
    super(what)
    this.suspects = suspects
  }
}

function isSet(value: unknown): value is UidSet {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one?.first === 'number')
}

/** What says nothing to a reader. */
const unread: ReadonlySet<string> = new Set(['facts', 'bytes', 'pieces'])

/** A value in few words. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (isSet(value)) return value.map(({ first, last }) => (first === last ? String(first) : `${first}:${last}`)).join(',')
  if (typeof value === 'function') return 'a function'
  return JSON.stringify(value, (key, its: unknown) => {
    if (unread.has(key) || its instanceof Uint8Array) return undefined
    return key !== '' && isSet(its) ? shown(its) : its
  }) ?? String(value)
}
