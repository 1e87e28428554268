import { describe, expect, it } from 'vitest'
import { indexMessage } from '../../../src/message/indexer.ts'
import { packFacts, unpackFacts } from '../../../src/message/packed-facts.ts'
import { octets } from '../../../src/protocol/bytes/text.ts'
import { imapServerConfig, type ImapServerEvent, imapServerSession } from '../../../src/protocol/imap/index.ts'
import { plain } from '../../../src/protocol/sasl/plain.ts'

const config = imapServerConfig({ hostname: 'imap.example', auth: { mechanisms: [plain], withoutTls: true } })

const mailbox = {
  id: 'm', path: ['INBOX'], uidValidity: 7, uidNext: 4, modSeq: 30, messages: 3, unseen: 0, deleted: 0, octets: 5,
}
const opened = { mailbox, uids: [{ first: 1, last: 3 }], firstUnseen: undefined, keywords: [], recent: [] }

/** What is said to a FETCH of three messages of so many parts, and how often the session waited before it went on. */
function fetched(parts: number, items: string): { readonly said: string; readonly waits: number } {
  const mail = octets(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(parts)}--b--\r\n`)
  const line = packFacts(indexMessage(mail))
  const message = (uid: number) => (
    { id: `${uid}`, uid, modSeq: 1, received: 0, saved: 0, flags: [], octets: mail.length, facts: unpackFacts(line) }
  )
  const session = imapServerSession(config, {}, 0)
  let said = ''
  let waits = 0
  const answerTo = (event: ImapServerEvent): unknown => {
    if (event.kind === 'auth') return { account: 'alice' }
    if (event.kind === 'mailbox') return mailbox
    if (event.kind === 'open') return opened
    if (event.kind === 'changes') return { modSeq: 30, changed: [], vanished: [], more: false, complete: true }
    if (event.kind === 'messages' || event.kind === 'entries') return { items: [1, 2, 3].map(message), last: true }
    if (event.kind === 'octets') return event.ranges.map(({ start, end }) => mail.subarray(start, end))
    return undefined
  }
  const pump = (): void => {
    let written = false
    do {
      for (let event = session.next(); event; event = session.next()) {
        if ('id' in event) session.answer(event, answerTo(event) as never)
      }
      written = false
      for (const piece of session.takeOutput()) {
        written = true
        if (typeof piece === 'string') said += piece
      }
    } while (written)
  }
  pump()
  for (const command of ['a LOGIN a b', 'b SELECT INBOX', `c FETCH 1:* ${items}`]) {
    session.receive(0, octets(`${command}\r\n`))
    pump()
  }
  for (; !said.includes('\r\nc OK') && waits < 100; waits++) {
    session.advance(0)
    pump()
  }
  return { said, waits }
}

describe('I65 structures of thousands of parts', () => {
  const dear = ['BODY.PEEK[3]', 'BODY', 'BODY.PEEK[HEADER.FIELDS (SUBJECT)]', 'BINARY.SIZE[3]']
  it.each(dear)('%s waits before and behind the reading of each', (items) => {
    const { said, waits } = fetched(9000, items)
    expect(said).toContain('c OK Fetched')
    expect(waits).toBe(6)
  })

  it.each(['BODY.PEEK[]', 'BODYSTRUCTURE', 'ENVELOPE'])('%s has no need of them', (items) => {
    expect(fetched(9000, items)).toMatchObject({ said: expect.stringContaining('c OK Fetched') as string, waits: 0 })
  })

  it('others are no reason to wait', () => {
    expect(fetched(50, 'BODY.PEEK[3]').waits).toBe(0)
  })
})
