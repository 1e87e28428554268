import { numbersOf } from './imap-items.ts'
import { appendOf, type ImapContractOptions, literalOf, mailOf, playing, statusOf, subjectsOf } from './imap-stand.ts'
import type { Talk } from './imap-talk.ts'

const replaceOf = (uid: number, path: string, subject: string, flags = ''): string =>
  `UID REPLACE ${uid} ${path} ${flags === '' ? '' : `(${flags}) `}${literalOf(mailOf(subject))}`

/** The UID that APPENDUID tells before the end. */
async function replaced(talk: Talk, command: string): Promise<number> {
  const { lines } = await talk.ok(command, 'replace')
  const code = lines.map((line) => /^\* OK \[APPENDUID \d+ (\d+)\]/.exec(line)?.[1]).find((uid) => uid !== undefined)
  return numbersOf(code ?? '0')[0]!
}

/** REPLACE (RFC 8508). */
export function replaces(options: ImapContractOptions): void {
  const it = playing(options, 'REPLACE', 'replace')

  it('puts one message in the place of another, here and elsewhere', async (stand) => {
    const uids: number[] = []
    for (const subject of ['m1', 'm2', 'm3']) uids.push(await stand.deliver(mailOf(subject), 'INBOX', ['\\Deleted', '$K']))
    await stand.mailbox('to')
    const talk = await stand.client({ select: 'INBOX' })
    const other = await stand.client({ select: 'INBOX' })
    const uid = await replaced(talk, replaceOf(uids[1]!, 'INBOX', 'new', '\\Draft'))
    const expected = [[uids[0]!, 'm1'], [uids[2]!, 'm3'], [uid, 'new']]
    stand.same(await subjectsOf(talk), expected, 'messages after UID REPLACE', 'replace', 'changes')
    await other.ok('NOOP', 'changes')
    stand.same(await subjectsOf(other), expected, 'messages that another session hears of', 'changes', 'replace')
    await replaced(talk, replaceOf(uids[0]!, 'to', 'sent'))
    stand.same((await subjectsOf(talk)).map(([, subject]) => subject), ['m3', 'new'], 'messages that are left', 'replace')
    const there = await subjectsOf(await stand.client({ select: 'to' }))
    stand.same(there.map(([, subject]) => subject), ['sent'], 'messages in the other mailbox', 'replace')
  })

  it('is done once, whoever asks at once, and for what is there', async (stand) => {
    const uid = await stand.deliver(mailOf('draft'), 'INBOX')
    const talks = await Promise.all([1, 2, 3].map(() => stand.client({ select: 'INBOX' })))
    const answers = await Promise.all(talks.map((talk, at) => talk.send(replaceOf(uid, 'INBOX', `r${at}`))))
    const ends = answers.map(({ status }) => status).sort()
    stand.same(ends, ['NO', 'NO', 'OK'], 'what became of three REPLACEs of one message', 'replace')
    stand.same((await statusOf(talks[0]!, 'INBOX', 'MESSAGES')).get('MESSAGES'), 1, 'messages', 'replace')
  })

  it('needs room for no more than the one has beyond the other', async (stand) => {
    await stand.mailbox()
    const mail = mailOf('one')
    const talk = await stand.client({ select: 'INBOX' })
    const uid = numbersOf((await talk.ok(appendOf('INBOX', mail), 'append')).code.split(' ')[2]!)[0]!
    Object.assign(stand.quota, { messages: 1, octets: mail.length + stand.store.traits.overhead })
    await talk.refused(appendOf('INBOX', mail), 'OVERQUOTA', 'append')
    await talk.refused(replaceOf(uid, 'INBOX', 'longer'), 'OVERQUOTA', 'replace')
    await replaced(talk, replaceOf(uid, 'INBOX', 'two'))
    stand.same((await subjectsOf(talk)).map(([, subject]) => subject), ['two'], 'messages', 'replace')
  })
}
