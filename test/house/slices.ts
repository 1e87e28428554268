import { resolve } from 'node:path'
import ts from 'typescript'
import { type Finding, lineOf, walk } from './source.ts'

/**
 * `bytes.slice()` copies where the bytes are a plain Uint8Array and does not where they are a Buffer. `subarray` says
 * that a view is meant, `new Uint8Array(view)` that a copy is.
 */
export function sliceFindings(of: ts.Program, paths: readonly string[]): Finding[] {
  const checker = of.getTypeChecker()
  const found: Finding[] = []
  for (const path of paths) {
    const file = of.getSourceFile(resolve(path))
    if (!file) continue
    walk(file, (node) => {
      if (!ts.isPropertyAccessExpression(node) || node.name.text !== 'slice') return
      if (isBytes(checker.getTypeAtLocation(node.expression))) {
        found.push({ path, line: lineOf(node), message: 'slices bytes: subarray for a view, new Uint8Array(view) for a copy' })
      }
    })
  }
  return found
}

function isBytes(type: ts.Type): boolean {
  if (type.isUnionOrIntersection()) return type.types.some(isBytes)
  return /^(Uint8Array|Buffer)$/.test(type.symbol?.name ?? '')
}
