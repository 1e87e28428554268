/** A message as a client has been told of it. */
interface Seen {
  uid: number | undefined
  flags: string | undefined
}

/** Commands that go by sequence numbers, during which nothing may be said to be gone (RFC 9051 §7.5.1). */
const bySequence = /^(FETCH|STORE|SEARCH|SORT|THREAD|COPY) /

/** What a client makes of what it is told: a list of messages. Throws where what it is told cannot be. */
export class Picture {
  messages: Seen[] = []
  uidValidity = 0
  /** From where it would come back (RFC 7162 §6). */
  modSeq = 0
  ended = false
  private highest = 0
  private told: number | undefined
  private readonly running: string[] = []
  private rest = ''

  /** It says a command. */
  said(command: string): void {
    this.running.push(command)
  }

  /** It hears octets; answers have no literals. */
  heard(octets: string): void {
    const lines = (this.rest + octets).split('\r\n')
    this.rest = lines.pop()!
    for (const line of lines) this.line(line)
  }

  /** Messages that it knows of without knowing what they are, as a range of sequence numbers. */
  get unknown(): string | undefined {
    const first = this.messages.findIndex(({ uid, flags }) => uid === undefined || flags === undefined)
    return first < 0 ? undefined : `${first + 1}:${this.messages.length}`
  }

  /** What it holds, for comparison. */
  get all(): string[] {
    return this.messages.map(({ uid, flags }) => `${uid} ${flags}`)
  }

  private line(line: string): void {
    const command = this.running[0] ?? ''
    if (line.startsWith('+ ')) return
    if (!line.startsWith('* ')) return this.tagged(line)
    this.code(line)
    const [, number, what] = /^\* (\d+) (EXISTS|EXPUNGE|RECENT|FETCH)/.exec(line) ?? []
    if (line.startsWith('* BYE')) this.ended = true
    else if (what === 'EXISTS') this.exists(Number(number))
    else if (what === 'EXPUNGE') this.gone(command, Number(number))
    else if (what === 'FETCH') this.fetched(Number(number), line)
    else if (line.startsWith('* VANISHED (EARLIER) ')) this.vanished(line.slice(21), true)
    else if (line.startsWith('* VANISHED ')) {
      this.sure(!bySequence.test(command), `${line} during ${command}`)
      this.vanished(line.slice(11), false)
    }
  }

  private tagged(line: string): void {
    this.sure(this.running.length > 0, `an answer to nothing: ${line}`)
    const command = this.running.shift()!
    this.code(line)
    this.sure(!/ BAD /.test(line) || /message with that number/.test(line), `${command}: ${line}`)
    if (this.told === undefined) this.modSeq = Math.max(this.modSeq, this.highest)
    else this.modSeq = this.told
    this.highest = 0
    this.told = undefined
  }

  private code(line: string): void {
    const told = / OK \[HIGHESTMODSEQ (\d+)\]/.exec(line)
    if (told) this.told = Number(told[1])
    const validity = / OK \[UIDVALIDITY (\d+)\]/.exec(line)
    if (validity) this.uidValidity = Number(validity[1])
  }

  private exists(count: number): void {
    this.sure(count >= this.messages.length, `${count} EXISTS after ${this.messages.length}`)
    while (this.messages.length < count) this.messages.push({ uid: undefined, flags: undefined })
  }

  private gone(command: string, sequence: number): void {
    this.sure(!bySequence.test(command), `EXPUNGE during ${command}`)
    this.sure(sequence >= 1 && sequence <= this.messages.length, `${sequence} EXPUNGE of ${this.messages.length}`)
    this.messages.splice(sequence - 1, 1)
  }

  private vanished(set: string, earlier: boolean): void {
    for (const range of set.split(',')) {
      const [first, last = first] = range.split(':').map(Number)
      for (let uid = first!; uid <= last!; uid++) {
        const known = this.messages.findIndex((message) => message.uid === uid)
        // Of messages that it has not asked about yet it knows no more than between which others they are.
        const at = known >= 0 || earlier ? known : this.unknownFor(uid)
        this.sure(at >= 0 || earlier, `VANISHED ${range} of what was not there`)
        if (at >= 0) this.messages.splice(at, 1)
      }
    }
  }

  /** A message whose UID it does not know, and that can be this one: UIDs ascend. */
  private unknownFor(uid: number): number {
    const above = this.messages.findIndex((message) => message.uid !== undefined && message.uid > uid)
    const end = above < 0 ? this.messages.length : above
    return this.messages[end - 1]?.uid === undefined ? end - 1 : -1
  }

  private fetched(sequence: number, line: string): void {
    this.sure(sequence >= 1 && sequence <= this.messages.length, `${line} of ${this.messages.length}`)
    const message = this.messages[sequence - 1]!
    const uid = /UID (\d+)/.exec(line)
    const flags = /FLAGS \(([^)]*)\)/.exec(line)
    const modSeq = /MODSEQ \((\d+)\)/.exec(line)
    if (uid) {
      this.sure(message.uid === undefined || message.uid === Number(uid[1]), `${line}, which was ${message.uid}`)
      message.uid = Number(uid[1])
    }
    if (flags) message.flags = flags[1]!.split(' ').filter((flag) => flag !== '\\Recent').sort().join(' ')
    if (modSeq) this.highest = Math.max(this.highest, Number(modSeq[1]))
  }

  private sure(holds: boolean, what: string): void {
    if (!holds) throw new Error(what)
  }
}
