import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Breaker,
  type BreakerRules,
  closedBreaker,
  defaultBreaker,
  failed,
  mayTry,
  tried,
  untried,
  worked,
} from '../../../src/outbound/delivery/breaker.ts'
import { classify, failureTable } from '../../../src/outbound/delivery/classify.ts'
import type { Failure, TryPhase, TryReason } from '../../../src/outbound/delivery/failure.ts'
import { counted, waitFor } from '../../../src/outbound/delivery/rate.ts'
import { defaultSchedule, nextTry } from '../../../src/outbound/delivery/schedule.ts'
import { halved, newWindow, widened } from '../../../src/outbound/delivery/window.ts'

const runs = { numRuns: 200 }

describe('a failure is', () => {
  const failure = (text: string): Failure => {
    const [result = '', phase = '', reason = '', code = '', status = ''] = text.split(' ')
    const [how, where, why] = [result as Failure['result'], phase as TryPhase, reason as TryReason]
    return { result: how, phase: where, reason: why, code: Number(code), status }
  }

  /** One for each row of the table, in its order. */
  const rows: readonly (readonly [string, string])[] = [
    ['permanent route doomed 554 5.3.0', 'ordered bounce'],
    ['permanent route suppressed 550 5.7.1', 'suppressed bounce'],
    ['permanent route late 554 5.4.7', 'expired bounce'],
    ['permanent route self 554 5.4.6', 'loop bounce'],
    ['permanent route null-mx 556 5.1.10', 'bad-address bounce'],
    ['permanent route no-address 550 5.4.4', 'dns bounce'],
    ['temporary route dns 451 4.4.3', 'dns retry'],
    ['temporary dial unreachable 451 4.4.1', 'network retry'],
    ['unknown content timeout 451 4.4.2', 'timeout retry'],
    ['temporary route tls-policy 451 4.7.5', 'tls retry'],
    ['permanent route tls-policy 550 5.7.10', 'tls bounce'],
    ['temporary hello protocol 451 4.5.0', 'protocol retry'],
    ['temporary content host 451 4.3.0', 'ours retry'],
    ['permanent content host 554 5.3.0', 'ours hold'],
    ['permanent auth auth-not-offered 550 5.7.0', 'login retry'],
    ['permanent auth refused 535 5.7.8', 'login retry'],
    ['temporary mailbox full 552 5.2.2', 'full retry'],
    ['permanent mailbox full 552 5.2.2', 'full bounce'],
    ['temporary recipient recipients 452 4.5.3', 'busy retry'],
    ['permanent mail size 552 5.3.4', 'size bounce'],
    ['permanent mail smtputf8 550 5.6.7', 'feature bounce'],
    ['temporary mail requiretls 451 4.7.30', 'feature retry'],
    ['permanent connect refused 554 5.0.0', 'policy retry'],
    ['temporary recipient refused 452 4.2.2', 'full retry'],
    ['permanent recipient refused 552 5.2.2', 'full bounce'],
    ['permanent recipient refused 550 5.1.1', 'unknown-user bounce'],
    ['permanent recipient refused 551 5.1.6', 'moved bounce'],
    ['permanent recipient refused 553 5.1.3', 'bad-address bounce'],
    ['permanent recipient refused 550 5.2.1', 'disabled bounce'],
    ['permanent content refused 552 5.3.4', 'size bounce'],
    ['permanent content refused 554 5.4.6', 'loop bounce'],
    ['permanent content refused 554 5.6.0', 'content bounce'],
    ['permanent mail refused 554 5.6.3', 'content bounce'],
    ['temporary recipient refused 451 4.3.2', 'busy retry'],
    ['temporary recipient refused 450 4.7.1', 'greylisted retry'],
    ['temporary content refused 451 4.7.0', 'policy retry'],
    ['permanent content refused 550 5.7.26', 'policy bounce'],
    ['temporary mail refused 421 4.0.0', 'busy retry'],
    ['permanent recipient refused 452 5.0.0', 'full retry'],
    ['permanent recipient refused 550 5.0.0', 'unknown-user bounce'],
    ['permanent recipient refused 501 5.0.0', 'bad-address bounce'],
    ['permanent recipient refused 551 5.0.0', 'moved bounce'],
    ['permanent content refused 552 5.0.0', 'size bounce'],
    ['permanent recipient refused 556 5.0.0', 'bad-address bounce'],
    ['permanent content refused 554 5.0.0', 'content bounce'],
    ['temporary recipient refused 450 4.0.0', 'temporary retry'],
    ['permanent mail refused 550 5.0.0', 'permanent bounce'],
    ['unknown content refused 0 0.0.0', 'network retry'],
  ]

  it.each(rows)('%s: %s', (text, expected) => {
    const { cause, consequence } = classify(failure(text))
    expect(`${cause} ${consequence}`).toBe(expected)
  })

  it('what a list of one\'s own says, before the table', () => {
    const own = [{ cause: 'policy', consequence: 'hold', codes: [550] }] as const
    expect(classify(failure('permanent recipient refused 550 5.1.1'), own)).toEqual({ cause: 'policy', consequence: 'hold' })
    expect(classify(failure('permanent recipient refused 553 5.1.3'), own).consequence).toBe('bounce')
  })

  it('something, whatever it is; and what is temporary is never given up but for our own reasons', () => {
    const any = fc.record({
      result: fc.constantFrom('temporary', 'permanent', 'unknown'),
      phase: fc.constantFrom('route', 'dial', 'connect', 'mail', 'recipient', 'content', 'mailbox'),
      reason: fc.constantFrom('refused', 'lost', 'timeout', 'size', 'tls', 'host', 'full', 'dns'),
      code: fc.integer({ min: 400, max: 599 }),
      detail: fc.constantFrom('0.0', '1.1', '2.2', '7.1', '4.5', '', '99.999'),
    })
    fc.assert(fc.property(any, ({ result, phase, reason, code, detail }) => {
      const status = `${result === 'permanent' ? 5 : 4}.${detail}`
      const temporaryCode = result === 'permanent' ? code : 400 + (code % 100)
      const { cause, consequence } = classify({ result, phase, reason, code: temporaryCode, status } as Failure)
      expect(failureTable.some((row) => row.cause === cause && row.consequence === consequence)).toBe(true)
      if (result === 'temporary') expect(consequence).toBe('retry')
    }), runs)
  })
})

describe('a breaker', () => {
  const rules: BreakerRules = { failures: 2, pause: 100, factor: 2, longest: 300 }
  const open = (until: number, pause: number): Breaker => ({ state: 'open', until, pause })

  it.each<readonly [string, Breaker, (breaker: Breaker) => Breaker, Breaker]>([
    ['bears a failure', closedBreaker, (b) => failed(b, rules, 0), { state: 'closed', failures: 1 }],
    ['opens at the second', { state: 'closed', failures: 1 }, (b) => failed(b, rules, 5), open(105, 100)],
    ['forgets failures when something works', { state: 'closed', failures: 1 }, worked, closedBreaker],
    ['counts no failures while it is open', open(100, 100), (b) => failed(b, rules, 50), open(100, 100)],
    ['lets one try through', open(100, 100), tried, { state: 'half-open', pause: 100 }],
    ['waits longer if that fails', { state: 'half-open', pause: 100 }, (b) => failed(b, rules, 100), open(300, 200)],
    ['never waits longer than the longest', { state: 'half-open', pause: 200 }, (b) => failed(b, rules, 0), open(300, 300)],
    ['closes if it works', { state: 'half-open', pause: 100 }, worked, closedBreaker],
    ['is as open as before where the try shows nothing', { state: 'half-open', pause: 100 }, (b) => untried(b, 7), open(7, 100)],
    ['stays closed at tries', closedBreaker, tried, closedBreaker],
  ])('%s', (_, before, step, after) => {
    expect(step(before)).toEqual(after)
  })

  it('lets nobody through before its time, nor two at once', () => {
    expect([closedBreaker, open(10, 1), open(9, 1), { state: 'half-open', pause: 1 } as const].map((b) => mayTry(b, 9)))
      .toEqual([true, false, true, false])
  })

  it('stays within its bounds whatever happens', () => {
    const step = fc.record({ what: fc.constantFrom('fail', 'work', 'none'), wait: fc.integer({ min: 0, max: 4_000_000 }) })
    fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let breaker = closedBreaker
      let now = 0
      for (const { what, wait } of steps) {
        now += wait
        if (mayTry(breaker, now)) {
          breaker = tried(breaker)
          if (what === 'fail') breaker = failed(breaker, defaultBreaker, now)
          else breaker = what === 'work' ? worked(breaker) : untried(breaker, now)
        }
        expect(breaker.state).not.toBe('half-open')
        if (breaker.state !== 'open') continue
        expect(breaker.until - now).toBeLessThanOrEqual(defaultBreaker.longest)
        expect(breaker.pause).toBeGreaterThanOrEqual(defaultBreaker.pause)
      }
    }), runs)
  })
})

describe('a window', () => {
  it('grows by one for as many messages as it is wide', () => {
    let window = newWindow({ initial: 4, most: 20 })
    for (let messages = 0; messages < 5; messages++) window = widened(window, { initial: 4, most: 20 })
    expect(Math.floor(window.size)).toBe(5)
  })

  it('halves once for all connections that were open', () => {
    const once = halved(newWindow({ initial: 8, most: 20 }), 10, 50)
    expect(once.size).toBe(4)
    expect(halved(once, 50, 60).size).toBe(4)
    expect(halved(once, 51, 60).size).toBe(2)
  })

  it('is never below one connection nor above the most', () => {
    fc.assert(fc.property(fc.array(fc.boolean(), { maxLength: 300 }), (steps) => {
      const rules = { initial: 5, most: 20 }
      let window = newWindow(rules)
      steps.forEach((took, at) => {
        const before = window.size
        window = took ? widened(window, rules) : halved(window, at, at)
        expect(window.size).toBeGreaterThanOrEqual(1)
        expect(window.size).toBeLessThanOrEqual(20)
        expect(took ? window.size >= before : window.size <= before).toBe(true)
      })
    }), runs)
  })
})

describe('a rate', () => {
  it('is kept over any time, but for what a quiet site has saved up', () => {
    const rule = fc.record({ messages: fc.integer({ min: 1, max: 100 }), per: fc.integer({ min: 1000, max: 60_000 }) })
    fc.assert(fc.property(rule, fc.array(fc.nat(5000), { minLength: 1, maxLength: 80 }), (rules, pauses) => {
      let next = 0
      let now = 0
      const sent: number[] = []
      for (const pause of pauses) {
        now += pause
        const wait = waitFor(next, rules, now)
        expect(wait).toBeGreaterThanOrEqual(0)
        now += wait
        expect(waitFor(next, rules, now)).toBe(0)
        next = counted(next, rules, now)
        sent.push(now)
      }
      const saved = Math.max(1, rules.messages * 0.1)
      sent.forEach((from, at) => {
        const inTime = sent.slice(at).filter((each) => each < from + rules.per).length
        expect(inTime).toBeLessThanOrEqual(Math.ceil(rules.messages + saved))
      })
    }), runs)
  })
})

describe('a schedule', () => {
  const at = (tries: number, age = 0, schedule = defaultSchedule): number | undefined => nextTry(schedule, { tries, age }, 0)

  it('gives its waits one after the other, then up', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8, 9].map((tries) => at(tries))).toEqual(defaultSchedule)
    expect(at(10, defaultSchedule.reduce((sum, each) => sum + each, 0))).toBeUndefined()
  })

  it('does not end sooner for tries that somebody has ordered', () => {
    expect(at(10, 3_600_000)).toBe(86_400_000)
    expect(at(30, 55 * 3_600_000 + 50 * 60_000 - 5_000)).toBe(5_000)
    expect(at(1, 0, [])).toBeUndefined()
  })

  it('adds a tenth at the most, and is never shorter than a second', () => {
    const usual = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    const chance = fc.oneof(usual, fc.constantFrom(NaN, 1, -1, 7, Infinity))
    fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.nat(1e9), fc.nat(1e9), chance, (tries, age, wait, drawn) => {
      const next = nextTry([wait], { tries, age }, drawn)
      if (next === undefined) {
        expect(age).toBeGreaterThanOrEqual(wait)
        return
      }
      expect(Number.isInteger(next)).toBe(true)
      expect(next).toBeGreaterThanOrEqual(tries === 1 ? Math.max(1000, wait) : 1000)
      expect(next).toBeLessThanOrEqual(Math.max(1000, Math.ceil(wait * 1.1)))
    }), runs)
  })

  it.each([NaN, -1, Infinity, -Infinity, 1e15])('that gives %s is refused', (wait) => {
    expect(() => nextTry(() => wait, { tries: 1, age: 0 }, 0)).toThrow('A retry schedule gave')
  })
})
