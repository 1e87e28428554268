import { decodeUtf8 } from '../../protocol/bytes/text.ts'
import { Findings, Lexer, type Token } from './lexer.ts'
import type { SieveArgument, SieveCommand, SieveError, SieveNode, SievePosition, SieveString, SieveTest } from './syntax.ts'
import { commandNames } from './words.ts'

/** Bounds of a script. */
export interface SieveBounds {
  /** Characters (default 65,536). */
  readonly size?: number
  /** Blocks in blocks, and tests in tests (default 32). */
  readonly depth?: number
}

/** A script taken apart. Where there are errors, the commands are those that could be read. */
export interface ParsedSieve {
  readonly commands: readonly SieveCommand[]
  readonly errors: readonly SieveError[]
}

const START: SievePosition = { line: 1, column: 1 }

/**
 * Takes a script apart (RFC 5228 §8). Total: never throws, linear time, bounded depth; goes on behind an error, so that all are
 * told that can be. Line ends may be CRLF or LF, and are LF in what comes.
 */
export function parseSieve(source: string | Uint8Array, { size = 65_536, depth = 32 }: SieveBounds = {}): ParsedSieve {
  const refused = (text: string): ParsedSieve => ({ commands: [], errors: [{ ...START, text }] })
  // Octets are no fewer than characters.
  if (source.length > size) return refused(`the script is larger than ${size} characters: make it shorter`)
  const read = typeof source === 'string' ? source : decodeUtf8(source)
  if (read === undefined) return refused('the script is not UTF-8: save it as such')
  const text = (read.startsWith('\ufeff') ? read.slice(1) : read).replaceAll('\r\n', '\n')
  const findings = new Findings(text)
  // RFC 5228 §8.1: neither stands anywhere in a script.
  for (const [character, name] of [['\0', 'a NUL character'], ['\r', 'a carriage return without a line feed']] as const) {
    const at = text.indexOf(character)
    if (at >= 0) findings.tell(findings.position(at), `${name} cannot stand in a script`)
  }
  if (findings.errors.length > 0) return { commands: [], errors: findings.errors }
  const commands = new Parser(text, findings, depth).script()
  const errors = findings.errors.toSorted((a, b) => a.line - b.line || a.column - b.column)
  return { commands, errors }
}

class Parser {
  readonly #lexer: Lexer
  readonly #findings: Findings
  readonly #depth: number
  #token: Token
  /** Of the token at hand, and of the one before it. */
  #position: SievePosition = START
  #before: SievePosition = START

  constructor(source: string, findings: Findings, depth: number) {
    this.#findings = findings
    this.#depth = depth
    this.#lexer = new Lexer(source, (offset, text) => findings.tell(findings.position(offset), text))
    this.#token = this.#lexer.next()
    this.#position = findings.position(this.#token.offset)
  }

  script(): SieveCommand[] {
    const commands: SieveCommand[] = []
    while (this.#token.kind !== 'end') {
      commands.push(...this.#commands(0))
      if (this.#token.kind !== '}') continue
      this.#tell('there is no block that this brace could close: remove it')
      this.#advance()
    }
    return commands
  }

  #advance(): void {
    this.#before = this.#position
    this.#token = this.#lexer.next()
    this.#position = this.#findings.position(this.#token.offset)
  }

  #is(kind: Token['kind']): boolean {
    return this.#token.kind === kind
  }

  #tell(text: string, at = this.#position): void {
    this.#findings.tell(at, text)
  }

  /** Up to a closing brace or the end. */
  #commands(depth: number): SieveCommand[] {
    const commands: SieveCommand[] = []
    while (this.#token.kind !== '}' && this.#token.kind !== 'end') {
      if (this.#token.kind === 'word') commands.push(this.#command(depth))
      else {
        // A needless semicolon is an error by the grammar, and harmless.
        const isLone = this.#token.kind === ';'
        this.#tell(isLone ? 'there is no command before this semicolon: remove it' : 'a command has to begin here')
        this.#recover()
      }
    }
    return commands
  }

  #command(depth: number): SieveCommand {
    const node = this.#node(depth, true)
    if (this.#token.kind === '{') return { ...node, block: this.#block(node, depth) }
    if (this.#token.kind === ';') this.#advance()
    else if (this.#token.kind === 'word') this.#tell(`a semicolon is missing behind ${node.name}`, this.#before)
    else {
      this.#tell(`${node.name} has to end in a semicolon or a block`)
      if (this.#token.kind !== '}' && this.#token.kind !== 'end') this.#recover()
    }
    return { ...node, block: undefined }
  }

  #block(of: SieveNode, depth: number): SieveCommand[] {
    const opened = this.#position
    this.#advance()
    if (depth >= this.#depth) {
      this.#abandon(`blocks may not stand in more than ${this.#depth} others`, opened)
      return []
    }
    const commands = this.#commands(depth + 1)
    if (this.#token.kind === '}') this.#advance()
    else this.#tell(`the block of ${of.name} has no end: close it with a brace`, opened)
    return commands
  }

  /** A name with its arguments (RFC 5228 §8.2 `arguments`). */
  #node(depth: number, isCommand: boolean): SieveNode {
    const name = this.#token.kind === 'word' ? this.#token.text : ''
    const at = this.#position
    this.#advance()
    const args: SieveArgument[] = []
    for (let argument = this.#argument(); argument; argument = this.#argument()) args.push(argument)
    const node = { name, at, arguments: args, tests: [] as SieveTest[], listed: false }
    if (this.#token.kind === 'word') {
      // `keep stop;`: what follows is no test of the command but the next one.
      if (isCommand && commandNames.has(this.#token.text)) return node
      return { ...node, tests: this.#tests(depth, false) }
    }
    return this.#token.kind === '(' ? { ...node, tests: this.#tests(depth, true), listed: true } : node
  }

  #tests(depth: number, listed: boolean): SieveTest[] {
    if (depth >= this.#depth) {
      this.#abandon(`tests may not stand in more than ${this.#depth} others`)
      return []
    }
    if (!listed) return [this.#node(depth + 1, false)]
    const tests: SieveTest[] = []
    do {
      this.#advance()
      if (this.#token.kind === 'word') tests.push(this.#node(depth + 1, false))
      else this.#tell('a test has to stand here')
    } while (this.#is(','))
    if (this.#token.kind === ')') this.#advance()
    else this.#tell('a closing parenthesis is missing here')
    return tests
  }

  #argument(): SieveArgument | undefined {
    const at = this.#position
    const token = this.#token
    switch (token.kind) {
      case 'string':
        this.#advance()
        return { kind: 'string', value: token.text, at }
      case 'number':
        this.#advance()
        return { kind: 'number', value: token.value, at }
      case 'tag':
        this.#advance()
        return { kind: 'tag', name: token.text, at }
      case '[':
        return this.#list(at)
      default:
        return undefined
    }
  }

  #list(at: SievePosition): SieveArgument {
    const values: SieveString[] = []
    do {
      this.#advance()
      if (this.#token.kind !== 'string') {
        this.#tell('a string has to stand here')
        break
      }
      values.push({ value: this.#token.text, at: this.#position })
      this.#advance()
    } while (this.#is(','))
    if (this.#is(']')) this.#advance()
    else if (values.length > 0) this.#tell('a comma or a closing bracket is missing here')
    return { kind: 'list', values, at }
  }

  /** Goes to where a command may begin again: behind a semicolon or a block, or before the brace that closes this block. */
  #recover(): void {
    let open = 0
    for (; this.#token.kind !== 'end'; this.#advance()) {
      const { kind } = this.#token
      if (kind === '{') open++
      else if (kind === '}' && open === 0) return
      else if (kind === ';' ? open === 0 : kind === '}' && --open === 0) break
    }
    this.#advance()
  }

  #abandon(text: string, at = this.#position): void {
    this.#tell(text, at)
    while (this.#token.kind !== 'end') this.#advance()
  }
}
