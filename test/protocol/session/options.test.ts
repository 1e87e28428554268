import { describe, expect, it } from 'vitest'
import { isMailError } from '../../../src/protocol/session/errors.ts'
import { distance, nearest } from '../../../src/protocol/session/nearest.ts'
import {
  aFunction,
  aNumber,
  anObject,
  aSwitch,
  checkOptions,
  having,
  oneOf,
  orFalse,
  required,
  shownValue,
  texts,
} from '../../../src/protocol/session/options.ts'

const kinds = {
  name: required(oneOf('here', 'there')),
  size: aNumber,
  loud: aSwitch,
  tell: aFunction,
  words: texts,
  bounds: orFalse(anObject),
  clock: having('a clock', 'now', 'ticks'),
}

/** What is said of the options. */
function said(given: unknown): string {
  try {
    checkOptions('thing', given, kinds)
    return ''
  } catch (error) {
    expect(isMailError(error) && error.code).toBe('config')
    return (error as Error).message
  }
}

describe('options', () => {
  it('are taken where they are sound', () => {
    const clock = { now: () => 0, ticks: () => 0 }
    expect(said({ name: 'here' })).toBe('')
    expect(said({ name: 'there', size: Infinity, loud: false, tell: said, words: [], bounds: false, clock })).toBe('')
    expect(said({ name: 'here', size: undefined })).toBe('')
  })

  it.each([
    [undefined, 'thing takes an object of options, not undefined.'],
    ['here', 'thing takes an object of options, not "here".'],
    [[], 'thing takes an object of options, not a list.'],
    [{}, "thing: name is missing; it takes 'here' or 'there'."],
    [{ name: 'nowhere' }, `thing: name is "nowhere"; it takes 'here' or 'there'.`],
    [{ name: 'here', sise: 3 }, 'thing: there is no option "sise". Did you mean size?'],
    [
      { name: 'here', constructor: 3 },
      'thing: there is no option "constructor". There are: name, size, loud, tell, words, bounds, clock.',
    ],
    [{ name: 'here', size: '3' }, 'thing: size is "3"; it takes a number from 0 on.'],
    [{ name: 'here', size: -1 }, 'thing: size is -1; it takes a number from 0 on.'],
    [{ name: 'here', size: NaN }, 'thing: size is NaN; it takes a number from 0 on.'],
    [{ name: 'here', loud: 'no' }, 'thing: loud is "no"; it takes true or false.'],
    [{ name: 'here', tell: {} }, 'thing: tell is an object; it takes a function.'],
    [{ name: 'here', words: 'a' }, 'thing: words is "a"; it takes a list of texts.'],
    [{ name: 'here', words: [1] }, 'thing: words is a list; it takes a list of texts.'],
    [{ name: 'here', bounds: true }, 'thing: bounds is true; it takes an object of options, or false.'],
    [{ name: 'here', bounds: null }, 'thing: bounds is null; it takes an object of options, or false.'],
    [{ name: 'here', clock: { now: 5 } }, 'thing: clock is an object; it takes a clock, with now() and ticks().'],
  ])('are refused with what they take: %j', (given, message) => {
    expect(said(given)).toBe(message)
  })

  it('are shown short', () => {
    expect(shownValue('x'.repeat(1000))).toBe(JSON.stringify(`${'x'.repeat(60)}…`))
    expect(shownValue(Symbol('s'))).toBe('Symbol(s)')
    expect(shownValue(() => 0)).toBe('a function')
  })
})

describe('words', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['port', 'prot', 1],
    ['ab', 'ba', 1],
    ['abcd', 'badc', 2],
    ['log', 'foo', 2],
  ])('%j and %j are so far apart', (one, other, far) => {
    expect(distance(one, other)).toBe(far)
    expect(distance(other, one)).toBe(far)
  })

  it.each([
    ['polices', 'policies'],
    ['POLICIES', 'policies'],
    ['hostnam', 'hostname'],
    ['onData', undefined],
    ['x', undefined],
    ['lgo', 'log'],
    ['foo', undefined],
    ['lag', 'log'],
    ['l', undefined],
    ['', undefined],
    ['acepst', 'accepts'],
    ['except', undefined],
    ['p'.repeat(1_000_000), undefined],
  ])('%s is meant for another', (spelt, meant) => {
    expect(nearest(spelt, ['hostname', 'policies', 'deliver', 'accepts', 'log', 'a'])).toBe(meant)
  })
})
