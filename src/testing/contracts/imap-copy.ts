import { flagsOf, type ImapAnswer, numbersOf, vanishedOf } from './imap-items.ts'
import { fetchAll, type ImapContractOptions, type ImapStand, mailOf, playing, statusOf, subjectsOf } from './imap-stand.ts'
import type { Talk } from './imap-talk.ts'
import type { StoreMethod } from './imap-witness.ts'

/** Five messages with flags in INBOX, and mailboxes beside it. */
async function filled(stand: ImapStand): Promise<number[]> {
  const uids: number[] = []
  for (const at of [1, 2, 3, 4, 5]) {
    uids.push(await stand.deliver(mailOf(`m${at}`), 'INBOX', at % 2 ? ['\\Seen', '$K'] : ['\\Flagged']))
  }
  await stand.deliver(mailOf('before'), 'to')
  return uids
}

/** UIDs here and there, in pairs, that COPYUID tells; of the lines or of the end. */
function copiedOf({ code, lines }: ImapAnswer): { validity: number; pairs: [number, number][] } {
  const codes = [code, ...lines.map((line) => /^\* OK \[([^\]]*)\]/.exec(line)?.[1] ?? '')]
  const [, validity, from = '', to = ''] = codes.find((one) => one.startsWith('COPYUID'))?.split(' ') ?? []
  const there = numbersOf(to)
  return { validity: Number(validity), pairs: numbersOf(from).map((uid, at) => [uid, there[at]!]) }
}

/** What can be seen of a message without its place. */
async function seen(talk: Talk): Promise<Map<number, unknown[]>> {
  const all = await fetchAll(talk, 'FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY.PEEK[]', 'list', 'body')
  return new Map(all.map((one) => {
    const items = ['INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY[]'].map((name) => one.items.get(name))
    return [one.uid, [flagsOf(one), ...items]]
  }))
}

/** Throws unless each message that went is there, under the UID that was told, as it was here. */
async function arrived(
  stand: ImapStand,
  answer: ImapAnswer,
  before: ReadonlyMap<number, unknown[]>,
  uids: readonly number[],
  by: StoreMethod,
): Promise<void> {
  const { validity, pairs } = copiedOf(answer)
  const { uidValidity } = await stand.mailbox('to')
  stand.same(validity, uidValidity, 'UIDVALIDITY in COPYUID', 'mailboxes')
  stand.same(pairs.map(([from]) => from), uids, 'UIDs here that COPYUID tells', by)
  const there = await seen(await stand.client({ select: 'to' }))
  for (const [from, to] of pairs) stand.same(there.get(to), before.get(from), `message ${from}, ${to} there`, by)
  const expected = [...there.keys()].slice(-uids.length)
  stand.same(pairs.map(([, to]) => to), expected, 'UIDs there, the last of all', by)
}

/** COPY. */
export function copies(options: ImapContractOptions): void {
  const it = playing(options, 'COPY')

  it('copies messages as they are, and tells which became which', async (stand) => {
    const uids = await filled(stand)
    const talk = await stand.client({ select: 'INBOX' })
    const before = await seen(talk)
    const answer = await talk.ok(`UID COPY ${uids[4]},${uids[0]}:${uids[2]} to`, 'copy')
    await arrived(stand, answer, before, [uids[0]!, uids[1]!, uids[2]!, uids[4]!], 'copy')
    stand.same(await seen(talk), before, 'what was copied, here', 'copy')
  })

  it('copies into the same mailbox', async (stand) => {
    const uids = await filled(stand)
    const talk = await stand.client({ select: 'INBOX' })
    const { pairs } = copiedOf(await talk.ok('COPY 1:2 INBOX', 'copy'))
    await talk.ok('NOOP', 'changes')
    const expected = [...uids.map((uid, at) => [uid, `m${at + 1}`]), [pairs[0]![1], 'm1'], [pairs[1]![1], 'm2']]
    stand.same(await subjectsOf(talk), expected, 'messages after COPY 1:2 INBOX', 'copy', 'changes')
  })

  it('copies none that are not there, and nowhere that is not there', async (stand) => {
    const uids = await filled(stand)
    const talk = await stand.client({ select: 'INBOX' })
    await talk.ok(`UID COPY ${uids[4]! + 50}:${uids[4]! + 60} to`, 'copy')
    await talk.refused('COPY 1:* nowhere', 'TRYCREATE', 'mailboxes')
    stand.same((await statusOf(talk, 'to', 'MESSAGES')).get('MESSAGES'), 1, 'messages in the other mailbox', 'copy')
  })

  it('outlives what it was copied from', async (stand) => {
    await filled(stand)
    const talk = await stand.client({ select: 'INBOX' })
    await talk.ok('COPY 1:* to', 'copy')
    await talk.ok('STORE 1:* +FLAGS.SILENT (\\Deleted)', 'flag')
    await talk.ok('EXPUNGE', 'expunge')
    const there = (await subjectsOf(await stand.client({ select: 'to' }), 'expunge')).map(([, subject]) => subject)
    stand.same(there, ['before', 'm1', 'm2', 'm3', 'm4', 'm5'], 'copies after the originals are gone', 'expunge', 'body')
  })
}

/** MOVE (RFC 6851). */
export function moves(options: ImapContractOptions): void {
  const it = playing(options, 'MOVE', 'move')

  it('moves messages as they are, and tells which became which', async (stand) => {
    const uids = await filled(stand)
    const [talk, other] = [
      await stand.client({ select: 'INBOX', enable: 'QRESYNC' }), await stand.client({ select: 'INBOX', enable: 'QRESYNC' }),
    ]
    const before = await seen(talk)
    const answer = await talk.ok('MOVE 2:4 to', 'move')
    const moved = uids.slice(1, 4)
    await arrived(stand, answer, before, moved, 'move')
    stand.same(vanishedOf(answer), moved, 'UIDs that MOVE says have VANISHED', 'move', 'changes')
    stand.same(vanishedOf(await other.ok('NOOP')), moved, 'UIDs that another session hears have VANISHED', 'changes', 'move')
    stand.same((await subjectsOf(talk)).map(([, subject]) => subject), ['m1', 'm5'], 'messages after MOVE', 'move')
  })

  it('has each message in one place when two move it at once', async (stand) => {
    const uids = await filled(stand)
    const talks = await Promise.all([0, 1, 2].map(() => stand.client({ select: 'INBOX' })))
    await Promise.all(talks.map((talk) => talk.ok(`UID MOVE ${uids[0]}:${uids[4]} to`, 'move')))
    const there = (await subjectsOf(await stand.client({ select: 'to' }))).map(([, subject]) => subject)
    stand.same(there.sort(), ['before', 'm1', 'm2', 'm3', 'm4', 'm5'], 'messages after three MOVEs at once', 'move')
    stand.same((await statusOf(talks[0]!, 'INBOX', 'MESSAGES')).get('MESSAGES'), 0, 'messages left', 'move')
  })
}
