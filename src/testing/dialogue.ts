/*
 * What a client has said and still awaits an answer to: enough of SMTP and LMTP to know how many replies are to come.
 *
 *   command   each line awaits one reply
 *   content   nothing is answered up to the line with the lone dot; then one reply, or over LMTP one a recipient
 *   chunk     the octets that BDAT announced; then the same
 */

type State = 'command' | 'content' | 'chunk'

const CRLF = '\r\n'
/** Octets of an unfinished line that matter. */
const LINE = 4096

/** Counts the replies that a client's words lead to. */
export class Dialogue {
  /** Replies that are still to come. The first is the greeting. */
  awaited = 1
  lmtp = false
  /** EHLO, HELO or LHLO was accepted since the connection, TLS or a proxy's word began it anew. */
  greeted = false
  #state: State = 'command'
  /** Octets of a chunk that are still to be said. */
  #left = 0
  #last = false
  #accepted = 0
  /** Verbs whose replies are awaited; `''` for greetings, contents and chunks. */
  readonly #verbs: string[] = ['']
  /** The beginning of a line that is not finished. */
  #partial = ''

  /** The client says this: octets, one a code unit. */
  said(words: string): void {
    const text = this.#partial + words
    this.#partial = ''
    for (let at = 0; at < text.length;) {
      if (this.#state === 'chunk') {
        const octets = Math.min(this.#left, text.length - at)
        at += octets
        this.#left -= octets
        if (this.#left === 0) this.#chunkEnds()
        continue
      }
      const feed = text.indexOf(CRLF, at)
      if (feed < 0) {
        this.#partial = text.slice(at, at + LINE)
        return
      }
      const line = text.slice(at, feed)
      at = feed + 2
      if (this.#state === 'command') this.#command(line, at < text.length)
      else if (line === '.') this.#ends(true)
    }
  }

  /** A reply has come. */
  heard(reply: string): void {
    if (this.awaited > 0) this.awaited--
    const verb = this.#verbs.shift() ?? ''
    const fine = reply.startsWith('2')
    if (verb === 'RCPT' && fine) this.#accepted++
    if ((verb === 'MAIL' && fine) || verb === 'RSET' || verb === 'EHLO' || verb === 'LHLO') this.#accepted = 0
    if (fine && (verb === 'EHLO' || verb === 'HELO' || verb === 'LHLO')) this.greeted = true
    if (fine && (verb === 'STARTTLS' || verb === 'XCLIENT')) this.greeted = false
    if (verb === 'DATA' && reply.startsWith('354')) this.#state = 'content'
  }

  #command(line: string, more: boolean): void {
    const [first = '', size = '', last = ''] = line.split(' ')
    const verb = first.toUpperCase()
    if (verb === 'LHLO') this.lmtp = true
    if (verb === 'BDAT') {
      this.#left = Number(size)
      this.#last = last.toUpperCase() === 'LAST'
      if (this.#left > 0) this.#state = 'chunk'
      else this.#chunkEnds()
      return
    }
    this.#await(verb)
    // Whoever sends content along with DATA counts on the 354.
    if (verb === 'DATA' && more) this.#state = 'content'
  }

  #chunkEnds(): void {
    this.#ends(this.#last)
  }

  #ends(whole: boolean): void {
    this.#state = 'command'
    // RFC 2033 §4.2.
    const replies = whole && this.lmtp ? Math.max(1, this.#accepted) : 1
    for (let count = 0; count < replies; count++) this.#await('')
  }

  #await(verb: string): void {
    this.awaited++
    this.#verbs.push(verb)
  }
}

/** Cuts what a server says into replies: the lines of each joined by a line feed. */
export class ReplyCutter {
  #rest = ''
  #lines: string[] = []

  /** The replies that octets complete, read as UTF-8. */
  take(octets: Uint8Array): string[] {
    const replies: string[] = []
    this.#rest += Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1')
    for (let feed = this.#rest.indexOf('\n'); feed >= 0; feed = this.#rest.indexOf('\n')) {
      const line = this.#rest.slice(0, this.#rest.charAt(feed - 1) === '\r' ? feed - 1 : feed)
      this.#rest = this.#rest.slice(feed + 1)
      this.#lines.push(Buffer.from(line, 'latin1').toString('utf8'))
      if (line.charAt(3) === '-') continue
      replies.push(this.#lines.join('\n'))
      this.#lines = []
    }
    return replies
  }
}
