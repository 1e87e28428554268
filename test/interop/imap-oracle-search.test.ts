import { beforeAll, describe, expect, it } from 'vitest'
import { memoryStore } from '../../src/adapters/memory/index.ts'
import type { MailStore } from '../../src/contracts/store.ts'
import { holding } from './held.ts'
import { searchDifferences } from './imap-differences.ts'
import { messagesOfOthers, oddMessages, type Sample } from './imap-messages.ts'
import { Oracle } from './imap-oracle.ts'
import { describeWith } from './programs.ts'

const others = messagesOfOthers()
const samples: readonly Sample[] = [...others, ...oddMessages().filter(({ octets }) => octets !== '')]

const flags = ['ANSWERED', 'DELETED', 'DRAFT', 'FLAGGED', 'SEEN']

const keys = [
  ...['ALL', 'NEW', 'OLD', 'RECENT', 'KEYWORD $word', 'UNKEYWORD $Word', 'KEYWORD other', 'UNKEYWORD other'],
  ...flags.flatMap((flag) => [flag, `UN${flag}`]),
  ...['1-Jan-2010', '14-Jan-2015', '15-Jun-2012', '28-Oct-2020', '22-Aug-2002', '1-Jan-1990', '26-Sep-2002', '5-Jun-2002']
    .flatMap((day) => ['SINCE', 'BEFORE', 'ON', 'SENTSINCE', 'SENTBEFORE', 'SENTON'].map((key) => `${key} ${day}`)),
  ...[0, 1, 100, 1024, 3000, 10_000, 100_000, 4_294_967_295].flatMap((size) => [`LARGER ${size}`, `SMALLER ${size}`]),
  ...['1:10', '*', '100:*', 'UID 5,7:9', 'UID 99999', '*:3', 'NOT SEEN', 'OR SEEN FLAGGED', 'NOT (SEEN FLAGGED)', '1,3,5 SEEN'],
  ...['OR (SEEN LARGER 2000) NOT ANSWERED', '(SEEN) (FLAGGED)', 'OR NOT SEEN OR 1:5 NOT 3:400', 'HEADER List-Id "spamassassin"'],
  ...['Subject', 'X-Mailer', 'Date', 'Nobody-Has-This'].map((name) => `HEADER ${name} ""`),
  ...['SUBJECT', 'FROM', 'TO', 'CC', 'BCC', 'BODY', 'TEXT'].map((key) => `${key} ""`),
]

const criteria = ['ARRIVAL', 'CC', 'DATE', 'FROM', 'SIZE', 'SUBJECT', 'TO', 'DISPLAYFROM', 'DISPLAYTO']

const sorts = criteria.flatMap((key) => [
  `SORT (${key}) UTF-8 ALL`, `SORT (REVERSE ${key}) UTF-8 SEEN`, `UID SORT (${key} REVERSE DATE) US-ASCII FLAGGED`,
])

const threads = ['REFERENCES UTF-8 ALL', 'ORDEREDSUBJECT UTF-8 ALL', 'REFERENCES US-ASCII SEEN', 'ORDEREDSUBJECT UTF-8 1:200']

/** Searches for what stands in every so many messages. */
function wordSearches(every: number): string[] {
  const searches = new Set<string>(['BODY "..."', 'From "Moore\'s"'])
  for (let at = 0; at < samples.length; at += every) {
    const { octets } = samples[at]!
    const end = octets.indexOf('\r\n\r\n')
    const [header, body] = end < 0 ? [octets, ''] : [octets.slice(0, end), octets.slice(end)]
    for (const name of ['From', 'To', 'Cc', 'Subject']) {
      for (const word of wordsOf(field(header, name)).slice(0, 3)) searches.add(`${name} ${quoted(word)}`)
    }
    for (const word of wordsOf(field(header, 'Received')).slice(2, 4)) searches.add(`HEADER Received ${quoted(word)}`)
    const [id] = /<[!-;=?-~]+>/.exec(field(header, 'Message-ID')) ?? []
    if (id !== undefined) searches.add(`HEADER Message-ID ${quoted(id)}`)
    const words = wordsOf(body)
    for (const word of [words[0], words[5], words[words.length >> 1], words[words.length - 1]]) {
      if (word !== undefined) searches.add(`BODY ${quoted(word)}`).add(`TEXT ${quoted(word.slice(1, -1))}`)
    }
  }
  return [...searches]
}

/** A search for words of any letters. */
function inUtf8(key: string, word: string): string {
  const octets = Buffer.from(word).toString('latin1')
  return `SEARCH CHARSET UTF-8 ${key} {${octets.length}+}\r\n${octets}`
}

const wordsOf = (text: string): string[] => [...new Set(text.match(/[A-Za-z0-9@.'-]{3,20}/g) ?? [])]
const quoted = (word: string): string => `"${word.replace(/["\\]/g, '\\$&')}"`
const field = (header: string, name: string): string =>
  new RegExp(`^${name}:(.*(?:\\r\\n[ \\t].*)*)`, 'im').exec(header)?.[1] ?? ''

describeWith(['dovecot'], 'SEARCH, SORT and THREAD find what Dovecot finds', () => {
  const held = holding()
  const met = new Set<string>()

  /** Whether the table has it, and notes that it does. */
  function isListed(command: string, number: string, only: 'ours' | 'dovecot' | undefined): boolean {
    const sample = samples[Number(number) - 1]
    const difference = sample && searchDifferences.find(({ covers }) => covers({ command, sample, only }))
    if (difference) met.add(difference.name)
    return difference !== undefined
  }

  /** What one of the two finds alone and the table does not have. */
  function disagreement(command: string, ours: string, dovecot: string): string | undefined {
    if (ours === dovecot) return undefined
    const [mine, theirs] = [numbers(ours), numbers(dovecot)]
    const ordered = command.includes('SORT')
    const names = (list: readonly string[], others: readonly string[], only: 'ours' | 'dovecot'): string[] => {
      const alone = list.filter((one) => !others.includes(one) && !isListed(command, one, only))
      return alone.map((one) => samples[Number(one) - 1]?.name ?? one)
    }
    const [extra, lacking] = [names(mine, theirs, 'ours'), names(theirs, mine, 'dovecot')]
    if (extra.length + lacking.length > 0) return [command, `ours: ${extra.join()}`, `Dovecot: ${lacking.join()}`].join('\n  ')
    if (!ordered) return undefined
    // The same ones in another order: it must be the same without those that are listed.
    const kept = (list: readonly string[]): string => list.filter((one) => !isListed(command, one, undefined)).join(' ')
    return kept(mine) === kept(theirs) ? undefined : `${command}\n  ours    ${kept(mine)}\n  Dovecot ${kept(theirs)}`
  }

  async function disagreements(oracle: Oracle, commands: readonly string[]): Promise<string[]> {
    const found: string[] = []
    for (const command of commands) {
      const [ours, dovecot] = await oracle.both((wire) => wire.numbers(command))
      const disagreed = disagreement(command, ours, dovecot)
      if (disagreed !== undefined) found.push(disagreed)
    }
    return found
  }

  describe.each([['with an index', undefined, 16], ['without', 'memory', 80]] as const)('%s', (_name, kind, every) => {
    let oracle: Oracle
    beforeAll(async () => {
      oracle = await Oracle.open(held, kind && withoutIndex(memoryStore()))
      await oracle.fill(samples)
    })

    it('by keys', async () => expect(await disagreements(oracle, keys.map((key) => `SEARCH ${key}`))).toEqual([]))

    it('by words', async () => {
      const searches = wordSearches(every)
      expect(searches.length).toBeGreaterThan(5)
      expect(await disagreements(oracle, searches.map((key) => `UID SEARCH ${key}`))).toEqual([])
    })

    it('by words that are not US-ASCII', async () => {
      const words = ['grüße', 'GRÜSSE', 'naïve', 'é', 'ü', 'ÄÖ', '日本', 'の', 'Ω', '한', '–', '©', '€']
      const searches = words.flatMap((word) => ['TEXT', 'BODY', 'SUBJECT', 'FROM'].map((key) => inUtf8(key, word)))
      expect(await disagreements(oracle, searches)).toEqual([])
    })

    it('in order', async () => expect(await disagreements(oracle, sorts)).toEqual([]))

    it('in threads', async () => {
      for (const thread of threads) {
        const [ours, dovecot] = await oracle.both((wire) => wire.numbers(`THREAD ${thread}`))
        expect(ours).toBe(dovecot)
      }
    })
  })

  // Some are met in the mail of others alone.
  it.runIf(others.length > 0)('and the table holds nothing that is no difference', () => {
    expect(searchDifferences.filter(({ name }) => !met.has(name)).map(({ name }) => name)).toEqual([])
  })
})

/** The store as if it had no index. */
const withoutIndex = (store: MailStore): MailStore =>
  new Proxy(store, {
    get(target, name) {
      const value: unknown = name === 'search' ? undefined : Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })

const numbers = (answer: string): string[] => answer.match(/\d+/g) ?? []
