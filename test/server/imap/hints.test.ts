import { expect, it } from 'vitest'
import { ImapStage } from '../../../src/testing/imap-stage.ts'

it('finds what no store hints at when it next says that it is still here', async () => {
  const stage = new ImapStage({ without: ['watch', 'watchAccount'] })
  await stage.mailbox('INBOX')
  const client = stage.connect()
  client.send('a LOGIN alice secret\r\nb SELECT INBOX\r\nc IDLE\r\n')
  await stage.settle()
  client.take()
  await stage.deliver('INBOX', 'Subject: x\r\n\r\ny\r\n')
  await stage.settle()
  expect(client.take()).toBe('')
  await stage.settle(120_000)
  expect(client.take()).toBe('* 1 EXISTS\r\n* 1 RECENT\r\n* OK Still here\r\n')
})
