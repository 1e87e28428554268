import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../../src/adapters/memory/index.ts'
import { mailStoreContract, type OpenedMailStore } from '../../../src/testing/contracts/mail-store.ts'
import { type Check, checksOf, overlaid, type WholeStore } from './fault.ts'
import { accountFaults, lastingStore } from './faults-account.ts'
import { changeFaults } from './faults-changes.ts'
import { mailboxFaults } from './faults-mailboxes.ts'
import { messageFaults } from './faults-messages.ts'
import { replaceFaults } from './faults-replace.ts'

const faults = [...mailboxFaults, ...messageFaults, ...changeFaults, ...replaceFaults, ...accountFaults]

function checks(open: () => OpenedMailStore, skipped: (line: string) => void = () => {}): Check[] {
  return checksOf((runner) => mailStoreContract({ ...runner, skipped, open: async () => open() }))
}

/** The first of the checks that fails, and why. */
async function failing(its: readonly Check[]): Promise<string | undefined> {
  for (const { name, run } of its) {
    const error: unknown = await run().then(() => undefined, (reason: unknown) => reason)
    if (error !== undefined) return `${name}: ${String(error)}`
  }
  return undefined
}

describe('mailStoreContract', () => {
  const topics = [...new Set(checks(() => ({ store: memoryStore() })).map(({ topic }) => topic))]

  it('has a faulty store for every topic', () => {
    expect(new Set(faults.map(({ topic }) => topic))).toEqual(new Set(topics))
  })

  const named = faults.map((fault) => [fault.topic, fault.name, fault] as const)
  it.concurrent.each(named)('%s: finds a store that %s', async (_topic, _name, fault) => {
    const its = checks(fault.open).filter(({ topic }) => topic === fault.topic)
    const found = await failing(its)
    expect(found).toBeDefined()
    // Found, not stumbled over.
    expect(found).not.toContain('TypeError')
  })

  it('finds nothing wrong with a store that has the least, and says what it left out', async () => {
    const skipped: string[] = []
    const least = { move: undefined, appendAll: undefined, recount: undefined, accounts: undefined, subscriptions: undefined }
    const hints = { watch: undefined, watchAccount: undefined }
    const none = { ...least, ...hints, subscribe: undefined, claim: undefined, search: undefined, close: undefined }
    const open = (): OpenedMailStore => ({ store: overlaid(memoryStore() as WholeStore, none as unknown as Partial<WholeStore>) })
    expect(await failing(checks(open, (line) => skipped.push(line)))).toBeUndefined()
    expect(skipped).toEqual([
      'mailStoreContract: mailbox (the store has no mailbox)',
      'mailStoreContract: appendAll (the store has no appendAll)',
      'mailStoreContract: move (the store has no move)',
      'mailStoreContract: recount (the store has no recount)',
      'mailStoreContract: accounts (the store has no accounts)',
      'mailStoreContract: subscriptions (the store has no subscriptions)',
      'mailStoreContract: claim (the store has no claim)',
      'mailStoreContract: search (the store has no search)',
      'mailStoreContract: watch (the store has no watch)',
      'mailStoreContract: watchAccount (the store has no watchAccount)',
      'mailStoreContract: octets (the store has no octets)',
      'mailStoreContract: after a crash (durability is none)',
      'mailStoreContract: close (the store has no close)',
    ])
  })

  it('finds nothing wrong with a store that forgets what was expunged, and says so', async () => {
    const skipped: string[] = []
    const open = (): OpenedMailStore => ({ store: memoryStore({ remembered: 1 }) })
    expect(await failing(checks(open, (line) => skipped.push(line)))).toBeUndefined()
    expect(skipped).toContain('mailStoreContract: changes, what vanished (the store has forgotten it)')
  })

  it('finds nothing wrong with a store that says nothing untrue about crashes', async () => {
    const open = (): OpenedMailStore => {
      const store = lastingStore()
      return { store, reopen: async () => store }
    }
    expect(await failing(checks(open).filter(({ topic }) => topic === 'after a crash'))).toBeUndefined()
  })
})
