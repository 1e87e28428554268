import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { sqlite } from '../../src/adapters/sqlite/index.ts'
import { printMail } from '../../src/cli/mail.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { indexMessage } from '../../src/message/indexer.ts'

it('mail --raw shows a whole line for a message whose body cannot be read, and goes on', async () => {
  const data = mkdtempSync(join(tmpdir(), 'posthorn-mail-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  const { store, close } = sqlite({ path: join(data, 'mail.db'), bodyThreshold: 1000 })
  const { id: mailbox } = await store.create('alice@a.test', ['INBOX'])
  for (const octets of [10, 5000, 20]) {
    const bytes = Buffer.from(`Subject: ${octets}\r\n\r\n${'x'.repeat(octets)}`)
    const body = { size: bytes.length, bytes, read: async function* () { yield bytes } }
    await store.append(mailbox, { body, facts: indexMessage(bytes), received: 0, flags: [] } as never)
  }
  await close()
  for (const file of readdirSync(data, { recursive: true, withFileTypes: true })) {
    if (file.isFile() && !file.name.startsWith('mail.db')) rmSync(join(file.parentPath, file.name))
  }
  let out = ''
  await printMail({ data, raw: true }, { outPiece: async (text: string) => ((out += text), true) } as unknown as Terminal)
  type Line = { subject: string; raw: string | null; error?: string }
  const lines = out.trimEnd().split('\n').map((line) => JSON.parse(line) as Line)
  expect(lines.map(({ subject, raw }) => [subject, raw === null])).toEqual([['10', false], ['5000', true], ['20', false]])
  expect(lines[1]!.error).toMatch(/\S/)
})
