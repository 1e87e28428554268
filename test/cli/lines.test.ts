import { expect, it } from 'vitest'
import { LineWriter } from '../../src/cli/lines.ts'

/** A stream that takes down what is written, and the turns of an event loop that are asked for. */
function writer() {
  const written: string[] = []
  const turns: (() => void)[] = []
  const state = { writableLength: 0, fail: (_: Error) => undefined as void }
  const sink = {
    get writableLength() {
      return state.writableLength
    },
    write(text: string, done?: (error?: Error | null) => void) {
      written.push(text)
      done?.()
      return true
    },
    on(_: 'error', heard: (error: Error) => void) {
      state.fail = heard
    },
  }
  const turn = (): void => turns.splice(0).forEach((work) => work())
  return { lines: new LineWriter(sink, (work) => turns.push(work)), written, turn, state }
}

it('writes the lines of one turn at once', () => {
  const { lines, written, turn } = writer()
  lines.line('a')
  lines.line('b')
  expect(written).toEqual([])
  turn()
  lines.line('c')
  turn()
  turn()
  expect(written).toEqual(['a\nb\n', 'c\n'])
})

it('keeps lines and pieces in order', async () => {
  const { lines, written, turn } = writer()
  lines.line('a')
  expect(await lines.piece('b')).toBe(true)
  turn()
  lines.line('c')
  await lines.end()
  expect(written.join('')).toBe('a\nbc\n')
})

it('drops lines where nobody reads, rather than keep them all', () => {
  const { lines, written, turn, state } = writer()
  state.writableLength = 8 * 1024 * 1024
  lines.line('a')
  turn()
  state.writableLength = 0
  lines.line('b')
  turn()
  expect(written).toEqual(['b\n'])
})

it('writes nothing to a reader that has gone', async () => {
  const { lines, written, turn, state } = writer()
  state.fail(new Error('EPIPE'))
  lines.line('a')
  turn()
  expect(await lines.piece('b')).toBe(false)
  await lines.end()
  expect(written).toEqual([])
})
