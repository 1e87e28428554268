import { itemsOf } from './imap-items.ts'
import { appendOf, type ImapContractOptions, mailOf, playing, statusOf } from './imap-stand.ts'
import type { Talk } from './imap-talk.ts'

/** What QUOTA tells: used and most, of messages and of kibioctets. */
async function quotaOf(talk: Talk): Promise<Record<string, readonly [number, number]>> {
  const { lines } = await talk.ok('GETQUOTAROOT INBOX', 'usage')
  const words = itemsOf(lines.find((line) => line.startsWith('* QUOTA ')) ?? '').find(Array.isArray) as string[] ?? []
  return Object.fromEntries([0, 3].filter((at) => at < words.length).map((at) => {
    return [words[at]!, [Number(words[at + 1]), Number(words[at + 2])] as const]
  }))
}

/** QUOTA (RFC 9208). */
export function quotas(options: ImapContractOptions): void {
  const it = playing(options, 'QUOTA')

  it('counts what the account has, in all mailboxes', async (stand) => {
    await stand.mailbox()
    await stand.mailbox('a')
    Object.assign(stand.quota, { messages: 100, octets: 1024 * 1024 })
    const talk = await stand.client({ select: 'INBOX' })
    const { overhead } = stand.store.traits
    const mail = mailOf('x'.repeat(1500))
    const used = (messages: number): unknown => {
      const octets = messages * (mail.length + overhead)
      return { STORAGE: [Math.ceil(octets / 1024), 1024], MESSAGE: [messages, 100] }
    }
    stand.same(await quotaOf(talk), used(0), 'QUOTA of nothing', 'usage')
    for (let i = 0; i < 3; i++) await talk.ok(appendOf('INBOX', mail), 'append')
    stand.same(await quotaOf(talk), used(3), 'QUOTA after three APPENDs', 'usage', 'append')
    await talk.ok('COPY 1:2 a', 'copy')
    stand.same(await quotaOf(talk), used(5), 'QUOTA after COPY', 'usage', 'copy')
    await talk.ok('STORE 2 +FLAGS.SILENT (\\Deleted)', 'flag')
    await talk.ok('EXPUNGE', 'expunge')
    stand.same(await quotaOf(talk), used(4), 'QUOTA after EXPUNGE', 'usage', 'expunge')
    await talk.ok('DELETE a', 'remove')
    stand.same(await quotaOf(talk), used(2), 'QUOTA after DELETE', 'usage', 'remove')
  })

  it('refuses what would be too much, and adds nothing of it', async (stand) => {
    await stand.mailbox()
    await stand.mailbox('a')
    const mail = mailOf('y'.repeat(200))
    const each = mail.length + stand.store.traits.overhead
    Object.assign(stand.quota, { octets: 3 * each })
    const talk = await stand.client({ select: 'INBOX' })
    for (let i = 0; i < 2; i++) await talk.ok(appendOf('INBOX', mail), 'append')
    await talk.refused('COPY 1:* a', 'OVERQUOTA', 'copy')
    stand.same((await statusOf(talk, 'a', 'MESSAGES')).get('MESSAGES'), 0, 'messages after a refused COPY', 'copy')
    await talk.ok(appendOf('INBOX', mail), 'append')
    await talk.refused(appendOf('INBOX', mail), 'OVERQUOTA', 'append')
    await talk.refused(appendOf('a', mailOf('small')), 'OVERQUOTA', 'append')
    const counts = [await statusOf(talk, 'INBOX', 'MESSAGES'), await statusOf(talk, 'a', 'MESSAGES')]
    stand.same(counts.map((status) => status.get('MESSAGES')), [3, 0], 'messages after refused APPENDs', 'append')
    await talk.ok('STORE 1 +FLAGS.SILENT (\\Deleted)', 'flag')
    await talk.ok('EXPUNGE', 'expunge')
    await talk.ok('COPY 1 a', 'copy', 'expunge')
    // Who has too much already loses nothing.
    Object.assign(stand.quota, { octets: 1 })
    await talk.refused(appendOf('INBOX', mail), 'OVERQUOTA', 'append')
    await talk.ok('STORE 1 +FLAGS.SILENT (\\Seen)', 'flag')
  })

  it('lets in no more than there is room for when many come at once', async (stand) => {
    await stand.mailbox()
    Object.assign(stand.quota, { messages: 5 })
    const talks = await Promise.all(Array.from({ length: 4 }, () => stand.client()))
    const answers = await Promise.all(talks.flatMap((talk) => [0, 1, 2].map(() => talk.send(appendOf('INBOX', mailOf('z'))))))
    stand.same(answers.filter(({ status }) => status === 'OK').length, 5, 'APPENDs that were let in', 'append')
    const refused = answers.filter(({ status }) => status !== 'OK').map(({ code }) => code)
    stand.same(refused, Array.from({ length: 7 }, () => 'OVERQUOTA'), 'codes of the others', 'append')
    stand.same((await statusOf(talks[0]!, 'INBOX', 'MESSAGES')).get('MESSAGES'), 5, 'messages', 'append', 'mailboxes')
  })
}
