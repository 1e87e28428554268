/** What the rules read of a package.json. */
export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/**
 * Where package.json and the first table of docs/dependencies.md differ. A row of the table is
 * `| package | kind | why |`, kind being `hard`, `peer`, `dev` or several of them with a comma between.
 */
export function dependencyFindings(manifest: Manifest, page: string): string[] {
  const wanted = new Map<string, string[]>()
  const note = (names: Readonly<Record<string, string>> | undefined, kind: string): void => {
    for (const name of Object.keys(names ?? {})) wanted.set(name, [...(wanted.get(name) ?? []), kind])
  }
  note(manifest.dependencies, 'hard')
  note(manifest.peerDependencies, 'peer')
  note(manifest.devDependencies, 'dev')
  const rows = rowsOf(page)
  const missing = [...wanted].flatMap(([name, kinds]) => {
    const row = rows.get(name)
    if (!row) return [`${name} (${kinds.join(', ')}) has no line`]
    return row === kinds.join(', ') ? [] : [`${name} is ${kinds.join(', ')}, its line says ${row}`]
  })
  const stray = [...rows.keys()].filter((name) => !wanted.has(name))
  return [...missing, ...stray.map((name) => `${name} has a line and is no dependency`)]
}

function rowsOf(page: string): Map<string, string> {
  const rows = new Map<string, string>()
  for (const line of (page.split(/^## In use$/m)[1] ?? '').split(/^## /m)[0]?.split('\n') ?? []) {
    const row = /^\| `([^`]+)` \| ([a-z, ]+) \| \S.* \|$/.exec(line)
    if (row) rows.set(row[1] ?? '', row[2] ?? '')
  }
  return rows
}
