import { readFileSync } from 'node:fs'
import { ImapFlow } from 'imapflow'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Security } from './clients.ts'
import { holding } from './held.ts'
import { letter, letterWithFile } from './imap-mail.ts'
import { ImapPlace, PASSWORD } from './imap-place.ts'
import { Tap } from './tap.ts'

const held = holding()
let place: ImapPlace

beforeAll(async () => {
  place = await ImapPlace.open(held)
})

/** Somebody's imapflow, logged in; the certificate is verified. */
async function flow(user: string, security: Security = 'plain', more: object = {}): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: 'localhost',
    port: place.port(security),
    secure: security === 'implicit',
    doSTARTTLS: security === 'starttls',
    tls: { ca: readFileSync(place.certificate.files.cert) },
    auth: { user, pass: PASSWORD },
    logger: false,
    ...more,
  })
  held.later(() => client.close())
  await client.connect()
  return client
}

/** Everything in the mailbox that is open. */
async function all(client: ImapFlow, query: Parameters<ImapFlow['fetch']>[1]) {
  const found = []
  for await (const message of client.fetch('1:*', query)) found.push(message)
  return found
}

describe.each(['plain', 'starttls', 'implicit'] as const)('imapflow, %s', (security) => {
  it('works with messages', async () => {
    const user = await place.person(`flow-${security}`)
    const client = await flow(user, security)
    expect(client.secureConnection).toBe(security !== 'plain')
    const mail = [letter('one'), letterWithFile('two'), letter('drei', 'Grüße aus Köln')]
    for (const [at, text] of mail.entries()) {
      const flags = at === 0 ? ['\\Seen', '$Custom'] : []
      const appended = await client.append('INBOX', Buffer.from(text), flags, new Date('2026-11-20T09:00:00Z'))
      expect(appended).toMatchObject({ uid: at + 1 })
    }
    const lock = await client.getMailboxLock('INBOX')
    try {
      expect(client.mailbox).toMatchObject({ exists: 3, uidNext: 4, readOnly: false })
      const messages = await all(client, {
        uid: true, flags: true, envelope: true, bodyStructure: true, source: true, size: true, internalDate: true, threadId: true,
        headers: ['message-id'], bodyParts: ['1', '2', '1.mime'],
      })
      expect(messages.map(({ source }) => source?.toString())).toEqual(mail)
      expect(messages.map(({ size }) => size)).toEqual(mail.map((text) => Buffer.byteLength(text)))
      expect(messages[0]).toMatchObject({ uid: 1, flags: new Set(['\\Seen', '$Custom']), envelope: { subject: 'one' } })
      expect(messages[0]!.envelope!.from).toEqual([{ name: 'Alice Liddell', address: 'alice@example.test' }])
      expect(messages[0]!.internalDate).toEqual(new Date('2026-11-20T09:00:00Z'))
      expect(messages[0]!.headers?.toString()).toBe('Message-ID: <one@example.test>\r\n\r\n')
      expect(messages[1]!.bodyStructure).toMatchObject({ type: 'multipart/mixed', childNodes: [
        { part: '1', type: 'text/plain', size: 21 },
        { part: '2', type: 'application/octet-stream', encoding: 'base64', disposition: 'attachment', size: 12 },
      ] })
      expect(messages[1]!.bodyParts?.get('1')?.toString()).toBe('Down the rabbit hole.')
      const { meta, content } = await client.download('2', '2', { uid: true })
      expect(meta).toMatchObject({ contentType: 'application/octet-stream', filename: 'cake.bin' })
      const pieces: Buffer[] = []
      for await (const piece of content!) pieces.push(piece as Buffer)
      expect(Buffer.concat(pieces).toString()).toBe('Eat me.')
      expect(await client.search({ body: 'rabbit' }, { uid: true })).toEqual([2])
      expect(await client.search({ or: [{ subject: 'one' }, { text: 'köln' }] }, { uid: true })).toEqual([1, 3])
      expect(await client.search({ seen: false, from: 'liddell' }, { uid: true })).toEqual([2, 3])
      expect(await client.messageFlagsAdd('2', ['\\Flagged', 'Later'], { uid: true })).toBe(true)
      expect(await client.messageFlagsRemove({ seen: true }, ['\\Seen'])).toBe(true)
      expect(await client.messageFlagsSet('3', ['\\Answered'], { uid: true })).toBe(true)
      expect((await place.mail(user)).map(({ flags }) => flags)).toEqual([['$Custom'], ['Later', '\\Flagged'], ['\\Answered']])
      const copied = await client.messageCopy('1:2', 'Archive', { uid: true })
      expect(copied).toMatchObject({ destination: 'Archive', uidMap: new Map([[1, 1], [2, 2]]) })
      const moved = await client.messageMove('3', 'Trash', { uid: true })
      expect(moved).toMatchObject({ destination: 'Trash', uidMap: new Map([[3, 1]]) })
      expect(await client.messageDelete('1', { uid: true })).toBe(true)
    } finally {
      lock.release()
    }
    const subjects = async (path: string) =>
      (await place.mail(user, path)).map(({ raw }) => /Subject: (\w+)/.exec(String(raw))?.[1])
    expect(await subjects('INBOX')).toEqual(['two'])
    expect(await subjects('Archive')).toEqual(['one', 'two'])
    expect(await subjects('Trash')).toEqual(['drei'])
    await client.logout()
  })
})

describe('imapflow', () => {
  it('works with mailboxes', async () => {
    const client = await flow(await place.person('boxes'))
    const uses = (await client.list()).map(({ path, specialUse, subscribed }) => [path, specialUse, subscribed])
    expect(uses).toEqual(expect.arrayContaining([
      ['INBOX', '\\Inbox', true], ['Drafts', '\\Drafts', true], ['Sent', '\\Sent', true], ['Trash', '\\Trash', true],
      ['Spam', '\\Junk', true], ['Archive', '\\Archive', true],
    ]))
    expect(await client.mailboxCreate(['Reisen', 'Köln & Bonn'])).toMatchObject({ path: 'Reisen/Köln & Bonn', created: true })
    expect(await client.mailboxCreate('Reisen/Köln & Bonn')).toMatchObject({ created: false })
    await client.append('Reisen/Köln & Bonn', letter('trip'))
    expect(await client.status('Reisen/Köln & Bonn', { messages: true, unseen: true, uidNext: true, highestModseq: true }))
      .toMatchObject({ path: 'Reisen/Köln & Bonn', messages: 1, unseen: 1, uidNext: 2 })
    expect(await client.mailboxRename('Reisen', 'Fahrten')).toMatchObject({ path: 'Reisen', newPath: 'Fahrten' })
    expect(await client.mailboxUnsubscribe('Fahrten/Köln & Bonn')).toBe(true)
    const listed = await client.list({ statusQuery: { messages: true } })
    const renamed = listed.find(({ path }) => path === 'Fahrten/Köln & Bonn')
    expect([renamed?.subscribed ?? false, renamed?.status?.messages]).toEqual([false, 1])
    expect(await client.mailboxSubscribe('Fahrten/Köln & Bonn')).toBe(true)
    expect(await client.mailboxDelete('Fahrten/Köln & Bonn')).toMatchObject({ path: 'Fahrten/Köln & Bonn' })
    expect((await client.list()).map(({ path }) => path)).not.toContain('Fahrten/Köln & Bonn')
    expect(await client.getQuota('INBOX')).toMatchObject({ storage: { usage: expect.any(Number) as number } })
    await client.logout()
  })

  it('hears in IDLE what others do', async () => {
    const user = await place.person('idler')
    const [idler, other] = [await flow(user), await flow(user)]
    await idler.mailboxOpen('INBOX')
    const heard = (kind: 'exists' | 'expunge' | 'flags') => new Promise<Record<string, unknown>>((resolve) =>
      idler.once(kind, (event: unknown) => resolve(event as Record<string, unknown>)))
    const idling = idler.idle()
    const came = heard('exists')
    await other.append('INBOX', letter('news'))
    expect(await came).toMatchObject({ path: 'INBOX', count: 1, prevCount: 0 })
    await other.mailboxOpen('INBOX')
    const flagged = heard('flags')
    await other.messageFlagsAdd('1', ['\\Seen'])
    expect((await flagged)['flags']).toEqual(new Set(['\\Seen']))
    const gone = heard('expunge')
    await other.messageDelete('1')
    expect(await gone).toMatchObject({ path: 'INBOX' })
    await idler.noop()
    await idling
    await Promise.all([idler.logout(), other.logout()])
  })

  it('fetches only what has changed, and what has vanished', async () => {
    const user = await place.person('changes')
    const client = await flow(user, 'plain', { qresync: true })
    for (const subject of ['a', 'b', 'c']) await client.append('INBOX', letter(subject))
    const opened = await client.mailboxOpen('INBOX')
    const since = opened.highestModseq!
    await client.messageFlagsAdd('2', ['\\Flagged'], { uid: true })
    const changed = []
    const fetching = client.fetch('1:*', { uid: true, flags: true }, { changedSince: since })
    for await (const message of fetching) changed.push(message.uid)
    expect(changed).toEqual([2])
    await client.logout()
  })

  it.each([false, true])('compresses, unless it is told not to: %s', async (disableCompression) => {
    const tap = await Tap.before(place.port(), held)
    const client = await flow(await place.person('small'), 'plain', { port: tap.port, disableCompression })
    const mail = letter('small', 'Grüße\r\n'.repeat(10_000))
    await client.append('INBOX', mail)
    await client.mailboxOpen('INBOX')
    expect((await all(client, { source: true })).at(-1)?.source?.toString()).toBe(mail)
    await client.logout()
    if (disableCompression) expect(tap.said.join('')).not.toContain('COMPRESS')
    else tap.compressed()
    expect(tap.heard.length < Buffer.byteLength(mail)).toBe(!disableCompression)
  })

  it('is told why it may not log in', async () => {
    await place.person('wrong')
    await expect(flow('wrong@example.test', 'plain', { auth: { user: 'wrong@example.test', pass: 'no' } }))
      .rejects.toMatchObject({ authenticationFailed: true, serverResponseCode: 'AUTHENTICATIONFAILED' })
  })
})
