import { describe, expect, it } from 'vitest'
import { ImapStage, type StageClient, USER } from '../../../src/testing/imap-stage.ts'

const MAIL = 'Subject: x\r\n\r\ny\r\n'

/** A client of an account with some mailboxes beside INBOX, logged in. */
async function logged(mailboxes: number, stage = new ImapStage()): Promise<{ stage: ImapStage; client: StageClient }> {
  await stage.mailbox('INBOX')
  for (let at = 0; at < mailboxes; at++) await stage.mailbox(`m${at}`)
  const client = stage.connect()
  client.send('a LOGIN alice secret\r\n')
  await stage.settle()
  client.take()
  return { stage, client }
}

async function said(stage: ImapStage, client: StageClient, octets: string): Promise<string> {
  client.send(octets)
  await stage.settle()
  return client.take()
}

/** How often the store was asked for all mailboxes. */
function counted(stage: ImapStage): () => number {
  let asked = 0
  const { mailboxes } = stage.store
  stage.store.mailboxes = (account) => {
    asked++
    return mailboxes.call(stage.store, account)
  }
  return () => asked
}

describe('NOTIFY of a hostile client', () => {
  it('refuses what names too many mailboxes, or too many groups, and leaves what was asked for before', async () => {
    const { stage, client } = await logged(2)
    await said(stage, client, 'a NOTIFY SET (mailboxes m0 (MessageNew MessageExpunge))\r\n')
    const names = Array.from({ length: 5000 }, (_, at) => `m${at}`).join(' ')
    expect(await said(stage, client, `b NOTIFY SET (mailboxes (${names}) (MessageNew MessageExpunge))\r\n`))
      .toBe('b NO [NOTIFICATIONOVERFLOW] Too many mailboxes\r\n')
    const groups = Array.from({ length: 33 }, (_, at) => `(subtree m${at} (MailboxName))`).join(' ')
    expect(await said(stage, client, `c NOTIFY SET ${groups}\r\n`)).toBe('c NO [NOTIFICATIONOVERFLOW] Too many mailboxes\r\n')
    await stage.settle(500)
    await stage.deliver('m0', MAIL)
    await stage.settle(500)
    expect(client.take()).toContain('* STATUS "m0" (MESSAGES 1 ')
  })

  it('refuses an account of more mailboxes than are watched, and gives up one that has come to have more', async () => {
    const { stage, client } = await logged(4990)
    expect(await said(stage, client, 'a NOTIFY SET (personal (MailboxName))\r\n')).toMatch(/^a OK /)
    for (let at = 0; at < 10; at++) await stage.mailbox(`more${at}`)
    // A look at so many may take some milliseconds, and comes less often.
    await stage.settle(4500)
    expect(client.take()).toBe('')
    await stage.settle(500)
    expect(client.take()).toMatch(/\* OK \[NOTIFICATIONOVERFLOW\] [^\r]+\r\n$/)
    await stage.mailbox('another')
    await stage.settle(10_000)
    expect(client.take()).toBe('')
    expect(await said(stage, client, 'b NOTIFY SET (personal (MailboxName))\r\n')).toMatch(/^b NO \[NOTIFICATIONOVERFLOW\] /)
    // It has to be no other command for that.
    expect(await said(stage, client, 'c NOTIFY SET (selected (MessageNew MessageExpunge))\r\n')).toMatch(/^c OK /)
  })

  it('gives up notes that come faster than they can be told', async () => {
    const { stage, client } = await logged(20)
    const other = stage.connect()
    await said(stage, client, 'a NOTIFY SET (personal (MailboxMetadataChange))\r\n')
    other.send('a LOGIN alice secret\r\n')
    for (let at = 0; at < 20; at++) {
      const entries = Array.from({ length: 60 }, (_, entry) => `/private/vendor/x/${entry} "y"`).join(' ')
      other.send(`b SETMETADATA m${at} (${entries})\r\n`)
    }
    await stage.settle(500)
    expect(client.take()).toMatch(/NOTIFICATIONOVERFLOW\]/)
  })

  it('I67 asks the store twice a second at most, however much happens', async () => {
    const { stage, client } = await logged(3)
    await said(stage, client, 'a NOTIFY SET (personal (MessageNew MessageExpunge FlagChange MailboxName))\r\n')
    const asked = counted(stage)
    for (let at = 0; at < 200; at++) {
      await stage.store.create(USER, [`n${at}`])
      await stage.settle(10)
    }
    expect(asked()).toBeLessThanOrEqual(5)
    expect(client.take().match(/\* LIST /g)!.length).toBeGreaterThan(150)
  })

  it('does not ask the store again and again while that fails', async () => {
    const { stage, client } = await logged(1)
    const set = '(selected (MessageNew MessageExpunge)) (personal (MailboxName))'
    await said(stage, client, `a SELECT INBOX\r\nb NOTIFY SET ${set}\r\n`)
    let failed = 0
    const { store } = stage
    const { changes, mailboxes } = store
    store.changes = store.mailboxes = async () => {
      failed++
      throw new Error('no disk')
    }
    await stage.store.subscribe!(USER, ['m0'], true)
    await stage.store.append((await mailboxes.call(store, USER))[0]!.id, await message())
    for (let at = 0; at < 50; at++) await stage.settle(100)
    // Each of the two questions twice a second at most.
    expect(failed).toBeLessThanOrEqual(25)
    Object.assign(store, { changes: changes.bind(store), mailboxes: mailboxes.bind(store) })
    await stage.settle(1500)
    expect(client.take()).toContain('* 1 EXISTS\r\n')
  })

  it('keeps nothing of a flood for a client that does not read, and tells it where it has ended', async () => {
    const { stage, client } = await logged(200)
    await said(stage, client, 'a NOTIFY SET (personal (MessageNew MessageExpunge))\r\n')
    client.deaf(true)
    const mail = await message()
    const asked = counted(stage)
    for (let round = 0; round < 30; round++) {
      for (let at = 0; at < 200; at++) await stage.store.append(String(at + 2), mail)
      await stage.settle(500)
    }
    // Some 60 octets a mailbox a round would be 360 kB. It stops to look once it has said 64 KiB that nobody takes.
    expect(asked()).toBeLessThan(20)
    client.deaf(false)
    await stage.settle(1000)
    const heard = client.take()
    expect(heard.length).toBeLessThan(240_000)
    for (const at of [0, 100, 199]) {
      expect(heard.slice(heard.lastIndexOf(`"m${at}"`))).toMatch(/^"m\d+" \(MESSAGES 30 UIDNEXT 31 /)
    }
  })
})

describe('NOTIFY, and what else there is', () => {
  it('finds what no hint told, in two minutes', async () => {
    const stage = new ImapStage()
    const { store } = stage
    store.watch = store.watchAccount = () => () => undefined
    const { client } = await logged(1, stage)
    const set = '(selected (MessageNew MessageExpunge)) (personal (MessageNew MessageExpunge))'
    await said(stage, client, `a SELECT INBOX\r\nb NOTIFY SET ${set}\r\n`)
    await stage.deliver('INBOX', MAIL)
    await stage.deliver('m0', MAIL)
    await stage.settle(60_000)
    expect(client.take()).toBe('')
    await stage.settle(60_000)
    expect(client.take()).toMatch(/^\* 1 EXISTS\r\n\* 1 RECENT\r\n\* STATUS "m0" \(MESSAGES 1 /)
  })

  it('is no sign of life of the client', async () => {
    const { stage, client } = await logged(1)
    await said(stage, client, 'a NOTIFY SET (personal (MessageNew MessageExpunge))\r\n')
    for (let at = 0; at < 29; at++) {
      await stage.settle(60_000)
      await stage.deliver('m0', MAIL)
    }
    expect(client.closed).toBe(false)
    await stage.settle(60_000)
    expect(client.take()).toMatch(/MESSAGES 29 .*\r\n\* BYE Idle timeout\r\n$/)
  })

  it('costs nothing where it is not asked for, and nothing any more where it has ended', async () => {
    const { stage, client } = await logged(1)
    const { store } = stage
    let watched = 0
    const { watchAccount } = store
    store.watchAccount = (account, told) => {
      watched++
      const end = watchAccount!.call(store, account, told)
      return () => {
        watched--
        end()
      }
    }
    await said(stage, client, 'a SELECT INBOX\r\nb NOTIFY SET (selected (MessageNew MessageExpunge))\r\n')
    expect(watched).toBe(0)
    await said(stage, client, 'c NOTIFY SET (personal (MailboxName))\r\n')
    const other = stage.connect()
    await said(stage, other, 'a LOGIN alice secret\r\nb NOTIFY SET (personal (MailboxName))\r\n')
    expect(watched).toBe(1)
    await said(stage, client, 'd NOTIFY NONE\r\n')
    expect(watched).toBe(1)
    other.reset()
    await stage.settle()
    expect(watched).toBe(0)
    await said(stage, client, 'e NOTIFY SET (personal (MailboxName))\r\nf UNAUTHENTICATE\r\n')
    expect(watched).toBe(0)
    const asked = counted(stage)
    await stage.mailbox('new')
    await stage.settle(1000)
    expect(asked()).toBe(0)
  })

  it('misses nothing that happens while it is asked for', async () => {
    const { stage, client } = await logged(1)
    const { store } = stage
    const { mailboxes } = store
    store.mailboxes = async (account) => {
      const found = await mailboxes.call(store, account)
      store.mailboxes = mailboxes
      await store.append('2', await message())
      return found
    }
    client.send('a NOTIFY SET STATUS (personal (MessageNew MessageExpunge))\r\n')
    await stage.settle(500)
    expect(client.take()).toMatch(/"m0" \(MESSAGES 0 .*\r\na OK .*\r\n\* STATUS "m0" \(MESSAGES 1 /s)
  })

  it('tells renames that change places as names, each of which has other messages now', async () => {
    const { stage, client } = await logged(2)
    await stage.deliver('m0', MAIL)
    await said(stage, client, 'a NOTIFY SET STATUS (personal (MessageNew MessageExpunge MailboxName))\r\n')
    const [, m0, m1] = await stage.store.mailboxes(USER)
    await stage.store.rename(m0!.id, ['z'])
    await stage.store.rename(m1!.id, ['m0'])
    await stage.store.rename(m0!.id, ['m1'])
    await stage.settle(600)
    const heard = client.take()
    expect(heard).toContain('* STATUS "m0" (MESSAGES 0 UIDNEXT 1 ')
    expect(heard).toContain('* STATUS "m1" (MESSAGES 1 UIDNEXT 2 ')
    expect(heard).not.toContain('"z"')
  })

  it('reads nobody\'s messages for them', async () => {
    const { stage, client } = await logged(0)
    await said(stage, client, 'a SELECT INBOX\r\nb NOTIFY SET (selected (MessageNew (UID BODY[TEXT]) MessageExpunge))\r\n')
    await stage.deliver('INBOX', MAIL)
    await stage.settle()
    expect(client.take()).toBe('* 1 EXISTS\r\n* 1 RECENT\r\n* 1 FETCH (UID 1 BODY[TEXT] {3}\r\ny\r\n)\r\n')
    expect(await said(stage, client, 'c FETCH 1 FLAGS\r\n')).toContain('FLAGS (\\Recent)')
  })
})

async function message() {
  const scratch = new ImapStage()
  await scratch.deliver('INBOX', MAIL)
  const [inbox] = await scratch.store.mailboxes(USER)
  for await (const [stored] of scratch.store.list(inbox!.id)) {
    const body = await scratch.store.body(stored!.id)
    return { body: body!, facts: stored!.facts, received: 0 }
  }
  throw new Error('no message')
}
