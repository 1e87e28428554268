import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { maildir } from '../../../src/adapters/maildir/index.ts'
import { sqlite } from '../../../src/adapters/sqlite/index.ts'
import type { MailStore } from '../../../src/contracts/store.ts'
import { indexMessage } from '../../../src/message/indexer.ts'
import { octets } from '../../../src/protocol/bytes/text.ts'
import { ImapStage, USER } from '../../../src/testing/imap-stage.ts'

/** Ways to open the same mail several times. */
const stores: readonly (readonly [string, (folder: string) => MailStore])[] = [
  ['SQLite', (folder) => sqlite({ path: join(folder, 'mail.db') }).store],
  ['Maildir', (folder) => maildir({ path: folder }).store],
]

describe.each(stores)('NOTIFY over %s', (_name, open) => {
  it('tells of what another store does to the same mail', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'posthorn-notify-'))
    const [mine, theirs] = [open(folder), open(folder)]
    onTestFinished(async () => {
      await Promise.all([mine.close?.(), theirs.close?.()])
      rmSync(folder, { recursive: true, force: true })
    })
    const inbox = await theirs.create(USER, ['INBOX'])
    const stage = new ImapStage({ server: { store: mine } })
    const client = stage.connect()
    const events = 'MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange'
    client.send(`a LOGIN alice secret\r\nb NOTIFY SET STATUS (personal (${events}))\r\n`)
    let heard = ''
    const hears = (what: RegExp) => expect.poll(async () => {
      await stage.settle(500)
      heard += client.take()
      return heard
    }, { timeout: 10_000, interval: 50 }).toMatch(what)
    await hears(/\* STATUS "INBOX" \(MESSAGES 0 .*\r\nb OK /)

    const bytes = octets('Subject: x\r\n\r\ny\r\n')
    const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
    const { uid } = await theirs.append(inbox.id, { body, facts: indexMessage(bytes), received: 0 })
    const made = await theirs.create(USER, ['New'])
    await hears(/\* STATUS "INBOX" \(MESSAGES 1 /)
    await hears(/\* LIST \(\\HasNoChildren\) "\/" "New"\r\n/)
    await theirs.flag(inbox.id, [{ first: uid, last: uid }], { kind: 'add', flags: ['\\Seen'] })
    await theirs.rename(made.id, ['Newer'])
    await hears(/\* STATUS "INBOX" \(MESSAGES 1 .* UNSEEN 0/)
    await hears(/\* LIST \(\\HasNoChildren\) "\/" "Newer" \("OLDNAME" \("New"\)\)\r\n/)
    await theirs.subscribe!(USER, ['Newer'], true)
    await hears(/\* LIST \(\\HasNoChildren \\Subscribed\) "\/" "Newer"\r\n/)
    await theirs.remove(made.id)
    await hears(/\* LIST \(\\NonExistent \\HasNoChildren \\Subscribed\) "\/" "Newer"\r\n/)
    client.reset()
  }, 30_000)
})
