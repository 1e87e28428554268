import { describe, expect, it } from 'vitest'
import { octets } from '../../../src/protocol/bytes/text.ts'
import { imapServerConfig, type ImapServerEvent, imapServerSession } from '../../../src/protocol/imap/index.ts'
import { plain } from '../../../src/protocol/sasl/plain.ts'

const mailbox = {
  id: 'm', path: ['INBOX'], uidValidity: 7, uidNext: 12, modSeq: 30, messages: 9, unseen: 1, deleted: 0, octets: 5,
}

/** What a server whose host can do nothing beyond what it must says to lines of a client that has logged in. */
function said(lines: readonly string[]): string[] {
  const config = imapServerConfig({ hostname: 'imap.example', auth: { mechanisms: [plain], withoutTls: true } })
  const session = imapServerSession(config, {}, 0)
  let text = ''
  const answerTo = ({ kind }: ImapServerEvent): unknown =>
    kind === 'auth' ? { account: 'alice' } : kind === 'mailbox' ? mailbox : undefined
  const pump = (): void => {
    for (let event = session.next(); event; event = session.next()) {
      if ('id' in event) session.answer(event, answerTo(event) as never)
    }
    for (const piece of session.takeOutput()) text += piece as string
  }
  pump()
  for (const line of ['x LOGIN a b', ...lines]) {
    if (line === lines[0]) text = ''
    session.receive(0, octets(`${line}\r\n`))
    pump()
  }
  return text.split('\r\n').slice(0, -1)
}

describe('what the host cannot do', () => {
  it('is not offered', () => {
    const [offered] = said(['a CAPABILITY'])
    for (const capability of ['COMPRESS', 'METADATA', 'QUOTA', 'MOVE', 'MULTIAPPEND', 'SPECIAL-USE', 'IMAP4rev2', 'REPLACE']) {
      expect(offered).not.toContain(` ${capability}`)
    }
  })

  it('is refused', () => {
    const metadata = ['b GETMETADATA "" /private/comment', 'c SETMETADATA INBOX (/private/comment "x")']
    expect(said(['a COMPRESS DEFLATE', ...metadata])).toEqual([
      'a BAD There is no such compression',
      'b NO [CANNOT] Nothing can be noted here',
      'c NO [CANNOT] Nothing can be noted here',
    ])
    expect(said(['a GETQUOTAROOT INBOX', 'b GETQUOTA ""'])).toEqual([
      '* QUOTAROOT "INBOX"', 'a OK That is what it counts for', 'b NO [NONEXISTENT] There is no such quota root',
    ])
  })
})
