import { expect, it } from 'vitest'
import { memoryAccounts } from '../../src/adapters/memory/accounts.ts'
import { memoryKeyValue } from '../../src/adapters/memory/index.ts'
import { memoryStore } from '../../src/adapters/memory/store.ts'
import type { Passwords } from '../../src/contracts/accounts.ts'
import { makePeople, type ReferenceUser } from '../../src/server/reference-accounts.ts'
import { virtualClock } from '../../src/testing/virtual-clock.ts'

const passwords: Passwords = {
  hash: async (password) => `$plain$${password}`,
  verify: async () => false,
  outdated: () => false,
  pretend: async () => false,
}

it('makes who is missing, and leaves who is there as they are', async () => {
  const clock = virtualClock()
  const places = { records: memoryAccounts(), passwords, store: memoryStore({ now: () => 0 }), keyValue: memoryKeyValue() }
  const user = (local: string): ReferenceUser => ({ local, domain: 'example.test', password: 'secret' })
  const people = { domains: ['example.test'], users: [user('anna'), user('Bert')] }
  await places.records.setDomain({ name: 'example.test', separator: '-' })
  // Somebody has the address whose account is called otherwise.
  await places.records.updateAccount('7', () => ({ id: '7', addresses: ['x@example.test', 'anna@example.test'], created: 0 }))
  for (let start = 0; start < 2; start++) {
    await makePeople(places, people, clock, () => undefined)
    const ids: string[] = []
    for await (const page of places.records.accounts()) ids.push(...page.map(({ id }) => id))
    expect(ids).toEqual(['7', 'bert@example.test'])
    expect(await places.records.account('7')).not.toHaveProperty('password')
    expect(await places.records.domain('example.test')).toEqual({ name: 'example.test', separator: '-' })
    expect(await places.store.mailboxes('7')).toHaveLength(6)
  }
})
