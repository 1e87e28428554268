import type { Finding, Source } from './source.ts'

/**
 * Places that exist on one machine only, and hosts that a lock file or a script must not be bound to. Spelt apart, lest
 * this file break its rule.
 */
const foreign = [
  ['/wo', 'rk/'],
  ['/fa', 'rm/'],
  ['/ro', 'ot/'],
  ['/tmp/', 'bash'],
  ['.lib', 'rary/'],
  ['registry.', 'npmjs'],
  ['registry.', 'yarnpkg'],
  ['deb.', 'debian'],
].map((parts) => parts.join(''))

/** The project speaks of itself alone: no path of anybody's machine, no registry's host name, in any file that is kept. */
export function foreignFindings(sources: readonly Source[]): Finding[] {
  const found: Finding[] = []
  for (const { path, text } of sources) {
    text.split('\n').forEach((line, index) => {
      const bound = path === 'package-lock.json' ? /"resolved": "http/.exec(line)?.[0] : undefined
      const word = bound ?? foreign.find((part) => line.includes(part))
      if (word) found.push({ path, line: index + 1, message: `says ${word}` })
    })
  }
  return found
}
