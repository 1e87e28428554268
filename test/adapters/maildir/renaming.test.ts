import { describe, expect, it } from 'vitest'
import { type Disk, nodeDisk } from '../../../src/adapters/maildir/disk.ts'
import { openStore } from '../../../src/adapters/maildir/maildir.ts'
import { memoryFolder } from './folders.ts'

const PATHS = [['a'], ['a', 'b'], ['a', 'c'], ['a', 'd']]

const storeOn = (path: string, disk: Disk) => openStore({ path }, disk, 10_000)

const pathsIn = async (store: ReturnType<typeof storeOn>): Promise<string[]> =>
  (await store.mailboxes('alice')).map(({ path }) => path.join('/'))

describe('a look at the mailboxes of an account, while they are renamed', () => {
  it('gives all of them where they went away after their names were read', async () => {
    const path = memoryFolder()
    const writer = storeOn(path, nodeDisk)
    const ids = await Promise.all(PATHS.map((name) => writer.create('alice', name)))
    let names = -Infinity
    const disk = {
      ...nodeDisk,
      names: async (dir: string) => {
        const found = await nodeDisk.names(dir)
        if (dir.endsWith('alice') && ++names === 2) await writer.rename(ids[0]!.id, ['z'])
        return found
      },
    }
    const reader = storeOn(path, disk)
    await reader.mailboxes('alice')
    names = 0
    expect(await pathsIn(reader)).toEqual(['z', 'z/b', 'z/c', 'z/d'])
  })

  it('waits where some are renamed and some not yet', async () => {
    const path = memoryFolder()
    const ids = await Promise.all(PATHS.map((name) => storeOn(path, nodeDisk).create('alice', name)))
    const reader = storeOn(path, nodeDisk)
    await reader.mailboxes('alice')
    let seen: Promise<string[]> | undefined
    const halting = {
      ...nodeDisk,
      rename: async (from: string, to: string) => {
        if (from.endsWith('.a.c')) {
          seen = pathsIn(reader)
          // It has looked, or waits until all are renamed.
          await Promise.race([seen, new Promise((resolve) => setTimeout(resolve, 50))])
        }
        await nodeDisk.rename(from, to)
      },
    }
    await storeOn(path, halting).rename(ids[0]!.id, ['z'])
    expect(await seen).toEqual(['z', 'z/b', 'z/c', 'z/d'])
  })
})
