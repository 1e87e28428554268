import { itemsOf, plainText, stringOf, wireText } from './imap-items.ts'
import {
  appendOf,
  fetchAll,
  type ImapContractOptions,
  type ImapStand,
  mailOf,
  playing,
  statusOf,
  subjectsOf,
} from './imap-stand.ts'
import type { Talk } from './imap-talk.ts'

/** Names that no file system, no database and no pattern likes. */
const oddNames = [
  'gr\u00fc\u00dfe', '\u65e5\u672c\u8a9e', '\u{1f4ec}', '.', '..', '.hidden', 'cur', 'new', 'tmp', 'con', 'a.b', 'a&b', '&', '&-',
  '~', "it's", '"quoted"', 'back\\slash', 'c:', 'a|b', '$HOME', '%41', "'; DROP TABLE mailboxes; --", '__proto__', 'null',
  'trailing ', ' leading', 'x'.repeat(200), '\u00fc'.repeat(60), 'abc', 'Abc', 'INBOX.a',
]

/** The names in a listing with their attributes, by name, as text. */
async function listed(talk: Talk, command: string): Promise<Map<string, string[]>> {
  const { lines } = await talk.ok(command, 'mailboxes')
  return new Map(lines.filter((line) => /^\* (LIST|LSUB) /.test(line)).map((line) => {
    const [, , attributes, , name] = itemsOf(line) as ['*', 'LIST', string[], string, string]
    return [plainText(name), attributes]
  }))
}

async function names(talk: Talk): Promise<string[]> {
  return [...(await listed(talk, 'LIST "" *')).keys()].sort()
}

/** CREATE, LIST, RENAME, DELETE, STATUS. */
export function mailboxLife(options: ImapContractOptions): void {
  const it = playing(options, 'mailbox life')

  it('lists what was created, however deep, with the names above it', async (stand) => {
    const talk = await stand.client()
    await talk.ok('CREATE a/b/c/d/e/f/g/h', 'create')
    await talk.ok('CREATE a/b/x', 'create')
    await talk.refused('CREATE a/b/c', 'ALREADYEXISTS', 'mailboxes')
    const deep = ['a', 'a/b', 'a/b/c', 'a/b/c/d', 'a/b/c/d/e', 'a/b/c/d/e/f', 'a/b/c/d/e/f/g', 'a/b/c/d/e/f/g/h', 'a/b/x']
    stand.same(await names(talk), deep, 'LIST "" *', 'mailboxes', 'create')
    stand.same([...(await listed(talk, 'LIST "" a/b/%')).keys()].sort(), ['a/b/c', 'a/b/x'], 'LIST "" a/b/%', 'mailboxes')
    await stand.mailbox()
    stand.same((await names(talk))[0], 'INBOX', 'LIST tells of INBOX', 'mailboxes')
  })

  it('keeps every name as it was given', async (stand) => {
    const talk = await stand.client({ enable: 'UTF8=ACCEPT' })
    const mails = oddNames.map((_, at) => mailOf('x'.repeat(at + 1)))
    for (const [at, name] of oddNames.entries()) {
      await talk.ok(`CREATE ${stringOf(wireText(name))}`, 'create')
      await talk.ok(appendOf(wireText(name), mails[at]!), 'create', 'mailboxes', 'append')
    }
    // Below each other too, eight at a time.
    const deep = oddNames.flatMap((_, at) => (at % 8 ? [] : [oddNames.slice(at, at + 8)]))
    for (const path of deep) await talk.ok(`CREATE ${stringOf(wireText(['below', ...path].join('/')))}`, 'create')
    const below = deep.flatMap((path) => path.map((_, at) => ['below', ...path.slice(0, at + 1)].join('/')))
    stand.same(await names(talk), [...oddNames, 'below', ...below].sort(), 'LIST "" *', 'create', 'mailboxes')
    // By its size each message tells whose it is.
    const { lines } = await talk.ok('LIST "" % RETURN (STATUS (SIZE))', 'mailboxes')
    const sizes = lines.filter((line) => line.startsWith('* STATUS')).map((line) => {
      const [, , name, [, size]] = itemsOf(line) as [string, string, string, [string, string]]
      return [plainText(name), Number(size)] as const
    })
    for (const [at, name] of oddNames.entries()) {
      stand.same(new Map(sizes).get(name), mails[at]!.length, `STATUS (SIZE) of ${name}`, 'create', 'append', 'mailboxes')
    }
    const gone = oddNames.filter((_, at) => at % 4 === 0)
    for (const name of gone) await talk.ok(`DELETE ${stringOf(wireText(name))}`, 'remove')
    const left = [...oddNames.filter((name) => !gone.includes(name)), 'below', ...below].sort()
    stand.same(await names(talk), left, 'LIST after DELETE', 'remove', 'mailboxes')
  })

  it('renames a mailbox with all that is in it and below it', async (stand) => {
    const talk = await stand.client()
    for (const path of ['a/b', 'a/b/c', 'ab', 'z']) await talk.ok(`CREATE ${path}`, 'create')
    for (const subject of ['one', 'two']) await talk.ok(appendOf('a/b', mailOf(subject), '(\\Flagged $Kept)'), 'append')
    await talk.ok(appendOf('a/b/c', mailOf('three')), 'append')
    const reader = await stand.client({ select: 'a/b' })
    const before = await fetchAll(reader, 'FLAGS INTERNALDATE RFC822.SIZE', 'entries')
    await talk.ok('RENAME a/b new/deep/b', 'rename')
    const after = ['a', 'ab', 'new', 'new/deep', 'new/deep/b', 'new/deep/b/c', 'z']
    stand.same(await names(talk), after, 'LIST after RENAME', 'rename')
    await talk.refused('SELECT a/b', 'NONEXISTENT', 'rename')
    await talk.ok('SELECT new/deep/b', 'rename')
    stand.same(await fetchAll(talk, 'FLAGS INTERNALDATE RFC822.SIZE', 'entries'), before, 'messages after RENAME', 'rename')
    stand.same((await subjectsOf(talk)).map(([, one]) => one), ['one', 'two'], 'messages after RENAME', 'rename')
    await talk.ok('SELECT new/deep/b/c', 'rename')
    stand.same((await subjectsOf(talk)).map(([, one]) => one), ['three'], 'messages below after RENAME', 'rename')
    // Who has it selected notices nothing.
    await talk.ok(appendOf('new/deep/b', mailOf('four')), 'append')
    const { lines } = await reader.ok('NOOP', 'changes', 'rename')
    stand.sure(lines.includes('* 3 EXISTS'), 'A session that had the mailbox selected lost it by RENAME', 'rename', 'changes')
    await talk.refused('RENAME z new/deep/b', 'ALREADYEXISTS', 'mailboxes')
  })

  it('deletes a mailbox with its messages, and none of those below it', async (stand) => {
    const talk = await stand.client()
    await talk.ok('CREATE a/b', 'create')
    await talk.ok(appendOf('a', mailOf('gone')), 'append')
    await talk.ok(appendOf('a/b', mailOf('kept')), 'append')
    const [{ uidValidity }, other] = [await stand.mailbox('a'), await stand.client({ select: 'a' })]
    await talk.ok('DELETE a', 'remove')
    const left = await listed(talk, 'LIST "" *')
    stand.same([...left.keys()].sort(), ['a', 'a/b'], 'LIST after DELETE', 'remove')
    stand.sure(left.get('a')!.includes('\\Noselect'), 'A mailbox that was deleted can be selected', 'remove', 'mailboxes')
    await talk.ok('SELECT a/b', 'remove')
    stand.same((await subjectsOf(talk)).map(([, one]) => one), ['kept'], 'messages below after DELETE', 'remove')
    await talk.ok('CREATE a', 'create')
    const status = await statusOf(talk, 'a', 'MESSAGES UIDVALIDITY')
    stand.same(status.get('MESSAGES'), 0, 'messages in a mailbox that was created again', 'remove', 'create')
    // RFC 9051 §2.3.1.1: what a client keeps of the old one must not pass for the new one.
    stand.sure(status.get('UIDVALIDITY')! > uidValidity, 'UIDVALIDITY did not grow with DELETE and CREATE', 'create')
    const ended = await other.send('NOOP').then(() => other.closed, () => true)
    stand.sure(ended, 'A session goes on in a mailbox that was deleted', 'remove', 'changes')
  })

  it('empties INBOX into another mailbox when INBOX is renamed', async (stand) => {
    await stand.mailbox()
    await stand.mailbox('INBOX/below')
    for (const subject of ['one', 'two', 'three']) await stand.deliver(mailOf(subject), 'INBOX', ['\\Answered', '$K'])
    const talk = await stand.client()
    await talk.ok('RENAME inbox Old/2026', 'create', 'copy', 'move', 'expunge')
    stand.same(await names(talk), ['INBOX', 'INBOX/below', 'Old', 'Old/2026'], 'LIST after RENAME INBOX', 'create')
    await talk.ok('SELECT Old/2026', 'entries')
    stand.same((await subjectsOf(talk)).map(([, one]) => one), ['one', 'two', 'three'], 'what was in INBOX', 'copy', 'move')
    const status = await statusOf(talk, 'INBOX', 'MESSAGES UNSEEN')
    stand.same([...status.values()], [0, 0], 'MESSAGES and UNSEEN of INBOX after RENAME', 'move', 'expunge')
  })

  it('has one mailbox for each special use', async (stand) => {
    const talk = await stand.client()
    await talk.ok('CREATE Out (USE (\\Sent))', 'create')
    await talk.refused('CREATE Out2 (USE (\\Sent))', 'USEATTR', 'mailboxes', 'create')
    await talk.ok('RENAME Out Gone/Out', 'rename')
    const found = await listed(talk, 'LIST (SPECIAL-USE) "" *')
    stand.same([...found.keys()], ['Gone/Out'], 'LIST (SPECIAL-USE)', 'mailboxes', 'rename')
  })

  it('counts in STATUS what is there', counted)
}

async function counted(stand: ImapStand): Promise<void> {
  const talk = await stand.client()
  await talk.ok('CREATE a', 'create')
  const flags = ['', '(\\Seen)', '(\\Deleted)', '(\\Seen \\Deleted)', '(\\Seen)']
  const mails = flags.map((_, at) => mailOf('x'.repeat(at * 100)))
  for (const [at, given] of flags.entries()) await talk.ok(appendOf('a', mails[at]!, given), 'append')
  const what = 'MESSAGES UNSEEN DELETED SIZE UIDNEXT'
  const size = mails.reduce((sum, mail) => sum + mail.length, 0)
  const first = await statusOf(talk, 'a', what)
  const { uidNext } = await stand.mailbox('a')
  const numbers = (status: Map<string, number>): number[] => [...status.values()]
  stand.same(numbers(first), [5, 2, 2, size, uidNext], `STATUS (${what})`, 'mailboxes', 'append')
  await talk.ok('SELECT a', 'entries')
  await talk.ok('UID EXPUNGE 1:*', 'expunge')
  const left = size - mails[2]!.length - mails[3]!.length
  const second = await statusOf(talk, 'a', what)
  stand.same(numbers(second), [3, 1, 0, left, uidNext], `STATUS (${what}) after EXPUNGE`, 'mailboxes', 'expunge')
  await talk.ok('STORE 1:* +FLAGS.SILENT (\\Seen)', 'flag')
  await talk.ok('STORE 2 +FLAGS.SILENT (\\Deleted)', 'flag')
  const third = await statusOf(talk, 'a', what)
  stand.same(numbers(third), [3, 0, 1, left, uidNext], `STATUS (${what}) after STORE`, 'mailboxes', 'flag')
}

/** SUBSCRIBE, UNSUBSCRIBE, LSUB. */
export function subscriptions(options: ImapContractOptions): void {
  const it = playing(options, 'subscriptions', 'subscribe', 'subscriptions')

  it('remembers what was subscribed to, also when it is gone', async (stand) => {
    const talk = await stand.client()
    for (const path of ['a/b', 'c', 'gr&APw-n']) await talk.ok(`CREATE ${path}`, 'create')
    for (const path of ['a/b', 'c', 'gr&APw-n']) await talk.ok(`SUBSCRIBE ${path}`, 'subscribe')
    const subscribed = async (): Promise<string[]> => [...(await listed(talk, 'LIST (SUBSCRIBED) "" *')).keys()].sort()
    stand.same(await subscribed(), ['a/b', 'c', 'gr&APw-n'], 'LIST (SUBSCRIBED)', 'subscriptions', 'subscribe')
    await talk.ok('UNSUBSCRIBE c', 'subscribe')
    await talk.ok('DELETE a/b', 'remove')
    // RFC 9051 §6.3.7: a subscription outlives its mailbox.
    stand.same(await subscribed(), ['a/b', 'gr&APw-n'], 'LIST (SUBSCRIBED) after DELETE', 'subscriptions', 'subscribe', 'remove')
    stand.same([...(await listed(talk, 'LSUB "" *')).keys()].sort(), ['a/b', 'gr&APw-n'], 'LSUB', 'subscriptions')
  })
}
