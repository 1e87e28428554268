import { beforeAll, expect, it } from 'vitest'
import { holding } from './held.ts'
import { fetchDifferences } from './imap-differences.ts'
import { messagesOfOthers, oddMessages, type Sample } from './imap-messages.ts'
import { Oracle } from './imap-oracle.ts'
import { atomOf, shown, type Value } from './imap-wire.ts'
import { describeWith } from './programs.ts'

const always = [
  'RFC822.SIZE', 'INTERNALDATE', 'ENVELOPE', 'BODYSTRUCTURE', 'BODY', 'RFC822', 'RFC822.HEADER', 'RFC822.TEXT', 'BODY.PEEK[]',
  'BODY.PEEK[HEADER]', 'BODY.PEEK[TEXT]', 'BODY.PEEK[HEADER.FIELDS (Subject TO from X-Mailer Received)]',
  'BODY.PEEK[HEADER.FIELDS.NOT (Received Subject)]', 'BODY.PEEK[]<0.10>', 'BODY.PEEK[]<100.300>', 'BODY.PEEK[]<99999999.10>',
  'BODY.PEEK[HEADER]<7.31>', 'BODY.PEEK[TEXT]<2.50>', 'BODY.PEEK[HEADER.FIELDS (Subject)]<3.7>', 'BODY.PEEK[1]',
  'BODY.PEEK[1.MIME]',
  'BODY.PEEK[77]', 'BODY.PEEK[1.77.MIME]', 'BODY.PEEK[1.HEADER]',
]

describeWith(['dovecot'], 'FETCH says what Dovecot says', () => {
  const held = holding()
  const others = messagesOfOthers()
  const samples: readonly Sample[] = [...others, ...oddMessages().filter(({ octets }) => octets !== '')]
  let oracle: Oracle

  beforeAll(async () => {
    oracle = await Oracle.open(held)
    await oracle.fill(samples)
  })

  it('of every message and each of its parts', async () => {
    const found: string[] = []
    const met = new Set<string>()
    for (const [at, sample] of samples.entries()) {
      const structure = (await oracle.dovecot.fetch(`FETCH ${at + 1} BODYSTRUCTURE`)).get(at + 1)!.get('BODYSTRUCTURE')!
      for (const item of [...always, ...sections(structure)]) {
        const [ours, dovecot] = await oracle.both((wire) => fetched(wire, at + 1, item))
        if (shown(ours) === shown(dovecot)) continue
        const answered = { sample: sample.name, item, ours, dovecot }
        const difference = fetchDifferences.find(({ covers }) => covers(answered))
        if (difference) met.add(difference.name)
        else found.push([`${sample.name}: ${item}`, shown(dovecot).slice(0, 300), shown(ours).slice(0, 300)].join('\n  '))
      }
    }
    expect(found).toEqual([])
    // What is no difference any more is to be struck off the table.
    if (others.length > 0) expect(fetchDifferences.filter(({ name }) => !met.has(name)).map(({ name }) => name)).toEqual([])
  })

  it('and octet for octet what was appended', async () => {
    for (const [at, { name, octets }] of samples.entries()) {
      expect(await fetched(oracle.ours, at + 1, 'BODY.PEEK[]'), name).toBe(octets)
    }
  })

  it('\\Seen of what was read, and no flag of what was not', async () => {
    const [ours, dovecot] = await oracle.both(async (wire) => (await wire.fetch('FETCH 1:* (UID FLAGS)')).entries())
    expect([...ours].map(flagged)).toEqual([...dovecot].map(flagged))
  })
})

function flagged([number, items]: [number, Map<string, Value>]): string {
  const flags = items.get('FLAGS') as readonly Value[]
  return `${number} ${shown(items.get('UID'))} ${flags.map(shown).filter((flag) => flag !== '\\Recent').sort().join(' ')}`
}

/** What is said of one item, whatever name it goes by in the answer; `{ atom }` of a refusal. */
async function fetched(wire: Oracle['ours'], number: number, item: string): Promise<Value> {
  const { end, lines } = await wire.command(`FETCH ${number} (${item})`)
  if (!end.startsWith('OK')) return { atom: end }
  // Flags come along where reading has changed them.
  const lists = lines.filter(([, kind]) => atomOf(kind) === 'FETCH').map((line) => line[2] as readonly Value[])
  for (const list of lists) {
    const at = list.findIndex((name, index) => index % 2 === 0 && atomOf(name) !== 'FLAGS')
    if (at >= 0) return list[at + 1] ?? null
  }
  return { atom: 'no answer' }
}

/** The sections of all parts, by the structure of the message. */
function sections(structure: Value, path: readonly number[] = []): string[] {
  if (!Array.isArray(structure)) return []
  const body = structure as readonly Value[]
  if (Array.isArray(body[0])) {
    const parts = body.filter((one, at) => Array.isArray(one) && body.slice(0, at).every(Array.isArray))
    return parts.flatMap((part, at) => [...ofPart([...path, at + 1]), ...sections(part, [...path, at + 1])])
  }
  const [type, subtype] = body
  if (`${String(type)}/${String(subtype)}`.toLowerCase() !== 'message/rfc822') return []
  const inner = body[8]!
  const own = path.length === 0 ? [1] : path
  const name = own.join('.')
  const message = ['HEADER', 'TEXT', 'HEADER.FIELDS (Subject From)', 'HEADER.FIELDS.NOT (From)', 'TEXT]<1.9']
    .map((piece) => (piece.endsWith('9') ? `BODY.PEEK[${name}.${piece}>` : `BODY.PEEK[${name}.${piece}]`))
  const isMultipart = Array.isArray((inner as readonly Value[])[0])
  return [...message, ...(isMultipart ? [] : ofPart([...own, 1])), ...sections(inner, own)]
}

function ofPart(path: readonly number[]): string[] {
  const name = path.join('.')
  return [`BODY.PEEK[${name}]`, `BODY.PEEK[${name}.MIME]`, `BODY.PEEK[${name}]<5.20>`, `BODY.PEEK[${name}.MIME]<3.11>`]
}
