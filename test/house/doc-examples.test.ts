import { describe, expect, it } from 'vitest'
import { allBlocks, type Block, blocksOf, paths } from './blocks.ts'
import { complaints, program } from './program.ts'

const blocks = allBlocks()

/** What the compiler says of each block, at its line in the text. */
function refusals(given: readonly Block[]): string[] {
  const samples = given.map(({ code }, index) => ({ path: `test/house/block-${index}.ts`, text: code }))
  const built = program('tsconfig.json', samples, { paths, noUnusedLocals: false, noUnusedParameters: false })
  return given.flatMap(({ name, shift }, index) =>
    complaints(built, [`test/house/block-${index}.ts`]).map((told) => {
      const [, line, message] = /^\S+?:(\d+) (.*)$/s.exec(told) ?? []
      return `${name.replace(/:\d+$/, '')}:${Number(line) + shift} ${message}`
    }),
  )
}

describe('examples in the documentation', () => {
  it('compile', () => {
    expect(refusals(blocks)).toEqual([])
  }, 60_000)

  it.each(blocks.filter(({ runnable }) => runnable).map(({ name }) => name))('%s runs', async (name) => {
    await import(/* @vite-ignore */ `block:${name}`)
  })
})

describe('examples in a text', () => {
  const text = [
    'Words.', '', '<!-- given', 'declare const app: { port: number }', '-->', '',
    '```ts', '// run', 'const port: string = app.port', '```', '',
    '````md', '```ts', 'not code', '```', '````', '', '```sh', 'npm test', '```', '',
    '```ts', 'missing()', '```', '',
  ].join('\n')

  it('are the ts blocks, each with what was given right above it', () => {
    expect(blocksOf({ path: 'a.md', text })).toEqual([
      { name: 'a.md:7', code: expect.stringMatching(/^declare const app.*\n\/\/ run\nconst port/), shift: 6, runnable: true },
      { name: 'a.md:22', code: 'missing()\nexport {}\n', shift: 22, runnable: false },
    ])
  })

  it('are refused where they do not compile, at the right line', () => {
    const found = refusals(blocksOf({ path: 'a.md', text }))
    expect(found).toEqual([
      expect.stringMatching(/^a\.md:9 Type 'number' is not/),
      expect.stringMatching(/^a\.md:23 Cannot find name/),
    ])
  }, 60_000)
})
