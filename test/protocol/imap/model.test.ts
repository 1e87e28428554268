import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ImapStage, type StageClient, USER } from '../../../src/testing/imap-stage.ts'
import { Picture } from '../../../src/testing/imap-picture.ts'

const MAIL = 'Subject: x\r\n\r\ny\r\n'

/** What each of the sessions enables. */
const KINDS = ['', 'QRESYNC', 'CONDSTORE', 'QRESYNC']

/** A session, and what it has been told. */
class Seat {
  picture = new Picture()
  private client: StageClient
  private tag = 0
  private idling = false
  private readonly stage: ImapStage
  private readonly kind: string

  constructor(stage: ImapStage, kind: string) {
    this.stage = stage
    this.kind = kind
    this.client = stage.connect()
  }

  async begin(): Promise<void> {
    this.say('LOGIN alice secret')
    if (this.kind !== '') this.say(`ENABLE ${this.kind}`)
    this.say('SELECT INBOX')
    await this.look()
  }

  say(command: string): void {
    if (this.idling) {
      this.client.send('DONE\r\n')
      this.idling = false
    }
    this.picture.said(command)
    this.client.send(`t${++this.tag} ${command}\r\n`)
    this.idling = command === 'IDLE'
  }

  /** Hears what there is, and asks for what it does not know, as clients do. */
  async look(): Promise<void> {
    for (;;) {
      await this.stage.settle()
      this.picture.heard(this.client.take())
      const { unknown } = this.picture
      if (unknown === undefined || this.idling) return
      this.say(`FETCH ${unknown} (UID FLAGS)`)
      // What is gone meanwhile is not told behind a FETCH.
      this.say('NOOP')
    }
  }

  async noop(): Promise<void> {
    this.say('NOOP')
    await this.look()
    // What came meanwhile was asked for by a FETCH, behind which nothing may be gone.
    this.say('NOOP')
    await this.look()
  }

  /** Loses the connection, and comes back with what it knows. */
  async comeBack(): Promise<void> {
    if (this.kind !== 'QRESYNC') return
    if (this.idling) await this.noop()
    const { uidValidity, modSeq, messages } = this.picture
    this.client.reset()
    this.client = this.stage.connect()
    this.idling = false
    const known = messages.filter(({ uid, flags }) => uid !== undefined && flags !== undefined)
    this.picture = new Picture()
    this.say('LOGIN alice secret')
    this.say('ENABLE QRESYNC')
    await this.look()
    this.say(`SELECT INBOX (QRESYNC (${uidValidity} ${modSeq}))`)
    await this.stage.settle()
    const said = this.client.take()
    // What it knew, without what has vanished, is the beginning of what is there: the sequence numbers follow from that.
    const gone = new Picture()
    gone.messages = known
    const vanished = said.split('\r\n').filter((line) => line.startsWith('* VANISHED (EARLIER)'))
    gone.heard(vanished.map((line) => `${line}\r\n`).join(''))
    this.picture.messages = gone.messages
    this.picture.heard(said.split('\r\n').filter((line) => !line.startsWith('* VANISHED')).join('\r\n'))
    await this.look()
  }
}

interface Step {
  readonly who: number
  readonly what: number
  readonly at: number
  readonly flag: number
  readonly wait: boolean
}

const flagOf = (n: number): string => ['\\Seen', '\\Deleted', '\\Flagged', '$k'][n % 4]!

async function take(stage: ImapStage, seat: Seat, inbox: string, { what, at, flag }: Step): Promise<void> {
  const { length } = seat.picture.messages
  const n = length === 0 ? 0 : (at % length) + 1
  const uid = (at % 12) + 1
  const bySequence = [
    `FETCH ${n} (UID FLAGS)`, `STORE ${n} +FLAGS (${flagOf(flag)})`, `STORE ${n}:* -FLAGS (${flagOf(flag)})`,
    `SEARCH ${n}`, `COPY ${n} INBOX`,
  ]
  const others = [
    'NOOP', 'EXPUNGE', 'IDLE', `UID STORE ${uid}:${uid + 3} FLAGS (${flagOf(flag)} ${flagOf(flag + 1)})`,
    `UID EXPUNGE ${uid}:${uid + 5}`, `UID FETCH ${uid}:* (FLAGS)`, `APPEND INBOX (${flagOf(flag)}) {${MAIL.length}+}\r\n${MAIL}`,
    `UID MOVE ${uid} Other`, `UID COPY ${uid} INBOX`,
  ]
  const outside = [
    () => stage.deliver('INBOX', MAIL),
    () => stage.store.expunge(inbox, [{ first: uid, last: uid + 1 }]),
    () => stage.store.flag(inbox, [{ first: uid, last: uid + 4 }], { kind: 'add', flags: [flagOf(flag)] }),
    () => seat.comeBack(),
  ]
  const kind = what % (bySequence.length + others.length + outside.length)
  if (kind < bySequence.length) {
    if (n > 0) seat.say(bySequence[kind]!)
    // .SILENT is left out: what a client makes of its own changes is nothing it was told.
  } else if (kind < bySequence.length + others.length) seat.say(others[kind - bySequence.length]!)
  else await outside[kind - bySequence.length - others.length]!()
}

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(KINDS.length - 1), what: fc.nat(200), at: fc.nat(50), flag: fc.nat(3), wait: fc.boolean(),
})

describe('several sessions on one mailbox', () => {
  it('each see what is there once they have asked, and never hear that a message is gone while numbers matter', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
        fc.constantFrom(1, 3, 1000),
        async (steps, remembered) => {
          const stage = new ImapStage({ remembered })
          const inbox = await stage.mailbox('INBOX')
          await stage.mailbox('Other')
          for (let at = 0; at < 4; at++) await stage.deliver('INBOX', MAIL)
          const seats = KINDS.map((kind) => new Seat(stage, kind))
          for (const seat of seats) await seat.begin()
          for (const one of steps) {
            await take(stage, seats[one.who]!, inbox, one)
            if (one.wait) for (const seat of seats) await seat.look()
          }
          for (const seat of seats) await seat.look()
          for (const seat of seats) await seat.noop()
          const there: string[] = []
          for await (const page of stage.store.entries(inbox)) {
            for (const { uid, flags } of page) there.push(`${uid} ${[...flags].sort().join(' ')}`)
          }
          for (const [at, seat] of seats.entries()) expect(seat.picture.all, `session ${at}`).toEqual(there)
          expect((await stage.store.mailboxes(USER)).length).toBe(2)
        },
      ),
      { numRuns: 60 },
    )
  })
})
