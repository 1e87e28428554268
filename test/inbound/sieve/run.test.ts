import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { memoryKeyValue } from '../../../src/adapters/memory/index.ts'
import type { Filtered } from '../../../src/contracts/filter.ts'
import { compileSieve, runSieve, type SieveEnvironment, sieveMessage, testSieve } from '../../../src/inbound/sieve/index.ts'
import { encodeUtf8 } from '../../../src/protocol/bytes/text.ts'
import { BUSY, PARTS, PERSONAL, PLAIN } from './mails.ts'

const NOW = Date.UTC(2026, 10, 20, 12, 0, 0)
const DAY = 86_400_000
const spike = { local: 'spike', domain: 'doghouse.example.com' }
const tweety = { local: 'tweety', domain: 'cage.example.org' }

const environment = (given: Partial<SieveEnvironment> = {}): SieveEnvironment => ({
  recipient: spike,
  now: NOW,
  hasMailbox: () => true,
  hasUse: () => false,
  ...given,
})

async function ran(script: string, given: Partial<SieveEnvironment> = {}, message = PERSONAL, sender = tweety) {
  const { program, errors } = compileSieve(script)
  expect(errors).toEqual([])
  return await runSieve(program!, sieveMessage(encodeUtf8(message.replaceAll('\n', '\r\n')), sender), environment(given))
}

describe('a run', () => {
  it('is over at once where nothing has to be waited for', () => {
    const { program } = compileSieve('if header :contains "subject" "lunch" { keep; } else { discard; }')
    const found = runSieve(program!, sieveMessage(encodeUtf8(PERSONAL)), environment())
    expect(found).not.toBeInstanceOf(Promise)
    expect(found).toEqual({
      actions: [{ kind: 'keep' }],
      edits: [],
      steps: [{ at: '1:4', what: 'if: true' }, { at: '1:41', what: 'keep' }],
    })
  })

  it('keeps the message where something goes wrong, and says where', async () => {
    const script = 'require ["fileinto", "variables", "editheader"];\naddheader "X-A" "b";\nfileinto "a";\nfileinto "a//b${x}";'
    expect(await ran(script)).toMatchObject({
      actions: [{ kind: 'keep' }],
      edits: [],
      error: { at: '4:1', text: '"a//b" is no name of a mailbox' },
    })
    const asks = await ran('require ["mailbox"];\nif mailboxexists "x" { discard; }', {
      hasMailbox: async () => Promise.reject(new Error('the disk is gone')),
    })
    expect(asks).toMatchObject({ actions: [{ kind: 'keep' }], error: { at: '2:4' } })
    expect(asks.error?.text).toContain('the disk is gone')
  })

  it.each([
    ['work', `${'if header :contains "subject" "x" {}\n'.repeat(60)}discard;`, { work: 50 }, 'too much work'],
    ['looks for fields', `require "editheader"; deleteheader "X"; if exists [${'"Subject",'.repeat(60)}"To"] {} discard;`,
      { work: 50 }, 'too much work'],
    ['flags in variables', `require ["variables", "imap4flags"]; set "f" "${'a '.repeat(500)}"; if hasflag "f" "b" {} discard;`,
      { work: 100 }, 'too much work'],
    ['changes of flags', `require "imap4flags"; setflag "${'a b c d '.repeat(60)}"; discard;`, { work: 2 }, 'too much work'],
    ['variables', 'require "variables"; set "a" "1"; set "b" "2"; set "c" "3"; discard;', { variables: 2 }, '2 variables'],
    ['actions', 'require "fileinto"; fileinto "a"; fileinto "b"; fileinto "c";', { actions: 2 }, '2 things'],
    ['redirects', 'redirect "a@x.example"; redirect "b@x.example";', { redirects: 1 }, '1 addresses'],
    ['changes of the header', 'require "editheader"; addheader "A" "1"; addheader "B" "1"; discard;', { actions: 1 }, '1 things'],
  ])('has only so much: %s', async (_, script, limits, text) => {
    const found = await ran(script, { limits })
    expect(found.actions).toEqual([{ kind: 'keep' }])
    expect(found.error?.text).toContain(text)
  })

  it('cuts variables that are too long, and keeps a trace that is not', async () => {
    const set = 'set "a" "abcdef"; set :length "b" "${a}";'
    const script = `require ["variables", "fileinto"]; ${set} fileinto "\${a}\${b}";${'keep;'.repeat(9)}`
    const { actions, steps } = await ran(script, { limits: { variableSize: 3, trace: 4 } })
    expect(actions[0]).toMatchObject({ kind: 'file', path: ['abc3'] })
    expect(steps.length).toBe(4)
  })

  it('cannot be made to grow', async () => {
    const grown = 'set "a" "${a}${a}${a}${a}";'.repeat(500)
    const script = `require "variables"; set "a" "${'x'.repeat(4000)}";${grown} discard;`
    expect((await ran(script)).actions).toEqual([])
    const long = `require ["variables"]; set "a" "${'x'.repeat(4000)}"; if string "${'${a}'.repeat(5000)}" "x" { discard; }`
    expect((await ran(long)).error?.text).toContain('characters')
  })

  it('gives the same in any order of answers, whatever the script and the message hold', async () => {
    const words = ['keep;', 'discard;', 'stop;', 'fileinto "${1}";', 'redirect "a@x.example";', 'addheader "X" "${0}";',
      'addflag "${1}";', 'set "a" "${a}${1}";', 'deleteheader "Subject";', 'vacation "x";', 'reject "no";',
      'if header :matches "*" "*" { stop; }',
      'if body :matches "*a*" { keep; } else { discard; }', 'if address :matches "from" "*@*" { fileinto "${2}"; }',
      'if duplicate { discard; }', 'if header :matches ["subject", "x"] "*?*" { set "b" "${1}"; }', 'keep :flags "${b}";']
    const require = 'require ["fileinto","reject","variables","imap4flags","editheader","vacation","body","duplicate"];'
    const script = fc.array(fc.constantFrom(...words), { maxLength: 8 }).map((all) => require + all.join('\n'))
    const message = fc.oneof(fc.constantFrom(BUSY, PARTS, PLAIN), fc.string(), fc.string({ unit: 'binary' }))
    await fc.assert(fc.asyncProperty(script, fc.oneof(message.map(encodeUtf8), fc.uint8Array()), async (text, octets) => {
      const { program } = compileSieve(text)
      if (!program) return
      const found = await runSieve(program, sieveMessage(octets, tweety), environment())
      expect(found.error === undefined || found.actions.length === 1).toBe(true)
      expect(JSON.parse(JSON.stringify(found))).toEqual(found)
      for (const action of found.actions) if (action.kind === 'file') expect(action.path).not.toContain('')
    }), { numRuns: 150 })
  })
})

describe('changes of the header', () => {
  const lines = 'A: 1\nB: 2\nA: 3\nTo: x@example.org\n\nbody'

  it('are spans of the message, and fields to be added so that the last comes first', async () => {
    const script = 'require ["editheader"]; deleteheader "A"; addheader "X" "one"; addheader "X" "two"; '
      + 'addheader :last "X" "three";'
    const { actions, edits } = await ran(script, {}, lines)
    expect(actions).toEqual([{ kind: 'keep' }])
    expect(edits).toEqual([
      { kind: 'remove', start: 0, end: 6 },
      { kind: 'remove', start: 12, end: 18 },
      { kind: 'add', name: 'X', value: 'one', last: false },
      { kind: 'add', name: 'X', value: 'two', last: false },
      { kind: 'add', name: 'X', value: 'three', last: true },
    ])
  })

  it('cancel each other out, as counted anew each time', async () => {
    const none = await ran('require "editheader"; addheader "X-Hello" "World"; deleteheader :index 1 "X-Hello";', {}, lines)
    expect(none.edits).toEqual([])
    const twice = await ran('require "editheader"; deleteheader :index 1 "a"; deleteheader :index 1 "a";', {}, lines)
    expect(twice.edits).toEqual([{ kind: 'remove', start: 0, end: 6 }, { kind: 'remove', start: 12, end: 18 }])
  })

  it('hold for what is done behind them', async () => {
    const script = 'require ["editheader", "fileinto", "copy"]; fileinto :copy "a"; addheader "X" "1"; redirect "z@example.org";'
    const { actions, edits } = await ran(script, {}, lines)
    expect(edits).toEqual([{ kind: 'add', name: 'X', value: '1', last: false }])
    expect(actions).toEqual([
      { kind: 'file', path: ['a'], create: false, edits: [] },
      { kind: 'redirect', to: { local: 'z', domain: 'example.org' } },
    ])
  })

  it('leave alone by what circles are known', async () => {
    const guarded = 'Received: x\nAuto-Submitted: no\nDelivered-To: x\nSubject: x\n\n'
    const deletes = ['Received', 'Auto-Submitted', 'delivered-to', 'Subject'].map((name) => `deleteheader "${name}";`)
    const { edits } = await ran(`require "editheader"; ${deletes.join(' ')}`, {}, guarded)
    expect(edits).toEqual([{ kind: 'remove', start: 50, end: 62 }])
  })
})

describe('an answer', () => {
  const away = 'require "vacation"; vacation :days 7 "I am away\nuntil Monday";'
  const replies = ({ actions }: Filtered) => actions.filter(({ kind }) => kind === 'reply')

  it('says who answers whom', async () => {
    const text = 'I am away\nuntil Monday'
    expect(replies(await ran(away))).toEqual([
      { kind: 'reply', to: tweety, from: { address: spike }, subject: 'Auto: lunch?', text, mime: false },
    ])
    const other = { local: 'dog', domain: 'doghouse.example.com' }
    const script = 'require ["vacation", "variables"]; set "a" "no"; '
      + 'vacation :subject "${a}\n lunch" :from "Spike <dog@DogHouse.example.com>" "x";'
    const from = { name: 'Spike', address: other }
    expect(replies(await ran(script, { addresses: [other] }))).toMatchObject([{ from, subject: 'no  lunch' }])
    // Not the account's own: it is passed over, unless it may be used.
    expect(replies(await ran(script))).toMatchObject([{ from: { address: spike } }])
    expect(replies(await ran(script, { maySendAs: async () => Promise.resolve(true) }))).toMatchObject([{ from }])
  })

  it('comes once in a while to each sender, when the message was taken', async () => {
    const store = memoryKeyValue()
    const memory = { store, account: 'a1' }
    const at = async (days: number, script = away, from = tweety) =>
      ran(script, { memory, now: NOW + days * DAY }, PERSONAL, from)
    const first = await at(0)
    expect(replies(first).length).toBe(1)
    // The message was not taken, and comes again: it is answered still. Another one meanwhile is not.
    const again = await at(0.001)
    expect(replies(again).length).toBe(1)
    const other = PERSONAL.replace('lunch@', 'dinner@')
    expect(replies(await ran(away, { memory }, other)).length).toBe(0)
    await again.done?.()
    const second = await at(6)
    expect(replies(second)).toEqual([])
    expect(second.steps.at(-1)?.what).toBe('vacation: no answer, its sender was answered not long ago')
    expect(replies(await at(6, away, { local: 'sylvester', domain: 'cage.example.org' })).length).toBe(1)
    expect(replies(await at(6, away.replace('away', 'ill'))).length).toBe(1)
    expect(replies(await at(6, away.replace(':days 7', ':handle "x" :days 7'))).length).toBe(1)
    expect(replies(await ran(away, { memory: { store, account: 'a2' } })).length).toBe(1)
    const later = await at(8)
    expect(replies(later).length).toBe(1)
  })

  it('is told from others by what stands in the script, not by what becomes of it', async () => {
    const memory = { store: memoryKeyValue(), account: 'a1' }
    const script = 'require ["vacation", "variables"]; if header :matches "subject" "*" { vacation :subject "Re: ${1}" "x"; }'
    const first = await ran(script, { memory })
    expect(replies(first).length).toBe(1)
    await first.done?.()
    expect(replies(await ran(script, { memory }, PERSONAL.replace('lunch?', 'dinner?'))).length).toBe(0)
  })

  it('keeps to the bounds of its period', async () => {
    const memory = { store: memoryKeyValue(), account: 'a1' }
    const limits = { vacationLeast: 3600, vacationMost: 86_400 }
    const short = 'require "vacation-seconds"; vacation :seconds 1 "x";'
    await (await ran(short, { memory, limits })).done?.()
    expect(replies(await ran(short, { memory, limits, now: NOW + 3_000_000 })).length).toBe(0)
    expect(replies(await ran(short, { memory, limits, now: NOW + 3_700_000 })).length).toBe(1)
    const long = 'require "vacation"; vacation :days 99 "y";'
    await (await ran(long, { memory, limits })).done?.()
    expect(replies(await ran(long, { memory, limits, now: NOW + 2 * DAY })).length).toBe(1)
  })
})

describe('a duplicate', () => {
  const script = 'require "duplicate"; if duplicate { discard; }'
  const seconds = 'require "duplicate"; if duplicate :seconds 60 { discard; }'

  it('is what was seen in a run before that came to its end', async () => {
    const memory = { store: memoryKeyValue(), account: 'a1' }
    const first = await ran(script, { memory })
    expect(first.actions).toEqual([{ kind: 'keep' }])
    expect((await ran(script, { memory })).actions).toEqual([{ kind: 'keep' }])
    await first.done?.()
    expect((await ran(script, { memory })).actions).toEqual([])
    expect((await ran(script.replace('duplicate {', 'duplicate :handle "h" {'), { memory })).actions).toEqual([{ kind: 'keep' }])
    const byId = 'require ["duplicate"]; if duplicate :uniqueid "<lunch@cage.example.org>" { discard; }'
    expect((await ran(byId, { memory })).actions).toEqual([])
    expect((await ran(script, { memory: { ...memory, account: 'a2' } })).actions).toEqual([{ kind: 'keep' }])
    expect((await ran(script, { memory }, PERSONAL.replace('lunch@', 'x@'))).actions).toEqual([{ kind: 'keep' }])
    expect((await ran(script, { memory }, PERSONAL.replace('Message-ID', 'X-Id'))).actions).toEqual([{ kind: 'keep' }])
  })

  it('is forgotten in the end: counted from the first time, or with :last from the last', async () => {
    for (const [text, expected] of [[seconds, 1], [seconds.replace('60', '60 :last'), 0]] as const) {
      const memory = { store: memoryKeyValue(), account: 'a1' }
      await (await ran(text, { memory })).done?.()
      await (await ran(text, { memory, now: NOW + 50_000 })).done?.()
      expect((await ran(text, { memory, now: NOW + 100_000 })).actions.length).toBe(expected)
    }
    const memory = { store: memoryKeyValue(), account: 'a1' }
    await (await ran(seconds.replace('60', '0'), { memory })).done?.()
    expect((await ran(seconds, { memory })).actions).toEqual([{ kind: 'keep' }])
  })

  it('is not remembered by a run that failed', async () => {
    const memory = { store: memoryKeyValue(), account: 'a1' }
    const failing = 'require ["duplicate", "reject"]; if duplicate { discard; } keep; reject "x";'
    expect((await ran(failing, { memory })).done).toBe(undefined)
  })

  it('is told from others by all of a long id', async () => {
    const memory = { store: memoryKeyValue(), account: 'a1' }
    const of = (id: string) => `require ["duplicate"]; if duplicate :uniqueid "${id}" { discard; }`
    await (await ran(of('x'.repeat(2000)), { memory })).done?.()
    expect((await ran(of('x'.repeat(2000)), { memory })).actions).toEqual([])
    expect((await ran(of(`${'x'.repeat(1999)}y`), { memory })).actions).toEqual([{ kind: 'keep' }])
  })
})

describe('scripts that include others', () => {
  const scripts = (...given: readonly (readonly [string, string])[]) => new Map(given)
  const tested = async (script: string, included: ReadonlyMap<string, string>) =>
    testSieve(`require ["include", "variables", "fileinto"];\n${script}`, PERSONAL, { now: NOW, scripts: included })

  it('come back from them, unless they stop', async () => {
    const included = 'require ["fileinto", "include"]; fileinto "a"; return; discard;'
    const found = await tested('include "a"; fileinto "main";', scripts(['a', included]))
    expect(found.actions).toMatchObject([{ path: ['a'] }, { path: ['main'] }])
    expect(found.steps.map(({ at }) => at)).toEqual(['2:1', 'a:1:34', 'a:1:48', '2:14'])
    expect((await tested('include "a"; fileinto "main";', scripts(['a', 'discard; stop;']))).actions).toEqual([])
  })

  it('share variables that are global, and no others', async () => {
    const script = 'global "g"; set "g" "1"; set "own" "2"; include "a"; fileinto "${g}${own}${h}${global.h}";'
    const included = 'require ["include", "variables"]; global ["g"]; set "own" "x${own}"; set "g" "${g}+"; '
      + 'set "global.h" "${own}";'
    expect((await tested(script, scripts(['a', included]))).actions).toMatchObject([{ path: ['1+2x'] }])
  })

  it('do so once where they are told to, and never in circles', async () => {
    const twice = scripts(['a', 'require "variables"; require "include"; set "global.n" "${global.n}i";'])
    const once = await tested('include "a"; include :once "a"; include "a"; fileinto "${global.n}";', twice)
    expect(once.actions).toMatchObject([{ path: ['ii'] }])
    const circle = scripts(['a', 'require "include"; include "b";'], ['b', 'require "include"; include "a";'])
    expect((await tested('include "a";', circle)).error).toEqual({ at: 'b:1:20', text: '"a" includes itself' })
    const next = (at: number) => [`s${at}`, `require "include"; include "s${at + 1}";`] as const
    const many = scripts(...Array.from({ length: 20 }, (_, at) => next(at)))
    expect((await tested('include "s0";', many)).error?.text).toContain('10 others')
    expect((await tested('include "a";'.repeat(40), scripts(['a', 'keep;']))).error?.text).toContain('32 others')
  })

  it('tell of errors in them', async () => {
    const { actions, error } = await tested('discard; include "a";', scripts(['a', 'keep;\nfoo;']))
    expect(actions).toEqual([{ kind: 'keep' }])
    expect(error).toEqual({ at: '2:10', text: '"a" has an error at 2:1: there is no command "foo"' })
  })
})

describe('the tester', () => {
  it('tells what would happen, and why', async () => {
    const script = 'require ["fileinto"];\n'
      + 'if anyof (header :is "Subject" "x", address :domain "from" "cage.example.org") {\n  fileinto "Cats";\n}'
    const found = await testSieve(script, PERSONAL, { now: NOW })
    expect(found).toEqual({
      errors: [],
      actions: [{ kind: 'file', path: ['Cats'], create: false }],
      edits: [],
      steps: [
        { at: '2:11', what: 'header: false, for "lunch?"' },
        { at: '2:37', what: 'address: true, for "cage.example.org"' },
        { at: '2:4', what: 'if: true' },
        { at: '3:3', what: 'fileinto "Cats"' },
      ],
    })
    expect(await testSieve('foo;', PERSONAL, { now: NOW })).toEqual({
      errors: [{ line: 1, column: 1, text: 'there is no command "foo"' }],
      actions: [{ kind: 'keep' }],
      edits: [],
      steps: [],
    })
  })
})
