import { describe, expect, it } from 'vitest'
import { ImapStage, type StageClient } from '../../../src/testing/imap-stage.ts'

/** What real clients, and the comparison with another server, have brought to light. */

/** Somebody who reads a mailbox with these messages. */
async function reading(...mails: string[]): Promise<(line: string) => Promise<string[]>> {
  const stage = new ImapStage()
  for (const mail of mails) await stage.deliver('INBOX', mail.replaceAll('\n', '\r\n'))
  const client: StageClient = stage.connect()
  const say = async (line: string): Promise<string[]> => {
    client.send(`${line}\r\n`)
    await stage.settle()
    return client.take().split('\r\n').slice(0, -1)
  }
  await say('x LOGIN alice secret')
  await say('x SELECT INBOX')
  return say
}

const twoParts = `Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=us-ascii
X-Note: walrus

text
--b
Content-Type: message/delivery-status

Action: failed
--b
Content-Type: image/png

Action: none
--b--
`

describe('SEARCH', () => {
  it('BODY looks into no header of a part, TEXT does (RFC 9051 §6.4.4)', async () => {
    const say = await reading(twoParts)
    expect((await say('a SEARCH BODY walrus'))[0]).toBe('* SEARCH')
    expect((await say('a SEARCH TEXT walrus'))[0]).toBe('* SEARCH 1')
  })

  it('looks into reports and other messages that are not taken apart', async () => {
    const say = await reading(twoParts)
    expect((await say('a SEARCH BODY "action: failed"'))[0]).toBe('* SEARCH 1')
    expect((await say('a SEARCH BODY "action: none"'))[0]).toBe('* SEARCH')
  })

  it('SUBJECT "" finds what has a subject', async () => {
    const say = await reading('Subject:\n\n', 'From: a@example.org\n\n')
    expect((await say('a SEARCH SUBJECT ""'))[0]).toBe('* SEARCH 1')
  })

  it('compares by i;unicode-casemap, in which a letter is in the letter with an accent (RFC 5051 §2)', async () => {
    const say = await reading('Subject: na\xc3\xafve Stra\xc3\x9fe\n\n')
    expect((await say('a SEARCH SUBJECT "Nai"'))[0]).toBe('* SEARCH 1')
    expect((await say('a SEARCH SUBJECT STRASSE'))[0]).toBe('* SEARCH 1')
  })
})

describe('SORT', () => {
  it('has letters in the order of their upper case (RFC 5051 §2)', async () => {
    const say = await reading('Subject: [a\n\n', 'Subject: z\n\n', 'Subject: A\n\n', 'Subject: _\n\n')
    expect((await say('a SORT (SUBJECT) UTF-8 ALL'))[0]).toBe('* SORT 3 2 1 4')
  })

  it('decodes no word in an address (RFC 2047 §5)', async () => {
    const say = await reading('From: b@example.org\n\n', 'From: =?utf-8?q?a?=@example.org\n\n')
    // "=" comes before "B".
    expect((await say('a SORT (REVERSE FROM) UTF-8 ALL'))[0]).toBe('* SORT 1 2')
    expect((await say('a SORT (DISPLAYFROM) UTF-8 ALL'))[0]).toBe('* SORT 2 1')
  })

  it('takes no year before 1900 for a date (RFC 5322 §3.3)', async () => {
    const say = await reading('Date: Mon, 26 Aug 1999 23:12:40 -0700\n\n', 'Date: Mon, 26 Aug 0102 23:12:40 -0700\n\n')
    // Both have just come.
    expect((await say('a SORT (DATE) UTF-8 ALL'))[0]).toBe('* SORT 1 2')
  })
})
