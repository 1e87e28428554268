import { Dovecot } from './imap-dovecot.ts'
import type { MailStore } from '../../src/contracts/store.ts'
import type { Held } from './held.ts'
import type { Sample } from './imap-messages.ts'
import { ImapPlace, PASSWORD } from './imap-place.ts'
import { ImapWire } from './imap-wire.ts'

/** Two servers that hold the same messages: ours, and the one that ours is measured by. */
export class Oracle {
  readonly ours: ImapWire
  readonly dovecot: ImapWire

  private constructor(ours: ImapWire, dovecot: ImapWire) {
    this.ours = ours
    this.dovecot = dovecot
  }

  static async open(held: Held, store?: MailStore): Promise<Oracle> {
    const [dovecot, place] = [await Dovecot.start(held), await ImapPlace.open(held, store ? { store } : {})]
    const ours = await ImapWire.open(place.port(), await place.person('alice'), PASSWORD)
    held.later(() => ours.close())
    const theirs = await ImapWire.open(dovecot.port, 'alice', dovecot.password)
    held.later(() => theirs.close())
    return new Oracle(ours, theirs)
  }

  /** Says the same to both; what they answer, ours first. */
  both<T>(say: (wire: ImapWire) => Promise<T>): Promise<[T, T]> {
    return Promise.all([say(this.ours), say(this.dovecot)])
  }

  /** Appends the messages to INBOX, and selects it. Message `n` has flags and a date that follow from `n`. */
  async fill(samples: readonly Sample[]): Promise<void> {
    for (const [at, { octets }] of samples.entries()) {
      // RFC 3516 §4.4: NUL needs another literal.
      const literal = `${octets.includes('\0') ? '~' : ''}{${octets.length}+}\r\n${octets}`
      await this.both((wire) => wire.ok(`APPEND INBOX (${flagsOf(at)}) "${dateOf(at)}" ${literal}`))
    }
    await this.both((wire) => wire.ok('SELECT INBOX'))
  }
}

const flagsOf = (at: number): string => ['', '\\Seen', '\\Flagged', '\\Answered \\Seen', '$Word \\Deleted', '\\Draft'][at % 6]!

/** Some days apart in no order, at noon or near midnight, in several zones. */
function dateOf(at: number): string {
  const day = String(1 + ((at * 7) % 28)).padStart(2, ' ')
  const month = ['Jan', 'Jun', 'Oct'][at % 3]!
  const time = ['12:00:00', '23:30:00', '00:10:59'][at % 4] ?? '06:07:08'
  const zone = ['+0000', '-0800', '+0530', '+1300'][at % 5] ?? '+0000'
  return `${day}-${month}-20${String(10 + (at % 11))} ${time} ${zone}`
}
