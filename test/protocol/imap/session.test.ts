import { describe, expect, it } from 'vitest'
import { octets } from '../../../src/protocol/bytes/text.ts'
import { imapServerConfig, type ImapServerEvent, imapServerSession } from '../../../src/protocol/imap/index.ts'
import { plain } from '../../../src/protocol/sasl/plain.ts'

const config = imapServerConfig({ hostname: 'imap.example', auth: { mechanisms: [plain], withoutTls: true } })

/** What the server says to lines of a client, when the host answers by kind. */
function talk(lines: readonly string[], answers: Partial<Record<ImapServerEvent['kind'], unknown>> = {}): string {
  const session = imapServerSession(config, {}, 0)
  let said = ''
  const pump = (): void => {
    for (let event = session.next(); event; event = session.next()) {
      if ('id' in event) session.answer(event, (event.kind in answers ? answers[event.kind] : undefined) as never)
    }
    for (const piece of session.takeOutput()) said += typeof piece === 'string' ? piece : '<octets>'
  }
  pump()
  for (const line of lines) {
    session.receive(0, octets(line))
    pump()
  }
  return said
}

const auth = { auth: { account: 'alice' } }

describe('an IMAP session', () => {
  it('greets, answers and ends', () => {
    expect(talk(['a NOOP\r\n', '\r\n', 'b LOGOUT\r\n', 'c NOOP\r\n']).split('\r\n').slice(1)).toEqual([
      'a OK Nothing done', '* BYE Logging out', 'b OK Good bye', '',
    ])
  })

  it('logs in by LOGIN and by SASL', () => {
    expect(talk(['a LOGIN alice {3}\r\nabc\r\n'], auth)).toMatch(/\+ Go on\r\na OK \[CAPABILITY IMAP4rev1 .*\] Logged in\r\n$/)
    expect(talk(['a AUTHENTICATE PLAIN AGEAYg==\r\n'], auth)).toMatch(/\na OK \[CAPABILITY .*\] Logged in\r\n$/)
    expect(talk(['a AUTHENTICATE PLAIN\r\n', 'AGEAYg==\r\n'], auth)).toMatch(/\n\+ \r\na OK \[CAPABILITY .*\] Logged in\r\n$/)
    expect(talk(['a AUTHENTICATE PLAIN\r\n', '*\r\n'], auth)).toMatch(/\n\+ \r\na BAD Given up\r\n$/)
  })

  it('selects', () => {
    const mailbox = { id: 'm', path: ['INBOX'], uidValidity: 7, uidNext: 12, modSeq: 30, messages: 2, unseen: 1, deleted: 0,
      octets: 5 }
    const opened = { mailbox, uids: [{ first: 3, last: 3 }, { first: 9, last: 9 }], firstUnseen: 9, keywords: ['$x'], recent: [] }
    expect(talk(['a LOGIN a b\r\n', 'b SELECT inbox\r\n', 'c UNSELECT\r\n'], { ...auth, mailbox,
      open: opened }).split('\r\n').slice(2)).toEqual([
      '* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $x)',
      '* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $x \\*)] Flags are permanent',
      '* 2 EXISTS', '* 0 RECENT', '* OK [UNSEEN 2] First unseen message', '* OK [UIDVALIDITY 7] UIDs are valid',
      '* OK [UIDNEXT 12] The next UID', '* OK [HIGHESTMODSEQ 30] The highest mod-sequence',
      '* OK [MAILBOXID (Fm)] The mailbox under any name', 'b OK [READ-WRITE] Selected',
      'c OK Closed', '',
    ])
  })

  it('passes over what it cannot take, and goes on behind it', () => {
    expect(talk(['a LOGIN {5000+}\r\n', `${'x'.repeat(5000)} y\r\nb NOOP\r\n`]).split('\r\n').slice(1)).toEqual([
      'a BAD Literal too large', 'b OK Nothing done', '',
    ])
    expect(talk(['a LOGIN {5000}\r\n', 'b NOOP\r\n']).split('\r\n').slice(1)).toEqual(['a BAD Literal too large',
      'b OK Nothing done', ''])
    expect(talk(['a LOGIN {-1}\r\nb NOOP\r\n']).split('\r\n').slice(1)).toEqual(['a BAD A literal that cannot be',
      '* BYE A literal that cannot be', ''])
  })
})
