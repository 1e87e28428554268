import { expect, it } from 'vitest'
import { memoryStore } from '../../../src/adapters/memory/store.ts'
import { MailError } from '../../../src/protocol/session/errors.ts'
import { Openings } from '../../../src/server/imap/open.ts'
import { storeWith } from '../mail-world.ts'

it('opens a mailbox that cannot be written, as on a full disk: without anything recent', async () => {
  const store = memoryStore({ now: () => 0 })
  const { id } = await store.create('alice', ['INBOX'])
  const failing = (code: 'temporary' | 'permanent'): typeof store =>
    storeWith(store, { claim: async () => Promise.reject(new MailError(code, 'disk full')) })
  expect(await new Openings(failing('temporary')).open('alice', id, false)).toMatchObject({ mailbox: { id }, recent: [] })
  await expect(new Openings(failing('permanent')).open('alice', id, false)).rejects.toMatchObject({ code: 'permanent' })
})
