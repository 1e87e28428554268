import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Body } from '../../../src/contracts/bodies.ts'
import { octetsOf, rejects } from '../../../src/testing/contracts/checks.ts'
import { drivers } from './drivers.ts'
import { freshFolder, openMail } from './folders.ts'
import { faultsIn, listed, numbered } from './mail.ts'
import { watched } from './watched.ts'

/** What is done on the disk, in order; `failing` fails. */
const { done, fault } = vi.hoisted(() => ({ done: [] as string[], fault: { on: '' } }))

vi.mock('node:fs/promises', async (original) => {
  const actual = await original<typeof import('node:fs/promises')>()
  const told = (what: string): void => {
    if (what === fault.on) throw Object.assign(new Error(`ENOSPC: no space left on device, ${what}`), { code: 'ENOSPC' })
    done.push(what)
  }
  const open: typeof actual.open = async (path, ...rest) => {
    const handle = await actual.open(path, ...rest)
    const folder = (await handle.stat()).isDirectory()
    return new Proxy(handle, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        return async (...args: unknown[]): Promise<unknown> => {
          if (name === 'write' || name === 'sync' || name === 'datasync') told(`${name} ${folder ? 'folder' : 'file'}`)
          return Reflect.apply(member as (...all: unknown[]) => unknown, target, args)
        }
      },
    })
  }
  return {
    ...actual,
    open,
    rename: async (from: string, to: string) => {
      told('rename')
      return actual.rename(from, to)
    },
    link: async (from: string, to: string) => {
      told('link')
      return actual.link(from, to)
    },
  }
})

afterEach(() => {
  fault.on = ''
})

const threshold = 4096

/** A body that is a file outside the store. */
function bodyIn(path: string, size: number): Body {
  return { ...numbered(1, size, true).body, file: path }
}

describe.each(drivers)('a closed database of %s', (_name, driver) => {
  it('is one file that has it all', async () => {
    const { store, path, close } = openMail({ driver })
    const { id } = await store.create('alice', ['INBOX'])
    await Promise.all(Array.from({ length: 50 }, (_, at) => store.append(id, numbered(at, 1000))))
    // A reader that came and went, as `posthorn mail` does.
    await openMail({ driver, path, readonly: true }).close()
    await close()
    const copy = join(freshFolder(), 'copy.db')
    copyFileSync(path, copy)
    const copied = openMail({ driver, path: copy })
    expect((await copied.store.mailboxes('alice'))[0]).toMatchObject({ id, uidNext: 51 })
    expect(await listed(copied.store, id)).toHaveLength(50)
  })
})

describe.each(drivers)('many bodies at once with %s', (_name, driver) => {
  it('become files where rows would hold the loop up', async () => {
    const { store, path, close } = openMail({ driver, bodyThreshold: 1024 * 1024 })
    const { id } = await store.create('alice', ['INBOX'])
    const message = Array.from({ length: 10 }, (_, at) => numbered(at, 1_000_000, at % 2 === 0))
    // The same message for several is written once.
    const all = [message[0]!, message[0]!, ...message, message[9]!, numbered(10, 300_000), numbered(11, 80_000)]
    await store.appendAll?.(all.map((one) => ({ mailbox: id, message: one })))
    expect(readdirSync(`${path}-bodies`)).toHaveLength(2)
    for (const stored of await listed(store, id)) {
      const body = (await store.body(stored.id)) as Body
      expect((await octetsOf(body)).length).toBe(body.size)
    }
    await close()
    expect(faultsIn(driver, path)).toEqual([])
  })
})

describe.each(drivers)('large bodies with %s', (_name, driver) => {
  function opened(path?: string): ReturnType<typeof openMail> & { files: () => string[] } {
    const telling = watched(driver, (sql) => {
      if (/^(INSERT INTO messages|COMMIT)/.test(sql)) done.push(sql.split(' (')[0] as string)
    })
    const mail = openMail({
      driver: telling,
      bodyThreshold: threshold,
      ...(path !== undefined && { path }),
    })
    return { ...mail, files: () => readdirSync(`${mail.path}-bodies`) }
  }

  it('are rows up to the threshold, files above, and only this user reads them', async () => {
    const { store, files, path } = opened()
    const { id } = await store.create('alice', ['INBOX'])
    await store.append(id, numbered(1, threshold))
    expect(files()).toEqual([])
    const { id: message } = await store.append(id, numbered(2, threshold + 1))
    expect(files().length).toBe(1)
    const file = (await store.body(message))?.file as string
    expect(file).toBe(join(`${path}-bodies`, files()[0] as string))
    expect([...readFileSync(file)]).toEqual([...(numbered(2, threshold + 1).body.bytes as Uint8Array)])
    for (const one of [file, path, `${path}-wal`]) expect(statSync(one).mode & 0o777).toBe(0o600)
    expect(statSync(`${path}-bodies`).mode & 0o777).toBe(0o700)
  })

  it('are flushed, file and name, before their row is written', async () => {
    const { store } = opened()
    const { id } = await store.create('alice', ['INBOX'])
    done.length = 0
    await store.append(id, numbered(1, 100_000))
    expect(done).toEqual(['write file', 'datasync file', 'rename', 'sync folder', 'INSERT INTO messages', 'COMMIT'])
  })

  it('are written once for many', async () => {
    const { store, files } = opened()
    const boxes = await Promise.all(['a', 'b', 'c'].map((account) => store.create(account, ['INBOX'])))
    const message = numbered(1, 100_000, true)
    done.length = 0
    await Promise.all(boxes.map(({ id }) => store.append(id, message)))
    await store.append(boxes[0]?.id as string, message)
    expect(done.filter((what) => what === 'write file').length).toBe(1)
    expect(files().length).toBe(1)
  })

  it.each(['write file', 'datasync file', 'rename', 'sync folder'])('leave nothing behind when it fails: %s', async (what) => {
    const { store, files, path, close } = opened()
    const { id } = await store.create('alice', ['INBOX'])
    fault.on = what
    await rejects(store.append(id, numbered(1, 100_000)), 'temporary')
    fault.on = ''
    expect(files()).toEqual([])
    const stored = await store.append(id, numbered(2, 100_000))
    expect(await listed(store, id)).toEqual([stored])
    await close()
    expect(faultsIn(driver, path)).toEqual([])
  })

  it('keep their files when many others are appended meanwhile', async () => {
    const { store, files } = opened()
    const boxes = await Promise.all(['alice', 'bob'].map((account) => store.create(account, ['INBOX'])))
    // More than are remembered to be the same, each to two.
    const messages = Array.from({ length: 60 }, (_, at) => numbered(at, 50_000))
    const stored = await Promise.all(messages.flatMap((message) => boxes.map(({ id }) => store.append(id, message))))
    for (const { id } of stored) expect((await octetsOf((await store.body(id)) as Body)).length).toBe(50_000)
    expect(files().length).toBe(new Set(stored.map(({ id }) => id)).size)
  })

  it('leave nothing behind when there is no mailbox for them', async () => {
    const { store, files } = opened()
    const message = numbered(1, 100_000)
    await rejects(Promise.all([store.append('7', message), store.append('8', message)]), 'permanent')
    await rejects(store.append('9', message), 'permanent')
    expect(files()).toEqual([])
  })

  it('are swept at the next open when a crash left them without a row; other files stay', async () => {
    const { store, path, close } = opened()
    const { id } = await store.create('alice', ['INBOX'])
    const kept = await store.append(id, numbered(1, 100_000))
    await close()
    const orphans = ['0189aaaa-0000-4000-8000-000000000000', '0189aaaa-0000-4000-8000-000000000001.part']
    for (const name of [...orphans, 'README', '.part', 'x.part']) writeFileSync(join(`${path}-bodies`, name), 'x')
    const again = opened(path)
    expect(again.files().filter((name) => orphans.includes(name))).toEqual([])
    expect(again.files().filter((name) => ['README', '.part', 'x.part'].includes(name)).length).toBe(3)
    expect((await octetsOf((await again.store.body(kept.id)) as Body)).length).toBe(100_000)
  })

  it('that another process swept before their commit fail, temporarily, and are stored at the next try', async () => {
    let sweep = (): void => {}
    const swept = watched(driver, (sql) => void (sql === 'BEGIN IMMEDIATE' && sweep()))
    const mail = openMail({ driver: swept, bodyThreshold: threshold })
    const { id } = await mail.store.create('alice', ['INBOX'])
    sweep = () => {
      const folder = `${mail.path}-bodies`
      for (const name of readdirSync(folder)) unlinkSync(join(folder, name))
    }
    const message = numbered(1, 100_000)
    await rejects(mail.store.append(id, message), 'temporary')
    sweep = () => {}
    const stored = await mail.store.append(id, message)
    expect(await listed(mail.store, id)).toEqual([stored])
  })

  it('that are files already are linked, not copied, and stay when the first name goes', async () => {
    const { store } = opened()
    const { id } = await store.create('alice', ['INBOX'])
    const path = join(freshFolder(), 'incoming')
    const octets = numbered(1, 100_000).body.bytes as Uint8Array
    writeFileSync(path, octets)
    done.length = 0
    const stored = await store.append(id, { ...numbered(1, 0), body: bodyIn(path, 100_000) })
    expect(done.slice(0, 4)).toEqual(['datasync file', 'link', 'rename', 'sync folder'])
    unlinkSync(path)
    expect(Buffer.compare(await octetsOf((await store.body(stored.id)) as Body), octets)).toBe(0)
  })

  it.each(['link', 'datasync file'])('that are files already are copied where it fails: %s', async (what) => {
    const { store } = opened()
    const { id } = await store.create('alice', ['INBOX'])
    const path = join(freshFolder(), 'incoming')
    writeFileSync(path, numbered(1, 100_000).body.bytes as Uint8Array)
    done.length = 0
    fault.on = what
    const appended = store.append(id, { ...numbered(1, 0), body: bodyIn(path, 100_000) })
    if (what === 'link') {
      expect((await octetsOf((await store.body((await appended).id)) as Body)).length).toBe(100_000)
      expect(done).toContain('write file')
    } else {
      await rejects(appended, 'temporary')
    }
  })

  it('that are files of another length, or none at all, are copied', async () => {
    const { store } = opened()
    const { id } = await store.create('alice', ['INBOX'])
    const folder = freshFolder()
    writeFileSync(join(folder, 'short'), 'short')
    mkdirSync(join(folder, 'folder'))
    for (const name of ['short', 'folder', 'missing']) {
      const stored = await store.append(id, { ...numbered(1, 0), body: bodyIn(join(folder, name), 10_000) })
      expect((await octetsOf((await store.body(stored.id)) as Body)).length).toBe(10_000)
    }
  })

  it('say so when their file is gone or cut short', async () => {
    const { store } = opened()
    const { id } = await store.create('alice', ['INBOX'])
    const [gone, short] = await Promise.all([1, 2].map((number) => store.append(id, numbered(number, 100_000))))
    const bodies = await Promise.all([gone, short].map(async (stored) => (await store.body(stored?.id as string)) as Body))
    unlinkSync(bodies[0]?.file as string)
    writeFileSync(bodies[1]?.file as string, 'cut')
    await rejects(octetsOf(bodies[0] as Body), 'permanent')
    await rejects(octetsOf(bodies[1] as Body), 'temporary')
    expect(existsSync(bodies[0]?.file as string)).toBe(false)
  })
})
