import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'

/** A file as the rules see it: its path from the top of the repository, with forward slashes, and its text. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** A rule broken: where and how. */
export interface Finding {
  readonly path: string
  /** Counted from 1. */
  readonly line: number
  readonly message: string
}

/** One mention of another module: `import`, `export … from`, `import()`, `import('…').T`, `require()`. */
export interface Mention {
  readonly specifier: string
  readonly line: number
  /** Evaluated only when the code gets there. */
  readonly lazy: boolean
  /** Erased by the compiler. */
  readonly typeOnly: boolean
}

const unwanted = new Set(['node_modules', 'dist', '.git', 'coverage', 'data'])

/** Every file below `folder` that the project keeps, in the order of their paths. */
export function files(folder: string, wanted: (path: string) => boolean): Source[] {
  const found: Source[] = []
  const visit = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const path = at === '.' ? entry.name : `${at}/${entry.name}`
      if (entry.isDirectory() && !unwanted.has(entry.name) && path !== 'docs/api') visit(path)
      else if (entry.isFile() && wanted(path)) found.push({ path, text: readFileSync(path, 'utf8') })
    }
  }
  visit(folder)
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

const parsed = new WeakMap<Source, ts.SourceFile>()

/** The syntax tree of a source, made once. */
export function tree(source: Source): ts.SourceFile {
  let made = parsed.get(source)
  if (!made) {
    made = ts.createSourceFile(source.path, source.text, ts.ScriptTarget.Latest, true)
    parsed.set(source, made)
  }
  return made
}

/** Calls `see` for every node below `node`, without recursion's limit being a concern: source files are shallow. */
export function walk(node: ts.Node, see: (node: ts.Node) => void): void {
  see(node)
  ts.forEachChild(node, (child) => walk(child, see))
}

/** The line of a node, counted from 1. */
export function lineOf(node: ts.Node): number {
  const file = node.getSourceFile()
  return file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1
}

/** Every module that a source mentions. */
export function mentions(source: Source): Mention[] {
  const found: Mention[] = []
  const add = (node: ts.Node, name: ts.Node | undefined, lazy: boolean, typeOnly: boolean): void => {
    if (name && ts.isStringLiteralLike(name)) found.push({ specifier: name.text, line: lineOf(node), lazy, typeOnly })
  }
  walk(tree(source), (node) => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, false, node.importClause?.isTypeOnly ?? false)
    else if (ts.isExportDeclaration(node)) add(node, node.moduleSpecifier, false, node.isTypeOnly)
    else if (ts.isLiteralTypeNode(node) && ts.isImportTypeNode(node.parent)) add(node, node.literal, false, true)
    else if (ts.isExternalModuleReference(node)) add(node, node.expression, false, false)
    else if (ts.isCallExpression(node) && isLoader(node.expression)) add(node, node.arguments[0], true, false)
  })
  return found
}

function isLoader(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true
  return ts.isIdentifier(callee) && callee.text === 'require'
}

/** The path that a relative specifier in `from` points to. */
export function target(from: string, specifier: string): string {
  return join(from, '..', specifier).replaceAll('\\', '/')
}
