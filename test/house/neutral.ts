import ts from 'typescript'
import { roomOf } from './levels.ts'
import { type Finding, lineOf, type Source, tree, walk } from './source.ts'

/** Names that are the machine: its process, its clock, its timers, its chance, its network. */
const machine = new Set([
  'process', 'globalThis', 'require', '__dirname', '__filename',
  'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask',
  'performance', 'crypto', 'console', 'fetch', 'Intl', 'Temporal', 'Atomics', 'WeakRef', 'FinalizationRegistry',
])

/** Members of pure objects that look at the clock, at chance, at the time zone or at the machine's language. */
const members = new Map([
  ['Math', /^random$/],
  ['Date', /^(now|parse)$/],
  ['AbortSignal', /^timeout$/],
])

/** Methods that depend on where the machine stands, on whatever they are called. */
const local =
  /^(toLocale\w*|localeCompare|getTimezoneOffset|[gs]et(FullYear|Month|Date|Day|Hours|Minutes|Seconds)|to(Date|Time)String)$/

/**
 * The machine is touched by adapters and by the command line's main file alone; everything else takes time, ids, random
 * bytes and transports as arguments. Levels 0 to 3 know no Buffer either. What is spelt there counts, not what it means: a
 * local name `process` is refused too.
 */
export function neutralFindings(sources: readonly Source[]): Finding[] {
  const found: Finding[] = []
  for (const source of sources) {
    const room = roomOf(source.path)
    if (!room || room.kind === 'adapters' || source.path === 'src/cli/main.ts') continue
    walk(tree(source), (node) => {
      const spelt = machineName(node, room.level <= 3)
      if (spelt) found.push({ path: source.path, line: lineOf(node), message: `${room.folder} spells ${spelt}` })
    })
  }
  return found
}

function machineName(node: ts.Node, neutral: boolean): string | undefined {
  if (ts.isIdentifier(node)) {
    const refused = machine.has(node.text) || (neutral && node.text === 'Buffer')
    return refused && !isMember(node) ? node.text : undefined
  }
  if (ts.isPropertyAccessExpression(node)) {
    const { expression, name } = node
    if (local.test(name.text)) return `.${name.text}`
    const holder = ts.isIdentifier(expression) ? expression.text : ''
    return members.get(holder)?.test(name.text) ? `${holder}.${name.text}` : undefined
  }
  if (ts.isElementAccessExpression(node) && ts.isIdentifier(node.expression) && members.has(node.expression.text)) {
    return `${node.expression.text}[…]`
  }
  if (ts.isNewExpression(node) && isDate(node.expression) && node.arguments?.length !== 1) return 'new Date() of local time'
  if (ts.isCallExpression(node) && isDate(node.expression)) return 'Date()'
  if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) return 'import.meta'
  return undefined
}

function isDate(node: ts.Expression): boolean {
  return ts.isIdentifier(node) && node.text === 'Date'
}

/** Whether the identifier names a member of something (`x.process`, `{ process: 1 }`) rather than the global. */
function isMember(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node
  if (ts.isQualifiedName(parent)) return parent.right === node
  if (ts.isBindingElement(parent)) return parent.propertyName === node
  return (
    (ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent) ||
      ts.isPropertyDeclaration(parent) ||
      ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent) ||
      ts.isGetAccessorDeclaration(parent)) &&
    parent.name === node
  )
}
