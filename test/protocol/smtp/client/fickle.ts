/** What a fickle server says to a command: one of several, by the next number of its own. */
const answers: readonly (readonly [verb: string, replies: readonly string[]])[] = [
  ['MAIL', ['250 2.1.0 ok', '250 ok', '250-2.1.0 two\r\n250 2.1.0 lines', '451 4.3.0 not now', '550 5.7.1 not you']],
  ['RCPT', ['250 2.1.5 ok', '251 ok', '250 ok', '450 4.2.1 later', '550 5.1.1 nobody', '552 5.5.3 too many']],
  ['DATA', ['354 go', '354 go', '354 go', '354 go', '451 4.3.0 no room', '554 5.5.1 no']],
  ['BDAT', ['250 ok', '250 ok', '250 ok', '250 ok', '250 ok', '452 4.3.1 no room']],
  ['FINAL', ['250 2.0.0 taken', '250 taken', '250 2.0.0 taken', '451 4.3.0 later', '554 5.6.0 spam']],
  ['RSET', ['250 ok']],
  ['QUIT', ['221 bye']],
  ['NOOP', ['250 ok']],
]

/** A server that keeps to the protocol and is in no other way to be relied on. `whims`: numbers that decide. */
export class FickleServer {
  /** Commands as they came; content as one. */
  readonly heard: string[] = []
  /** What was taken, and for how many. */
  readonly taken: { readonly content: string; readonly recipients: number }[] = []
  private readonly offers: readonly string[]
  private readonly whims: readonly number[]
  private readonly lmtp: boolean
  private whim = 0
  private input = ''
  private content: string | undefined
  private chunks = ''
  private recipients = 0
  private sender = false
  private broken = false

  constructor(offers: readonly string[], whims: readonly number[], lmtp: boolean) {
    this.offers = offers
    this.whims = whims
    this.lmtp = lmtp
  }

  /** What it says to this. */
  hear(octets: string): string {
    this.input += octets
    let out = ''
    for (let said = this.next(); said !== undefined; said = this.next()) out += said
    return out
  }

  private next(): string | undefined {
    if (this.content !== undefined) return this.endOfContent()
    const end = this.input.indexOf('\r\n')
    if (end < 0) return undefined
    const line = this.input.slice(0, end)
    const verb = line.slice(0, 4)
    if (verb === 'BDAT') {
      const octets = Number(line.split(' ')[1])
      if (this.input.length < end + 2 + octets) return undefined
      this.chunks += this.input.slice(end + 2, end + 2 + octets)
      this.input = this.input.slice(end + 2 + octets)
      this.heard.push(line)
      // S31: after a chunk that failed, every other fails until RSET.
      if (this.broken) return '503 5.5.1 RSET first\r\n'
      if (line.endsWith('LAST')) return this.final(this.chunks)
      const reply = this.pick('BDAT')
      this.broken = !reply.startsWith('2')
      return `${reply}\r\n`
    }
    this.input = this.input.slice(end + 2)
    this.heard.push(line)
    return this.command(verb)
  }

  private command(verb: string): string {
    if (verb === 'EHLO' || verb === 'LHLO') {
      const lines = ['mx.example.org', ...this.offers]
      return lines.map((line, at) => `250${at === lines.length - 1 ? ' ' : '-'}${line}\r\n`).join('')
    }
    if (verb === 'RCPT' && !this.sender) return '503 5.5.1 MAIL first\r\n'
    if (verb === 'DATA' && this.recipients === 0) return '554 5.5.1 no valid recipients\r\n'
    const reply = this.pick(verb)
    const yes = reply.startsWith('2')
    if (verb === 'MAIL') [this.sender, this.recipients] = [yes, 0]
    if (verb === 'RSET') this.forget()
    if (verb === 'RCPT' && yes) this.recipients++
    if (reply.startsWith('354')) this.content = ''
    return `${reply}\r\n`
  }

  private endOfContent(): string | undefined {
    const end = this.input.startsWith('.\r\n') ? 0 : this.input.indexOf('\r\n.\r\n') + 2
    if (end === 1) return undefined
    const content = this.input.slice(0, end)
    this.input = this.input.slice(end + 3)
    this.content = undefined
    return this.final(content.replace(/^\.\./gm, '.'))
  }

  private final(content: string): string {
    const replies = Array.from({ length: this.lmtp ? this.recipients : 1 }, () => this.pick('FINAL'))
    const recipients = this.lmtp ? replies.filter((reply) => reply.startsWith('2')).length : this.recipients
    if (replies.some((reply) => reply.startsWith('2'))) this.taken.push({ content, recipients })
    this.forget()
    return replies.map((reply) => `${reply}\r\n`).join('')
  }

  private forget(): void {
    this.sender = false
    this.recipients = 0
    this.chunks = ''
    this.broken = false
  }

  private pick(verb: string): string {
    const replies = answers.find(([name]) => name === verb)?.[1] ?? ['500 5.5.1 what']
    return replies[(this.whims[this.whim++] ?? 0) % replies.length]!
  }
}
