// The suites that the stores of the package pass, in the test runner that comes with Node.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { imapContract, mailStoreContract } from 'posthorn/testing'
import { JournalStore } from './store.mjs'

const folder = mkdtempSync(join(tmpdir(), 'custom-store-'))
after(() => rmSync(folder, { recursive: true, force: true }))
let stores = 0

const open = async () => {
  const path = join(folder, `${++stores}.jsonl`)
  return { store: new JournalStore(path), reopen: async () => new JournalStore(path) }
}

// Each promise by itself, and what mail clients find who come to the store by IMAP.
describe('the contract', () => mailStoreContract({ describe, it, open }))
describe('by IMAP', () => imapContract({ describe, it, open }))
