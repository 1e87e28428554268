import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeDisk } from '../../../src/adapters/maildir/disk.ts'
import { takeLock } from '../../../src/adapters/maildir/lock.ts'
import { openStore } from '../../../src/adapters/maildir/maildir.ts'
import { freshFolder, memoryFolder, openMail } from './folders.ts'
import { entriesOf, listOf, mail, only, textOf } from './mail.ts'

const options = { disk: nodeDisk, hostname: 'mx.test', patience: 50 }

/** The number of a process that is no more. */
const gone = (): number => spawnSync(process.execPath, ['-e', '']).pid

describe('a lock', () => {
  it('says who has it, and is gone when it is released', async () => {
    const path = join(freshFolder(), 'lock')
    const lock = await takeLock(path, options)
    expect(readFileSync(path, 'latin1')).toBe(`${process.pid}:mx.test`)
    expect(lock.wasStale).toBe(false)
    await lock.release()
    expect(existsSync(path)).toBe(false)
  })

  it('is never there without saying whose it is, whenever its process dies', async () => {
    const path = join(freshFolder(), 'lock')
    const create = async (file: string): Promise<void> => {
      await nodeDisk.create(file, [], false)
      throw new Error('died')
    }
    await expect(takeLock(path, { ...options, disk: { ...nodeDisk, create } })).rejects.toThrow('died')
    expect(existsSync(path)).toBe(false)
    // What it left is nobody's lock, and goes when it is old and a lock is found stale.
    const [left] = readdirSync(dirname(path))
    utimesSync(join(dirname(path), left!), 0, 0)
    writeFileSync(path, `${gone()}:mx.test`)
    const stat = async (file: string) => {
      const found = await nodeDisk.stat(file)
      return found && (file === path ? found : { ...found, ctime: found.mtime })
    }
    await (await takeLock(path, { ...options, disk: { ...nodeDisk, stat } })).release()
    expect(readdirSync(dirname(path))).toEqual([])
  })

  it('is waited for, and not for ever', async () => {
    const path = join(freshFolder(), 'lock')
    const first = await takeLock(path, options)
    await expect(takeLock(path, options)).rejects.toMatchObject({ code: 'temporary' })
    const second = takeLock(path, { ...options, patience: 10_000 })
    await first.release()
    await (await second).release()
  })

  it.each([
    ['of a process that is gone', () => `${gone()}:mx.test`, 0, true],
    ['of another host, not touched for long', () => '1:elsewhere', 200, true],
    ['of another host', () => '1:elsewhere', 0, false],
    ['of a process that is there', () => `${process.ppid}:mx.test`, 0, false],
    ['of this one, taken since it began', () => `${process.pid}:mx.test`, 0, false],
    ['that says nothing', () => '', 0, false],
    ['that says nothing sensible', () => 'x:mx.test', 0, false],
  ])('%s', async (_whose, content, age, isStale) => {
    const path = join(freshFolder(), 'lock')
    writeFileSync(path, content())
    const now = Date.now()
    const stat = async (file: string) => {
      const found = await nodeDisk.stat(file)
      return found && { ...found, mtime: now - age * 1000, ctime: now - age * 1000 }
    }
    const taken = takeLock(path, { ...options, disk: { ...nodeDisk, stat } })
    if (!isStale) await expect(taken).rejects.toMatchObject({ code: 'temporary' })
    else {
      expect((await taken).wasStale).toBe(true)
      await (await taken).release()
    }
  })

  it('left by a process of our number before us is none', async () => {
    const path = join(freshFolder(), 'lock')
    writeFileSync(path, `${process.pid}:mx.test`)
    const before = Date.now() - process.uptime() * 1000 - 10_000
    const stat = async (file: string) => ({ ...(await nodeDisk.stat(file))!, mtime: before, ctime: before })
    await (await takeLock(path, { ...options, disk: { ...nodeDisk, stat } })).release()
  })

  it('is held by one at a time, however many want it', async () => {
    const path = join(freshFolder(), 'lock')
    let inside = 0
    await Promise.all(Array.from({ length: 10 }, async () => {
      const lock = await takeLock(path, { ...options, patience: 20_000 })
      expect(++inside).toBe(1)
      await new Promise((resolve) => setImmediate(resolve))
      inside--
      await lock.release()
    }))
  })

  it('that cannot be had is a temporary error, and nothing was done', async () => {
    const path = memoryFolder()
    const { store } = openMail({ path })
    const { id } = await store.create('a', ['INBOX'])
    writeFileSync(join(path, 'a/posthorn.lock'), '1:elsewhere')
    const other = openStore({ path, hostname: 'mx.test' }, nodeDisk, 20)
    await expect(other.append(id, mail('x'))).rejects.toMatchObject({ code: 'temporary' })
    await expect(other.mailboxes('a')).rejects.toMatchObject({ code: 'temporary' })
    utimesSync(join(path, 'a/posthorn.lock'), 0, 0)
    expect(await entriesOf(store, id)).toEqual([])
  })
})

describe('two stores on one folder', () => {
  it('agree on everything, whoever did it', async () => {
    const path = memoryFolder()
    const [{ store: one }, { store: two }] = [openMail({ path }), openMail({ path })]
    const box = await one.create('a', ['INBOX'])
    expect(await two.create('a', ['INBOX'])).toEqual(box)
    const appends = Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? one : two).append(box.id, mail(`m${index}`)))
    const stored = await Promise.all(appends)
    expect(new Set(stored.map(({ uid }) => uid)).size).toBe(40)
    await Promise.all([
      one.flag(box.id, [{ first: 1, last: 20 }], { kind: 'add', flags: ['\\Seen', 'one'] }),
      two.flag(box.id, [{ first: 11, last: 30 }], { kind: 'add', flags: ['\\Flagged', 'two'] }),
    ])
    expect(await two.expunge(box.id, only(5))).toEqual(only(5))
    const found = await listOf(one, box.id)
    expect(found).toEqual(await listOf(two, box.id))
    expect(found.length).toBe(39)
    expect(await one.changes(box.id, 0)).toEqual(await two.changes(box.id, 0))
    for (const message of found.slice(0, 3)) expect(await textOf(one, message)).toContain(message.facts.envelope.subject)
    await one.rename(box.id, ['Old'])
    expect((await two.append(box.id, mail('after'))).uid).toBe(41)
    expect(await two.mailboxes('a')).toEqual(await one.mailboxes('a'))
    await two.erase('a')
    expect(await one.mailboxes('a')).toEqual([])
    await expect(one.append(box.id, mail('late'))).rejects.toMatchObject({ code: 'permanent' })
  })

  it('hear of each other', async () => {
    const path = memoryFolder()
    const [{ store: one }, { store: two }] = [openMail({ path }), openMail({ path })]
    const { id } = await one.create('a', ['INBOX'])
    const told = new Promise<string>((resolve) => one.watch(resolve))
    await one.mailboxes('a')
    await two.append(id, mail('x'))
    expect(await told).toBe(id)
  })
})
