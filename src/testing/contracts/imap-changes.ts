import { type SeededRandom, seededRandom } from '../random.ts'
import { fetchedOf, flagsOf, modSeqOf, searchedOf, vanishedOf } from './imap-items.ts'
import { appendOf, fetchAll, type ImapContractOptions, type ImapStand, mailOf, playing, statusOf } from './imap-stand.ts'
import type { Talk } from './imap-talk.ts'

async function modSeqs(talk: Talk): Promise<Map<number, number>> {
  return new Map((await fetchAll(talk, 'MODSEQ', 'entries')).map((one) => [one.uid, modSeqOf(one)]))
}

async function highest(talk: Talk): Promise<number> {
  return (await statusOf(talk, 'INBOX', 'HIGHESTMODSEQ')).get('HIGHESTMODSEQ')!
}

/** CONDSTORE (RFC 7162 §3.1). */
export function modSequences(options: ImapContractOptions): void {
  const it = playing(options, 'CONDSTORE')

  it('grows with every change, whatever is changed', async (stand) => {
    await stand.deliver(mailOf('first'))
    const talk = await stand.client({ select: 'INBOX (CONDSTORE)' })
    const grows = async (command: string, ...blamed: ('append' | 'flag' | 'expunge' | 'copy')[]): Promise<void> => {
      const before = await highest(talk)
      await talk.ok(command, ...blamed)
      const after = await highest(talk)
      stand.sure(after > before, `HIGHESTMODSEQ stayed ${after} with ${command.slice(0, 40)}`, ...blamed, 'mailboxes')
      const most = Math.max(0, ...(await modSeqs(talk)).values())
      stand.sure(most <= after, `A message has MODSEQ ${most} above HIGHESTMODSEQ ${after}`, ...blamed, 'entries')
    }
    for (let i = 0; i < 3; i++) await grows(appendOf('INBOX', mailOf(`m${i}`)), 'append')
    await grows('STORE 2 +FLAGS.SILENT (\\Flagged)', 'flag')
    await grows('STORE 2 -FLAGS.SILENT (\\Flagged)', 'flag')
    await grows('COPY 1 INBOX', 'copy')
    await grows('STORE 1 +FLAGS.SILENT (\\Deleted)', 'flag')
    await grows('EXPUNGE', 'expunge')
  })

  it('tells those that changed after a mod-sequence, and no others', async (stand) => {
    for (let i = 0; i < 6; i++) await stand.deliver(mailOf(`m${i}`))
    const talk = await stand.client({ select: 'INBOX (CONDSTORE)' })
    const before = await highest(talk)
    const known = await modSeqs(talk)
    await talk.ok('STORE 2,5 +FLAGS.SILENT ($K)', 'flag')
    const late = await stand.deliver(mailOf('late'))
    await talk.ok('NOOP')
    const uids = [...known.keys()]
    const told = fetchedOf(await talk.ok(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${before})`, 'entries'))
    stand.same(told.map(({ uid }) => uid), [uids[1], uids[4], late], `UIDs CHANGEDSINCE ${before}`, 'entries', 'flag')
    const after = await modSeqs(talk)
    for (const one of told) stand.same(modSeqOf(one), after.get(one.uid), `MODSEQ of UID ${one.uid}`, 'entries', 'flag')
    for (const at of [0, 2, 3, 5]) stand.same(after.get(uids[at]!), known.get(uids[at]!), 'MODSEQ of one left alone', 'flag')
    const found = searchedOf(await talk.ok(`UID SEARCH MODSEQ ${before + 1}`, 'entries'))
    stand.same(found, [uids[1], uids[4], late], `SEARCH MODSEQ ${before + 1}`, 'entries')
  })

  it('changes with UNCHANGEDSINCE only what nobody has changed', async (stand) => {
    for (let i = 0; i < 5; i++) await stand.deliver(mailOf(`m${i}`))
    const [talk, other] = [await stand.client({ select: 'INBOX (CONDSTORE)' }), await stand.client({ select: 'INBOX' })]
    const since = await highest(talk)
    await other.ok('STORE 2,4 +FLAGS.SILENT ($Theirs)', 'flag')
    const answer = await talk.ok(`STORE 1:5 (UNCHANGEDSINCE ${since}) +FLAGS.SILENT ($Mine)`, 'flag')
    stand.same(answer.code, 'MODIFIED 2,4', 'the code of STORE UNCHANGEDSINCE', 'flag')
    const flags = (await fetchAll(talk, 'FLAGS', 'entries')).map(flagsOf)
    const expected = [['$Mine'], ['$Theirs'], ['$Mine'], ['$Theirs'], ['$Mine']]
    stand.same(flags, expected, 'flags after STORE UNCHANGEDSINCE', 'flag')
    const none = await talk.ok('STORE 1:5 (UNCHANGEDSINCE 0) +FLAGS.SILENT ($Never)', 'flag')
    stand.same(none.code, 'MODIFIED 1:5', 'the code of STORE UNCHANGEDSINCE 0', 'flag')
  })

  it('lets one of many win who change a message unless others did', async (stand) => {
    await stand.deliver(mailOf('contested'))
    const talks = await Promise.all(Array.from({ length: 5 }, () => stand.client({ select: 'INBOX (CONDSTORE)' })))
    const since = await highest(talks[0]!)
    const command = (who: number): string => `STORE 1 (UNCHANGEDSINCE ${since}) +FLAGS.SILENT (mine${who})`
    const answers = await Promise.all(talks.map((talk, who) => talk.ok(command(who), 'flag')))
    stand.same(answers.filter(({ code }) => code === '').length, 1, 'sessions whose STORE UNCHANGEDSINCE came first', 'flag')
    stand.same(flagsOf((await fetchAll(talks[0]!, 'FLAGS'))[0]!).length, 1, 'keywords that were set', 'flag')
  })
}

/** What a client keeps of a mailbox while it is away. */
class Memory {
  flags = new Map<number, string>()
  modSeq = 0
  uidValidity = 0

  /** Learns what is said to one who comes back, and throws where it is not what has happened. */
  learn(stand: ImapStand, lines: readonly string[], truth: ReadonlyMap<number, string>): void {
    for (const uid of vanishedOf({ lines })) {
      stand.sure(!truth.has(uid), `VANISHED tells of UID ${uid}, which is there: the client deletes it`, 'changes', 'entries')
      this.flags.delete(uid)
    }
    for (const one of fetchedOf({ lines })) {
      stand.sure(truth.has(one.uid), `FETCH tells of UID ${one.uid}, which is gone`, 'entries')
      this.flags.set(one.uid, flagsOf(one).join(' '))
    }
    const kept = [...this.flags.keys()].filter((uid) => !truth.has(uid))
    stand.same(kept, [], 'UIDs of which VANISHED does not tell', 'changes')
    stand.same([...this.flags].sort(([a], [b]) => a - b), [...truth], 'messages of one who came back', 'changes', 'entries')
    for (const line of lines) {
      this.modSeq = Number(/ OK \[HIGHESTMODSEQ (\d+)\]/.exec(line)?.[1] ?? this.modSeq)
      this.uidValidity = Number(/ OK \[UIDVALIDITY (\d+)\]/.exec(line)?.[1] ?? this.uidValidity)
    }
  }
}

async function truthIn(talk: Talk): Promise<Map<number, string>> {
  await talk.ok('NOOP')
  return new Map((await fetchAll(talk, 'FLAGS', 'entries')).map((one) => [one.uid, flagsOf(one).join(' ')]))
}

/** Something that happens in a mailbox while a client is away. */
async function happen(stand: ImapStand, talk: Talk, random: SeededRandom, uids: readonly number[]): Promise<void> {
  const some = (): string => {
    const from = uids[random.below(uids.length)] ?? 1
    return `${from}:${from + random.below(3)}`
  }
  const flag = ['\\Seen', '\\Flagged', '$K', '\\Deleted'][random.below(4)]!
  const acts = [
    () => stand.deliver(mailOf('new')),
    () => talk.ok(appendOf('INBOX', mailOf('new'), `(${flag})`), 'append'),
    () => talk.ok(`UID STORE ${some()} +FLAGS.SILENT (${flag})`, 'flag'),
    () => talk.ok(`UID STORE ${some()} -FLAGS.SILENT (${flag})`, 'flag'),
    () => talk.ok('EXPUNGE', 'expunge'),
    () => talk.ok(`UID COPY ${some()} INBOX`, 'copy'),
    async () => {
      const gone = some()
      await talk.ok(`UID STORE ${gone} +FLAGS.SILENT (\\Deleted)`, 'flag')
      await talk.ok(`UID EXPUNGE ${gone}`, 'expunge')
    },
  ]
  await acts[random.below(acts.length)]!()
}

/** QRESYNC (RFC 7162 §3.2). */
export function resynchronisation(options: ImapContractOptions): void {
  const it = playing(options, 'QRESYNC')

  for (const seed of [1, 2]) {
    it(`tells one who comes back exactly what has happened (seed ${seed})`, async (stand) => {
      const random = seededRandom(seed)
      for (let i = 0; i < 8; i++) await stand.deliver(mailOf(`m${i}`))
      const here = await stand.client({ select: 'INBOX' })
      const memory = new Memory()
      for (let round = 0; round < 12; round++) {
        const truth = await truthIn(here)
        const back = await stand.client({ enable: 'QRESYNC' })
        const known = [...memory.flags.keys()]
        const uids = random.below(2) === 0 && known.length > 0 ? ` ${known[0]}:${known.at(-1)}` : ''
        const resumes = memory.modSeq > 0
        const resume = ` (QRESYNC (${memory.uidValidity} ${memory.modSeq}${uids}))`
        const { lines } = await back.ok(`SELECT INBOX${resumes ? resume : ''}`, 'changes', 'entries')
        // Of UIDs that it does not name it hears nothing: those are new, and it asks for them.
        const first = resumes && uids !== '' ? `${known.at(-1)! + 1}:*` : '1:*'
        const rest = resumes && uids === '' ? [] : (await back.ok(`UID FETCH ${first} (FLAGS)`)).lines
        memory.learn(stand, [...lines, ...rest], truth)
        back.vanish()
        for (let i = random.below(6); i > 0; i--) await happen(stand, here, random, [...truth.keys()])
      }
    })
  }

  it('names in VANISHED what is gone of the UIDs that were asked for', async (stand) => {
    const uids: number[] = []
    for (let i = 0; i < 6; i++) uids.push(await stand.deliver(mailOf(`m${i}`), 'INBOX', i % 2 ? ['\\Deleted'] : []))
    const talk = await stand.client({ enable: 'QRESYNC', select: 'INBOX' })
    const before = await highest(talk)
    await talk.ok('EXPUNGE', 'expunge')
    const answer = await talk.ok(`UID FETCH ${uids[0]}:${uids[4]} (FLAGS) (CHANGEDSINCE ${before} VANISHED)`, 'changes')
    // Others than these may be named: UIDs that were given to no message.
    const vanished = vanishedOf(answer).filter((uid) => uids.includes(uid))
    stand.same(vanished, [uids[1], uids[3]], 'VANISHED (EARLIER)', 'changes', 'expunge')
    stand.same(fetchedOf(answer), [], 'messages that have not changed', 'entries')
  })

  it('tells one who is there of each change once', async (stand) => {
    const uids: number[] = []
    for (let i = 0; i < 4; i++) uids.push(await stand.deliver(mailOf(`m${i}`)))
    const talk = await stand.client({ enable: 'QRESYNC', select: 'INBOX' })
    const other = await stand.client({ select: 'INBOX' })
    await other.ok('STORE 2 +FLAGS.SILENT (\\Deleted $K)', 'flag')
    await other.ok('STORE 3 +FLAGS.SILENT ($K)', 'flag')
    await other.ok('EXPUNGE', 'expunge')
    await stand.deliver(mailOf('late'))
    const { lines } = await talk.ok('NOOP', 'changes')
    // What it learns of the mailbox as a whole is not the store's to tell.
    const told = lines.filter((line) => !/^\* (FLAGS|OK|\d+ RECENT)/.test(line))
    const shape = told.map((line) => line.replace(/ MODSEQ \(\d+\)|\\Recent /g, ''))
    const expected = [`* VANISHED ${uids[1]}`, '* 4 EXISTS', `* 2 FETCH (UID ${uids[2]} FLAGS ($K))`]
    stand.same(shape, expected, 'what NOOP tells', 'changes')
    stand.same((await talk.ok('NOOP', 'changes')).lines, [], 'what a second NOOP tells', 'changes')
  })
}
