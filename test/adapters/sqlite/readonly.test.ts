import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Body } from '../../../src/contracts/bodies.ts'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { octetsOf, rejects } from '../../../src/testing/contracts/checks.ts'
import { drivers } from './drivers.ts'
import { freshFolder, openMail } from './folders.ts'
import { listed, numbered } from './mail.ts'
import { program, run } from './program.ts'

describe.each(drivers)('readonly with %s', (_name, driver) => {
  it('reads beside a writer, and sees what is committed', async () => {
    const { store, path } = openMail({ driver, bodyThreshold: 4096 })
    const { id } = await store.create('alice', ['INBOX'])
    const first = await store.append(id, numbered(1, 100))
    const reader = openMail({ driver, path, readonly: true })
    expect(await listed(reader.store, id)).toEqual([first])
    const second = await store.append(id, numbered(2, 100_000))
    expect(await reader.store.mailboxes('alice')).toEqual(await store.mailboxes('alice'))
    expect(await listed(reader.store, id)).toEqual([first, second])
    expect((await octetsOf((await reader.store.body(second.id)) as Body)).length).toBe(100_000)
    // A reader that stands still in the middle of a list does not stop the writer.
    for await (const [one] of reader.store.list(id)) {
      expect(one?.uid).toBe(first.uid)
      await Promise.all(Array.from({ length: 300 }, (_, i) => store.append(id, numbered(i, 20_000))))
      break
    }
    await reader.close()
    expect((await listed(store, id)).length).toBe(302)
  })

  it('changes nothing and sweeps nothing', async () => {
    const { store, path, close } = openMail({ driver, bodyThreshold: 4096 })
    const { id } = await store.create('alice', ['INBOX'])
    await store.append(id, numbered(1, 100_000))
    const reader = openMail({ driver, path, readonly: true })
    const before = readdirSync(`${path}-bodies`)
    await rejects(reader.store.append(id, numbered(2, 10)), 'misuse')
    await rejects(reader.store.append(id, numbered(2, 100_000)), 'misuse')
    await rejects(reader.store.create('alice', ['INBOX']), 'misuse')
    expect(readdirSync(`${path}-bodies`)).toEqual(before)
    expect((await listed(reader.store, id)).length).toBe(1)
    await close()
    expect((await listed(reader.store, id)).length).toBe(1)
    await reader.close()
  })

  it('makes nothing where there is nothing', () => {
    const folder = freshFolder()
    const path = join(folder, 'mail.db')
    for (const open of [() => openMail({ driver, path, readonly: true }), () => openMail({ driver, path: ':memory:' })]) {
      try {
        open()
        expect.unreachable()
      } catch (error) {
        expect(isMailError(error) && error.code).toBe('config')
      }
    }
    expect(readdirSync(folder)).toEqual([])
  })
})

it('reads beside another process that writes', async () => {
  const path = join(freshFolder(), 'mail.db')
  const writer = run(program(`
    const { store } = sqlite({ path: process.argv[2] })
    const { id } = await store.create('alice', ['INBOX'])
    const bytes = new Uint8Array(2000)
    for (let i = 0; ; i++) {
      await store.append(id, { body: { size: 2000, bytes }, facts: { octets: 2000 }, received: i })
      if (i === 20) console.log('going')
    }
  `), path)
  await writer.until('going')
  const { store } = openMail({ path, readonly: true })
  const [box] = await store.mailboxes('alice')
  let seen = 0
  for (let i = 0; i < 20; i++) {
    const uids = (await listed(store, box?.id as string)).map(({ uid }) => uid)
    expect(uids).toEqual(uids.map((_, index) => index + 1))
    expect(uids.length).toBeGreaterThanOrEqual(Math.max(seen, 20))
    seen = uids.length
  }
  await writer.kill()
  expect(statSync(path).size).toBeGreaterThan(0)
  expect((await listed(store, box?.id as string)).length).toBeGreaterThanOrEqual(seen)
})
