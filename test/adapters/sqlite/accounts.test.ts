import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/adapters/sqlite/driver.ts'
import { schemaAccounts } from '../../../src/adapters/sqlite/schema-accounts.ts'
import { accountRecordsContract } from '../../../src/testing/contracts/account-records.ts'
import { drivers } from './drivers.ts'
import { freshFolder, openMail } from './folders.ts'

describe.each(drivers)('accounts in sqlite with %s', (_name, driver) => {
  accountRecordsContract({
    describe,
    it,
    open: async () => {
      const { accounts, path } = openMail({ driver })
      return { records: accounts, reopen: async () => openMail({ driver, path }).accounts }
    },
  })

  it('finds names, ids and pages by an index', () => {
    const db = new driver(join(freshFolder(), 'plan.db')) as unknown as Connection
    db.exec(schemaAccounts.sql)
    for (const query of [
      "SELECT record FROM accounts WHERE id = 'a'",
      "SELECT a.record FROM account_names AS n JOIN accounts AS a ON a.id = n.account WHERE n.name = 'a'",
      "SELECT id, record FROM accounts WHERE id > 'a' ORDER BY id LIMIT 200",
      "SELECT record FROM domains WHERE name = 'a'",
      "SELECT record FROM aliases WHERE address = 'a'",
      "DELETE FROM account_names WHERE account = 'a'",
    ]) {
      const steps = db.prepare(`EXPLAIN QUERY PLAN ${query}`).all().map(({ detail }) => detail as string)
      expect(steps.length).toBeGreaterThan(0)
      for (const step of steps) expect(step).toMatch(/^SEARCH /)
    }
  })

  it('shares its transactions with the mail store, and fails alone', async () => {
    const { accounts, store } = openMail({ driver })
    const made = (id: string) => accounts.updateAccount(id, () => ({ id, addresses: ['one@example.org'], created: 0 }))
    const [first, second, inbox] = await Promise.allSettled([made('first'), made('second'), store.create('first', ['INBOX'])])
    expect([first.status, second.status, inbox.status]).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(await accounts.account('second')).toBeUndefined()
  })

  it('reads beside a server, and writes nothing then', async () => {
    const { accounts, path } = openMail({ driver })
    await accounts.setDomain({ name: 'example.org' })
    const reader = openMail({ driver, path, readonly: true }).accounts
    expect(await reader.domain('example.org')).toEqual({ name: 'example.org' })
    await expect(reader.setDomain({ name: 'example.com' })).rejects.toMatchObject({ code: 'misuse' })
    await expect(reader.updateAccount('a', () => undefined)).rejects.toMatchObject({ code: 'misuse' })
  })

  it('refuses what is no JSON, and what is another account', async () => {
    const { accounts } = openMail({ driver })
    const record = { id: 'a', addresses: [], created: 0 }
    await expect(accounts.updateAccount('a', () => ({ ...record, data: { big: 1n } }))).rejects.toMatchObject({ code: 'misuse' })
    await expect(accounts.updateAccount('b', () => record)).rejects.toMatchObject({ code: 'misuse' })
    expect(await accounts.account('a')).toBeUndefined()
  })
})
