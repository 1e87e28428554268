import { print } from '../../adapters/node/print.ts'
import type { AccountRecord, AccountRecords } from '../../contracts/accounts.ts'
import { allOf, equal, holds, rejects, type Runner } from './checks.ts'

/** Records under test. */
export interface OpenedAccountRecords {
  readonly records: AccountRecords
  /** Lets go of the records without a farewell, as a crash would, and opens what is left. Needed from durability `process` on. */
  readonly reopen?: () => Promise<AccountRecords>
}

/** What {@link accountRecordsContract} takes. */
export interface AccountRecordsContractOptions extends Runner {
  /** Fresh records with nothing in them. */
  readonly open: () => Promise<OpenedAccountRecords>
}

/** What every keeper of account records has to do, whatever it runs on. */
export function accountRecordsContract(options: AccountRecordsContractOptions): void {
  const { describe } = options
  describe('accounts', () => accounts(options))
  describe('names of accounts', () => names(options))
  describe('changes of accounts', () => changes(options))
  describe('domains and aliases', () => domainsAndAliases(options))
  describe('lists', () => lists(options))
  describe('account records after a crash', () => surviving(options))
  describe('account records that are closed', () => closing(options))
}

function sample(id: string, more: Partial<AccountRecord> = {}): AccountRecord {
  return { id, addresses: [id], created: 1_700_000_000_000, ...more }
}

/** Everything that a record can hold. */
const whole: AccountRecord = {
  id: 'alice@example.org',
  addresses: ['alice@example.org', 'a.liddell@example.org', 'j\u00f6rg@xn--mller-kva.example', '"a b"@example.org'],
  logins: ['alice', '__proto__', 'constructor', 'a%', "a'"],
  password: '$scrypt$ln=14,r=8,p=1$c2FsdA$aGFzaA',
  scram: { 'SHA-256': { salt: 'AAAA', iterations: 10_000, storedKey: 'BBBB', serverKey: 'CCCC' } },
  plainPassword: 'wonderland \ud83d\udc07',
  appPasswords: [{ id: '4kfx', label: 'Thunderbird', hash: '$2b$12$x', created: 1, lastUsed: 2, rights: { smtp: false } }],
  disabled: true,
  rights: { imap: false, admin: true },
  quota: { octets: null, messages: 0 },
  messageOctets: 1,
  attachmentOctets: 2,
  certificates: ['ab'.repeat(32)],
  created: 1_700_000_000_000,
  lastLogin: 1_700_000_000_001,
  data: { any: ['thing', { at: null }] },
}

const put = (records: AccountRecords, record: AccountRecord): Promise<AccountRecord | undefined> =>
  records.updateAccount(record.id, () => record)

function accounts({ it, open }: AccountRecordsContractOptions): void {
  it('has none that was never made', async () => {
    const { records } = await open()
    for (const id of ['nobody', '__proto__', 'constructor', "' OR 1=1", '%']) {
      equal(await records.account(id), undefined, `what it has under ${id}`)
      equal(await records.accountNamed(id), undefined, `what it has by the name ${id}`)
    }
    equal(await records.updateAccount('nobody', (account) => account), undefined)
  })

  it('gives back all that a record holds', async () => {
    const { records } = await open()
    equal(await put(records, whole), whole)
    equal(await records.account(whole.id), whole)
  })

  it('lets nobody change a record but by asking', async () => {
    const { records } = await open()
    const data = { note: 'mine' }
    const given = await put(records, sample('a@example.org', { data }))
    data.note = 'theirs'
    Reflect.set(given ?? {}, 'disabled', true)
    Reflect.set((await records.account('a@example.org')) ?? {}, 'addresses', [])
    equal(await records.account('a@example.org'), sample('a@example.org', { data: { note: 'mine' } }))
  })

  it('removes', async () => {
    const { records } = await open()
    await put(records, whole)
    await put(records, sample('bob@example.org'))
    equal(await records.updateAccount(whole.id, () => undefined), undefined)
    equal(await records.account(whole.id), undefined)
    for (const name of whole.addresses) equal(await records.accountNamed(name), undefined, `what ${name} finds`)
    holds((await records.account('bob@example.org')) !== undefined, 'another account is gone too')
    equal(await put(records, whole), whole)
  })

  it('compares ids octet by octet', async () => {
    const { records } = await open()
    const ids = ['a', 'A', 'a ', '\u00e5', 'a\u030a', 'a%', 'a_']
    for (const id of ids) await put(records, sample(id))
    for (const id of ids) equal(await records.account(id), sample(id))
  })
}

function names({ it, open }: AccountRecordsContractOptions): void {
  it('finds an account by each address, login and certificate', async () => {
    const { records } = await open()
    await put(records, sample('bob@example.org'))
    await put(records, whole)
    for (const name of [...whole.addresses, ...(whole.logins ?? []), ...(whole.certificates ?? [])]) {
      equal((await records.accountNamed(name))?.id, whole.id, `the account that ${name} finds`)
    }
    for (const name of ['Alice', 'ALICE@example.org', 'alice@example.or', 'alice%', '']) {
      equal(await records.accountNamed(name), undefined, `what ${name} finds`)
    }
  })

  it('goes by the names that an account has now', async () => {
    const { records } = await open()
    await put(records, whole)
    await put(records, { ...whole, addresses: ['alice@example.org', 'new@example.org'], logins: ['alice'] })
    equal(await records.accountNamed('a.liddell@example.org'), undefined)
    equal(await records.accountNamed('constructor'), undefined)
    for (const name of ['alice', 'new@example.org', 'ab'.repeat(32)]) equal((await records.accountNamed(name))?.id, whole.id)
  })

  it('takes a name twice in one record', async () => {
    const { records } = await open()
    const twice = sample('a@example.org', { logins: ['a@example.org', 'a'], addresses: ['a@example.org', 'a@example.org'] })
    equal(await put(records, twice), twice)
    equal(await put(records, { ...twice, disabled: true }), { ...twice, disabled: true })
  })

  it('gives no name to two', async () => {
    const { records } = await open()
    await put(records, whole)
    const bob = sample('bob@example.org', { logins: ['bob'] })
    await put(records, bob)
    const taken: Partial<AccountRecord>[] = [
      { addresses: ['bob@example.org', 'a.liddell@example.org'] },
      { logins: ['robert', 'alice'] },
      { logins: ['alice@example.org'] },
      { certificates: ['ab'.repeat(32)] },
    ]
    for (const part of taken) {
      await rejects(records.updateAccount(bob.id, (account) => account && { ...account, ...part }), 'permanent')
      equal(await records.account(bob.id), bob)
    }
    equal(await records.accountNamed('robert'), undefined)
    await rejects(put(records, sample('carol@example.org', { logins: ['bob'] })), 'permanent')
    equal(await records.account('carol@example.org'), undefined)
    equal(await records.accountNamed('carol@example.org'), undefined)
  })

  it('gives a name that became free to another', async () => {
    const { records } = await open()
    await put(records, sample('a@example.org', { logins: ['shared'] }))
    await put(records, sample('a@example.org'))
    await put(records, sample('b@example.org', { logins: ['shared'] }))
    equal((await records.accountNamed('shared'))?.id, 'b@example.org')
  })
}

function changes({ it, open }: AccountRecordsContractOptions): void {
  it('makes changes that come at once one after the other', async () => {
    const { records } = await open()
    const id = 'count@example.org'
    await put(records, sample(id, { data: { count: 0 } }))
    const up = (account: AccountRecord | undefined): AccountRecord | undefined =>
      account && { ...account, data: { count: (account.data?.['count'] as number) + 1 } }
    await Promise.all(Array.from({ length: 50 }, () => records.updateAccount(id, up)))
    equal((await records.account(id))?.data, { count: 50 })
  })

  it('makes an account once, of many who would', async () => {
    const { records } = await open()
    const made = await Promise.all(Array.from({ length: 20 }, (_, at) =>
      records.updateAccount('one@example.org', (there) => there ?? sample('one@example.org', { created: at }))))
    equal(new Set(made.map((account) => account?.created)).size, 1, 'number of accounts that were made')
  })

  it('changes nothing where the change gives up, and tells why', async () => {
    const { records } = await open()
    await put(records, whole)
    const reason = new Error('not like this')
    const others = Promise.all([put(records, sample('b@example.org')), put(records, sample('c@example.org'))])
    const told = await records.updateAccount(whole.id, () => { throw reason }).then(() => undefined, (error: unknown) => error)
    holds(told === reason, `it rejected with ${String(told)}`)
    await others
    equal(await records.account(whole.id), whole)
    holds((await records.account('c@example.org')) !== undefined, 'another change was lost')
  })

  it('changes nothing where the change gives back what is there', async () => {
    const { records } = await open()
    await put(records, whole)
    equal(await records.updateAccount(whole.id, (account) => account), whole)
    equal(await records.account(whole.id), whole)
  })
}

function domainsAndAliases({ it, open }: AccountRecordsContractOptions): void {
  it('keeps domains', async () => {
    const { records } = await open()
    equal(await records.domain('example.org'), undefined)
    const domain = { name: 'example.org', catchAll: ['alice@example.org'], separator: '-', caseSensitive: true, disabled: true }
    await records.setDomain(domain)
    await records.setDomain({ name: 'example.com', aliasOf: 'example.org' })
    equal(await records.domain('example.org'), domain)
    equal(await records.domain('Example.org'), undefined)
    await records.setDomain({ name: 'example.org' })
    equal(await records.domain('example.org'), { name: 'example.org' })
    equal([await records.removeDomain('example.org'), await records.removeDomain('example.org')], [true, false])
    equal(await records.domain('example.org'), undefined)
    holds((await records.domain('example.com')) !== undefined, 'another domain is gone too')
  })

  it('keeps aliases', async () => {
    const { records } = await open()
    equal(await records.alias('info@example.org'), undefined)
    const to = ['alice@example.org', '"a b"@else.example']
    const alias = { address: 'info@example.org', to, senders: ['bob'], disabled: true }
    await records.setAlias(alias)
    await records.setAlias({ address: '__proto__@example.org', to: ['a@example.org'] })
    equal(await records.alias('info@example.org'), alias)
    equal(await records.alias('INFO@example.org'), undefined)
    await records.setAlias({ address: 'info@example.org', to: ['bob@example.org'] })
    equal(await records.alias('info@example.org'), { address: 'info@example.org', to: ['bob@example.org'] })
    equal([await records.removeAlias('info@example.org'), await records.removeAlias('info@example.org')], [true, false])
    equal(await records.alias('info@example.org'), undefined)
    holds((await records.alias('__proto__@example.org')) !== undefined, 'another alias is gone too')
  })

  it('keeps an alias apart from an account of its address', async () => {
    const { records } = await open()
    await put(records, sample('both@example.org'))
    await records.setAlias({ address: 'both@example.org', to: ['both@example.org', 'copy@else.example'] })
    equal((await records.accountNamed('both@example.org'))?.id, 'both@example.org')
    equal((await records.alias('both@example.org'))?.to.length, 2)
    await records.removeAlias('both@example.org')
    holds((await records.account('both@example.org')) !== undefined, 'the account is gone with the alias')
  })
}

/** More than anybody's page. */
const MANY = 450

function lists({ it, open }: AccountRecordsContractOptions): void {
  it('lists nothing where there is nothing', async () => {
    const { records } = await open()
    for (const list of [records.accounts(), records.domains(), records.aliases()]) equal(await allOf<unknown>(list), [])
  })

  it('lists all of many, accounts by id, and no page is empty', async () => {
    const { records } = await open()
    const ids = Array.from({ length: MANY }, (_, at) => `user${String(at).padStart(4, '0')}@example.org`)
    await Promise.all([...ids].reverse().flatMap((id, at) => [
      put(records, sample(id)),
      records.setDomain({ name: `d${at}.example` }),
      records.setAlias({ address: `alias${at}@example.org`, to: [id] }),
    ]))
    const pages = await allOf(records.accounts())
    holds(pages.every((page) => page.length > 0), 'an empty page')
    equal(pages.flat().map(({ id }) => id), ids)
    equal(pages.flat()[7], sample(ids[7]!))
    equal((await allOf(records.accounts(ids[100]))).flat().map(({ id }) => id), ids.slice(101))
    equal(await allOf(records.accounts(ids.at(-1))), [])
    equal(new Set((await allOf(records.domains())).flat().map(({ name }) => name)).size, MANY, 'domains')
    equal(new Set((await allOf(records.aliases())).flat().map(({ address }) => address)).size, MANY, 'aliases')
  })
}

function surviving({ it, open, skipped = print }: AccountRecordsContractOptions): void {
  it('has all that was acknowledged', async () => {
    const { records, reopen } = await open()
    const { durability } = records.traits
    if (durability === 'none') {
      skipped('accountRecordsContract: after a crash (durability is none)')
      return
    }
    if (!reopen) throw new Error(`durability is ${durability}: give reopen, so that it can be shown`)
    await put(records, whole)
    await put(records, sample('gone@example.org'))
    await records.updateAccount('gone@example.org', () => undefined)
    await records.setDomain({ name: 'example.org' })
    await records.setAlias({ address: 'info@example.org', to: [whole.id] })
    const again = await reopen()
    equal(await again.account(whole.id), whole)
    equal((await again.accountNamed('alice'))?.id, whole.id)
    equal(await again.account('gone@example.org'), undefined)
    equal(await again.domain('example.org'), { name: 'example.org' })
    equal(await again.alias('info@example.org'), { address: 'info@example.org', to: [whole.id] })
  })
}

function closing({ it, open, skipped = print }: AccountRecordsContractOptions): void {
  it('finishes what it has, then takes no more', async () => {
    const { records } = await open()
    if (!records.close) {
      skipped('accountRecordsContract: close (the records have none)')
      return
    }
    const changed = [put(records, whole), records.setDomain({ name: 'example.org' })]
    await records.close()
    await Promise.all(changed)
    await rejects(put(records, whole), 'closed')
    await rejects(records.account(whole.id), 'closed')
    await rejects(records.accountNamed('alice'), 'closed')
    await rejects(records.setAlias({ address: 'a@example.org', to: [] }), 'closed')
    await rejects(records.removeDomain('example.org'), 'closed')
    await rejects(allOf(records.accounts()), 'closed')
    await records.close()
  })
}
