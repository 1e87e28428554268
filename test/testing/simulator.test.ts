import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { DialTarget } from '../../src/protocol/session/dial.ts'
import { type Sabotage, simulate, type Simulation, simulationReport } from '../../src/testing/index.ts'
import { Draws } from '../../src/testing/simulator/draws.ts'
import { Ledger } from '../../src/testing/simulator/ledger.ts'
import { SiteWatch } from '../../src/testing/simulator/site-watch.ts'
import { virtualClock } from '../../src/testing/virtual-clock.ts'
import seeds from '../seeds.json' with { type: 'json' }

const root = mkdtempSync(join(tmpdir(), 'simulator-test-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const run = (seed: number, sabotage?: Sabotage): Promise<Simulation> => {
  return simulate({ seed, folder: mkdtempSync(join(root, 'run-')), ...(sabotage && { sabotage }) })
}

describe('the simulator', () => {
  it.each(seeds.filter(({ quick }) => quick))('balances the books of seed $seed, twice alike: $why', async ({ seed }) => {
    const [one, other] = [await run(seed), await run(seed)]
    expect(one.violations).toEqual([])
    expect(one.messages).toBeGreaterThan(one.submitted)
    expect(other.transcript).toEqual(one.transcript)
    expect(other.hash).toBe(one.hash)
  })

  it.each<[Sabotage, number, RegExp]>([
    ['forgets-settlements', 52, /has come to \d ends: .*nothing explains it/],
    ['leases-twice', 11, /has come to \d ends: .*nothing explains it/],
    ['loses-recipients', 52, /is lost/],
    ['ignores-refusals', 11, /is lost/],
  ])('finds what %s', async (sabotage, seed, finding) => {
    const { violations } = await run(seed, sabotage)
    expect(violations.join('\n')).toMatch(finding)
  })

  it('says how to see a failure again', async () => {
    const simulation = await run(52, 'loses-recipients')
    const lines = simulationReport(simulation).split('\n')
    expect(lines[0]).toBe('Seed 52 fails. To run it again: npm run simulate -- --seed 52')
    expect(JSON.parse(lines[1]!)).toEqual(simulation.plan)
    expect(lines.slice(2, 42)).toEqual(simulation.transcript.slice(-40))
    const differing = simulationReport(simulation, { ...simulation, hash: 'other' })
    expect(differing).toContain(`Two runs differ: ${simulation.hash} and other`)
  })
})

describe('the ledger', () => {
  const ledger = (): Ledger => {
    const made = new Ledger(() => 0)
    made.leadsTo('list@h.test', ['a@h.test', 'b@f.test'])
    made.begin('<1>', 's@h.test')
    made.promise('<1>', 'list@h.test')
    return made
  }

  it('wants one end for each to whom an address leads', () => {
    const books = ledger()
    books.end('<1>', 'a@h.test', 'copy', 'x')
    expect(books.balance()).toEqual(['<1> for b@f.test is lost'])
    books.endAll('<1>', 'list@h.test', 'failed', 'y')
    expect(books.balance()).toEqual(['<1> for a@h.test has come to 2 ends: copy (x), failed (y); nothing explains it'])
    books.disturb('<1>', 'a crash')
    expect(books.balance()).toEqual([])
  })

  it('knows whom nothing was promised', () => {
    const books = ledger()
    books.endAll('<1>', 'list@h.test', 'dropped', 'x')
    books.end('<1>', 'c@h.test', 'copy', 'y')
    books.end('<2>', 'a@h.test', 'copy', 'y')
    expect(books.balance()).toEqual([
      'A message that nobody has sent (<2>): copy for a@h.test at y',
      '<1> for c@h.test has come to 1 ends: copy (y); nothing explains it',
    ])
  })
})

describe('the watch over connections', () => {
  const target: DialTarget = { host: '192.0.2.1', port: 25, tls: { trust: 'none', serverName: 'mx.f.test' } }
  const site = 'mx: 10 mx.f.test/none-opportunistic '

  it('finds those that are made while a breaker is open', async () => {
    const clock = virtualClock()
    const ledger = new Ledger(() => clock.ticks())
    const watch = new SiteWatch(clock, ledger, 'h.test')
    watch.dialled(target)()
    watch.turned({ site, state: 'open', until: clock.now() + 60_000 })
    await clock.advance(59_999)
    watch.dialled(target)
    expect(ledger.violations).toEqual(['h.test connects to mx.f.test [192.0.2.1] while its breaker is open'])
    await clock.advance(1)
    watch.dialled(target)
    expect(ledger.violations).toHaveLength(1)
  })

  it('bears those of a try that was under way, and counts all', () => {
    const clock = virtualClock()
    const ledger = new Ledger(() => clock.ticks())
    const watch = new SiteWatch(clock, ledger, 'h.test')
    watch.dialled(target)
    watch.turned({ site, state: 'open', until: clock.now() + 60_000 })
    watch.dialled(target)
    expect(ledger.violations).toEqual([])
    watch.turned({ site, state: 'closed', until: undefined })
    for (let dials = 0; dials < 400; dials++) watch.dialled(target)
    expect(ledger.violations).toEqual(['h.test connects to 192.0.2.1 without end'])
  })
})

it('draws each kind of chance from a stream of its own', () => {
  const drawn = (seed: number, name: string): string => Buffer.from(new Draws(seed, name).octets(8)).toString('hex')
  expect(drawn(1, 'disk')).toBe(drawn(1, 'disk'))
  expect(new Set([drawn(1, 'disk'), drawn(2, 'disk'), drawn(1, 'network'), drawn(2, 'network')]).size).toBe(4)
})
