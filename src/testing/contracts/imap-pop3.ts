import { USER } from '../imap-stage.ts'
import { appendOf, type ImapContractOptions, mailOf, playing, subjectsOf } from './imap-stand.ts'
import type { Talk } from './imap-talk.ts'
import { Amiss, type StoreMethod } from './imap-witness.ts'

/** Says a command, and gives the first line of the answer. */
async function said(talk: Talk, command: string, ...suspects: StoreMethod[]): Promise<string> {
  talk.heard = []
  const answered = talk.until((line) => /^(\+OK|-ERR)/.test(line), command, ...suspects)
  talk.say(`${command}\r\n`)
  const line = await answered
  if (line.startsWith('-ERR')) throw new Amiss(`${command} by POP3: ${line}`, suspects)
  return line
}

/** The lines of an answer that has several, as they were before dots were doubled. */
async function lines(talk: Talk, command: string, ...suspects: StoreMethod[]): Promise<string[]> {
  await said(talk, command, ...suspects)
  await talk.until((line) => line === '.', command, ...suspects)
  return talk.heard.slice(1, talk.heard.indexOf('.')).map((line) => line.replace(/^\./, ''))
}

/** The same INBOX by POP3. */
export function popped(options: ImapContractOptions): void {
  const it = playing(options, 'POP3')

  it('reads the INBOX that IMAP reads, and deletes from it', async (stand) => {
    await stand.mailbox()
    const talk = await stand.client({ select: 'INBOX' })
    const mails = ['one', 'two', '.dots\r\n..\r\n.', 'four'].map(mailOf)
    for (const mail of mails) await talk.ok(appendOf('INBOX', mail), 'append')
    const pop = await stand.popClient()
    await said(pop, `USER ${USER}`)
    await said(pop, 'PASS secret', 'mailboxes', 'entries')
    const sizes = (await lines(pop, 'LIST', 'entries')).map((line) => Number(line.split(' ')[1]))
    stand.same(sizes, mails.map(({ length }) => length), 'sizes by POP3', 'entries')
    for (const [at, mail] of mails.entries()) {
      const read = (await lines(pop, `RETR ${at + 1}`, 'body')).map((line) => `${line}\r\n`).join('')
      stand.same(read, mail, `message ${at + 1} by POP3`, 'body', 'append')
    }
    const names = (await lines(pop, 'UIDL', 'entries')).map((line) => line.split(' ')[1]!)
    stand.same(new Set(names).size, 4, 'names that UIDL gives', 'entries')
    await said(pop, 'DELE 2')
    await said(pop, 'QUIT', 'expunge')
    await talk.ok('NOOP', 'changes')
    const left = (await subjectsOf(talk)).map(([, subject]) => subject)
    stand.same(left, ['one', '.dots\r\n..\r\n.', 'four'], 'messages by IMAP after DELE 2', 'expunge', 'changes')
    const again = await stand.popClient()
    await said(again, `USER ${USER}`)
    await said(again, 'PASS secret', 'mailboxes')
    const still = (await lines(again, 'UIDL', 'entries')).map((line) => line.split(' ')[1]!)
    stand.same(still, [names[0], names[2], names[3]], 'names that UIDL gives afterwards', 'entries', 'mailboxes')
  })
}
