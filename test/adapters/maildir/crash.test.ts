import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Entry } from '../../../src/contracts/store.ts'
import { crashing, openFaulty, prepared } from './crashing.ts'
import { faultyDisk, removeLocks } from './faulty.ts'
import { memoryFolder, openMail } from './folders.ts'
import { entriesOf, mail, only } from './mail.ts'

// Every call has its turn in test/interop/maildir-crash.test.ts.
crashing(9)

describe('UIDs and mod-sequences', () => {
  it('that somebody has seen are never given to another, whatever crashes', async () => {
    const path = memoryFolder()
    const { inbox } = await prepared(path)
    const seen = new Map<number, string>()
    let highest = 0
    const note = (entries: readonly Pick<Entry, 'uid' | 'id' | 'modSeq'>[]): void => {
      for (const { uid, id, modSeq } of entries) {
        expect(seen.get(uid) ?? id).toBe(id)
        seen.set(uid, id)
        highest = Math.max(highest, modSeq)
      }
    }
    for (let at = 1; at < 40; at++) {
      const store = openFaulty(path, faultyDisk(at, at % 2 === 0 ? 'torn' : 'dies').disk)
      const appends = [1, 2, 3].map((number) => store.append(inbox, mail(`${at} ${number}`)).then((stored) => [stored], () => []))
      note((await Promise.all(appends)).flat())
      await store.flag(inbox, only(2), { kind: at % 4 < 2 ? 'add' : 'remove', flags: ['\\Seen'] }).catch(() => undefined)
      removeLocks(path)
      const { store: next } = openMail({ path })
      const before = highest
      note(await entriesOf(next, inbox))
      const { changed } = await next.flag(inbox, only(1), { kind: at % 2 === 0 ? 'add' : 'remove', flags: ['x'] })
      if (changed[0]) expect(changed[0].modSeq).toBeGreaterThan(before)
    }
    const files = ['new', 'cur'].flatMap((folder) => readdirSync(join(path, 'alice', folder)))
    expect(files.length).toBe((await entriesOf(openMail({ path }).store, inbox)).length)
    expect(statSync(join(path, 'alice/posthorn-log')).size).toBeGreaterThan(0)
  })
})
