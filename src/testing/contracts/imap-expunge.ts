import { vanishedOf } from './imap-items.ts'
import { appendOf, type ImapContractOptions, type ImapStand, mailOf, playing, statusOf, subjectsOf } from './imap-stand.ts'
import type { Talk } from './imap-talk.ts'

/** Six messages of which the second, the third and the fifth are to be deleted. */
async function filled(stand: ImapStand): Promise<number[]> {
  const uids: number[] = []
  for (const at of [1, 2, 3, 4, 5, 6]) {
    uids.push(await stand.deliver(mailOf(`m${at}`), 'INBOX', [2, 3, 5].includes(at) ? ['\\Deleted'] : []))
  }
  return uids
}

const subjects = async (talk: Talk): Promise<string[]> => (await subjectsOf(talk)).map(([, subject]) => subject)

/** EXPUNGE, UID EXPUNGE, CLOSE. */
export function expunges(options: ImapContractOptions): void {
  const it = playing(options, 'EXPUNGE')

  it('removes what is marked, and tells every session', async (stand) => {
    await filled(stand)
    const [talk, other] = [await stand.client({ select: 'INBOX' }), await stand.client({ select: 'INBOX' })]
    const { lines } = await talk.ok('EXPUNGE', 'expunge')
    stand.same(replayed(lines), ['m1', 'm4', 'm6'], 'what EXPUNGE tells', 'expunge', 'changes')
    stand.same(await subjects(talk), ['m1', 'm4', 'm6'], 'messages after EXPUNGE', 'expunge')
    stand.same(replayed((await other.ok('NOOP', 'changes')).lines), ['m1', 'm4', 'm6'], 'what another session hears', 'changes')
    stand.same(await subjects(other), ['m1', 'm4', 'm6'], 'messages for another session', 'entries', 'changes')
  })

  it('removes by UID those that are marked and named, no others', async (stand) => {
    const uids = await filled(stand)
    const talk = await stand.client({ select: 'INBOX', enable: 'QRESYNC' })
    const answer = await talk.ok(`UID EXPUNGE ${uids[0]}:${uids[2]},${uids[5]}:${uids[5]! + 100}`, 'expunge')
    stand.same(vanishedOf(answer), uids.slice(1, 3), 'UIDs that VANISHED tells', 'expunge', 'changes')
    stand.same(await subjects(talk), ['m1', 'm4', 'm5', 'm6'], 'messages after UID EXPUNGE', 'expunge')
  })

  it('removes with CLOSE what is marked, and nothing that was opened to be read only', async (stand) => {
    await filled(stand)
    const talk = await stand.client()
    await talk.ok('EXAMINE INBOX')
    await talk.ok('CLOSE')
    stand.same((await statusOf(talk, 'INBOX', 'MESSAGES')).get('MESSAGES'), 6, 'messages after EXAMINE and CLOSE', 'mailboxes')
    await talk.ok('SELECT INBOX')
    await talk.ok('CLOSE', 'expunge')
    stand.same((await statusOf(talk, 'INBOX', 'MESSAGES')).get('MESSAGES'), 3, 'messages after CLOSE', 'expunge', 'mailboxes')
  })

  it('never gives a UID twice', async (stand) => {
    await stand.mailbox()
    const talk = await stand.client({ select: 'INBOX' })
    let highest = 0
    for (let i = 0; i < 4; i++) {
      const { code } = await talk.ok(appendOf('INBOX', mailOf(`m${i}`), '(\\Deleted)'), 'append')
      const uid = Number(code.split(' ')[2])
      stand.sure(uid > highest, `UID ${uid} came after ${highest}`, 'append', 'expunge')
      highest = uid
      await talk.ok('EXPUNGE', 'expunge')
      const next = (await statusOf(talk, 'INBOX', 'UIDNEXT')).get('UIDNEXT')!
      stand.sure(next > highest, `UIDNEXT is ${next} where ${highest} was a UID`, 'mailboxes', 'expunge')
    }
  })

  it('still knows for a session what was removed by another, until the session hears of it', async (stand) => {
    await filled(stand)
    const [talk, other] = [await stand.client({ select: 'INBOX' }), await stand.client({ select: 'INBOX' })]
    await other.ok('EXPUNGE', 'expunge')
    // RFC 9051 §7.5.1: the numbers stay what they are during FETCH. Never another message under the same number.
    const { lines } = await talk.send('FETCH 4 (UID BODY.PEEK[TEXT])')
    stand.sure(!lines.some((line) => line.includes('EXPUNGE')), 'EXPUNGE during FETCH')
    stand.sure(lines.some((line) => line.startsWith('* 4 FETCH') && line.includes('m4')), 'FETCH 4 is another message', 'list')
    await talk.ok('NOOP', 'changes')
    stand.same(await subjects(talk), ['m1', 'm4', 'm6'], 'messages after NOOP', 'changes')
  })
}

/** What a client has left of six messages when it has heard these lines. */
function replayed(lines: readonly string[]): string[] {
  const left = ['m1', 'm2', 'm3', 'm4', 'm5', 'm6']
  for (const line of lines) {
    const found = /^\* (\d+) EXPUNGE$/.exec(line)
    if (found) left.splice(Number(found[1]) - 1, 1)
  }
  return left
}
