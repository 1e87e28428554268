import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountFolder, accountOf, isLongAccount } from '../../../src/adapters/maildir/account-name.ts'
import { compareBases, isMessageName, parseFileName, sizeIn, UniqueNames } from '../../../src/adapters/maildir/file-name.ts'
import { decodeName, encodeName, isDigested, mailboxFolder, pathOfFolder } from '../../../src/adapters/maildir/mailbox-name.ts'

/** Names as hostile as they come. */
const name = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({
    unit: fc.constantFrom('.', '/', '&', '-', '%', '~', '\\', '\u0000', '\ud800', '\udc00', 'A', 'a', '..', 'é'),
    maxLength: 12,
  }),
  fc.constantFrom('..', '.', '', 'cur', 'new', 'tmp', '../../etc/passwd', '%', '%41', '%~', '\ufffd', 'x'.repeat(300)),
  fc.constant('posthorn-1'),
)

const staysIn = (folder: string): void => {
  expect(folder).not.toMatch(/[/\u0000]/)
  expect(resolve(join('/mail', folder, 'cur')).startsWith('/mail/')).toBe(true)
  expect(resolve('/mail', folder)).toBe(folder === '' ? '/mail' : `/mail/${folder}`)
  expect(Buffer.byteLength(folder)).toBeLessThanOrEqual(255)
}

const base = fc.string({ unit: fc.constantFrom('0', '1', '9', 'M', '.', 'Q'), maxLength: 8 })

describe('the order of message names', () => {
  it('is one order, whatever the names', () => {
    fc.assert(fc.property(fc.uniqueArray(base, { maxLength: 12 }), fc.nat(), (names, turn) => {
      const sorted = [...names].sort(compareBases)
      const at = names.length && turn % names.length
      expect([...names.slice(at), ...names.slice(0, at)].reverse().sort(compareBases)).toEqual(sorted)
      for (const [i, x] of sorted.entries()) for (const y of sorted.slice(i + 1)) expect(compareBases(x, y)).toBeLessThan(0)
    }))
  })
})

describe('folders of accounts', () => {
  it.each([
    ['alice@example.org', 'alice@example.org'],
    ['a.b+c_d-e=f@x', 'a.b+c_d-e=f@x'],
    ['Alice', '%41lice'],
    ['', '%'],
    ['..', '%2E.'],
    ['../x', '%2E.%2Fx'],
    ['.hidden', '%2Ehidden'],
    ['a\u0000b', 'a%00b'],
    ['%41', '%2541'],
    ['josé', 'jos%C3%A9'],
    ['\ud83d\udcec', '%F0%9F%93%AC'],
    ['\ud83d', '%uD83D'],
    ['a b/c\\d:', 'a%20b%2Fc%5Cd%3A'],
  ])('%j is %s', (account, folder) => {
    expect(accountFolder(account)).toBe(folder)
    expect(accountOf(folder)).toBe(account)
  })

  it.each(['Alice', '%4', '%61', '%c3%a9', '%C3', '..', '.x', '%uD83D%uDCEC', '%gone-1', '%uidvalidity', 'a/b', '%~1'])(
    '%s is no account\'s',
    (folder) => expect(accountOf(folder)).toBeUndefined(),
  )

  it('never leave the root, and are told apart', () => {
    fc.assert(fc.property(name, name, (one, other) => {
      const folder = accountFolder(one)
      staysIn(folder)
      expect(folder).not.toBe('')
      expect(folder.startsWith('.')).toBe(false)
      if (!isLongAccount(folder)) expect(accountOf(folder)).toBe(one)
      if (one !== other) expect(folder.toLowerCase()).not.toBe(accountFolder(other).toLowerCase())
    }), { numRuns: 1000 })
  })
})

describe('folders of mailboxes', () => {
  it.each<[readonly string[], string]>([
    [['INBOX'], ''],
    [['INBOX', 'a'], '.INBOX.a'],
    [['Archive', '2026'], '.Archive.2026'],
    [['Entwürfe'], '.Entw&APw-rfe'],
    [['a&b'], '.a&-b'],
    [['a.b'], '.a&AC4-b'],
    [['a/b'], '.a&AC8-b'],
    [['..', '.'], '.&AC4ALg-.&AC4-'],
    [['\u0000'], '.&AAA-'],
    [['\ud83d\udcec'], '.&2D3c7A-'],
    [['\ud83d'], '.&2D0-'],
    [['a b~%*'], '.a b~%*'],
    [['台北', '日本語'], '.&U,BTFw-.&ZeVnLIqe-'],
  ])('%j is %s', (path, folder) => {
    expect(mailboxFolder(path)).toBe(folder)
    expect(pathOfFolder(folder)).toEqual(path)
  })

  it.each<[string, readonly string[] | undefined]>([
    ['.', undefined],
    ['..', undefined],
    ['..a', undefined],
    ['.a.', undefined],
    ['.INBOX', undefined],
    ['cur', undefined],
    ['.a\ufffd', undefined],
    ['.Entwürfe', ['Entwürfe']],
    ['.&AGE-', ['&AGE-']],
    ['.a&', ['a&']],
    ['.a&!-', ['a&!-']],
  ])('that others made: %j is %j', (folder, path) => expect(pathOfFolder(folder)).toEqual(path))

  const unsayable = [[''], ['a', ''], ['x'.repeat(300)], ['posthorn-1'], Array.from({ length: 150 }, () => 'd')]
  it.each<[readonly string[]]>(unsayable.map((path) => [path]))(
    'has a digest where it cannot be called %j',
    (path) => {
      expect(mailboxFolder(path)).toMatch(/^\.posthorn-[0-9a-f]{64}$/)
      expect(isDigested(mailboxFolder(path))).toBe(true)
    },
  )

  it('never leave the account, and are told apart', () => {
    const path = fc.array(name, { minLength: 1, maxLength: 4 })
    fc.assert(fc.property(path, path, (one, other) => {
      const folder = mailboxFolder(one)
      staysIn(folder)
      if (!isDigested(folder)) expect(pathOfFolder(folder)).toEqual(one)
      if (JSON.stringify(one) !== JSON.stringify(other)) expect(folder).not.toBe(mailboxFolder(other))
    }), { numRuns: 1000 })
  })

  it('are read whatever they are called', () => {
    fc.assert(fc.property(name, (encoded) => {
      const decoded = decodeName(encoded)
      if (encodeName(decoded) !== encoded) expect(decoded).toBe(encoded)
    }))
  })
})

describe('names of messages', () => {
  it.each([
    ['1.M2P3.h,S=1,W=2:2,FS', '1.M2P3.h,S=1,W=2', 'FS', 1, 2],
    ['1.h:2,', '1.h', '', undefined, undefined],
    ['1.h', '1.h', undefined, undefined, undefined],
    ['1.h:1,x', '1.h', undefined, undefined, undefined],
    ['1.h,S=x', '1.h,S=x', undefined, undefined, undefined],
    ['1.h,S=12345678901234567890', '1.h,S=12345678901234567890', undefined, undefined, undefined],
  ])('%s', (given, base, info, size, crlf) => {
    expect(parseFileName(given)).toEqual({ base, info })
    expect([sizeIn(base, 'S'), sizeIn(base, 'W')]).toEqual([size, crlf])
  })

  it('are those that a line can hold', () => {
    const names = ['1.h', '.x', ':2,S', 'a\nb', 'a\ufffd', 'a b']
    expect(names.map(isMessageName)).toEqual([true, false, false, false, false, true])
  })

  it('are in the order of delivery', () => {
    expect(['10.b', '9.z', '10.a', 'x'].sort(compareBases)).toEqual(['9.z', '10.a', '10.b', 'x'])
    expect(['1.M100000P7.h', '1.M5P7Q10.h', '1.M99999P7.h', '1.M5P7Q9.h'].sort(compareBases))
      .toEqual(['1.M5P7Q9.h', '1.M5P7Q10.h', '1.M99999P7.h', '1.M100000P7.h'])
  })

  it('are never the same, whatever host and hour', () => {
    const names = new UniqueNames('a/b:c,d é')
    const given = [0, 1.5, -1, Number.NaN, 1_700_000_000_123].flatMap((now) => [names.next(now), names.next(now)])
    expect(new Set(given).size).toBe(10)
    expect(given[9]).toMatch(/^1700000000\.M123000P\d+Q10R[0-9a-f]{8}\.a\\057b\\072cd$/)
    expect(given.every(isMessageName)).toBe(true)
  })
})
