import ts from 'typescript'
import { rooms } from './rooms.ts'
import { files, type Source } from './source.ts'

/** A piece of TypeScript in a text. */
export interface Block {
  /** `README.md:12`, the line of its opening fence. */
  readonly name: string
  /** What a reader does not see (from `<!-- given … -->` right above the fence) and what they do, as one module. */
  readonly code: string
  /** What to add to a line of `code` to get the line in the text. */
  readonly shift: number
  /** Begins with `// run`. */
  readonly runnable: boolean
}

/** All blocks of README.md, docs/ and the comments of src/. */
export function allBlocks(): Block[] {
  const texts = files('.', (path) => path === 'README.md' || /^docs\/.*\.md$/.test(path))
  const sources = files('src', (path) => path.endsWith('.ts')).map(({ path, text }) => ({ path, text: comments(text) }))
  return [...texts, ...sources].flatMap(blocksOf)
}

/** The `ts` blocks of a text in Markdown. Fences inside longer fences are text. */
export function blocksOf({ path, text }: Source): Block[] {
  const found: Block[] = []
  const lines = text.split('\n')
  let given: string[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (/^<!-- given\s*$/.test(line)) {
      const end = endOf(lines, at, /^-->\s*$/)
      given = lines.slice(at + 1, end)
      at = end
      continue
    }
    const fence = /^( *)(```+)(\w*)/.exec(line)
    if (fence) {
      const end = endOf(lines, at, new RegExp(`^ *${fence[2]}\\s*$`))
      const body = lines.slice(at + 1, end).map((inside) => inside.slice((fence[1] ?? '').length))
      if (fence[3] === 'ts' || fence[3] === 'typescript') {
        found.push({
          name: `${path}:${at + 1}`,
          code: [...given, ...body, 'export {}', ''].join('\n'),
          shift: at + 1 - given.length,
          runnable: /^\/\/ run\b/.test(body[0] ?? ''),
        })
      }
      at = end
    }
    if (line.trim() !== '') given = []
  }
  return found
}

function endOf(lines: readonly string[], from: number, end: RegExp): number {
  const at = lines.findIndex((line, index) => index > from && end.test(line))
  return at < 0 ? lines.length : at
}

/** The text with all but its doc comments blanked out, line for line. */
function comments(text: string): string {
  let inside = false
  return text.split('\n').map((line) => {
    if (/^\s*\/\*\*/.test(line)) inside = true
    const said = inside ? line.replace(/^\s*(\/\*\*|\*\/|\*) ?/, '') : ''
    if (line.includes('*/')) inside = false
    return said
  }).join('\n')
}

/** Where the compiler finds what blocks import: the sources of the package. */
export const paths: Record<string, string[]> = Object.fromEntries(
  Object.entries(rooms).map(([subpath, { source }]) => [`posthorn${subpath.slice(1)}`, [`./${source}`]]),
)

/** Lets a test import a runnable block as `block:` and its name. */
export function blockPlugin() {
  return {
    name: 'blocks',
    resolveId: (id: string) => (id.startsWith('block:') ? id : undefined),
    load(id: string): string | undefined {
      const block = id.startsWith('block:') ? allBlocks().find(({ name }) => id === `block:${name}`) : undefined
      const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
      return block && ts.transpileModule(block.code, { compilerOptions: options }).outputText
    },
  }
}
