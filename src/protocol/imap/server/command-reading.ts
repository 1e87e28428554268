import type { Announced, Fragments, Piece } from '../fragments.ts'
import { type Fragment, Reader } from '../reader.ts'
import { MOST_UNASKED } from '../limits.ts'
import { streams } from './commands/index.ts'

/** What came of reading on. */
export type CommandRead =
  /** The client waits to be told to send a literal. */
  | { readonly kind: 'continue' }
  /** A command, whole; or one that streams, up to its first literal. */
  | {
      readonly kind: 'command'
      readonly tag: string
      readonly name: string
      readonly reader: Reader
      readonly announced: Announced | undefined
    }
  /** No command: what to say of it, which bound it has reached, and whether what follows can be trusted to be commands. */
  | ({ readonly kind: 'refused'; readonly fatal: boolean } & Verdict)

/** Why what came is no command. */
interface Verdict {
  readonly tag: string
  readonly text: string
  readonly limit?: 'lineOctets' | 'literalOctets'
}

const NOTHING: readonly Fragment[] = []

const TOO_LARGE = 'Literal too large'

/** Octets of a tag. */
const MOST_TAG = 64

/** Puts commands together from lines and literals. */
export class CommandReading {
  /** The literal that the last line announced. */
  announced: Announced | undefined
  private readonly fragments: Fragments
  /** The most octets that a literal may have which is sent unasked. */
  private readonly mostUnasked: number
  private parts: readonly Fragment[] = NOTHING
  /** Octets so far: of the lines, and of the literals. */
  private lines = 0
  private literals = 0
  /** The rest of the command is not wanted; what to say at its end, if that was not said. */
  private passing = false
  private verdict: Verdict | undefined
  /** Octets of the command that was read last, as far as it was, line ends and literals included. */
  octets = 0

  constructor(fragments: Fragments, literals: '+' | '-') {
    this.fragments = fragments
    this.mostUnasked = literals === '-' ? MOST_UNASKED : Infinity
  }

  /** Nothing of a command has been read. */
  get between(): boolean {
    return this.parts.length === 0 && !this.passing
  }

  /** The rest of the command is not wanted: the octets of this literal, if it comes, and all up to the end of its line. */
  passOver(announced: Announced | undefined): void {
    this.forget()
    if (announced === undefined) return
    // Whoever waits for leave to send does not send without.
    if (announced.waits) this.fragments.refuse()
    else {
      this.fragments.skip(announced.octets)
      this.passing = true
    }
  }

  /** The next thing that can be done something about, or `undefined` when more has to come first. */
  next(mostLine: number, mostLiterals: number): CommandRead | undefined {
    for (;;) {
      const piece = this.fragments.next(Math.max(0, mostLine - this.lines))
      if (piece === undefined) return undefined
      const read = this.passing ? this.pass(piece) : this.take(piece, mostLiterals)
      if (read !== undefined) return read
    }
  }

  private add(part: Fragment): void {
    if (this.parts === NOTHING) this.parts = [part]
    else (this.parts as Fragment[]).push(part)
  }

  private forget(): void {
    this.parts = NOTHING
    this.lines = this.literals = 0
  }

  private pass(piece: Piece): CommandRead | undefined {
    if (piece.kind === 'octets' || piece.kind === 'literal' || piece.kind === 'end') return undefined
    const literal = piece.kind === 'misannounced' ? undefined : piece.literal
    if (literal !== undefined && !literal.waits) {
      this.fragments.skip(literal.octets)
      return undefined
    }
    if (literal !== undefined) this.fragments.refuse()
    this.passing = false
    const { verdict } = this
    this.verdict = undefined
    return verdict && { kind: 'refused', ...verdict, fatal: false }
  }

  private take(piece: Piece, mostLiterals: number): CommandRead | undefined {
    switch (piece.kind) {
      case 'literal':
        this.octets += piece.octets.length
        this.add({ literal: piece.octets, binary: this.announced?.binary ?? false })
        return undefined
      case 'octets':
      case 'end':
        return undefined
      case 'misannounced':
        this.count()
        // I3: octets of a literal may follow, and would be taken for commands.
        return { kind: 'refused', tag: this.tagOf(piece.text), text: 'A literal that cannot be', fatal: true }
      case 'overlong':
        this.count()
        return this.refuse(piece.literal, { tag: this.tagOf(piece.text), text: 'Command line too long', limit: 'lineOctets' })
      default:
        this.count()
        return this.line(piece.text, piece.literal, mostLiterals)
    }
  }

  /** A line has come. */
  private count(): void {
    if (this.parts.length === 0) this.octets = 0
    this.octets += this.fragments.lineOctets
  }

  private line(text: string, literal: Announced | undefined, mostLiterals: number): CommandRead | undefined {
    // I7: some clients send an empty line between commands.
    if (this.parts.length === 0 && literal === undefined && text.trim() === '') return undefined
    this.add(text)
    this.lines += text.length
    this.announced = literal
    if (this.parts.length === 1) {
      const { tag, name } = headOf(text)
      if (tag === undefined) return this.refuse(literal, { tag: '*', text: 'A tag is missing' })
      if (name === '') return this.refuse(literal, { tag, text: 'A command is missing' })
      if (literal !== undefined && !literal.waits && literal.octets > this.mostUnasked) {
        return this.refuse(literal, { tag, text: TOO_LARGE })
      }
      if (literal !== undefined && streams(name)) return this.whole(literal)
    }
    if (literal === undefined) return this.whole(undefined)
    this.literals += literal.octets
    if (this.literals > mostLiterals) {
      return this.refuse(literal, { tag: this.tagOf(''), text: TOO_LARGE, limit: 'literalOctets' })
    }
    this.fragments.collect(literal.octets)
    return literal.waits ? { kind: 'continue' } : undefined
  }

  private whole(announced: Announced | undefined): CommandRead {
    const { parts } = this
    const { tag, name, length } = headOf(parts[0] as string)
    this.forget()
    const reader = new Reader([(parts[0] as string).slice(length), ...parts.slice(1)])
    return { kind: 'command', tag: tag!, name, reader, announced }
  }

  /** Refuses the command: now, where it ends here, or at its end, since what belongs to it must not be taken for commands. */
  private refuse(literal: Announced | undefined, verdict: Verdict): CommandRead | undefined {
    this.passOver(literal)
    if (!this.passing) return { kind: 'refused', ...verdict, fatal: false }
    this.verdict = verdict
    return undefined
  }

  private tagOf(text: string): string {
    const first = this.parts[0]
    return headOf(typeof first === 'string' ? first : text).tag ?? '*'
  }
}

/** Tag and name of a command (`UID FETCH` is one name),
  and how many octets they take. No tag: there is none that could be said. */
function headOf(line: string): { readonly tag: string | undefined; readonly name: string; readonly length: number } {
  const space = line.indexOf(' ')
  const tag = space < 0 ? line : line.slice(0, space)
  if (!isTag(tag)) return { tag: undefined, name: '', length: 0 }
  const from = tag.length + 1
  let end = wordEnd(line, from)
  if (line.slice(from, end).toUpperCase() === 'UID' && line[end] === ' ') end = wordEnd(line, end + 1)
  return { tag, name: line.slice(from, end).toUpperCase(), length: end }
}

function wordEnd(line: string, from: number): number {
  const space = line.indexOf(' ', from)
  return space < 0 ? line.length : space
}

/** RFC 9051 §9: what an astring may hold, without `+`. */
function isTag(tag: string): boolean {
  if (tag === '' || tag.length > MOST_TAG) return false
  for (let at = 0; at < tag.length; at++) {
    const unit = tag.charCodeAt(at)
    if (unit <= 32 || unit >= 127 || '(){%*"\\+'.includes(tag[at]!)) return false
  }
  return true
}
