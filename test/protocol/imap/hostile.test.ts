import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { imapServerConfig } from '../../../src/protocol/imap/index.ts'
import { plain } from '../../../src/protocol/sasl/plain.ts'
import { Conversing, type Heard } from './answering.ts'

const base = { hostname: 'imap.example', auth: { mechanisms: [plain], withoutTls: true } }
const abilities = {
  move: true, subscriptions: true, specialUse: true, multiAppend: true, quota: true, replace: true, notify: true,
}
const configs = [
  imapServerConfig({ ...base, abilities }),
  imapServerConfig({
    ...base, literals: '-', limits: { lineOctets: 300, lineOctetsBefore: 200, literalOctets: 100, errors: 50 },
  }),
]

/** Commands that a client might give. */
const commands = [
  'CAPABILITY', 'NOOP', 'LOGOUT', 'ID NIL', 'ID ("name" "x")', 'LOGIN a secret', 'LOGIN a {6+}\r\nsecret', 'LOGIN a wrong',
  'AUTHENTICATE PLAIN', 'AUTHENTICATE PLAIN AGEAc2VjcmV0', 'AGEAc2VjcmV0', '*', 'ENABLE QRESYNC', 'ENABLE IMAP4rev2 UTF8=ACCEPT',
  'SELECT INBOX', 'EXAMINE {5}\r\nINBOX', 'SELECT INBOX (QRESYNC (7 1 1:9 (1:2 1,3)))', 'SELECT INBOX (CONDSTORE)',
  'SELECT Nowhere',
  'CREATE Work/New', 'CREATE Trash (USE (\\Trash))', 'DELETE Work', 'RENAME INBOX Old', 'RENAME Work Play', 'SUBSCRIBE Work',
  'UNSUBSCRIBE Work', 'LIST "" *', 'LIST (SUBSCRIBED RECURSIVEMATCH) "" (% *) RETURN (STATUS (MESSAGES UIDNEXT))', 'LSUB "" %',
  'NAMESPACE', 'STATUS INBOX (MESSAGES HIGHESTMODSEQ DELETED-STORAGE)', 'GETQUOTAROOT INBOX', 'GETQUOTA ""', 'CHECK', 'CLOSE',
  'UNSELECT', 'EXPUNGE', 'UID EXPUNGE 1:*', 'IDLE', 'DONE', 'SEARCH ALL', 'SEARCH OR TEXT hello NOT (SEEN SUBJECT {3+}\r\none)',
  'UID SEARCH RETURN (MIN MAX SAVE) 1:*', 'SEARCH $ MODSEQ 5', 'SORT (REVERSE DATE) UTF-8 ALL', 'THREAD REFERENCES UTF-8 ALL',
  'FETCH 1:* (FLAGS UID ENVELOPE)', 'FETCH 1 BODY[]', 'UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (Subject)] BODYSTRUCTURE)',
  'FETCH 2 (BINARY.PEEK[1] BODY.PEEK[1.MIME]<1.5>)', 'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)', 'FETCH 1 RFC822.SIZE',
  'STORE 1 +FLAGS (\\Seen)', 'UID STORE 1:* (UNCHANGEDSINCE 5) -FLAGS.SILENT ($k)', 'COPY 1 Work', 'UID MOVE 1:2 Work',
  'COPY 1 No',
  'APPEND INBOX {5}\r\nHello', 'APPEND INBOX (\\Seen) " 1-Jan-2026 00:00:00 +0000" {5+}\r\nHello {2+}\r\nHo',
  'APPEND Nowhere {3+}\r\nabc', 'APPEND INBOX UTF8 (~{3+}\r\nabc)', 'NONSENSE', 'UID NONSENSE',
  'ENABLE UIDONLY', 'REPLACE 1 Work {5}\r\nHello', 'UID REPLACE 3 {5+}\r\nINBOX (\\Seen) {3+}\r\nabc',
  'UID REPLACE 9 No {2+}\r\nab',
  'UID REPLACE 1 INBOX CATENATE (TEXT {2+}\r\nab UTF8 (~{1+}\r\nc) URL "/INBOX/;UID=1")', 'LOGIN {500+}\r\nx',
  'LOGIN {500}',
  'FETCH 99 FLAGS', 'STATUS {-1}', 'SETQUOTA "" (STORAGE 1)', 'NOTIFY NONE',
  'NOTIFY SET STATUS (selected (MessageNew (UID BODY[1]) MessageExpunge FlagChange)) (personal (MailboxName))',
  'NOTIFY SET (selected-delayed NONE) (subtree ({4+}\r\nWork Gone) (MessageNew MessageExpunge SubscriptionChange))',
  'NOTIFY SET (mailboxes INBOX (Telepathy))', 'SEARCH RETURN (UPDATE (FLAGS)) SEEN',
]

const command = fc.constantFrom(...commands)
const tagged = command.map((text) => (text === 'DONE' || text === '*' || text.startsWith('AGE') ? text : `t ${text}`))
/** Somebody who has logged in and opened a mailbox, mostly. */
const login = 't LOGIN a secret\r\n'
const select = `${login}t SELECT INBOX\r\n`
const opening = fc.constantFrom('', login, select, select)
const conversation = fc
  .tuple(opening, fc.array(tagged, { maxLength: 12, size: 'max' }))
  .map(([first, lines]) => first + lines.map((line) => `${line}\r\n`).join(''))

const odd = fc.constantFrom(
  '\r', '\n', '\0', '(', ')', '"', '\\', '{', '}', '{9}\r\n', '{3+}\r\n', '*', '%', ' ', '\u00ff', '[', ']', '<', '$', '0',
  '99999999999999999999', ':', ',', 'x'.repeat(400), '\r\n', '((((((((',
)

/** The same with something changed here and there. */
const mutated = fc
  .tuple(conversation, fc.array(fc.tuple(fc.nat(2000), fc.nat(3), odd), { minLength: 1, maxLength: 6, size: 'max' }))
  .map(([text, changes]) =>
    changes.reduce((before, [where, taken, put]) => {
      const at = where % (before.length + 1)
      return before.slice(0, at) + put + before.slice(at + taken)
    }, text))

const nonsense = fc.string({
  unit: fc.oneof(odd, fc.constantFrom('A', 'a', '1', 't ', 'FETCH', 'LOGIN ', 'UID ', 'SEARCH ', 'APPEND ')),
  maxLength: 100,
  size: 'max',
})

const cuts = fc.array(fc.nat(3000), { maxLength: 8, size: 'max' })

function hear(config: (typeof configs)[number], pieces: Iterable<string>): Heard {
  const conversing = new Conversing(config)
  for (const piece of pieces) conversing.send(piece)
  return conversing.end()
}

function cut(text: string, places: readonly number[]): string[] {
  const at = [0, ...places.map((value) => value % (text.length + 1)).sort((a, b) => a - b), text.length]
  return at.slice(1).map((end, index) => text.slice(at[index], end))
}

describe('any split of the input', () => {
  it.each([
    ['conversations that might be', conversation], ['conversations with mistakes', mutated], ['octets of no sense', nonsense],
  ])('gives the same output and the same questions: %s', (_what, arbitrary) => {
    fc.assert(
      fc.property(fc.constantFrom(...configs), arbitrary, cuts, (config, text, places) => {
        const whole = hear(config, [text])
        expect(hear(config, text)).toEqual(whole)
        expect(hear(config, cut(text, places))).toEqual(whole)
      }),
      { numRuns: 400 },
    )
  })
})

describe('what is said', () => {
  it('has one tagged answer for each command, in their order', () => {
    const plainOnes = command.filter((text) => !/LOGOUT|IDLE|DONE|^\*|AUTHENTICATE|AGE|\{|STARTTLS/.test(text))
    fc.assert(
      fc.property(opening.filter((text) => text !== ''), fc.array(plainOnes, { maxLength: 9, size: 'max' }), (first, lines) => {
        const { output } = hear(configs[0]!, [first + lines.map((line, at) => `n${at} ${line}\r\n`).join('')])
        const tags = [...output.matchAll(/^(n\d+) (?:OK|NO|BAD) [^\r\n]+\r$/gm)].map((match) => match[1])
        expect(tags).toEqual(lines.map((_, at) => `n${at}`))
      }),
      { numRuns: 300 },
    )
  })
})

/** What a session holds of what came and of what it has to say. */
function held(conversing: Conversing): number {
  const inside = conversing.session as unknown as {
    readonly fragments: { readonly held: number; readonly begun: number; readonly collected: readonly string[] | undefined }
    readonly reading: { readonly parts: readonly (string | { readonly literal: string })[] }
    readonly outbox: { readonly octets: number }
  }
  const { fragments, reading, outbox } = inside
  const parts = reading.parts.reduce((sum, part) => sum + (typeof part === 'string' ? part : part.literal).length, 0)
  return fragments.held + Math.min(fragments.begun, 65_536) + (fragments.collected ?? []).join('').length + parts + outbox.octets
}

describe('a flood', () => {
  const before = ''
  const inside = 't LOGIN a secret\r\nt SELECT INBOX\r\n'
  it.each([
    ['octets without a line end', before, 'x'], ['octets without a line end, logged in', inside, 'x'],
    ['line ends', before, '\r\n'],
    ['commands', inside, 't NOOP\r\n'], ['literals before log-in', before, 't LOGIN {4000+}\r\n'],
    ['literals that go on', inside, '{9+}\r\n(((((((((('], ['a message', inside, 't APPEND INBOX {999999999+}\r\nxxxxxxxx'],
    ['a message to nowhere', inside, 't APPEND Nowhere {999999999+}\r\nxxxxxxxx'], ['open parentheses', inside, 't SEARCH ((((('],
    ['unknown commands', before, 't X\r\n'], ['sets', inside, 't UID FETCH 1,3,5,7,9 FLAGS\r\n'],
  ])('of %s is bounded', (_what, opening, unit) => {
    for (const size of [1, 1000, 65_536]) {
      const conversing = new Conversing(configs[0]!)
      if (opening !== '') conversing.send(opening)
      const chunk = unit.repeat(Math.ceil(Math.max(size, unit.length) / unit.length)).slice(0, size)
      const many = Array.from({ length: Math.ceil(500_000 / size) }, () => chunk)
      const whole = size === 1 ? [...unit.repeat(Math.ceil(20_000 / unit.length))] : many
      for (const piece of whole) {
        if (!conversing.session.wantsInput) break
        conversing.send(piece)
        if (held(conversing) > 256 * 1024 + size) expect(held(conversing)).toBeLessThanOrEqual(256 * 1024 + size)
      }
      conversing.end()
      expect(conversing.session.closed).toBe(true)
    }
  })
})
