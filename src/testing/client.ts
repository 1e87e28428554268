import { MailError } from '../protocol/session/errors.ts'
import type { TlsFacts } from '../protocol/session/tls.ts'
import { Dialogue, ReplyCutter } from './dialogue.ts'
import { Observed } from './observed.ts'
import { contentOf, recipientsOf, senderOf, type SendOutcome, type TestMail } from './test-mail.ts'
import { octetsOf, type Wire } from './wire.ts'

/** Octets that are written at a time. */
const PIECE = 65_536
/** Octets beyond which the transcript tells no more than their number. */
const SHOWN = 8192

/** A client in the hands of a test: says what it is told, knows when to wait for an answer, and keeps what it hears. */
export interface TestClient {
  /**
   * Says one thing after the other, each when what came before it is answered, and gives all that the server answered, line
   * by line, the greeting too if it was still awaited.
   *
   * A text gets a CRLF where it has none, and may hold several lines, which are then pipelined; octets go as they are. Lines of
   * content are not waited for, nor the octets of a BDAT. Stops where the server has closed.
   */
  say(...words: readonly (string | Uint8Array)[]): Promise<string>
  /** The same, and gives the replies one by one: a text each, its lines joined by a line feed. */
  ask(...words: readonly (string | Uint8Array)[]): Promise<string[]>
  /**
   * Sends a message: greets if need be, speaks a whole transaction, and tells what became of it. Rejects when the connection
   * ends in between.
   */
  send(mail: TestMail): Promise<SendOutcome>
  /** Says STARTTLS and, where the server is ready, secures the link; the reply. Greet anew afterwards. */
  startTls(facts?: Partial<TlsFacts>): Promise<string>
  /** Logs in with AUTH PLAIN; the reply. */
  login(username: string, password: string): Promise<string>
  /** Writes without waiting for anything. `false`: more than the high-water mark is on its way. */
  write(octets: Uint8Array | string): boolean
  /**
   * Writes the same again and again until `most` octets are out or the server has closed, as fast as the server takes them;
   * how many went out.
   */
  flood(octets: Uint8Array | string, most: number): Promise<number>
  /** The next reply that has not been given yet. Rejects when the connection ends without one. */
  reply(): Promise<string>
  /** Ends the output; still listens. */
  finish(): void
  /** Breaks the connection. */
  reset(): void
  /** All replies so far. */
  readonly replies: readonly string[]
  /** Everything that was said, line by line: `C: ` the client, `S: ` the server. */
  readonly transcript: string
  readonly isClosed: boolean
  /** Resolves when the connection is over: with an error where it broke. */
  readonly closed: Promise<Error | undefined>
}

/** A client on a wire. It ends when the server does. `name` is what it calls itself in EHLO and LHLO (default `client.test`). */
export function testClient(wire: Wire, options: { readonly name?: string } = {}): TestClient {
  return new SpeakingClient(wire, options.name ?? 'client.test')
}

class SpeakingClient extends Observed implements TestClient {
  readonly replies: string[] = []
  readonly closed: Promise<Error | undefined>
  isClosed = false
  readonly #wire: Wire
  readonly #name: string
  readonly #dialogue = new Dialogue()
  readonly #cutter = new ReplyCutter()
  readonly #lines: string[] = []
  /** Replies that were given out. */
  #taken = 0
  #full = false
  #secured = false

  constructor(wire: Wire, name: string) {
    super()
    this.#wire = wire
    this.#name = name
    this.closed = new Promise((resolve) => {
      wire.open({
        received: (bytes) => this.#received(bytes),
        ended: () => wire.finish(),
        drained: () => {
          this.#full = false
          this.changed()
        },
        secured: () => {
          this.#secured = true
          this.changed()
        },
        closed: (error) => {
          this.isClosed = true
          resolve(error)
          this.changed()
        },
      })
    })
  }

  get transcript(): string {
    return this.#lines.join('\n')
  }

  async say(...words: readonly (string | Uint8Array)[]): Promise<string> {
    return (await this.ask(...words)).join('\n')
  }

  async ask(...words: readonly (string | Uint8Array)[]): Promise<string[]> {
    const from = this.#taken
    await this.#answered()
    for (const word of words) {
      if (this.isClosed) break
      await this.#speak(typeof word === 'string' && !word.endsWith('\r\n') ? `${word}\r\n` : word)
      await this.#answered()
    }
    this.#taken = this.replies.length
    return this.replies.slice(from)
  }

  async send(mail: TestMail): Promise<SendOutcome> {
    if (!this.#dialogue.greeted) await this.#greet()
    const to = recipientsOf(mail)
    const parameters = mail.parameters === undefined ? '' : ` ${mail.parameters}`
    const sender = await this.#one(`MAIL FROM:<${senderOf(mail)}>${parameters}`)
    if (!isFine(sender)) return outcome(to, Array<string>(to.length).fill(sender), sender)
    const replies: string[] = []
    for (const recipient of to) replies.push(await this.#one(`RCPT TO:<${recipient}>`))
    const taken = replies.filter(isFine).length
    if (taken === 0) {
      await this.#one('RSET')
      return outcome(to, replies, replies.at(-1) ?? '')
    }
    const ready = await this.#one('DATA')
    const last = ready.startsWith('354') ? this.#got(await this.ask(contentOf(mail))) : [ready]
    // Over LMTP each recipient has a last word of its own.
    let next = 0
    const decided = replies.map((reply) => (isFine(reply) ? last[Math.min(next++, last.length - 1)]! : reply))
    return outcome(to, decided, last.at(-1)!)
  }

  async startTls(facts: Partial<TlsFacts> = {}): Promise<string> {
    if (!this.#dialogue.greeted) await this.#greet()
    const reply = await this.#one('STARTTLS')
    if (!reply.startsWith('220')) return reply
    this.#wire.secure(facts)
    await this.until(() => this.#secured || this.isClosed)
    return reply
  }

  async login(username: string, password: string): Promise<string> {
    if (!this.#dialogue.greeted) await this.#greet()
    return this.#one(`AUTH PLAIN ${Buffer.from(`\0${username}\0${password}`).toString('base64')}`)
  }

  write(octets: Uint8Array | string): boolean {
    const bytes = typeof octets === 'string' ? Buffer.from(octets, 'utf8') : octets
    const text = Buffer.from(bytes).toString('latin1')
    this.#dialogue.said(text)
    this.#note(text)
    if (!this.#wire.write([bytes])) this.#full = true
    return !this.#full
  }

  async flood(octets: Uint8Array | string, most: number): Promise<number> {
    const piece = octetsOf(octets)
    let out = 0
    while (out < most && !this.isClosed) {
      if (!this.#wire.write([piece])) this.#full = true
      out += piece.length
      await this.until(() => !this.#full || this.isClosed)
    }
    return out
  }

  async reply(): Promise<string> {
    const at = this.#taken++
    await this.until(() => this.replies.length > at || this.isClosed)
    const reply = this.replies[at]
    if (reply === undefined) throw this.#gone()
    return reply
  }

  finish(): void {
    this.#wire.finish()
  }

  reset(): void {
    this.#wire.reset()
  }

  async #greet(): Promise<void> {
    const [greeting = ''] = this.#taken === 0 ? this.#got(await this.ask()) : this.replies
    const hello = await this.#one(`${greeting.includes(' LMTP') ? 'LHLO' : 'EHLO'} ${this.#name}`)
    if (!hello.startsWith('2')) throw new MailError('peer', `The server refuses to be greeted:\n${this.transcript}`)
  }

  async #one(command: string): Promise<string> {
    return this.#got(await this.ask(command)).at(-1)!
  }

  #got(replies: string[]): string[] {
    if (replies.length === 0) throw this.#gone()
    return replies
  }

  #gone(): MailError {
    return new MailError('closed', `The connection ended where a reply was awaited:\n${this.transcript}`)
  }

  async #speak(words: string | Uint8Array): Promise<void> {
    const bytes = typeof words === 'string' ? Buffer.from(words, 'utf8') : words
    for (let at = 0; at < bytes.length && !this.isClosed; at += PIECE) {
      if (!this.write(bytes.subarray(at, at + PIECE))) await this.until(() => !this.#full || this.isClosed)
    }
  }

  async #answered(): Promise<void> {
    await this.until(() => this.#dialogue.awaited === 0 || this.isClosed)
  }

  #received(bytes: Uint8Array): void {
    for (const reply of this.#cutter.take(bytes)) {
      this.replies.push(reply)
      for (const line of reply.split('\n')) this.#lines.push(`S: ${line}`)
      this.#dialogue.heard(reply)
    }
    this.changed()
  }

  #note(text: string): void {
    if (text.length > SHOWN) this.#lines.push(`C: (${text.length} octets)`)
    else for (const line of text.split('\r\n')) if (line !== '') this.#lines.push(`C: ${line}`)
  }
}

const isFine = (reply: string): boolean => reply.startsWith('2')

function outcome(to: readonly string[], replies: readonly string[], reply: string): SendOutcome {
  const recipients = to.map((recipient, at) => ({ to: recipient, accepted: isFine(replies[at]!), reply: replies[at]! }))
  return { accepted: recipients.some(({ accepted }) => accepted), reply, recipients }
}
