import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type DialTarget, type TlsDemand, TlsFailure } from '../../src/protocol/session/dial.ts'
import { virtualNetwork } from '../../src/testing/network.ts'
import { type Sabotage, simulate, type Simulation, simulationReport } from '../../src/testing/index.ts'
import { Draws } from '../../src/testing/simulator/draws.ts'
import { Journal } from '../../src/testing/simulator/journal.ts'
import { Ledger } from '../../src/testing/simulator/ledger.ts'
import { type Plan, planOf } from '../../src/testing/simulator/plan.ts'
import { serversToWatch, SiteWatch } from '../../src/testing/simulator/site-watch.ts'
import { type TlsFault, TlsWeather } from '../../src/testing/simulator/tls-weather.ts'
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
    ['loses-recipients', 5, /is lost/],
    ['ignores-refusals', 11, /is lost/],
    ['answers-early', 4, /is lost/],
    ['trusts-anybody', 11, /connection that is encrypted; it asks for verified/],
    ['forgets-routes', 11, /connection that is (encrypted|plain); it asks for verified/],
  ])('finds what %s', async (sabotage, seed, finding) => {
    const { violations } = await run(seed, sabotage)
    expect(violations.join('\n')).toMatch(finding)
  })

  it('says how to see a failure again', async () => {
    const simulation = await run(5, 'loses-recipients')
    const lines = simulationReport(simulation).split('\n')
    expect(lines[0]).toBe('Seed 5 fails. To run it again: npm run simulate -- --seed 5')
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

  it('bears doubles of what is for somebody whom nothing was promised yet', () => {
    const books = new Ledger(() => 0)
    books.leadsTo('list@h.test', ['a@h.test', 'b@f.test'])
    books.begin('<1>', 's@h.test', ['list@h.test'])
    books.begin('<2>', 's@h.test', ['a@h.test'])
    books.disturbAll('b@f.test', 'nobody knows where it goes')
    for (const key of ['<1>', '<2>']) {
      books.promise(key, 'a@h.test')
      for (const where of ['x', 'y']) books.end(key, 'a@h.test', 'copy', where)
    }
    expect(books.balance()).toEqual(['<2> for a@h.test has come to 2 ends: copy (x), copy (y); nothing explains it'])
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

describe('a disk that loses its power', () => {
  interface Kept {
    readonly written: number[]
    readonly since: number
  }

  const journalOf = (lies = false) => {
    let now = 5
    const made = new Journal<Kept>({ make: (then) => ({ written: [], since: then() }), now: () => now++, loses: true, lies })
    const told: string[] = []
    const write = async (number: number, mayGo = false): Promise<() => void> => {
      const begun = made.begin({
        run: async ({ written }) => written.push(number),
        done: () => told.push(`done ${number}`),
        ...(mayGo && { forgotten: () => told.push(`forgotten ${number}`) }),
      })
      await begun.run()
      return begun.answered
    }
    return { made, told, write }
  }

  it('keeps what was answered, and what was written before it', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { made, told, write } = journalOf()
      await write(1)
      const answered = await write(2)
      await write(3)
      await write(4)
      answered()
      expect(told).toEqual(['done 1', 'done 2'])
      const lost = await made.lose(new Draws(seed, 'power'))
      const kept = [1, 2, 3, 4].slice(0, 4 - lost)
      expect(kept.slice(0, 2)).toEqual([1, 2])
      expect(made.thing.written).toEqual(kept)
      expect(told).toEqual(kept.map((number) => `done ${number}`))
    }
  })

  it('may forget leases that were answered, and says so', async () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 20; seed++) {
      const { made, told, write } = journalOf()
      await write(1)
      const answered = await write(2, true)
      answered()
      await made.lose(new Draws(seed, 'power'))
      seen.add(`${told.join(', ')}: ${made.thing.written.join(' ')}`)
    }
    expect([...seen].sort()).toEqual(['done 1, done 2, forgotten 2: 1', 'done 1, done 2: 1 2'])
  })

  it('loses nothing where a process ends alone', async () => {
    const { made, told, write } = journalOf()
    await write(1)
    await write(2)
    await made.flush()
    expect(await made.lose(new Draws(1, 'power'))).toBe(0)
    expect(told).toEqual(['done 1', 'done 2'])
    expect(made.thing.written).toEqual([1, 2])
  })

  it('loses what was answered too where it lies', async () => {
    const lost = new Set<number>()
    for (let seed = 0; seed < 20; seed++) {
      const { made, write } = journalOf(true)
      for (const number of [1, 2]) (await write(number))()
      lost.add(await made.lose(new Draws(seed, 'power')))
    }
    expect([...lost].sort()).toEqual([0, 1, 2])
  })
})

describe('TLS that goes wrong', () => {
  const dialled = async (fault: TlsFault | undefined, tls: TlsDemand) => {
    const clock = virtualClock()
    const network = virtualNetwork({ clock })
    const weather = new TlsWeather(clock)
    weather.certify('192.0.2.1', 'mx.f.test')
    weather.fault('192.0.2.1', fault)
    network.listen('192.0.2.1', 25, (server) => {
      const sink = { received: () => server.startTls(), ended: () => {}, drained: () => {}, secured: () => {}, closed: () => {} }
      server.open(sink)
    })
    const target: DialTarget = { host: '192.0.2.1', port: 25, tls }
    const client = weather.around(await network.dial(target, new AbortController().signal), target)
    const ends: string[] = []
    const end = { address: client.peer.localAddress, port: client.peer.localPort }
    client.open({
      received: (bytes) => ends.push(Buffer.from(bytes).toString('latin1').slice(0, 3)),
      ended: () => {},
      drained: () => {},
      secured: () => ends.push(weather.connectionOf(end)!.security),
      closed: (error) => ends.push(error instanceof TlsFailure ? error.reason : 'closed'),
    })
    client.write(['STARTTLS\r\n'])
    await clock.advance(10)
    if (ends.length === 0) client.startTls()
    await clock.advance(10)
    return ends.join(' ')
  }
  const anybody: TlsDemand = { trust: 'none', serverName: 'mx.f.test' }
  const proven: TlsDemand = { trust: 'pkix', serverName: 'mx.f.test' }
  const pinned: TlsDemand = { trust: { tlsa: [] }, serverName: 'mx.f.test' }

  it.each<[TlsFault | undefined, TlsDemand, string]>([
    [undefined, anybody, 'encrypted'],
    [undefined, proven, 'pkix'],
    [undefined, pinned, 'tlsa'],
    [undefined, { ...proven, serverName: 'mx.g.test' }, 'certificate-host-mismatch'],
    ['refused', anybody, '454'],
    ['breaks', anybody, 'validation-failure'],
    ['silent', proven, ''],
    ['expired', anybody, 'encrypted'],
    ['expired', proven, 'certificate-expired'],
    ['expired', pinned, 'tlsa'],
    ['wrong-name', proven, 'certificate-host-mismatch'],
    ['untrusted', proven, 'certificate-not-trusted'],
    ['untrusted', pinned, 'tlsa-invalid'],
  ])('%s, of whoever is asked for %j: %s', async (fault, tls, ends) => {
    expect(await dialled(fault, tls)).toBe(ends)
  })
})

describe('the watch over connections', () => {
  const target: DialTarget = { host: '192.0.2.1', port: 25, tls: { trust: 'none', serverName: 'mx.f.test' } }
  const site = 'mx: 10 mx.f.test/none-opportunistic '
  const watching = (names = ['mx.f.test']) => {
    const clock = virtualClock()
    const ledger = new Ledger(() => clock.ticks())
    const watch = new SiteWatch(clock, ledger, 'h.test', new Set(names))
    const opened = () => watch.turned({ site, state: 'open', until: clock.now() + 60_000 })
    const tried = () => watch.turned({ site, state: 'open', until: undefined })
    return { clock, ledger, watch, opened, tried }
  }
  const finding = 'h.test connects to mx.f.test [192.0.2.1] while its breaker is open'

  it('finds those that are made while a breaker is open', async () => {
    const { clock, ledger, watch, opened } = watching()
    watch.dialled(target)()
    opened()
    await clock.advance(59_999)
    watch.dialled(target)
    expect(ledger.violations).toEqual([finding])
    await clock.advance(1)
    watch.dialled(target)
    expect(ledger.violations).toHaveLength(1)
  })

  it('bears those of tries that were under way, and counts all', async () => {
    const { clock, ledger, watch, opened } = watching()
    const over = watch.dialled(target)
    opened()
    over()
    await clock.advance(1)
    for (let dials = 0; dials < 3; dials++) watch.dialled(target)
    expect(ledger.violations).toEqual([])
    watch.dialled(target)
    expect(ledger.violations).toEqual([finding])
    watch.turned({ site, state: 'closed', until: undefined })
    for (let dials = 0; dials < 400; dials++) watch.dialled(target)
    expect(ledger.violations).toEqual([finding, 'h.test connects to 192.0.2.1 without end'])
  })

  it('bears those of tries that begin as it opens', async () => {
    const { clock, ledger, watch, opened } = watching()
    opened()
    watch.dialled(target)()
    await clock.advance(1)
    for (let dials = 0; dials < 3; dials++) watch.dialled(target)()
    expect(ledger.violations).toEqual([])
    watch.dialled(target)
    expect(ledger.violations).toEqual([finding])
  })

  it('lets orders have their tries, and those alone', async () => {
    const { clock, ledger, watch, opened, tried } = watching()
    opened()
    watch.order()
    await clock.advance(1)
    tried()
    for (let dials = 0; dials < 9; dials++) watch.dialled(target)()
    opened()
    expect(ledger.violations).toEqual([])
    await clock.advance(1)
    watch.dialled(target)
    expect(ledger.violations).toEqual([finding])
    for (let tries = 0; tries < 3; tries++) tried()
    expect(ledger.violations).toEqual([finding, 'h.test tries mx.f.test while its breaker is open, and nobody has ordered it'])
  })

  it('leaves servers alone that belong to several sites', async () => {
    const { clock, ledger, watch, opened, tried } = watching(['mx.g.test'])
    opened()
    await clock.advance(1)
    watch.dialled(target)
    tried()
    expect(ledger.violations).toEqual([])
  })

  it('knows which servers belong to one alone', () => {
    const drawn = planOf(1)
    const [host, servers] = [drawn.hosts[0]!, { ...drawn.foreigns[0]!, addresses: ['192.0.2.1'], wish: 'none' } as const]
    const plan: Plan = {
      ...drawn,
      hosts: [{ ...host, domain: 'h.test', addresses: ['192.0.2.2', '192.0.2.3'] }],
      foreigns: [
        { ...servers, domain: 'f.test' },
        { ...servers, domain: 'g.test', addresses: ['192.0.2.4', '192.0.2.5'] },
        { ...servers, domain: 'k.test', wish: 'sts-testing' },
      ],
      dnsLies: 0,
    }
    expect([...serversToWatch(plan)]).toEqual(['mx.h.test', 'mx.f.test'])
    expect(serversToWatch({ ...plan, dnsLies: 20 }).size).toBe(0)
  })
})

it('draws each kind of chance from a stream of its own', () => {
  const drawn = (seed: number, name: string): string => Buffer.from(new Draws(seed, name).octets(8)).toString('hex')
  expect(drawn(1, 'disk')).toBe(drawn(1, 'disk'))
  expect(new Set([drawn(1, 'disk'), drawn(2, 'disk'), drawn(1, 'network'), drawn(2, 'network')]).size).toBe(4)
})
