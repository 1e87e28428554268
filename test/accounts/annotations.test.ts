import { expect, it } from 'vitest'
import { accountAdmin } from '../../src/accounts/admin.ts'
import { memoryAccounts, memoryKeyValue } from '../../src/adapters/memory/index.ts'
import { Annotations } from '../../src/server/imap/annotations.ts'
import { FakePasswords } from './fakes.ts'

it('leaves no notes of the mailboxes of an account that is removed', async () => {
  const keyValue = memoryKeyValue()
  const now = (): number => 1234
  const notes = new Annotations(keyValue, now)
  const random = (octets: number): Uint8Array => new Uint8Array(octets)
  const admin = accountAdmin({ records: memoryAccounts(), passwords: new FakePasswords(), random, now, keyValue })
  await admin.domains.set({ name: 'example.org' })
  for (const name of ['alice', 'alice+', 'bob']) {
    await admin.create({ id: name, addresses: [`${name}@example.org`] })
    for (const mailbox of ['7', undefined]) await notes.write(name, mailbox, [['/private/comment', name]])
  }
  expect(await admin.remove('alice')).toBe(true)
  const left: string[] = []
  for await (const page of keyValue.list('', now())) left.push(...page.map(([, value]) => value))
  expect(left.map((value) => (JSON.parse(value) as string[][])[0]![1])).toEqual(['alice+', 'alice+', 'bob', 'bob'])
})
