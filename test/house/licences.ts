/** What the rules read of a package-lock.json (version 3). */
export interface Lock {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

interface LockedPackage {
  readonly version?: string
  readonly license?: string
  readonly link?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const allowed = new Set([
  'MIT', 'MIT-0', 'ISC', 'BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', '0BSD', 'BlueOak-1.0.0', 'Unlicense',
])

/** Peers that a user runs beside our code and never ships: test runners. */
const beside = new Set(['vitest'])

/**
 * The packages that a user of ours may come to install, through dependencies and optional peers, under a licence that
 * we do not allow or that they do not state: `name@version: licence`.
 */
export function licenceFindings(lock: Lock): string[] {
  return production(lock).flatMap((path) => {
    const { version, license } = lock.packages[path] ?? {}
    const name = path.replace(/^.*node_modules\//, '')
    return license && permits(license) ? [] : [`${name}@${version}: ${license ?? 'no licence stated'}`]
  })
}

/** Whether an SPDX expression lets us use the package: one side of an OR, both sides of an AND. */
export function permits(expression: string): boolean {
  const words = expression.replace(/[()]/g, ' ')
  return words.split(/\s+OR\s+/).some((side) => side.split(/\s+AND\s+/).every((name) => allowed.has(name.trim())))
}

/** The lock's paths of all packages that are reached from the root's dependencies and peers. */
function production(lock: Lock): string[] {
  const root = lock.packages[''] ?? {}
  const reached = new Set<string>()
  const follow = (from: string, names: readonly string[]): void => {
    for (const name of names) {
      const path = resolve(lock, from, name)
      if (path === undefined || reached.has(path)) continue
      reached.add(path)
      const { dependencies, optionalDependencies } = lock.packages[path] ?? {}
      follow(path, Object.keys({ ...dependencies, ...optionalDependencies }))
    }
  }
  const peers = Object.keys(root.peerDependencies ?? {}).filter((name) => !beside.has(name))
  follow('', [...Object.keys({ ...root.dependencies, ...root.optionalDependencies }), ...peers])
  return [...reached].sort()
}

/** Node's way of finding `name` from `path`: the nearest node_modules upwards. */
function resolve(lock: Lock, path: string, name: string): string | undefined {
  for (let at = path; ; ) {
    const candidate = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`
    if (lock.packages[candidate]) return candidate
    if (at === '') return undefined
    at = at.includes('/node_modules/') ? at.slice(0, at.lastIndexOf('/node_modules/')) : ''
  }
}
