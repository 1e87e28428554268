import { describe, expect, it } from 'vitest'
import { ImapStage } from '../../../src/testing/imap-stage.ts'

const BODY = 100_000
const MESSAGES = 50

/** A mailbox of large messages, a client that has it open, and how often bodies were asked for. */
async function large() {
  const stage = new ImapStage()
  for (let at = 0; at < MESSAGES; at++) {
    await stage.deliver('INBOX', `Subject: ${at}\r\n\r\n${`${'x'.repeat(98)}\r\n`.repeat(BODY / 100)}`)
  }
  let read = 0
  const { body } = stage.store
  stage.store.body = (id) => {
    read++
    return body.call(stage.store, id)
  }
  const client = stage.connect()
  client.send('a LOGIN alice secret\r\nb SELECT INBOX\r\n')
  await stage.settle()
  client.take()
  return { stage, client, reads: () => read }
}

describe('I64 back-pressure', () => {
  it('I64 reads no body from the store that the client has no room for, and all of them once it has', async () => {
    const { stage, client, reads } = await large()
    client.deaf(true)
    client.send('c FETCH 1:* BODY.PEEK[]\r\n')
    for (let turns = 0; turns < 50; turns++) await stage.settle()
    expect(reads()).toBeLessThanOrEqual(3)
    client.deaf(false)
    let heard = ''
    for (let turns = 0; turns < 300 && !heard.includes('c OK'); turns++) {
      await stage.settle()
      heard += client.take()
    }
    expect(reads()).toBe(MESSAGES)
    expect(heard.endsWith(')\r\nc OK Fetched\r\n')).toBe(true)
    expect(heard.match(/\* \d+ FETCH \(BODY\[\] \{\d+\}\r\n/g)).toHaveLength(MESSAGES)
    expect(heard.length).toBeGreaterThan(MESSAGES * BODY)
  })

  it('I64 another session is served meanwhile', async () => {
    const { stage, client } = await large()
    client.deaf(true)
    client.send('c FETCH 1:* BODY.PEEK[]\r\n')
    await stage.settle()
    const other = stage.connect()
    other.send('a LOGIN alice secret\r\nb SELECT INBOX\r\nc STORE 1 +FLAGS.SILENT (\\Deleted)\r\nd EXPUNGE\r\n')
    await stage.settle()
    expect(other.take()).toMatch(/\* 1 EXPUNGE\r\nd OK /)
  })

  it('I64 a client that never reads is given up', async () => {
    const { stage, client } = await large()
    client.deaf(true)
    client.send('c FETCH 1:* BODY.PEEK[]\r\n')
    await stage.settle()
    await stage.settle(29 * 60_000)
    expect(stage.events.at(-1)).not.toMatchObject({ kind: 'closed' })
    await stage.settle(10 * 60_000)
    expect(stage.events.at(-1)).toMatchObject({ kind: 'closed' })
  })
})

describe('I65 heavy commands', () => {
  it('I65 a search ends with the connection it was for', async () => {
    const { stage, client, reads } = await large()
    client.send('c SEARCH HEADER Subject nowhere\r\n')
    client.reset()
    await stage.settle()
    const before = reads()
    await stage.settle(60_000)
    expect(reads()).toBe(before)
    expect(before).toBeLessThan(MESSAGES)
    expect(stage.events.at(-1)).toMatchObject({ kind: 'closed' })
  })
})
