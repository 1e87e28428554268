import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, it } from 'vitest'
import { fileBodies } from '../../../src/adapters/node/index.ts'
import { bodyStoreContract } from '../../../src/testing/contracts/body-store.ts'

const made: string[] = []
afterAll(async () => {
  for (const path of made) await rm(path, { recursive: true })
})

describe.each([true, false])('fileBodies (fsync: %s)', (fsync) => {
  bodyStoreContract({
    describe,
    it,
    open: async () => {
      const directory = await mkdtemp(join(tmpdir(), 'posthorn-bodies-'))
      made.push(directory)
      return { store: await fileBodies({ directory, fsync }), reopen: () => fileBodies({ directory, fsync }) }
    },
  })
})
