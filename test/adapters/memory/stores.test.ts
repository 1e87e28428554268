import { describe, expect, it } from 'vitest'
import { memoryBodies, memoryStore } from '../../../src/adapters/memory/index.ts'
import { bodyStoreContract } from '../../../src/testing/contracts/body-store.ts'
import { mailStoreContract } from '../../../src/testing/contracts/mail-store.ts'

const skipped: string[] = []
const runner = { describe, it, skipped: (line: string) => void skipped.push(line) }

describe('memoryStore', () => {
  mailStoreContract({ ...runner, open: async () => ({ store: memoryStore() }) })
})

describe('memoryBodies', () => {
  bodyStoreContract({ ...runner, open: async () => ({ store: memoryBodies() }) })
})

it('skips only what needs a disk', () => {
  expect(skipped).toEqual([
    'mailStoreContract: after a crash (durability is none)',
    'bodyStoreContract: bodies after a crash (durability is none)',
  ])
})
