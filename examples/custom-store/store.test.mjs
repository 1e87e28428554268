// The suite that the stores of the package pass, in the test runner that comes with Node.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { mailStoreContract } from 'posthorn/testing'
import { JournalStore } from './store.mjs'

const folder = mkdtempSync(join(tmpdir(), 'custom-store-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let stores = 0

mailStoreContract({
  describe,
  it,
  open: async () => {
    const path = join(folder, `${++stores}.jsonl`)
    return { store: new JournalStore(path), reopen: async () => new JournalStore(path) }
  },
})
