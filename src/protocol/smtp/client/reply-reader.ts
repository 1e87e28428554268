import { Input } from '../../bytes/input.ts'
import { fromUtf8Octets } from '../../bytes/text.ts'
import { parseReplyLine, type Reply, replyOf } from '../reply.ts'
import type { SmtpClientLimits } from './config.ts'

/** Puts replies together from what a server sends. Whatever that is, no more is kept of it than the limits say. */
export class ReplyReader {
  private readonly input = new Input()
  private readonly limits: SmtpClientLimits
  private texts: string[] = []
  private octets = 0

  constructor(limits: SmtpClientLimits) {
    this.limits = limits
  }

  /** Takes a chunk. The caller does not change it any more. */
  push(bytes: Uint8Array): void {
    this.input.push(bytes)
  }

  /** Octets that were not read, or belong to a reply that has not ended. */
  get held(): number {
    return this.input.held + this.input.begun + this.octets
  }

  /** Forgets everything. */
  clear(): void {
    this.input.clear()
    this.texts = []
    this.octets = 0
  }

  /** The next reply; `undefined`: it is not there yet; or what is there is none. */
  next(): Reply | 'garbage' | undefined {
    const { replyLineOctets, replyLines, replyOctets } = this.limits
    for (;;) {
      const line = this.input.line(replyLineOctets)
      if (this.octets + (line === undefined ? this.input.begun : this.input.lineOctets) > replyOctets) return 'garbage'
      if (line === undefined) return undefined
      this.octets += this.input.lineOctets
      // Servers that end lines in a bare LF are understood.
      const parsed = parseReplyLine(printable(line.endsWith('\r') ? line.slice(0, -1) : line))
      if (parsed === undefined || this.texts.push(parsed.text) > replyLines) return 'garbage'
      if (parsed.more) continue
      const { texts } = this
      this.texts = []
      this.octets = 0
      // RFC 5321 §4.2.1: the code is the same on all lines. Where it is not, the last has the last word.
      return replyOf(parsed.code, texts)
    }
  }
}

/** Text to be shown, logged and put into reports: UTF-8 where it is that, and nothing that controls a terminal. */
function printable(octets: string): string {
  const text = fromUtf8Octets(octets) ?? octets
  let out = ''
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit >= 32 && (unit < 127 || unit > 159)) continue
    out += `${text.slice(from, at)} `
    from = at + 1
  }
  return from === 0 ? text : out + text.slice(from)
}
