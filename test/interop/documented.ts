import { readFileSync } from 'node:fs'

/**
 * A configuration as docs/deploy has it: the block under `<!-- config: NAME -->` of that page. `instead` gives what a test must
 * have otherwise (addresses, paths), text by text; each must stand there.
 */
export function documented(page: string, name: string, instead: Readonly<Record<string, string>> = {}): string {
  const text = readFileSync(new URL(`../../docs/deploy/${page}.md`, import.meta.url), 'utf8')
  const mark = text.indexOf(`<!-- config: ${name} -->\n\`\`\``)
  if (mark < 0) throw new Error(`docs/deploy/${page}.md has no configuration ${name}`)
  const from = text.indexOf('\n', text.indexOf('```', mark)) + 1
  const block = text.slice(from, text.indexOf('\n```', from) + 1)
  const missing = Object.keys(instead).filter((part) => !block.includes(part))
  if (missing.length > 0) throw new Error(`docs/deploy/${page}.md: ${name} has no ${missing.join(', ')}`)
  // The longest first: one may begin with another.
  const parts = Object.keys(instead).sort((a, b) => b.length - a.length)
  let done = ''
  for (let at = 0; at < block.length; ) {
    const part = parts.find((one) => block.startsWith(one, at))
    done += part === undefined ? block[at] : instead[part]
    at += part?.length ?? 1
  }
  return done
}
