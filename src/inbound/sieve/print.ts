import type { SieveArgument, SieveCommand, SieveNode } from './syntax.ts'

/**
 * Commands as a script, an indented line each; what {@link parseSieve} makes of it are the same commands, positions aside.
 * Comments are not kept. Line ends are CRLF, as RFC 5228 §2.2 has them.
 */
export function printSieve(commands: readonly SieveCommand[]): string {
  const lines: string[] = []
  printBlock(commands, '', lines)
  return lines.map((line) => `${line}\n`).join('').replaceAll('\n', '\r\n')
}

function printBlock(commands: readonly SieveCommand[], indent: string, lines: string[]): void {
  for (const command of commands) {
    const text = `${indent}${printNode(command)}`
    if (command.block === undefined) {
      lines.push(`${text};`)
      continue
    }
    lines.push(`${text} {`)
    printBlock(command.block, `${indent}  `, lines)
    lines.push(`${indent}}`)
  }
}

function printNode({ name, arguments: args, tests, listed }: SieveNode): string {
  const printed = tests.map(printNode)
  const tested = listed ? [`(${printed.join(', ')})`] : printed
  return [name, ...args.map(printArgument), ...tested].join(' ')
}

function printArgument(argument: SieveArgument): string {
  switch (argument.kind) {
    case 'string':
      return printString(argument.value)
    case 'list':
      return `[${argument.values.map(({ value }) => printString(value)).join(', ')}]`
    case 'number':
      return String(argument.value)
    case 'tag':
      return `:${argument.name}`
  }
}

/** A text as a quoted string (RFC 5228 §2.4.2). */
export function printString(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}
