import { turn } from '../../adapters/node/event-loop.ts'
import { Picture } from '../imap-picture.ts'
import { type SeededRandom, seededRandom } from '../random.ts'
import { flagsOf, type ImapAnswer, numbersOf } from './imap-items.ts'
import {
  appendOf,
  fetchAll,
  type ImapContractOptions,
  type ImapStand,
  mailOf,
  playing,
  statusOf,
  subjectsOf,
} from './imap-stand.ts'
import type { Talk } from './imap-talk.ts'
import { Amiss } from './imap-witness.ts'

/** A mailbox as a plain list of what was done to it. */
class PlainBox {
  readonly path: string
  /** All that ever came, by UID. */
  readonly subjects = new Map<number, string>()
  /** Those of which somebody wanted that they go. */
  readonly unwanted = new Set<number>()
  /** What is there, with its flags; true where nothing happens at the same time. */
  readonly flags = new Map<number, Set<string>>()

  constructor(path: string) {
    this.path = path
  }

  arrive(uid: number, subject: string, flags: Iterable<string>): void {
    this.subjects.set(uid, subject)
    this.flags.set(uid, new Set(flags))
  }

  /** The subject of a message that has come. Whoever brought it may be about to hear of it only after others have seen it. */
  async subjectOf(uid: number): Promise<string> {
    for (let turns = 0; turns < 1000 && !this.subjects.has(uid); turns++) await turn()
    return this.subjects.get(uid) ?? 'what nobody sent'
  }

  leave(uid: number): void {
    this.unwanted.add(uid)
    this.flags.delete(uid)
  }

  /** What is there as a client pictures it. */
  get all(): string[] {
    const all = [...this.flags].sort(([a], [b]) => a - b)
    return all.map(([uid, flags]) => `${uid} ${[...flags].sort().join(' ')}`)
  }
}

/** A session, the mailbox it has selected, and what it makes of what it is told. */
class Seat {
  readonly picture = new Picture()
  readonly talk: Talk
  readonly box: PlainBox

  constructor(talk: Talk, box: PlainBox) {
    this.talk = talk
    this.box = box
    talk.onLine = (line) => this.picture.heard(`${line}\r\n`)
  }

  say(command: string): Promise<ImapAnswer> {
    this.picture.said(command)
    return this.talk.ok(command)
  }

  /** Asks for all that it does not know, as clients do. */
  async look(): Promise<void> {
    await this.say('NOOP')
    for (let unknown = this.picture.unknown; unknown !== undefined; unknown = this.picture.unknown) {
      const command = `FETCH ${unknown} (UID FLAGS)`
      this.picture.said(command)
      // Of those that went meanwhile it hears that they did (RFC 5530 §3), and behind NOOP which.
      const { status, code } = await this.talk.send(command, 'entries')
      if (status !== 'OK' && code !== 'EXPUNGEISSUED') throw new Amiss(`${command} was refused: ${status} [${code}]`, ['entries'])
      await this.say('NOOP')
    }
  }
}

const FLAGS = ['\\Seen', '\\Flagged', '\\Deleted', '$K']
/** What the sessions enable, and which mailbox they have selected. */
const SEATS = [['', 0], ['QRESYNC', 0], ['CONDSTORE', 0], ['QRESYNC', 1]] as const

/** Several sessions that do one thing after another, each. */
class Course {
  readonly boxes = [new PlainBox('INBOX'), new PlainBox('a')] as const
  readonly stand: ImapStand
  private count = 0

  constructor(stand: ImapStand) {
    this.stand = stand
  }

  async seats(): Promise<Seat[]> {
    for (const { path } of this.boxes) await this.stand.mailbox(path)
    const seats: Seat[] = []
    for (const [enable, at] of SEATS) {
      const seat = new Seat(await this.stand.client({ enable }), this.boxes[at])
      await seat.say(`SELECT ${seat.box.path}`)
      seats.push(seat)
    }
    return seats
  }

  /** Does one thing, and notes what has to come of it. */
  async step(seat: Seat, random: SeededRandom): Promise<void> {
    const { box } = seat
    const to = this.boxes[random.below(2)]!
    // Of what it has been told of: of others its server knows nothing either.
    const known = seat.picture.messages.flatMap(({ uid }) => uid ?? [])
    const uids = known.filter(() => random.below(4) === 0).slice(0, 4)
    const flag = FLAGS[random.below(FLAGS.length)]!
    const what = random.below(10)
    if (uids.length === 0 || what < 3) return this.arrive(seat, to, flag, what === 2)
    if (what < 6) return this.flag(seat, uids, flag, (['add', 'remove', 'replace'] as const)[what - 3]!)
    if (what === 6) return this.go(seat, uids)
    if (what === 9) return seat.look()
    const moves = what === 8 && this.stand.store.move !== undefined
    if (!moves || to !== box) await this.copy(seat, uids, to, moves)
  }

  /** Throws unless the mailboxes hold what came, and no more of it is gone than was to go. */
  async check(seats: readonly Seat[]): Promise<void> {
    const { stand } = this
    for (const seat of seats) await seat.look()
    for (const box of this.boxes) {
      const talk = await stand.client({ select: box.path })
      const there = await subjectsOf(talk)
      for (const [uid, subject] of there) {
        stand.same(subject, box.subjects.get(uid), `message ${uid} in ${box.path}`, 'append', 'copy', 'body')
      }
      const uids = new Set(there.map(([uid]) => uid))
      const lost = [...box.subjects.keys()].filter((uid) => !uids.has(uid) && !box.unwanted.has(uid))
      stand.same(lost, [], `UIDs that are lost in ${box.path}`, 'append', 'copy', 'expunge')
      const told = (await fetchAll(talk, 'FLAGS', 'entries')).map((one) => `${one.uid} ${flagsOf(one).join(' ')}`)
      for (const [at, { box: its, picture }] of seats.entries()) {
        if (its === box) stand.same(picture.all, told, `${box.path} as session ${at} has it`, 'changes', 'flag', 'entries')
      }
      const messages = (await statusOf(talk, box.path, 'MESSAGES')).get('MESSAGES')
      stand.same(messages, there.length, `MESSAGES of ${box.path}`, 'mailboxes')
      talk.vanish()
    }
  }

  private async arrive(seat: Seat, box: PlainBox, flag: string, delivered: boolean): Promise<void> {
    const subject = `message ${++this.count}`
    if (delivered) return box.arrive(await this.stand.deliver(mailOf(subject), box.path, [flag]), subject, [flag])
    const { code } = await seat.say(appendOf(box.path, mailOf(subject), `(${flag})`))
    box.arrive(Number(code.split(' ')[2]), subject, [flag])
  }

  private async flag(seat: Seat, uids: readonly number[], flag: string, kind: 'add' | 'remove' | 'replace'): Promise<void> {
    const sign = { add: '+', remove: '-', replace: '' }[kind]
    await seat.say(`UID STORE ${uids.join(',')} ${sign}FLAGS (${flag})`)
    for (const uid of uids) {
      const flags = seat.box.flags.get(uid)
      if (kind === 'replace') flags?.clear()
      if (kind === 'remove') flags?.delete(flag)
      else flags?.add(flag)
    }
  }

  private async go(seat: Seat, uids: readonly number[]): Promise<void> {
    // Before it is done: others may see it done before we hear of it.
    for (const uid of uids) seat.box.unwanted.add(uid)
    await seat.say(`UID STORE ${uids.join(',')} +FLAGS (\\Deleted)`)
    await seat.say(`UID EXPUNGE ${uids.join(',')}`)
    for (const uid of uids) seat.box.leave(uid)
  }

  private async copy(seat: Seat, uids: readonly number[], to: PlainBox, moves: boolean): Promise<void> {
    const { box } = seat
    if (moves) for (const uid of uids) box.unwanted.add(uid)
    const { code, lines } = await seat.say(`UID ${moves ? 'MOVE' : 'COPY'} ${uids.join(',')} ${to.path}`)
    // MOVE tells it in a line of its own, before the messages are gone (RFC 6851 §4.3).
    const told = moves ? lines.find((line) => line.startsWith('* OK [COPYUID ')) ?? '' : code
    const [, , from = '', there = ''] = told.replace(/^\* OK \[|\].*$/g, '').split(' ')
    const arrived = numbersOf(there)
    for (const [at, uid] of numbersOf(from).entries()) {
      to.arrive(arrived[at]!, await box.subjectOf(uid), box.flags.get(uid) ?? [])
      if (moves) box.leave(uid)
    }
  }
}

/** Several sessions on the same mailboxes. */
export function interleavings(options: ImapContractOptions): void {
  const it = playing(options, 'several sessions')

  for (const seed of [1, 2]) {
    it(`is a list of what they did in turn, and each of them sees it (seed ${seed})`, async (stand) => {
      const course = new Course(stand)
      const random = seededRandom(seed)
      const seats = await course.seats()
      for (let i = 1; i <= 80; i++) {
        await course.step(seats[random.below(seats.length)]!, random)
        if (i % 20 !== 0) continue
        await course.check(seats)
        for (const { box, picture } of seats) {
          stand.same(picture.all, box.all, `${box.path} after ${i} steps`, 'flag', 'copy', 'expunge', 'changes')
        }
      }
    })
  }

  for (const seed of [3, 4]) {
    it(`loses nothing where they do not wait for each other, and each of them sees it (seed ${seed})`, async (stand) => {
      const course = new Course(stand)
      const seats = await course.seats()
      for (let round = 0; round < 3; round++) {
        await Promise.all(seats.map(async (seat, who) => {
          const random = seededRandom(seed * 100 + round * 10 + who)
          for (let i = 0; i < 12; i++) {
            await course.step(seat, random)
            if (random.below(3) === 0) await turn()
          }
        }))
        await course.check(seats)
      }
    })
  }
}
