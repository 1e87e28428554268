import ts from 'typescript'
import { type Finding, lineOf, type Source, tree, walk } from './source.ts'

/** Lines a file may have without giving a reason. */
const MOST_LINES = 400
/** Columns a line may have. */
const MOST_COLUMNS = 130

/** A file over {@link MOST_LINES} lines says why in its first line: `// Long: …`. */
export function lengthFindings(sources: readonly Source[]): Finding[] {
  const found: Finding[] = []
  for (const { path, text } of sources) {
    const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0)
    if (lines > MOST_LINES && !/^\/\/ Long: \S.{10,}/.test(text)) {
      found.push({ path, line: 1, message: `${lines} lines: cut it, or begin it with "// Long: " and the reason` })
    }
  }
  return found
}

/** Line length, tabs, trailing blanks, the final line end, semicolons and quotes. */
export function styleFindings(sources: readonly Source[]): Finding[] {
  return sources.flatMap((source) => [...lineFindings(source), ...tokenFindings(source)])
}

function lineFindings({ path, text }: Source): Finding[] {
  const found: Finding[] = []
  const lines = text.split('\n')
  const ended = text.endsWith('\n') && !text.endsWith('\n\n')
  if (!ended) found.push({ path, line: lines.length, message: 'does not end with one line end' })
  lines.forEach((line, index) => {
    const tell = (message: string): void => void found.push({ path, line: index + 1, message })
    if (line.length > MOST_COLUMNS) tell(`${line.length} columns, ${MOST_COLUMNS} is the most`)
    if (/\r$/.test(line)) tell('ends with a carriage return')
    else if (/[ \t]$/.test(line)) tell('ends with blanks')
    if (/^ *\t/.test(line)) tell('is indented with a tab')
  })
  return found
}

function tokenFindings(source: Source): Finding[] {
  const found: Finding[] = []
  const file = tree(source)
  walk(file, (node) => {
    const at = { path: source.path, line: lineOf(node) }
    if (ts.isStringLiteral(node) && source.text[node.getStart(file)] === '"' && !node.text.includes("'")) {
      found.push({ ...at, message: 'double quotes' })
    }
    if (ts.isStatement(node) && !ts.isBlock(node) && semicolon(source.text, node.end)) {
      found.push({ ...at, message: 'ends with a semicolon' })
    }
  })
  return found
}

/** Whether a statement that ends there does so in a needless semicolon: not an empty body's, nor one before a bracket. */
function semicolon(text: string, end: number): boolean {
  const line = text.slice(text.lastIndexOf('\n', end - 1) + 1, end).trim()
  return line.endsWith(';') && line !== ';' && !/^while \(.*\);$/.test(line)
}

/** Work left undone and checks switched off: open ends in comments, skipped tests, `any`, silenced compilers. */
export function openEndFindings(sources: readonly Source[]): Finding[] {
  const found: Finding[] = []
  for (const source of sources) {
    source.text.split('\n').forEach((line, index) => {
      const word = /\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K)\b|@ts-(ignore|nocheck)|(eslint|biome)-(disable|ignore)/.exec(line)?.[0]
      if (word) found.push({ path: source.path, line: index + 1, message: `says ${word}` })
    })
    walk(tree(source), (node) => {
      const at = { path: source.path, line: lineOf(node) }
      if (node.kind === ts.SyntaxKind.AnyKeyword) found.push({ ...at, message: 'says any' })
      if (ts.isPropertyAccessExpression(node) && /^(skip|only|todo|fails)$/.test(node.name.text) && isRunner(node.expression)) {
        found.push({ ...at, message: `has a test under .${node.name.text}` })
      }
    })
  }
  return found
}

function isRunner(node: ts.Expression): boolean {
  if (ts.isPropertyAccessExpression(node)) return isRunner(node.expression)
  return ts.isIdentifier(node) && /^(it|test|describe|suite|bench)$/.test(node.text)
}

/** Every exported declaration says what it is. Members of an interface do so where the name leaves a question. */
export function docFindings(sources: readonly Source[]): Finding[] {
  const found: Finding[] = []
  for (const source of sources) {
    for (const statement of tree(source).statements) {
      if (!ts.canHaveModifiers(statement) || ts.isExportDeclaration(statement)) continue
      if (!ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) continue
      if (documented(statement)) continue
      found.push({ path: source.path, line: lineOf(statement), message: `exports ${nameOf(statement)} without a word about it` })
    }
  }
  return found
}

/** The first of several overloads speaks for all of them. */
function documented(statement: ts.Statement): boolean {
  if (ts.getJSDocCommentsAndTags(statement).length > 0) return true
  if (!ts.isFunctionDeclaration(statement)) return false
  const functions = statement.getSourceFile().statements.filter(ts.isFunctionDeclaration)
  const first = functions.find(({ name }) => name?.text === statement.name?.text)
  return first !== undefined && ts.getJSDocCommentsAndTags(first).length > 0
}

function nameOf(statement: ts.Statement): string {
  if (!ts.isVariableStatement(statement)) return (statement as ts.DeclarationStatement).name?.getText() ?? 'something'
  return statement.declarationList.declarations.map(({ name }) => name.getText()).join(', ')
}

/** Names that say nothing: the parts of a mail server have names of their own. */
export function nameFindings(sources: readonly Source[]): Finding[] {
  const found: Finding[] = []
  for (const source of sources) {
    const stem = source.path.split('/').at(-1)?.replace(/\..*$/, '') ?? ''
    if (/^(utils?|helpers?|common|misc|manager|service)$/i.test(stem)) {
      found.push({ path: source.path, line: 1, message: `is called ${stem}` })
    }
    walk(tree(source), (node) => {
      if (!(ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node))) return
      const name = node.name?.text ?? ''
      const empty = /(Manager|Helper|Util|Utils|Service)$|^I(?=[A-Z][a-z])/.exec(name)?.[0]
      if (empty) found.push({ path: source.path, line: lineOf(node), message: `${name}: the ${empty} in it says nothing` })
    })
  }
  return found
}
