import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { octets, octetString } from '../../../src/protocol/bytes/text.ts'
import { Stuffing } from '../../../src/protocol/pop3/stuffing.ts'
import { Top } from '../../../src/protocol/pop3/top.ts'
import { seededRandom } from '../../../src/testing/random.ts'
import { unstuffed } from './talk.ts'

/** Texts of what matters. */
const text = fc.string({ unit: fc.constantFrom('.', '\r', '\n', '\r\n', 'a', '\xff'), maxLength: 60 })
const places = fc.array(fc.nat(60), { maxLength: 6 })

function cut(whole: string, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((place) => Math.min(place, whole.length)).sort((one, other) => one - other), whole.length]
  return places.slice(1).map((place, index) => octets(whole.slice(places[index], place)))
}

function stuffed(whole: string, at: readonly number[]): string {
  const stuffing = new Stuffing()
  return cut(whole, at).map((piece) => octetString(stuffing.add(piece))).join('') + stuffing.end()
}

function topOf(whole: string, lines: number, at: readonly number[]): string {
  const top = new Top(lines)
  return cut(whole, at).map((piece) => octetString(piece.subarray(0, top.take(piece)))).join('')
}

/** The same, line by line. */
function expectedTop(whole: string, lines: number): string {
  let taken = ''
  let left: number | undefined
  for (const line of whole.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    if (left === 0) break
    taken += line
    if (left !== undefined) left--
    else if (line === '\n' || line === '\r\n') left = lines
  }
  return taken
}

describe('dots', () => {
  it.each([
    ['', '.\r\n'],
    ['a', 'a\r\n.\r\n'],
    ['a\r\n', 'a\r\n.\r\n'],
    ['a\n', 'a\n\r\n.\r\n'],
    ['a\r', 'a\r\r\n.\r\n'],
    ['.', '..\r\n.\r\n'],
    ['.\r\n', '..\r\n.\r\n'],
    ['a\r\n.\r\nb.\r\n', 'a\r\n..\r\nb.\r\n.\r\n'],
    ['a\n.\r\n', 'a\n..\r\n.\r\n'],
    ['...\r\n..\r\n', '....\r\n...\r\n.\r\n'],
  ])('%j becomes %j', (given, wanted) => {
    expect(stuffed(given, [])).toBe(wanted)
  })

  it('are the same in any pieces', () => {
    fc.assert(fc.property(text, places, (whole, at) => stuffed(whole, at) === stuffed(whole, [])))
  })

  it('are found wherever they are in long pieces', () => {
    const random = seededRandom(3)
    const words = ['.', '\r\n', '\r\n.', '\n.', '\r', 'a', 'x'.repeat(200), 'y'.repeat(5000)]
    for (let times = 0; times < 20; times++) {
      let whole = ''
      while (whole.length < 60_000) whole += words[random.below(words.length)]!
      expect(stuffed(whole, [random.below(60_000), random.below(60_000)])).toBe(
        whole.replace(/(^|\n)\./g, '$1..') + (whole.endsWith('\r\n') ? '.\r\n' : '\r\n.\r\n'),
      )
    }
  })

  it('come off again, and what is left are the octets that were stored', () => {
    fc.assert(fc.property(text, (whole) => {
      const ending = whole === '' || whole.endsWith('\r\n') ? '' : '\r\n'
      expect(unstuffed(`+OK\r\n${stuffed(whole, [])}`)).toBe(whole + ending)
    }))
  })

  it('never let a message say the end of the response', () => {
    fc.assert(fc.property(text, places, (whole, at) => {
      expect(stuffed(whole, at).split('\n').findIndex((line) => line.replace(/\r$/, '') === '.')).toBe(
        stuffed(whole, at).split('\n').length - 2,
      )
    }))
  })

  it('cost nothing where there are none', () => {
    const bytes = octets('a.b\r\n')
    expect(new Stuffing().add(bytes)).toBe(bytes)
  })

  it('cost little where there is nothing else', () => {
    const bytes = octets('\n.'.repeat(500_000))
    expect(new Stuffing().add(bytes)).toHaveLength(1_500_000)
    expect(new Stuffing().add(octets('.'.repeat(1_000_000)))).toHaveLength(1_000_001)
  })
})

describe('the top of a message', () => {
  it('is what it is line by line, in any pieces', () => {
    fc.assert(fc.property(text, fc.nat(4), places, (whole, lines, at) => {
      expect(topOf(whole, lines, at)).toBe(expectedTop(whole, lines))
    }))
  })

  it('is done as soon as nothing more is wanted', () => {
    const top = new Top(1)
    expect(top.take(octets('a: b\r\n\r\none\r\ntwo\r\n'))).toBe(13)
    expect(top.isDone).toBe(true)
    expect(top.take(octets('three'))).toBe(0)
  })
})
