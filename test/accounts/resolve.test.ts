import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountDirectory } from '../../src/accounts/directory.ts'
import type { AccountRecords, Resolution } from '../../src/contracts/index.ts'
import { at, FakePasswords, type Filling, recordsOf } from './fakes.ts'

async function directoryOf(filling: Filling, postmaster?: string, mostAddresses?: number) {
  const records = await recordsOf(filling)
  return accountDirectory({
    records,
    passwords: new FakePasswords(),
    ...(postmaster !== undefined && { postmaster }),
    ...(mostAddresses !== undefined && { mostAddresses }),
  })
}

/** `alice@example.org`, `alice@example.org +tag`, `> x@outside.example`; or the kind. */
function shown(resolution: Resolution): string | string[] {
  if (resolution.kind !== 'here') return resolution.kind
  return resolution.destinations.map((one) => {
    if (one.kind === 'outside') return `> ${one.address.local}@${one.address.domain}`
    return one.tag === undefined ? one.account.id : `${one.account.id} +${one.tag}`
  })
}

const filling: Filling = {
  domains: [
    'example.org',
    { name: 'strict.example', caseSensitive: true },
    { name: 'dash.example', separator: '-' },
    { name: 'plain.example', separator: '' },
    { name: 'example.com', aliasOf: 'example.org' },
    { name: 'twice.example', aliasOf: 'example.com' },
    { name: 'lost.example', aliasOf: 'nowhere.example' },
    { name: 'round.example', aliasOf: 'square.example' },
    { name: 'square.example', aliasOf: 'round.example' },
    { name: 'off.example', disabled: true },
    { name: 'alsooff.example', aliasOf: 'off.example' },
    { name: 'catch.example', catchAll: ['alice@example.org', 'copy@outside.example'] },
    { name: 'caught.example', catchAll: ['x@caught.example'] },
    'xn--mller-kva.example',
  ],
  accounts: [
    {
      id: 'alice@example.org',
      addresses: ['alice@example.org', 'a.l@example.org', '"a b"@example.org'],
      logins: ['al@example.org'],
    },
    { id: 'bob@example.org' },
    { id: 'bob+fan@example.org' },
    { id: 'dora@example.org', disabled: true },
    { id: 'dora2', addresses: ['dora@catch.example'], disabled: true },
    { id: 'Eve@strict.example' },
    { id: 'f@dash.example' },
    { id: 'g@plain.example' },
    { id: 'jörg@xn--mller-kva.example' },
    { id: 'kept@example.org' },
    { id: 'one@example.org' },
    { id: 'two@example.org' },
    { id: 'post', addresses: ['postmaster@catch.example'] },
  ],
  aliases: [
    { address: 'all@example.org', to: ['alice@example.org', 'bob@example.org', 'Out.Side@outside.example', 'ALICE@EXAMPLE.ORG'] },
    { address: 'nested@example.org', to: ['all@example.org', 'bob+n@example.org', 'one@example.org'] },
    { address: 'off@example.org', to: ['alice@example.org'], disabled: true },
    { address: 'kept@example.org', to: ['kept@example.org', 'away@outside.example'] },
    { address: 'one@example.org', to: ['one@example.org', 'two@example.org'] },
    { address: 'two@example.org', to: ['two@example.org', 'one@example.org'] },
    { address: 'alice@example.org', to: ['nobody@example.org'], disabled: true },
    { address: 'ring1@example.org', to: ['ring2@example.org'] },
    { address: 'ring2@example.org', to: ['ring3@example.org'] },
    { address: 'ring3@example.org', to: ['ring1@example.org'] },
    { address: 'self@example.org', to: ['self@example.org'] },
    { address: 'dead@example.org', to: ['nobody@example.org', 'not an address'] },
    { address: 'sleeping@example.org', to: ['dora@example.org', 'nobody@example.org'] },
    { address: 'half@example.org', to: ['dora@example.org', 'alice@example.org', 'ring1@example.org', 'nobody@example.org'] },
    { address: 'far@example.org', to: ['"quoted me"@outside.example', 'x+y@outside.example', 'off@off.example'] },
    { address: 'empty@example.org', to: [] },
  ],
}

describe('resolve', () => {
  it.each<[string, string | string[]]>([
    // As it stands, in any spelling.
    ['alice@example.org', ['alice@example.org']],
    ['Alice@EXAMPLE.org', ['alice@example.org']],
    ['A.L@example.org', ['alice@example.org']],
    ['a b@example.org', ['alice@example.org']],
    ['A B@example.org', ['alice@example.org']],
    ['JO\u0308RG@müller.example', ['jörg@xn--mller-kva.example']],
    ['Eve@strict.example', ['Eve@strict.example']],
    ['eve@strict.example', 'unknown'],
    // A login is no address.
    ['al@example.org', 'unknown'],
    // Elsewhere, nobody's, disabled.
    ['alice@outside.example', 'elsewhere'],
    ['postmaster@', 'elsewhere'],
    ['nobody@example.org', 'unknown'],
    ['@example.org', 'unknown'],
    ['dora@example.org', 'disabled'],
    ['dora+tag@example.org', 'disabled'],
    ['alice@off.example', 'disabled'],
    ['alice@alsooff.example', 'disabled'],
    // Tags: the address itself comes first.
    ['bob+fan@example.org', ['bob+fan@example.org']],
    ['bob+Fan+x@example.org', ['bob@example.org +Fan+x']],
    ['bob+@example.org', ['bob@example.org +']],
    ['+bob@example.org', 'unknown'],
    ['f-x-y@dash.example', ['f@dash.example +x-y']],
    ['f+x@dash.example', 'unknown'],
    ['g+x@plain.example', 'unknown'],
    ['g@plain.example', ['g@plain.example']],
    // Domain aliases.
    ['alice@example.com', ['alice@example.org']],
    ['alice+t@example.com', ['alice@example.org +t']],
    ['all@twice.example', ['alice@example.org', 'bob@example.org', '> Out.Side@outside.example']],
    ['alice@lost.example', 'broken'],
    ['alice@round.example', 'broken'],
    // Aliases.
    ['all@example.org', ['alice@example.org', 'bob@example.org', '> Out.Side@outside.example']],
    ['ALL+news@example.org', ['alice@example.org +news', 'bob@example.org +news', '> Out.Side@outside.example']],
    // The level nearer to the address tells the tag.
    ['nested@example.org', [
      'bob@example.org +n', 'alice@example.org', '> Out.Side@outside.example', 'one@example.org', 'two@example.org',
    ]],
    ['kept@example.org', ['kept@example.org', '> away@outside.example']],
    ['kept+t@example.org', ['kept@example.org +t', '> away@outside.example']],
    ['one@example.org', ['one@example.org', 'two@example.org']],
    ['two@example.org', ['two@example.org', 'one@example.org']],
    ['off@example.org', 'disabled'],
    ['ring1@example.org', 'broken'],
    ['self@example.org', 'unknown'],
    ['dead@example.org', 'unknown'],
    ['empty@example.org', 'unknown'],
    ['sleeping@example.org', 'disabled'],
    ['half@example.org', ['alice@example.org']],
    ['far@example.org', ['> quoted me@outside.example', '> x+y@outside.example']],
    // Catch-alls come last.
    ['anything@catch.example', ['alice@example.org', '> copy@outside.example']],
    ['any+thing@catch.example', ['alice@example.org', '> copy@outside.example']],
    ['dora@catch.example', 'disabled'],
    ['x@caught.example', 'broken'],
  ])('%s: %j', async (address, expected) => {
    const directory = await directoryOf(filling)
    expect(shown(await directory.resolve(at(address)))).toEqual(expected)
  })

  it('has a postmaster in each domain (RFC 5321 §4.5.1)', async () => {
    const directory = await directoryOf(filling, 'Alice+post@example.org')
    for (const address of ['postmaster@example.org', 'PostMaster@strict.example', 'postmaster+x@plain.example']) {
      const isTagged = address.includes('plain')
      // No tags there: an address like any other.
      expect(shown(await directory.resolve(at(address)))).toEqual(isTagged ? 'unknown' : ['alice@example.org +post'])
    }
    expect(shown(await directory.resolve(at('POSTMASTER+x@example.com')))).toEqual(['alice@example.org +post'])
    expect(shown(await directory.resolve(at('postmaster@catch.example')))).toEqual(['post'])
    expect(shown(await directory.resolve(at('postmaster@off.example')))).toBe('disabled')
    expect(shown(await directory.resolve(at('postmaster@outside.example')))).toBe('elsewhere')
    expect(shown(await (await directoryOf(filling)).resolve(at('postmaster@example.org')))).toBe('unknown')
    const himself = await directoryOf(filling, 'postmaster@example.org')
    expect(shown(await himself.resolve(at('postmaster@example.org')))).toBe('broken')
  })

  it('leads to so many and no more', async () => {
    const to = Array.from({ length: 20 }, (_, n) => `u${n}@outside.example`)
    const many = { domains: ['example.org'], aliases: [{ address: 'many@example.org', to }] }
    expect(shown(await (await directoryOf(many, undefined, 21)).resolve(at('many@example.org')))).toHaveLength(20)
    expect(shown(await (await directoryOf(many, undefined, 20)).resolve(at('many@example.org')))).toBe('broken')
  })

  it('opens each alias once, however often aliases name each other', async () => {
    let asked = 0
    const names = Array.from({ length: 12 }, (_, n) => `a${n}@example.org`)
    const records = await recordsOf({ domains: ['example.org'], aliases: names.map((address) => ({ address, to: names })) })
    const counted: AccountRecords = Object.assign(Object.create(records) as AccountRecords, {
      alias: (address: string) => {
        asked++
        return records.alias(address)
      },
      accountNamed: (name: string) => records.accountNamed(name),
      domain: (name: string) => records.domain(name),
      account: (id: string) => records.account(id),
      updateAccount: () => undefined,
    })
    const directory = accountDirectory({ records: counted, passwords: new FakePasswords() })
    expect(await directory.resolve(at('a0@example.org'))).toEqual({ kind: 'broken' })
    expect(asked).toBeLessThanOrEqual(1 + 12 * 12)
  })

  it('never throws and always ends, whatever the aliases', async () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'a+x', 'postmaster', 'zz').map((local) => `${local}@example.org`)
    const aliases = fc.array(fc.record({ address: name, to: fc.array(name, { maxLength: 4 }) }), { maxLength: 8 })
    await fc.assert(fc.asyncProperty(aliases, fc.array(name, { maxLength: 2 }), name, async (all, catchAll, asked) => {
      const directory = await directoryOf(
        { domains: [{ name: 'example.org', catchAll }], aliases: all, accounts: [{ id: 'd@example.org' }] },
        'c@example.org',
      )
      const found = shown(await directory.resolve(at(asked)))
      if (typeof found !== 'string') expect(new Set(found.map((one) => one.split(' ')[0])).size).toBe(found.length)
    }), { numRuns: 300 })
  })

  it('passes on what went wrong with the records', async () => {
    const records = await recordsOf(filling)
    await records.close?.()
    const directory = accountDirectory({ records, passwords: new FakePasswords() })
    await expect(directory.resolve(at('alice@example.org'))).rejects.toMatchObject({ code: 'closed' })
  })
})
