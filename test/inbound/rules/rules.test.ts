import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Account } from '../../../src/contracts/directory.ts'
import type { FilterSubject } from '../../../src/contracts/filter.ts'
import type { Note } from '../../../src/contracts/note.ts'
import type { Stage } from '../../../src/contracts/policy.ts'
import type { ReceivedMessage } from '../../../src/contracts/received.ts'
import type { Rule, RuleCondition } from '../../../src/inbound/rules/rule.ts'
import { ruleFilter } from '../../../src/inbound/rules/rule-filter.ts'
import { rules } from '../../../src/inbound/rules/rules.ts'
import { sieveMessage } from '../../../src/inbound/sieve/message.ts'

const text = [
  'From: =?utf-8?q?B=C3=B6rse?= <news@Shop.example>', 'To: a@example.test, Bob <b@example.test>', 'Subject: [ad] 50% off*',
  'List-Id: <x.y>', 'MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', '', '--b', 'Content-Type: text/html', '',
  '<b>Buy</b> <i>now</i>', '--b', 'Content-Type: application/pdf; name="=?utf-8?q?Pr=C3=A4mie.pdf?="', '', '%PDF-', '--b',
  'Content-Type: image/png', 'Content-Disposition: inline; filename="logo.png"', '', 'x', '--b--', '',
].join('\r\n')

const notes: Note[] = [
  { kind: 'score', policy: 'a', score: 3, why: '' },
  { kind: 'score', policy: 'b', score: 1.5, why: '' },
  {
    kind: 'authentication', policy: 'authentication',
    authentication: {
      spf: { result: 'softfail' }, dkim: [{ result: 'fail' }, { result: 'pass' }], dmarc: undefined,
    } as never,
  },
]

function message(content = text, noted: readonly Note[] = notes): ReceivedMessage {
  const recipient = { local: 'a', domain: 'example.test', wire: 'a@example.test' }
  const envelope = { sender: { local: 'joe', domain: 'other.test' }, recipients: [recipient] }
  return { ...sieveMessage(Buffer.from(content), envelope.sender), envelope, notes: noted } as never
}

const subject = {
  account: { id: 'a' } as Account, recipient: { local: 'a', domain: 'example.test' }, now: 0,
  hasMailbox: async () => false, hasUse: async () => false, signal: new AbortController().signal,
} as unknown as FilterSubject

const filtered = async (list: readonly Rule[], of = message()) => (await ruleFilter(list).filter(of, subject))!
const fits = async (when: RuleCondition, of = message()): Promise<boolean> => {
  const { actions, error } = await filtered([{ name: 'r', when, then: { move: 'X' } }], of)
  expect(error).toBeUndefined()
  return actions[0]!.kind === 'file'
}

describe('a condition', () => {
  it.each<[RuleCondition, boolean]>([
    [{ from: { is: 'NEWS@shop.example' } }, true],
    [{ from: { endsWith: '@shop.example' } }, true],
    [{ from: { startsWith: ['info@', 'news@'] } }, true],
    [{ from: { matches: 'n?ws@*.example' } }, true],
    [{ from: { contains: 'BÖRSE' } }, true],
    [{ from: { is: 'Börse' } }, false],
    [{ from: { endsWith: 'shop.exampl' } }, false],
    [{ to: { is: 'b@example.test' } }, true],
    [{ cc: { exists: true } }, false],
    [{ cc: { exists: false } }, true],
    [{ subject: { endsWith: '50% off*' } }, true],
    [{ subject: { endsWith: '50% o??*' } }, false],
    [{ subject: { startsWith: '[AD]' } }, true],
    [{ header: { name: 'list-id', exists: true } }, true],
    [{ header: { name: 'List-Id', contains: 'x.z' } }, false],
    [{ body: { contains: ['nothing', 'NOW'] } }, true],
    [{ body: { contains: '<b>' } }, false],
    [{ size: { over: 100, under: 1000 } }, true],
    [{ size: { over: 1000 } }, false],
    [{ attachment: { exists: true } }, true],
    [{ attachment: { name: { endsWith: '.PDF' } } }, true],
    [{ attachment: { name: { is: 'prämie.pdf' }, type: { is: 'application/pdf' } } }, true],
    [{ attachment: { name: { endsWith: '.pdf' }, type: { startsWith: 'image/' } } }, false],
    [{ attachment: { type: { is: 'text/html' } } }, false],
    [{ spf: ['fail', 'softfail'] }, true],
    [{ dkim: 'pass' }, true],
    [{ dkim: 'fail' }, false],
    [{ dmarc: 'none' }, true],
    [{ score: { over: 4 } }, true],
    [{ score: { over: 4.5 } }, false],
    [{ score: { under: 4 } }, false],
    [{ all: [] }, true],
    [{ any: [] }, false],
    [{ all: [{ dkim: 'pass' }, { not: { spf: 'pass' } }] }, true],
    [{ any: [{ dkim: 'none' }, { all: [{ subject: { contains: 'ad' } }, { dmarc: 'pass' }] }] }, false],
  ])('%j is %s', async (when, expected) => expect(await fits(when)).toBe(expected))

  it('knows of no attachment, points or results where there are none', async () => {
    const plain = message('Subject: x\r\n\r\ny', [])
    expect(await fits({ attachment: { exists: false } }, plain)).toBe(true)
    expect(await fits({ all: [{ spf: 'none' }, { dkim: 'none' }, { score: { under: 1 } }] }, plain)).toBe(true)
  })

  it('takes any text for what it says', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ minLength: 1, maxLength: 20 }), async (value) => {
      const line = value.replace(/[^!-~]/g, 'x')
      const of = message(`Subject: a${line}b\r\n\r\n`)
      expect(await fits({ all: [
        { subject: { startsWith: `a${line}` } }, { subject: { endsWith: `${line}b` } }, { subject: { is: `a${line}b` } },
      ] }, of)).toBe(true)
    }), { numRuns: 50 })
  })
})

describe('rules', () => {
  const always = (name: string, then: Rule['then'], more: Partial<Rule> = {}): Rule => ({ name, then, ...more })
  const done = async (...list: Rule[]) => (await filtered(list)).actions

  it('do what they say', async () => {
    expect(await done(always('r', { accept: true }))).toEqual([{ kind: 'keep' }])
    expect(await done(always('r', { discard: true }))).toEqual([])
    expect(await done(always('r', { reject: 'No' }))).toEqual([{ kind: 'reject', reason: 'No' }])
    const to = { local: 'x', domain: 'y.test' }
    expect(await done(always('r', { forward: 'x@y.test' }))).toEqual([{ kind: 'redirect', to }])
    const kept = await done(always('r', { forward: { to: 'x@y.test', keep: true } }))
    expect(kept).toEqual([{ kind: 'redirect', to }, { kind: 'keep' }])
    const file = { kind: 'file', path: ['A', 'B'], create: true }
    expect(await done(always('r', [{ move: 'A/B' }, { tag: 'x' }, { webhook: 'https://h.test/' }]))).toEqual([
      file, { kind: 'tag', tag: 'x' }, { kind: 'webhook', url: 'https://h.test/' },
    ])
    expect(await done(always('r', { tag: '${x}' }))).toEqual([{ kind: 'keep' }, { kind: 'tag', tag: '${x}' }])
  })

  it('come by priority, and end where one says where the message goes', async () => {
    const list = [
      always('last', { tag: 'last' }, { priority: -1 }), always('off', { discard: true }, { enabled: false }),
      always('one', { tag: 'one' }), always('two', { tag: 'two' }), always('first', { tag: 'first' }, { priority: 5 }),
    ]
    const tags = async (...all: Rule[]) => (await done(...all)).flatMap((action) => (action.kind === 'tag' ? [action.tag] : []))
    expect(await tags(...list)).toEqual(['first', 'one', 'two', 'last'])
    expect(await tags(always('a', { move: 'A' }, { priority: 1 }), ...list)).toEqual(['first'])
    expect(await tags(always('a', { move: 'A' }, { priority: 1, stop: false }), ...list)).toEqual(['first', 'one', 'two', 'last'])
    expect(await tags(always('a', { tag: 'a' }, { stop: true }), ...list)).toEqual(['first', 'a'])
  })

  it('say which of them did what, and keep the message where they cannot be done', async () => {
    const { steps, error, actions } = await filtered([
      always('Filed', { move: 'A' }, { stop: false, when: { dkim: 'pass' } }), always('Refused', { reject: 'No' }),
    ])
    expect(steps.map(({ at, what }) => `${at}: ${what}`).slice(0, 2)).toEqual(['Filed: if: true', 'Filed: fileinto "A"'])
    expect([error?.at, actions]).toEqual(['Refused', [{ kind: 'keep' }]])
  })

  it('are those of an account', async () => {
    const list = [always('r', { discard: true })]
    const filter = ruleFilter({ rulesOf: ({ id }) => (id === 'a' ? list : undefined) })
    expect((await filter.filter(message(), subject))!.actions).toEqual([])
    expect(await filter.filter(message(), { ...subject, account: { id: 'b' } as Account })).toBeUndefined()
    const broken = ruleFilter({ rulesOf: () => [always('r', { move: '' })] })
    await expect(broken.filter(message(), subject)).rejects.toThrow('rules[0] "r": then[0].move is ""')
  })

  const odd = (rule: unknown) => () => ruleFilter([rule as Rule])
  it.each<[unknown, string]>([
    [{ then: { accept: true } }, 'rules[0]: name is missing'],
    [{ name: 'r' }, 'rules[0] "r": then is missing'],
    [{ name: 'r', then: [] }, 'rules[0] "r": then is a list; it takes 1 to 20 actions'],
    [{ name: 'r', then: { acept: true } }, 'rules[0] "r": then[0]: there is no "acept"; it takes an object with one of'],
    [{ name: 'r', then: { accept: true, discard: true } }, 'rules[0] "r": then[0] has accept and discard'],
    [{ name: 'r', then: { forward: 'x' } }, 'rules[0] "r": then[0].forward is "x"; it takes an address'],
    [{ name: 'r', then: { forward: { to: 'a@b.test', copy: true } } }, 'then[0].forward: there is no option "copy"'],
    [{ name: 'r', then: { webhook: 'ftp://x' } }, 'rules[0] "r": then[0].webhook is "ftp://x"; it takes a URL'],
    [{ name: 'r', then: { accept: true }, priority: '1' }, 'rules[0] "r": priority is "1"; it takes a number'],
    [{ name: 'r', then: { accept: true }, when: { from: { conains: 'x' } } }, 'rules[0] "r": when.from: there is no "conains"'],
    [{ name: 'r', then: { accept: true }, when: { all: [{ size: {} }] } }, 'rules[0] "r": when.all[0].size is an object'],
    [{ name: 'r', then: { accept: true }, when: { header: { is: 'x' } } }, 'rules[0] "r": when.header.name is undefined'],
    [{ name: 'r', then: { accept: true }, when: { body: { exists: true } } }, 'a body is always there'],
    [{ name: 'r', then: { accept: true }, when: { spf: 'passed' } }, 'when.spf is "passed"; it takes one or several of'],
    [{ name: 'r', then: { accept: true }, when: { subject: { is: 'x'.repeat(1001) } } }, 'a text of 1 to 1000 characters'],
    [{ name: 'r', then: { accept: true }, when: nested(12) }, 'conditions are 10 deep at the most'],
    [{ name: 'r', then: { accept: true }, when: { any: Array(300).fill({ dkim: 'pass' }) } }, '200 conditions at the most'],
    [{ name: 'r', then: { accept: true }, when: { not: [] } }, 'rules[0] "r": when.not is a list; it takes an object'],
  ])('that cannot be are refused: %j', (rule, words) => expect(odd(rule)).toThrow(words))

  it('may be anything, and no more than a config error comes of it', () => {
    fc.assert(fc.property(fc.array(fc.anything({ maxDepth: 4 })), (list) => {
      try {
        ruleFilter(list as readonly Rule[])
      } catch (error) {
        expect(error).toMatchObject({ code: 'config' })
      }
    }), { numRuns: 300 })
  })
})

function nested(depth: number): RuleCondition {
  return depth === 0 ? { dkim: 'pass' } : { not: nested(depth - 1) }
}

describe('rules as a policy', () => {
  const judged = async (then: Rule['then'], when: RuleCondition = { all: [] }) => {
    const tags: string[] = []
    const stage = { now: 0, notes: { tag: (tag: string) => tags.push(tag) } } as unknown as Stage
    const verdict = await rules([{ name: 'r', when, then }]).message!(message(), stage)
    return { verdict, tags }
  }

  it('decide about a message for all', async () => {
    const refusal = { kind: 'reject', reply: { code: 550, text: 'Not this' } }
    expect(await judged({ reject: 'Not\nthis' })).toMatchObject({ verdict: refusal })
    expect(await judged({ discard: true })).toMatchObject({ verdict: { kind: 'discard', why: 'rule r' } })
    expect(await judged([{ tag: 'x' }, { accept: true }])).toEqual({ verdict: { kind: 'accept', why: 'rule r' }, tags: ['x'] })
    expect(await judged({ tag: 'x' })).toEqual({ verdict: undefined, tags: ['x'] })
    expect(await judged({ reject: 'No' }, { dkim: 'none' })).toEqual({ verdict: undefined, tags: [] })
  })

  it('take nothing that is an account\'s', () => {
    const make = () => rules([{ name: 'r', then: [{ tag: 'x' }, { move: 'A' }] }])
    expect(make).toThrow('rules[0] "r": then.move: a policy has no mailboxes')
  })
})
