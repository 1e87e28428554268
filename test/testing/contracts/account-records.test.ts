import { expect, it } from 'vitest'
import { memoryAccounts } from '../../../src/adapters/memory/index.ts'
import type { AccountRecord, AccountRecords, AliasRecord, DomainRecord } from '../../../src/contracts/index.ts'
import { accountRecordsContract } from '../../../src/testing/index.ts'
import { caught } from './faults.ts'

type Change = (account: AccountRecord | undefined) => AccountRecord | undefined

/** All methods of records that are right, bound, to replace some of. */
function methodsOf(right: AccountRecords): AccountRecords {
  return {
    traits: right.traits,
    account: (id) => right.account(id),
    accountNamed: (name) => right.accountNamed(name),
    updateAccount: (id, change) => right.updateAccount(id, change),
    accounts: (after) => right.accounts(after),
    domain: (name) => right.domain(name),
    setDomain: (record) => right.setDomain(record),
    removeDomain: (name) => right.removeDomain(name),
    domains: () => right.domains(),
    alias: (address) => right.alias(address),
    setAlias: (record) => right.setAlias(record),
    removeAlias: (address) => right.removeAlias(address),
    aliases: () => right.aliases(),
    close: async () => right.close?.(),
  }
}

const faults: readonly [fault: string, topic: string, broken: (right: AccountRecords) => Partial<AccountRecords>][] = [
  ['forgets what the host keeps', 'accounts', (right) => ({
    updateAccount: (id, change: Change) => right.updateAccount(id, (before) => {
      const after = change(before)
      if (!after) return after
      const { data: _data, ...rest } = after
      return rest
    }),
  })],
  ['takes ids without case', 'accounts', (right) => ({
    account: async (id) => (await right.account(id)) ?? right.account(id.toLowerCase()),
    updateAccount: async (id, change: Change) => {
      const there = await right.account(id.toLowerCase())
      if (!there) return right.updateAccount(id, change)
      return right.updateAccount(there.id, (before) => {
        const after = change(before)
        return after && { ...after, id: there.id }
      })
    },
  })],
  ['keeps who was removed', 'accounts', (right) => ({
    updateAccount: (id, change: Change) => right.updateAccount(id, (before) => change(before) ?? before),
  })],
  ['finds nobody by certificate', 'names of accounts', (right) => ({
    accountNamed: async (name) => (name.length === 64 ? undefined : right.accountNamed(name)),
  })],
  ['finds people by names without case', 'names of accounts', (right) => ({
    accountNamed: (name) => right.accountNamed(name.toLowerCase()),
  })],
  ['gives a name to whoever comes', 'names of accounts', (right) => ({
    updateAccount: async (id, change: Change) => {
      try {
        return await right.updateAccount(id, change)
      } catch {
        return right.account(id)
      }
    },
  })],
  ['loses changes that come at once', 'changes of accounts', (right) => ({
    updateAccount: async (id, change: Change) => {
      const before = await right.account(id)
      await new Promise((resolve) => setTimeout(resolve, 1))
      const after = change(before)
      return right.updateAccount(id, () => after)
    },
  })],
  ['has reasons of its own', 'changes of accounts', (right) => ({
    updateAccount: async (id, change: Change) => {
      try {
        return await right.updateAccount(id, change)
      } catch (error) {
        throw new Error('it did not work', { cause: error })
      }
    },
  })],
  ['loses who catches all', 'domains and aliases', (right) => ({
    setDomain: ({ catchAll: _catchAll, ...record }: DomainRecord) => right.setDomain(record),
  })],
  ['never removes an alias', 'domains and aliases', () => ({ removeAlias: async () => true })],
  ['adds to an alias rather than replace it', 'domains and aliases', (right) => ({
    setAlias: async (record: AliasRecord) => {
      const before = await right.alias(record.address)
      return right.setAlias({ ...record, to: [...(before?.to ?? []), ...record.to] })
    },
  })],
  ['lists a first page alone', 'lists', (right) => ({
    accounts: async function* (after?: string) {
      for await (const page of right.accounts(after)) {
        yield page
        return
      }
    },
  })],
  ['begins a list anew', 'lists', (right) => ({ accounts: () => right.accounts() })],
  ['says what it cannot show', 'account records after a crash', () => ({ traits: { durability: 'disk' } })],
  ['goes on after it was closed', 'account records that are closed', () => ({ close: async () => {} })],
]

it('finds no fault with records that have none', async () => {
  const open = async () => ({ records: methodsOf(memoryAccounts()) })
  expect(await caught((runner) => accountRecordsContract({ ...runner, open }))).toEqual([])
})

it.each(faults)('catches one that %s', async (_fault, topic, broken) => {
  const open = async () => {
    const right = memoryAccounts()
    return { records: { ...methodsOf(right), ...broken(right) } }
  }
  expect(await caught((runner) => accountRecordsContract({ ...runner, open }))).toContain(topic)
})

it('catches one that forgets in a crash', async () => {
  const open = async () => ({
    records: { ...methodsOf(memoryAccounts()), traits: { durability: 'disk' } as const },
    reopen: async () => memoryAccounts(),
  })
  expect(await caught((runner) => accountRecordsContract({ ...runner, open }))).toEqual(['account records after a crash'])
})
