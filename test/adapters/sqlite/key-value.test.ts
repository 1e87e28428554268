import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KeyValue } from '../../../src/contracts/key-value.ts'
import { octetsOf, textOf } from '../../../src/adapters/sqlite/key-value-text.ts'
import { keyValueContract } from '../../../src/testing/contracts/key-value.ts'
import { rejects } from '../../../src/testing/contracts/checks.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { numbered } from './mail.ts'
import { watched } from './watched.ts'

const keeping = { now: 1_800_000_000_000, until: 1_800_000_060_000 }

describe.each(drivers)('the key-value store of sqlite with %s', (_name, driver) => {
  const skipped: string[] = []
  keyValueContract({
    describe,
    it,
    skipped: (line) => void skipped.push(line),
    open: async () => {
      const { keyValue, path } = openMail({ driver })
      return { store: keyValue, reopen: async () => openMail({ driver, path }).keyValue }
    },
  })

  it('skips nothing', () => {
    expect(skipped).toEqual([])
  })

  it('shares flushes with the mail', async () => {
    let commits = 0
    const { store, keyValue } = openMail({ driver: watched(driver, (sql) => void (sql === 'COMMIT' && commits++)) })
    const { id } = await store.create('alice', ['INBOX'])
    commits = 0
    const adding = Array.from({ length: 20 }, () => keyValue.add('a', 1, keeping))
    const setting = [keyValue.set('b', 'x', keeping), keyValue.swap('c', undefined, 'x', keeping)]
    await Promise.all([...adding, ...setting, store.append(id, numbered(1, 100))])
    expect(commits).toBe(1)
  })

  it('sweeps in slices', async () => {
    let commits = 0
    const { keyValue } = openMail({ driver: watched(driver, (sql) => void (sql === 'COMMIT' && commits++)) })
    await Promise.all(Array.from({ length: 1800 }, (_, i) => keyValue.set(`a:${i}`, 'x', keeping)))
    commits = 0
    expect(await keyValue.sweep?.(keeping.until)).toBe(1800)
    expect(commits).toBe(4)
  })

  it('loses what has timed out as new keys come: strangers cannot fill the disk', async () => {
    const { keyValue } = openMail({ driver })
    await Promise.all(Array.from({ length: 300 }, (_, i) => keyValue.add(`a:${i}`, 1, keeping)))
    await keyValue.set('b', 'x', { now: keeping.now })
    const later = { now: keeping.until, until: keeping.until + 1000 }
    await Promise.all(Array.from({ length: 100 }, (_, i) => keyValue.add(`c:${i}`, 1, later)))
    await Promise.all(Array.from({ length: 40 }, (_, i) => keyValue.set(`d:${i}`, 'x', later)))
    expect(await keyValue.sweep?.(later.now)).toBe(300 - 2 * 140)
    expect([await keyValue.get('b', later.now), await keyValue.get('c:0', later.now)]).toEqual(['x', '1'])
  })

  it('answers temporarily where the disk fails, and has changed nothing', async () => {
    let failures = 0
    const failing = watched(driver, (sql) => {
      if (sql !== 'COMMIT' || failures-- <= 0) return
      throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
    })
    const { keyValue } = openMail({ driver: failing })
    await keyValue.add('a', 1, keeping)
    failures = 1
    const [adding, setting] = [keyValue.add('a', 1, keeping), keyValue.set('b', 'x', keeping)]
    await Promise.all([rejects(adding, 'temporary'), rejects(setting, 'temporary')])
    expect([await keyValue.get('a', keeping.now), await keyValue.get('b', keeping.now)]).toEqual(['1', undefined])
    expect(await keyValue.add('a', 1, keeping)).toBe(2)
  })

  it('reads, and writes nothing, where the database is for reading only', async () => {
    const { keyValue, path, close } = openMail({ driver })
    await keyValue.set('a', 'x', keeping)
    await close()
    const only: KeyValue = openMail({ driver, path, readonly: true }).keyValue
    expect(await only.get('a', keeping.now)).toBe('x')
    await rejects(only.set('a', 'y', keeping), 'misuse')
    await rejects(only.add('a', 1, keeping), 'misuse')
  })
})

/** All UTF-16, lone surrogates too. */
const units = fc.array(fc.nat(0xffff)).map((some) => String.fromCharCode(...some))
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), units)

it('writes text so that octets compare as code units, and reads it back', () => {
  fc.assert(fc.property(text, text, (one, other) => {
    const [a, b] = [octetsOf(one), octetsOf(other)]
    expect([textOf(a), textOf(Uint8Array.from(b).buffer)]).toEqual([one, other])
    expect(Math.sign(Buffer.compare(a, b))).toBe(one < other ? -1 : one > other ? 1 : 0)
  }))
})
