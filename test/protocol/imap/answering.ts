import { indexMessage } from '../../../src/message/indexer.ts'
import { octets, octetString } from '../../../src/protocol/bytes/text.ts'
import {
  type ImapMailbox,
  type ImapMessage,
  type ImapServerConfig,
  type ImapServerEvent,
  type ImapServerSession,
  imapServerSession,
  type NumberSet,
} from '../../../src/protocol/imap/index.ts'

type Asked = Extract<ImapServerEvent, { readonly id: number }>

const MAIL = [
  'From: a@example.org\r\nSubject: One\r\nMessage-ID: <1@x>\r\n\r\nHello\r\n',
  'Subject: Two\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\npart\r\n--b--\r\n',
  'From: c@example.org\r\nSubject: Three\r\nReferences: <1@x>\r\n\r\nWorld\r\n',
]

const mailbox = (path: readonly string[]): ImapMailbox => ({
  id: path.join('/'), path, uidValidity: 7, uidNext: 10, modSeq: 20, messages: 3, unseen: 2, deleted: 1, octets: 300,
})

const mailboxes = [['INBOX'], ['Work'], ['Work', '2026']].map(mailbox)

const messages: readonly ImapMessage[] = MAIL.map((mail, at) => ({
  id: String(at), uid: 2 * at + 1, modSeq: at + 5, received: 0, saved: 0, flags: at === 0 ? ['\\Deleted', '$k'] : [],
  octets: mail.length, facts: indexMessage(octets(mail)),
}))

const isIn = (set: NumberSet, uid: number): boolean => set.some(({ first, last }) => uid >= first && uid <= last)

/** What a host answers that always answers the same. */
export function answerTo(question: Asked): unknown {
  switch (question.kind) {
    case 'connect':
      return undefined
    case 'auth':
      return question.credentials.kind === 'password' && question.credentials.password === 'secret' ? { account: 'a' } : undefined
    case 'id':
      return new Map([['name', 'x']])
    case 'mailboxes':
      return { mailboxes, subscribed: [['INBOX'], ['Gone']] }
    case 'mailbox':
      return mailboxes.find(({ path }) => path.join('/') === question.path.join('/')) ?? null
    case 'create':
      return mailbox(question.path)
    case 'open':
      return { mailbox: mailbox([question.mailbox]), uids: messages.map(({ uid }) => ({ first: uid, last: uid })), firstUnseen: 1,
        keywords: ['$k'], recent: [] }
    case 'entries':
    case 'messages': {
      const items = messages.filter(({ uid, modSeq }) => isIn(question.uids, uid) && modSeq > question.since)
      return { items, last: true }
    }
    case 'octets':
      return question.ranges.map(({ message, start, end }) => octets(MAIL[Number(message)]!.slice(start, end)))
    case 'changes':
      return { modSeq: 20, changed: [], vanished: [], more: false, complete: true }
    case 'flag': {
      const named = messages.filter(({ uid }) => isIn(question.uids, uid))
      return { changed: named.map(({ uid }) => ({ uid, modSeq: 21, flags: question.flags })), modified: [] }
    }
    case 'expunge':
      return []
    case 'copy':
      return messages.filter(({ uid }) => isIn(question.uids, uid)).map(({ uid }) => ({ from: uid, to: uid + 100 }))
    case 'append':
      return { uids: question.messages.map((_, at) => 50 + at) }
    case 'replace':
      return { uid: 60 }
    case 'quota':
      return { used: { octets: 1, messages: 1 }, limit: { octets: 1e6, messages: 1000 } }
    case 'candidates':
    case 'columns':
    case 'claim':
      return null
    case 'clock':
      return 1_000_000
    default:
      return true
  }
}

/** What a conversation came to. */
export interface Heard {
  readonly output: string
  readonly events: readonly string[]
}

const tell = (event: ImapServerEvent): string =>
  JSON.stringify(event, (_name, value: unknown) => (value instanceof Map ? [...value] : value))

/** A session and a host that answers at once; time passes only where the session waits for it. */
export class Conversing {
  readonly session: ImapServerSession
  readonly events: string[] = []
  output = ''
  private body = ''
  private now = 0
  private steps = 0

  constructor(config: ImapServerConfig) {
    this.session = imapServerSession(config, {}, 0)
    this.pump()
  }

  send(text: string): void {
    this.session.receive(this.now, octets(text))
    this.pump()
  }

  end(): Heard {
    this.session.receiveEnd(this.now)
    this.pump()
    if (this.body !== '') this.events.push(`body ${this.body}`)
    return { output: this.output, events: this.events }
  }

  private pump(): void {
    for (;;) {
      for (let event = this.session.next(); event; event = this.session.next()) this.take(event)
      const said = this.session.takeOutput()
      for (const piece of said) {
        if (typeof piece === 'string') this.output += piece
        else this.output += 'message' in piece ? MAIL[Number(piece.message)]!.slice(piece.start, piece.end) : octetString(piece)
      }
      const { waiting } = this.session as unknown as { readonly waiting: { readonly kind: string } | undefined }
      if (waiting?.kind === 'pause') this.session.advance((this.now = Math.max(this.now, this.session.deadline!)))
      else if (said.length === 0) return
      if (++this.steps > 100_000) throw new Error('it does not come to an end')
    }
  }

  private take(event: ImapServerEvent): void {
    if (++this.steps > 100_000) throw new Error('it does not come to an end')
    if (event.kind === 'body') return void (this.body += octetString(event.bytes))
    if (this.body !== '') this.events.push(`body ${this.body}`)
    this.body = ''
    this.events.push(tell(event))
    if ('id' in event) this.session.answer(event, answerTo(event) as never)
  }
}
