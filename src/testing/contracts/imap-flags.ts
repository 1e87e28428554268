import { fetchedOf, flagsOf } from './imap-items.ts'
import { fetchAll, type ImapContractOptions, type ImapStand, mailOf, playing, statusOf } from './imap-stand.ts'
import type { Talk } from './imap-talk.ts'

/** The flags of all messages, in order. */
async function flagsIn(talk: Talk): Promise<string[][]> {
  return (await fetchAll(talk, 'FLAGS', 'entries')).map(flagsOf)
}

async function filled(stand: ImapStand, ...flags: (readonly string[])[]): Promise<void> {
  for (const [at, its] of flags.entries()) await stand.deliver(mailOf(`m${at}`), 'INBOX', its)
}

/** STORE, from several sessions. */
export function flags(options: ImapContractOptions): void {
  const it = playing(options, 'flags')

  it('adds, removes and replaces, of those that were named', async (stand) => {
    await filled(stand, [], ['\\Seen'], ['\\Seen', '$K'], ['$K'])
    const talk = await stand.client({ select: 'INBOX' })
    await talk.ok('STORE 1:2 +FLAGS (\\Flagged $K)', 'flag')
    const added = [['$K', '\\Flagged'], ['$K', '\\Flagged', '\\Seen'], ['$K', '\\Seen'], ['$K']]
    stand.same(await flagsIn(talk), added, 'flags after +FLAGS', 'flag', 'entries')
    await talk.ok('STORE 2:4 -FLAGS ($k \\SEEN)', 'flag')
    stand.same(await flagsIn(talk), [['$K', '\\Flagged'], ['\\Flagged'], [], []], 'flags after -FLAGS', 'flag', 'entries')
    await talk.ok('STORE 1,3 FLAGS (\\Answered \\Draft)', 'flag')
    const replaced = [['\\Answered', '\\Draft'], ['\\Flagged'], ['\\Answered', '\\Draft'], []]
    stand.same(await flagsIn(talk), replaced, 'flags after FLAGS', 'flag', 'entries')
    await talk.ok('STORE 1:* FLAGS ()', 'flag')
    stand.same(await flagsIn(talk), [[], [], [], []], 'flags after FLAGS ()', 'flag', 'entries')
  })

  it('answers STORE with the flags as they are, and tells other sessions', async (stand) => {
    await filled(stand, [], ['\\Answered'], ['\\Flagged'])
    const [one, other] = [await stand.client({ select: 'INBOX' }), await stand.client({ select: 'INBOX' })]
    const told = fetchedOf(await one.ok('STORE 1:2 +FLAGS (\\Flagged)', 'flag'))
    stand.same(told.map(flagsOf), [['\\Flagged'], ['\\Answered', '\\Flagged']], 'flags in the answer to STORE', 'flag')
    const heard = fetchedOf(await other.ok('NOOP', 'changes'))
    const expected = [[1, ['\\Flagged']], [2, ['\\Answered', '\\Flagged']]]
    stand.same(heard.map((line) => [line.sequence, flagsOf(line)]), expected, 'what another session hears', 'changes', 'flag')
    await one.ok('STORE 1:* +FLAGS (\\Flagged)', 'flag')
    stand.same((await other.ok('NOOP', 'changes')).lines, [], 'what it hears where nothing has changed', 'flag', 'changes')
  })

  it('keeps as many keywords as there are, as they were spelt', async (stand) => {
    await filled(stand, [])
    const talk = await stand.client({ select: 'INBOX' })
    const keywords = ['$Junk', 'NonJunk', '$MDNSent', 'Label1', 'caf&AOk-', 'a.b', 'x-y_z', '__proto__', 'constructor',
      ...Array.from({ length: 40 }, (_, i) => `key${i}`)].sort()
    for (const keyword of keywords) await talk.ok(`STORE 1 +FLAGS.SILENT (${keyword})`, 'flag')
    stand.same(await flagsIn(talk), [keywords], 'keywords', 'flag', 'entries')
    const { lines } = await (await stand.client()).ok('SELECT INBOX', 'entries')
    const known = lines.find((line) => line.startsWith('* FLAGS')) ?? ''
    for (const keyword of keywords) stand.sure(known.includes(keyword), `SELECT does not tell of ${keyword}`, 'entries')
  })

  it('marks a message as seen that is read', async (stand) => {
    await filled(stand, [], [], ['\\Seen'])
    const talk = await stand.client({ select: 'INBOX' })
    await talk.ok('FETCH 1:2 (BODY.PEEK[] FLAGS)', 'body')
    stand.same((await statusOf(talk, 'INBOX', 'UNSEEN')).get('UNSEEN'), 2, 'UNSEEN after BODY.PEEK[]', 'mailboxes')
    await talk.ok('FETCH 2 (BODY[])', 'flag', 'body')
    stand.same(await flagsIn(talk), [[], ['\\Seen'], ['\\Seen']], 'flags after BODY[]', 'flag', 'entries')
    stand.same((await statusOf(talk, 'INBOX', 'UNSEEN')).get('UNSEEN'), 1, 'UNSEEN after BODY[]', 'mailboxes', 'flag')
  })

  it('loses none that many set at once', async (stand) => {
    await filled(stand, [], [], [])
    const talks = await Promise.all(Array.from({ length: 5 }, () => stand.client({ select: 'INBOX' })))
    await Promise.all(talks.map(async (talk, who) => {
      for (let i = 0; i < 4; i++) await talk.ok(`STORE 1:3 +FLAGS.SILENT (by${who}x${i})`, 'flag')
    }))
    const all = talks.flatMap((_, who) => [0, 1, 2, 3].map((i) => `by${who}x${i}`)).sort()
    stand.same(await flagsIn(talks[0]!), [all, all, all], 'keywords that five sessions set', 'flag')
  })
}
