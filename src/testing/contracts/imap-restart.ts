import { print } from '../../adapters/node/print.ts'
import { fetchedOf, flagsOf, vanishedOf } from './imap-items.ts'
import { appendOf, fetchAll, type ImapContractOptions, ImapStand, mailOf, played, statusOf, subjectsOf } from './imap-stand.ts'

/** What clients find when the server comes back. */
export function restarts(options: ImapContractOptions): void {
  const { it, open, skipped = print } = options
  it('goes on after a restart as if nothing had been', async () => {
    const opened = await open()
    const why = opened.store.traits.durability === 'none' ? 'durability is none' : !opened.reopen && 'there is no reopen'
    if (why) return skipped(`imapContract: after a restart (${why})`)
    await played(new ImapStand(opened, options), goOn)
  })
}

async function goOn(stand: ImapStand): Promise<void> {
  await stand.mailbox()
  await stand.mailbox('a/b')
  const talk = await stand.client({ enable: 'QRESYNC', select: 'INBOX' })
  for (let i = 0; i < 6; i++) await talk.ok(appendOf('INBOX', mailOf(`m${i}`), '($K \\Flagged)'), 'append')
  await talk.ok('STORE 2 +FLAGS.SILENT (\\Seen)', 'flag')
  await talk.ok('COPY 1:2 a/b', 'copy')
  const away = await statusOf(talk, 'INBOX', 'UIDVALIDITY HIGHESTMODSEQ')
  const known = (await fetchAll(talk, 'FLAGS', 'entries')).map(({ uid }) => uid)
  await talk.ok('STORE 6 +FLAGS.SILENT (\\Deleted)', 'flag')
  await talk.ok('STORE 3 +FLAGS.SILENT (\\Answered)', 'flag')
  await talk.ok('EXPUNGE', 'expunge')
  const before = await statusOf(talk, 'INBOX', 'MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ')

  stand.restart(await stand.reopen!())
  const back = await stand.client({ enable: 'QRESYNC' })
  const after = await statusOf(back, 'INBOX', 'MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ')
  stand.same([...after], [...before], 'STATUS after a restart', 'mailboxes')
  const resume = `SELECT INBOX (QRESYNC (${away.get('UIDVALIDITY')} ${away.get('HIGHESTMODSEQ')} ${known[0]}:${known[5]}))`
  const answer = await back.ok(resume, 'changes', 'entries')
  const vanished = vanishedOf(answer).filter((uid) => known.includes(uid))
  stand.same(vanished, [known[5]], 'VANISHED after a restart', 'changes')
  const changed = fetchedOf(answer).map((one) => [one.uid, flagsOf(one)])
  stand.same(changed, [[known[2], ['$K', '\\Answered', '\\Flagged']]], 'changes that are told after a restart', 'entries')
  stand.same((await subjectsOf(back)).map(([, one]) => one), ['m0', 'm1', 'm2', 'm3', 'm4'], 'messages after a restart', 'body')
  const { code } = await back.ok(appendOf('INBOX', mailOf('new')), 'append')
  stand.sure(Number(code.split(' ')[2]) > known[5]!, 'A UID was given again after a restart', 'append')
  const there = (await subjectsOf(await stand.client({ select: 'a/b' }))).map(([, subject]) => subject)
  stand.same(there, ['m0', 'm1'], 'copies after a restart', 'copy', 'body')
}
