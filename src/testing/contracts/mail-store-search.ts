import { indexMessage } from '../../message/indexer.ts'
import { equal, holds } from './checks.ts'
import { inbox, isIn, type MailStoreContractOptions, message, needing, setOf, wellFormed } from './sample-mail.ts'

/** Messages by what is in them, each with words of its own. */
const mails: readonly (readonly [string, readonly string[]])[] = [
  ['plain', ['Subject: A greeting from Rotterdam', '', 'The harbour lies in the morning fog.']],
  ['quoted', [
    'Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=', 'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable', '', 'Der Bl=C3=BCtenstaub f=', 'liegt.',
  ]],
  ['base64', [
    'Content-Type: text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: base64', '',
    'TGUgZ2Hn', 'b24gbWFuZ2UgdW4gYmVpZ25ldC4=',
  ]],
  ['parts', [
    'Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'The first part speaks of walnuts.', '--b',
    'Content-Type: text/html', '', '<p>The second of <b>hazelnuts</b>.</p>', '--b--',
  ]],
  ['empty', ['Subject: nothing', '', '']],
]

/** Words, where they are sought, and the messages that have them. */
const questions: readonly (readonly [string, 'body' | 'text', readonly string[]])[] = [
  ['harbour', 'body', ['plain']],
  ['HARBOUR', 'body', ['plain']],
  ['morning fog', 'body', ['plain']],
  ['arbou', 'body', ['plain']],
  ['Rotterdam', 'text', ['plain']],
  ['rotterdam', 'text', ['plain']],
  ['fog', 'text', ['plain']],
  ['bl\u00fctenstaub', 'body', ['quoted']],
  ['fliegt', 'body', ['quoted']],
  ['gr\u00fc\u00dfe', 'text', ['quoted']],
  ['ga\u00e7on', 'body', ['base64']],
  ['beignet', 'text', ['base64']],
  ['walnuts', 'body', ['parts']],
  ['hazelnuts', 'body', ['parts']],
]

/** What `search` finds. */
export function searching(options: MailStoreContractOptions): void {
  const it = needing(options, 'search', 'search')

  it('misses none that has the words', async (store) => {
    const { id } = await inbox(store)
    const uids = new Map<string, number>()
    for (const [name, lines] of mails) {
      const bytes = new TextEncoder().encode(`From: a@example.org\r\n${lines.join('\r\n')}\r\n`)
      uids.set(name, (await store.append(id, message(bytes, { facts: indexMessage(bytes) }))).uid)
    }
    let told = 0
    for (const [words, where, names] of questions) {
      const found = await store.search(id, words, where)
      if (!found) continue
      told++
      wellFormed(found, `what was found for ${words}`)
      for (const name of names) holds(isIn(found, uids.get(name) as number), `${words} was not found in ${where} of ${name}`)
    }
    holds(told > 0, 'none of the words could be looked for')
  })

  it('is in step with what comes and goes', async (store) => {
    const { id } = await inbox(store)
    const other = await store.create('alice', ['a'])
    const bytes = new TextEncoder().encode('Subject: a\r\n\r\nperiwinkle\r\n')
    const { uid } = await store.append(id, message(bytes, { facts: indexMessage(bytes) }))
    const [copied] = await store.copy(id, setOf([uid]), other.id)
    const found = await store.search(other.id, 'periwinkle', 'body')
    equal(found === undefined || isIn(found, copied?.to as number), true, 'whether the copy was found')
    await store.expunge(id, setOf([uid]))
    const still = await store.search(other.id, 'periwinkle', 'body')
    equal(still === undefined || isIn(still, copied?.to as number), true, 'whether the copy was found when the original was gone')
  })
}
