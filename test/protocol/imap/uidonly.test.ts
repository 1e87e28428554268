import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Picture } from '../../../src/testing/imap-picture.ts'
import { ImapStage, type StageClient } from '../../../src/testing/imap-stage.ts'

const MAIL = 'Subject: x\r\n\r\ny\r\n'

/** What a client that knows UIDs alone makes of what it is told. Throws where a sequence number is among it. */
class UidPicture {
  private readonly flags = new Map<number, string>()
  private count = 0
  private rest = ''

  heard(octets: string): void {
    const lines = (this.rest + octets).split('\r\n')
    this.rest = lines.pop()!
    for (const line of lines) this.line(line)
  }

  /** What to ask for, in UIDs. */
  get unknown(): string | undefined {
    return this.count === this.flags.size ? undefined : `${Math.max(0, ...this.flags.keys()) + 1}:*`
  }

  get all(): string[] {
    return [...this.flags].sort(([a], [b]) => a - b).map(([uid, flags]) => `${uid} ${flags}`)
  }

  private line(line: string): void {
    if (/^\* \d+ (FETCH|EXPUNGE)|\[UNSEEN|^\S+ BAD /.test(line)) throw new Error(line)
    const [, number, what] = /^\* (\d+) (EXISTS|UIDFETCH)/.exec(line) ?? []
    const flags = /FLAGS \(([^)]*)\)/.exec(line)
    if (what === 'EXISTS') this.count = Number(number)
    else if (what === 'UIDFETCH' && flags) this.flags.set(Number(number), ordered(flags[1]!))
    else if (line.startsWith('* VANISHED ')) {
      for (const uid of numbersIn(line.slice(11))) {
        this.flags.delete(uid)
        this.count--
      }
    }
  }
}

const ordered = (flags: string): string => flags.split(' ').filter((flag) => flag !== '\\Recent').sort().join(' ')

function numbersIn(set: string): number[] {
  return set.split(',').flatMap((range) => {
    const [first, last = first] = range.split(':').map(Number)
    return Array.from({ length: last! - first! + 1 }, (_, at) => first! + at)
  })
}

/** A client, with UIDONLY or without. */
class Seat {
  readonly stage = new ImapStage()
  /** What it was told that has no sequence numbers in it, whatever it enabled. */
  readonly results: string[] = []
  readonly uidOnly: boolean
  private readonly picture: Picture | UidPicture
  private readonly client: StageClient
  idling = false

  constructor(uidOnly: boolean) {
    this.uidOnly = uidOnly
    this.picture = uidOnly ? new UidPicture() : new Picture()
    this.client = this.stage.connect()
  }

  async begin(enable: string): Promise<string> {
    const inbox = await this.stage.mailbox('INBOX')
    await this.stage.mailbox('Other')
    for (let at = 0; at < 4; at++) await this.stage.deliver('INBOX', MAIL)
    this.say('LOGIN alice secret')
    const names = `${enable}${this.uidOnly ? ' UIDONLY' : ''}`.trim()
    if (names !== '') this.say(`ENABLE ${names}`)
    this.say('SELECT INBOX')
    await this.look()
    return inbox
  }

  get all(): readonly string[] {
    return this.picture.all
  }

  say(command: string): void {
    if (this.idling) this.client.send('DONE\r\n')
    if ('said' in this.picture) this.picture.said(command)
    this.client.send(`t ${command}\r\n`)
    this.idling = command === 'IDLE'
  }

  /** Hears what there is, and asks for what it does not know. */
  async look(): Promise<void> {
    for (let times = 0; ; times++) {
      if (times === 20) throw new Error('It never learns what there is')
      await this.stage.settle()
      const said = this.client.take()
      this.results.push(...said.split('\r\n').filter((line) => /^\* (E?SEARCH|SORT|THREAD)|(APPEND|COPY)UID|^t NO/.test(line)))
      this.picture.heard(said)
      const { unknown } = this.picture
      if (unknown === undefined || this.idling) return
      this.say(`${this.uidOnly ? 'UID ' : ''}FETCH ${unknown} (${this.uidOnly ? '' : 'UID '}FLAGS)`)
      // What is gone meanwhile is not told behind a FETCH.
      this.say('NOOP')
    }
  }
}

interface Step {
  readonly what: number
  readonly uid: number
  readonly flag: number
}

const flagOf = (n: number): string => ['\\Seen', '\\Deleted', '\\Flagged', '$k'][n % 4]!

async function take({ stage, ...seat }: Pick<Seat, 'stage' | 'say'>, inbox: string, { what, uid, flag }: Step): Promise<void> {
  const commands = [
    'NOOP', 'EXPUNGE', 'IDLE', `UID STORE ${uid}:${uid + 3} FLAGS (${flagOf(flag)} ${flagOf(flag + 1)})`,
    `UID STORE ${uid} +FLAGS (${flagOf(flag)})`, `UID EXPUNGE ${uid}:${uid + 5}`, `UID FETCH ${uid}:* (FLAGS)`,
    `APPEND INBOX (${flagOf(flag)}) {${MAIL.length}+}\r\n${MAIL}`, `UID MOVE ${uid} Other`, `UID COPY ${uid} INBOX`,
    `UID REPLACE ${uid} INBOX (${flagOf(flag)}) {${MAIL.length}+}\r\n${MAIL}`, 'UID SEARCH UNSEEN',
    `UID SEARCH RETURN (SAVE COUNT) UID ${uid}:*`, 'UID STORE $ +FLAGS (\\Flagged)', 'UID SORT (REVERSE ARRIVAL) UTF-8 ALL',
    'UID THREAD ORDEREDSUBJECT UTF-8 ALL', `UID SEARCH RETURN (PARTIAL -1:-2) NOT UID ${uid}`,
  ]
  const outside = [
    () => stage.deliver('INBOX', MAIL),
    () => stage.store.expunge(inbox, [{ first: uid, last: uid + 1 }]),
    () => stage.store.flag(inbox, [{ first: uid, last: uid + 4 }], { kind: 'add', flags: [flagOf(flag)] }),
  ]
  const kind = what % (commands.length + outside.length)
  if (kind < commands.length) seat.say(commands[kind]!)
  else await outside[kind - commands.length]!()
}

const step: fc.Arbitrary<Step> = fc.record({ what: fc.nat(200), uid: fc.integer({ min: 1, max: 12 }), flag: fc.nat(3) })

describe('UIDONLY', () => {
  it('tells a client by UIDs what another is told by sequence numbers', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 40, size: 'max' }),
        fc.constantFrom('', 'CONDSTORE', 'QRESYNC'),
        async (steps, enable) => {
          const seats = [new Seat(false), new Seat(true)]
          const inboxes = [await seats[0]!.begin(enable), await seats[1]!.begin(enable)]
          for (const one of steps) {
            for (const [at, seat] of seats.entries()) {
              await take({ stage: seat.stage, say: (command) => seat.say(command) }, inboxes[at]!, one)
              await seat.look()
            }
            // While it idles, one that is told sequence numbers cannot know whose flags they are of what has just come.
            if (!seats[0]!.idling) expect(seats[1]!.all).toEqual(seats[0]!.all)
          }
          for (const seat of seats) {
            // What came in the meantime was asked for, behind which nothing may be gone.
            for (let times = 0; times < 2; times++) {
              seat.say('NOOP')
              await seat.look()
            }
          }
          const there: string[] = []
          for await (const page of seats[1]!.stage.store.entries(inboxes[1]!)) {
            for (const { uid, flags } of page) there.push(`${uid} ${[...flags].sort().join(' ')}`)
          }
          expect(seats[1]!.all).toEqual(there)
          expect(seats[0]!.all).toEqual(there)
          expect(seats[1]!.results).toEqual(seats[0]!.results)
        },
      ),
      { numRuns: 50 },
    )
  })
})
