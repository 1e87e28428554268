import { describe, expect, it } from 'vitest'
import { allOf } from '../../../src/testing/contracts/checks.ts'
import { drivers } from './drivers.ts'
import { openMail } from './folders.ts'
import { numbered } from './mail.ts'

describe.each(drivers)('changes with %s', (_name, driver) => {
  it('are all between two mod-sequences, wherever in the mailbox and however many are asked for', async () => {
    const { store, close } = openMail({ driver })
    const { id } = await store.create('alice', ['INBOX'])
    const appended = async (count: number): Promise<void> => {
      await store.appendAll(Array.from({ length: count }, (_, number) => ({ mailbox: id, message: numbered(number, 1) })))
    }
    const flagged = (first: number, last: number) => store.flag(id, [{ first, last }], { kind: 'add', flags: [`f${first}`] })
    await appended(2100)
    await flagged(300, 310)
    await store.expunge(id, [{ first: 50, last: 60 }, { first: 2099, last: 2099 }])
    await appended(2050)
    await flagged(2090, 2110)
    await flagged(1, 1)
    await flagged(4100, 4150)
    await appended(3)
    await flagged(700, 700)
    const modSeq = (await store.mailbox('alice', ['INBOX']))?.modSeq ?? 0
    const entries = (await allOf(store.entries(id))).flat().sort((a, b) => a.modSeq - b.modSeq)
    const sinces = [1, 2, 40, 2000, 2101, 2105, 2112, 2113, 2114, 4160, 4175, 4190, 4230, modSeq - 4, modSeq - 2, modSeq - 1]
    for (const since of sinces) {
      for (const most of [1, 20, 2000, 10_000]) {
        const { changed, modSeq: until, more } = await store.changes(id, since, most)
        expect(changed).toEqual(entries.filter((entry) => entry.modSeq > since && entry.modSeq <= until))
        expect(changed.length).toBeLessThanOrEqual(most)
        expect(until).toBeGreaterThan(since)
        if (!more) expect(until).toBe(modSeq)
      }
    }
    await close()
  })
})
