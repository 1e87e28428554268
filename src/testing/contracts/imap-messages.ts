import { memoryStore } from '../../adapters/memory/index.ts'
import { seededRandom } from '../random.ts'
import { pattern } from './checks.ts'
import { fetchedOf, flagsOf, type ImapAnswer, numbersOf } from './imap-items.ts'
import {
  appendOf,
  fetchAll,
  type ImapContractOptions,
  ImapStand,
  literalOf,
  mailOf,
  playing,
  statusOf,
  STREAMED,
} from './imap-stand.ts'
import type { Talk } from './imap-talk.ts'
import { realMail } from './sample-mail.ts'

/** All octets but NUL, which no message may hold, again and again. */
function wild(octets: number, seed: number): string {
  return Buffer.from(pattern(octets, seed).map((octet) => octet || 1)).toString('latin1')
}

/** Octets that must come out as they went in. */
const bodies: readonly (readonly [name: string, octets: string])[] = [
  ['one octet', 'x'],
  ['a header alone', 'Subject: no body\r\n'],
  ['a body alone', '\r\nno header\r\n'],
  ['no line end at the end', 'Subject: x\r\n\r\nno line end'],
  ['bare CR and LF', 'Subject: x\n\r\n\rline\rline\nline\r\n'],
  ['dots and From', 'Subject: x\r\n\r\n.\r\n..\r\nFrom me\r\n>From you\r\n.\r\n'],
  ['a line of 100 000 octets', `Subject: x\r\n\r\n${'y'.repeat(100_000)}\r\n`],
  ['every octet but NUL', `Subject: x\r\n\r\n${wild(1000, 1)}`],
  ['more than is kept in memory', `Subject: x\r\n\r\n${wild(5 * STREAMED, 2)}`],
  ['blanks at the end', 'Subject: x \r\n\r\nx \r\n \r\n\r\n'],
]

/** The whole body of each message, by UID. */
async function wholeBodies(talk: Talk): Promise<string[]> {
  return (await fetchAll(talk, 'BODY.PEEK[]', 'body')).map(({ items }) => String(items.get('BODY[]')))
}

/** The UIDs of APPENDUID. */
function appended({ code }: ImapAnswer): number[] {
  return code.startsWith('APPENDUID ') ? numbersOf(code.split(' ')[2]!) : []
}

/** APPEND and FETCH: octets, dates, facts. */
export function messages(options: ImapContractOptions): void {
  const it = playing(options, 'messages')

  it('gives every message back as it came, octet by octet', async (stand) => {
    await stand.mailbox()
    const talk = await stand.client()
    for (const [, octets] of bodies) await talk.ok(appendOf('INBOX', octets), 'append')
    await talk.ok('SELECT INBOX', 'entries')
    const told = await fetchAll(talk, 'RFC822.SIZE BODY.PEEK[]', 'list', 'body')
    stand.same(told.length, bodies.length, 'messages', 'append', 'entries')
    for (const [at, [name, octets]] of bodies.entries()) {
      const { items } = told[at]!
      stand.same(Number(items.get('RFC822.SIZE')), octets.length, `RFC822.SIZE of ${name}`, 'append', 'list')
      const same = Buffer.from(String(items.get('BODY[]')), 'latin1').equals(Buffer.from(octets, 'latin1'))
      stand.sure(same, `BODY[] of ${name} is not what was appended`, 'append', 'body', 'list')
    }
  })

  it('gives any range of a message', async (stand) => {
    await stand.mailbox()
    const talk = await stand.client()
    const mail = `Subject: x\r\n\r\n${wild(3 * STREAMED, 3)}`
    await talk.ok(appendOf('INBOX', mail), 'append')
    await talk.ok('SELECT INBOX', 'entries')
    const random = seededRandom(1)
    const ranges = Array.from({ length: 30 }, () => [random.below(mail.length + 10), 1 + random.below(STREAMED)] as const)
    for (const [start, count] of [...ranges, [0, 1], [mail.length - 1, 1], [mail.length, 1], [0, 2 ** 31]] as const) {
      const answer = await talk.ok(`FETCH 1 (UID BODY.PEEK[]<${start}.${count}>)`, 'body')
      const given = fetchedOf(answer)[0]?.items.get(`BODY[]<${start}>`)
      stand.sure(given === mail.slice(start, start + count), `BODY[]<${start}.${count}> is not that range`, 'body')
    }
    const whole = fetchedOf(await talk.ok('FETCH 1 (UID BODY.PEEK[HEADER] BODY.PEEK[TEXT])', 'body'))[0]!
    stand.sure(whole.items.get('BODY[HEADER]') === mail.slice(0, 14), 'BODY[HEADER] is not the header', 'body', 'list')
    stand.sure(whole.items.get('BODY[TEXT]') === mail.slice(14), 'BODY[TEXT] is not the text', 'body', 'list')
  })

  it('knows of a message what was found in it once', async (stand) => {
    const facts = 'ENVELOPE BODYSTRUCTURE BODY RFC822.SIZE'
    const ask = async (its: ImapStand): Promise<unknown> => {
      await its.mailbox()
      const talk = await its.client()
      for (const mail of realMail.slice(1)) await talk.ok(appendOf('INBOX', Buffer.from(mail).toString('latin1')), 'append')
      await talk.ok('SELECT INBOX', 'entries')
      return (await fetchAll(talk, facts, 'list')).map(({ items }) => [...items].slice(1))
    }
    const known = new ImapStand({ store: memoryStore() })
    const expected = await ask(known)
    known.end()
    stand.same(await ask(stand), expected, facts, 'list', 'append')
  })

  it('keeps dates and flags, and tells the UID', async (stand) => {
    await stand.mailbox('a')
    const talk = await stand.client()
    const dates = ['11-Feb-2003 04:05:06 +0000', '31-Dec-1999 23:59:59 +0000', ' 1-Jan-1970 00:00:00 +0000']
    const uids: number[] = []
    for (const date of dates) {
      uids.push(...appended(await talk.ok(appendOf('a', mailOf('x'), `(\\Flagged $K) "${date}"`), 'append')))
    }
    const { uidNext, uidValidity } = await stand.mailbox('a')
    const { lines } = await talk.ok('SELECT a', 'mailboxes', 'entries')
    for (const line of [`* OK [UIDVALIDITY ${uidValidity}]`, `* OK [UIDNEXT ${uidNext}]`, '* 3 EXISTS']) {
      stand.sure(lines.some((one) => one.startsWith(line)), `SELECT does not say ${line}`, 'mailboxes', 'entries')
    }
    const told = await fetchAll(talk, 'FLAGS INTERNALDATE', 'entries')
    stand.same(told.map(({ uid }) => uid), uids, 'UIDs that APPENDUID told', 'append', 'entries')
    stand.same(told.map(({ items }) => items.get('INTERNALDATE')), dates, 'INTERNALDATE', 'append', 'entries')
    for (const one of told) stand.same(flagsOf(one), ['$K', '\\Flagged'], 'FLAGS', 'append', 'entries')
  })

  it('loses none of many that are appended at once', async (stand) => {
    await stand.mailbox()
    const talks = await Promise.all(Array.from({ length: 5 }, () => stand.client()))
    const sent = new Map<number, string>()
    await Promise.all(talks.map(async (talk, who) => {
      for (let i = 0; i < 6; i++) {
        const mail = mailOf(`${who}-${i}-${'z'.repeat(i * 50)}`)
        const [uid] = appended(await talk.ok(appendOf('INBOX', mail), 'append'))
        stand.sure(uid !== undefined && !sent.has(uid), `UID ${uid} was given to two messages`, 'append')
        sent.set(uid!, mail)
      }
    }))
    await talks[0]!.ok('SELECT INBOX', 'entries')
    const told = await fetchAll(talks[0]!, 'BODY.PEEK[]', 'body')
    const expected = [...sent].sort(([a], [b]) => a - b)
    stand.same(told.map(({ uid, items }) => [uid, items.get('BODY[]')]), expected, 'messages by UID', 'append', 'body')
  })
}

/** MULTIAPPEND (RFC 3502). */
export function manyMessages(options: ImapContractOptions): void {
  const it = playing(options, 'several messages in one APPEND', 'appendAll')

  it('adds all of them in order, or none', async (stand) => {
    await stand.mailbox()
    const talk = await stand.client()
    const mails = Array.from({ length: 8 }, (_, i) => mailOf(`many ${i}${' '.repeat(i * 7)}x`))
    const command = `APPEND INBOX${mails.map((mail, i) => ` (${i % 2 ? '\\Seen' : '$K'}) ${literalOf(mail)}`).join('')}`
    const uids = appended(await talk.ok(command, 'appendAll'))
    await talk.ok('SELECT INBOX', 'entries')
    stand.same(await wholeBodies(talk), mails, 'messages in the order given', 'appendAll')
    stand.same((await fetchAll(talk, 'FLAGS')).map(({ uid }) => uid), uids, 'UIDs that APPENDUID told', 'appendAll')
    Object.assign(stand.quota, { messages: 12 })
    await talk.refused(command, 'OVERQUOTA', 'appendAll')
    stand.same((await statusOf(talk, 'INBOX', 'MESSAGES')).get('MESSAGES'), 8, 'messages after a refused APPEND', 'appendAll')
    await talk.ok(`APPEND INBOX ${mails.slice(4).map(literalOf).join(' ')}`, 'appendAll')
  })
}
