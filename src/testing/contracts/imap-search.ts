import { searchedOf, stringOf, wireText } from './imap-items.ts'
import { appendOf, type ImapContractOptions, type ImapStand, playing } from './imap-stand.ts'
import type { Talk } from './imap-talk.ts'

/** Messages by name, with their flags. */
const mails: readonly (readonly [name: string, flags: string, lines: readonly string[]])[] = [
  ['plain', '(\\Seen)', [
    'From: Ann <ann@example.org>', 'Subject: A greeting from Rotterdam', 'Date: Mon, 6 Jan 2025 10:00:00 +0000', '',
    'The harbour lies in the morning fog.', 'A second line.',
  ]],
  ['quoted', '(\\Flagged $K)', [
    'From: Bob <bob@example.org>', 'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=', 'Date: Tue, 7 Jan 2025 10:00:00 +0000',
    'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: quoted-printable', '',
    'Der Bl=C3=BCtenstaub f=', 'liegt.',
  ]],
  ['base64', '', [
    'From: Cat <cat@example.org>', 'To: ann@example.org', 'Subject: re: fog',
    'Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: base64', '',
    'TGUgZ2Hn', 'b24gbWFuZ2UgdW4gYmVpZ25ldC4=',
  ]],
  ['parts', '(\\Seen \\Answered)', [
    'From: Dan <dan@example.org>', 'Subject: nuts', 'Content-Type: multipart/mixed; boundary=b', '',
    '--b', '', 'The first part speaks of walnuts.',
    '--b', 'Content-Type: text/html', '', '<p>The second of <b>hazelnuts</b>.</p>', '--b--',
  ]],
  ['large', '(\\Deleted)', [
    'From: Eve <eve@example.org>', 'Subject: large', '',
    ...Array.from({ length: 4000 }, (_, i) => `line ${i} of the tale`), 'and at the end a periwinkle',
  ]],
  ['empty', '(\\Draft)', ['Subject: nothing', '', '']],
]

/** What is sought, and the messages that are found. */
const questions: readonly (readonly [key: string, names: readonly string[]])[] = [
  ['BODY harbour', ['plain']],
  ['BODY HARBOUR', ['plain']],
  ['BODY "morning fog"', ['plain']],
  ['BODY "a"', ['plain', 'quoted', 'base64', 'parts', 'large']],
  ['BODY arbou', ['plain']],
  ['TEXT Rotterdam', ['plain']],
  ['BODY Rotterdam', []],
  ['TEXT fog', ['plain', 'base64']],
  ['BODY fog', ['plain']],
  [`BODY ${stringOf(wireText('bl\u00fctenstaub'))}`, ['quoted']],
  ['BODY fliegt', ['quoted']],
  [`SUBJECT ${stringOf(wireText('GR\u00dc\u00dfE'))}`, ['quoted']],
  [`TEXT ${stringOf(wireText('ga\u00e7on'))}`, ['base64']],
  ['BODY walnuts', ['parts']],
  ['BODY hazelnuts', ['parts']],
  ['OR BODY walnuts BODY beignet', ['base64', 'parts']],
  ['NOT TEXT e', []],
  ['BODY periwinkle', ['large']],
  ['BODY "line 3999 of"', ['large']],
  ['BODY "line 4000 of"', []],
  ['FROM ann', ['plain']],
  ['TO ann', ['base64']],
  ['HEADER Content-Type multipart', ['parts']],
  ['SENTON 7-Jan-2025', ['quoted']],
  ['LARGER 50000', ['large']],
  ['SMALLER 60', ['empty']],
  ['UNSEEN UNDELETED', ['quoted', 'base64', 'empty']],
  ['KEYWORD $K', ['quoted']],
  ['ANSWERED', ['parts']],
  ['DRAFT', ['empty']],
  ['UNKEYWORD $K SEEN', ['plain', 'parts']],
  ['TEXT nowhere-to-be-found', []],
  ['ALL', ['plain', 'quoted', 'base64', 'parts', 'large', 'empty']],
]

async function filled(stand: ImapStand): Promise<Talk> {
  await stand.mailbox()
  const talk = await stand.client()
  for (const [, flags, lines] of mails) await talk.ok(appendOf('INBOX', `${lines.join('\r\n')}\r\n`, flags), 'append')
  await talk.ok('SELECT INBOX', 'entries')
  return talk
}

const byNumber = (numbers: readonly number[]): string[] => numbers.map((number) => mails[number - 1]?.[0] ?? `message ${number}`)

/** SEARCH. */
export function searches(options: ImapContractOptions): void {
  const it = playing(options, 'SEARCH')

  it('finds what is there', async (stand) => {
    const talk = await filled(stand)
    for (const [key, names] of questions) {
      const found = searchedOf(await talk.ok(`SEARCH CHARSET UTF-8 ${key}`, 'search'))
      stand.same(byNumber(found), names, `SEARCH ${key}`, 'search', 'list', 'body', 'entries')
    }
  })

  it('finds what has come by copying, and not what is gone', async (stand) => {
    const talk = await filled(stand)
    await stand.mailbox('a')
    await talk.ok('COPY 1,5 a', 'copy')
    await talk.ok('STORE 1:* +FLAGS.SILENT (\\Deleted)', 'flag')
    await talk.ok('EXPUNGE', 'expunge')
    stand.same(searchedOf(await talk.ok('SEARCH TEXT e', 'search')), [], 'SEARCH TEXT e where nothing is', 'search', 'expunge')
    const other = await stand.client({ select: 'a' })
    for (const [words, sequence] of [['harbour', 1], ['periwinkle', 2]] as const) {
      const found = searchedOf(await other.ok(`SEARCH BODY ${words}`, 'search'))
      stand.same(found, [sequence], `SEARCH BODY ${words} among copies`, 'search', 'copy', 'body')
    }
  })
}

/** SEARCH by the store's index. */
export function indexedSearches(options: ImapContractOptions): void {
  const it = playing(options, 'SEARCH by the index', 'search')

  it('finds the same with the index as without', async (stand) => {
    const indexed = await filled(stand)
    const plain = await stand.client({ server: stand.server('search'), select: 'INBOX' })
    // Every word of every message, and what lies across two of them.
    const lines = mails.flatMap(([, , all]) => all.slice(0, 60))
    const words = new Set(lines.flatMap((line) => [...line.split(/[^a-z0-9]+/i), line.slice(3, 12)]))
    const sought = [...words].filter((one) => /^[ -~]+$/.test(one) && one.trim() !== '').slice(0, 50)
    for (const word of sought) {
      for (const where of ['BODY', 'TEXT']) {
        const command = `SEARCH ${where} ${stringOf(word)}`
        const [by, without] = [await indexed.ok(command, 'search'), await plain.ok(command, 'body')]
        stand.same(byNumber(searchedOf(by)), byNumber(searchedOf(without)), `${command}, by the index`, 'search')
      }
    }
  })
}
