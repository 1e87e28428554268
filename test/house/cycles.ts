import { type Finding, mentions, type Source, target } from './source.ts'

/** Files that import each other in a circle, type imports included: each circle is told once, at its first file. */
export function cycleFindings(sources: readonly Source[]): Finding[] {
  const graph = new Map(
    sources.map((source) => {
      const own = mentions(source).filter(({ specifier }) => specifier.startsWith('.'))
      return [source.path, own.map(({ specifier }) => target(source.path, specifier))]
    }),
  )
  return circles(graph).map((members) => ({
    path: members[0] ?? '',
    line: 1,
    message: `imports itself in a circle: ${members.join(' → ')}`,
  }))
}

/** The strongly connected components of more than one file, or of one that imports itself (Tarjan). */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (path: string): number => {
    const index = order.size
    order.set(path, index)
    low.set(path, index)
    stack.push(path)
    for (const next of graph.get(path) ?? []) {
      if (!graph.has(next)) continue
      const seen = order.get(next)
      const reach = seen === undefined ? visit(next) : stack.includes(next) ? seen : index
      low.set(path, Math.min(low.get(path) ?? index, reach))
    }
    if (low.get(path) === index) {
      const members = stack.splice(stack.indexOf(path)).sort()
      if (members.length > 1 || graph.get(path)?.includes(path)) found.push(members)
    }
    return low.get(path) ?? index
  }
  for (const path of graph.keys()) if (!order.has(path)) visit(path)
  return found
}
