import { describe, expect, it } from 'vitest'
import { octets } from '../../../src/protocol/bytes/text.ts'
import { imapServerConfig, type ImapServerEvent, imapServerSession } from '../../../src/protocol/imap/index.ts'
import { plain } from '../../../src/protocol/sasl/plain.ts'

const config = imapServerConfig({ hostname: 'imap.example', auth: { mechanisms: [plain], withoutTls: true } })

const mailbox = {
  id: 'm', path: ['INBOX'], uidValidity: 7, uidNext: 12, modSeq: 30, messages: 9, unseen: 1, deleted: 0, octets: 5,
}
const opened = { mailbox, uids: [{ first: 1, last: 9 }], firstUnseen: undefined, keywords: [], recent: [] }

/** What is said to a search whose pages of one message each take so many milliseconds. */
function searched(command: string, perPage: number): string[] {
  const session = imapServerSession(config, {}, 0)
  let now = 0
  let uid = 0
  let said = ''
  const answerTo = (event: ImapServerEvent): unknown => {
    if (event.kind === 'auth') return { account: 'alice' }
    if (event.kind === 'mailbox') return mailbox
    if (event.kind === 'open') return opened
    if (event.kind === 'changes') return { modSeq: 30, changed: [], vanished: [], more: false, complete: true }
    if (event.kind !== 'entries') return undefined
    session.advance(now += perPage)
    uid++
    return { items: [{ id: `${uid}`, uid, modSeq: 1, received: 0, saved: 0, flags: [], octets: 1 }], last: uid === 9 }
  }
  const pump = (): void => {
    for (let event = session.next(); event; event = session.next()) {
      if ('id' in event) session.answer(event, answerTo(event) as never)
    }
    for (const piece of session.takeOutput()) said += piece as string
  }
  pump()
  for (const line of ['a LOGIN a b', 'b SELECT INBOX', command]) {
    said = ''
    session.receive(now, octets(`${line}\r\n`))
    pump()
  }
  return said.split('\r\n').slice(0, -1)
}

describe('INPROGRESS (RFC 9585)', () => {
  it('I65 tells every ten seconds that a search is at work', () => {
    expect(searched('c UID SEARCH UNSEEN', 4000)).toEqual([
      '* OK [INPROGRESS ("c" NIL NIL)] Still at work',
      '* OK [INPROGRESS ("c" NIL NIL)] Still at work',
      '* OK [INPROGRESS ("c" NIL NIL)] Still at work',
      '* SEARCH 1 2 3 4 5 6 7 8 9',
      'c OK Searched',
    ])
  })

  it('says nothing of what is soon done', () => {
    expect(searched('c SEARCH UNSEEN', 1000)).toEqual(['* SEARCH 1 2 3 4 5 6 7 8 9', 'c OK Searched'])
  })
})
