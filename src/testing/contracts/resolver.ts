import { print } from '../../adapters/node/print.ts'
import type { DnsRecordType, Resolver } from '../../contracts/resolver.ts'
import type { FakeZone } from '../fake-dns.ts'
import { equal, holds, rejects, type Runner } from './checks.ts'

/** A resolver under test. */
export interface OpenedResolver {
  readonly resolver: Resolver
  /** How many questions have reached the DNS so far. Where it is not given, what only this shows is left out. */
  readonly asked?: () => number
  /** Takes the resolver, and what serves the zone, away. */
  readonly dispose?: () => Promise<void>
}

/** What {@link resolverContract} takes. */
export interface ResolverContractOptions extends Runner {
  /**
   * A fresh resolver in a world with nothing but this zone. `SERVFAIL` and `TIMEOUT` are for a server to play, and
   * `authenticated` for one that is trusted to validate.
   */
  readonly open: (zone: FakeZone) => Promise<OpenedResolver>
}

/** What every resolver has to do, wherever it asks. */
export function resolverContract(options: ResolverContractOptions): void {
  const suite: Suite = { ...options, check: (name, run) => options.it(name, () => inWorld(options, run)) }
  const { describe } = options
  describe('records', () => finding(suite))
  describe('no record and no name', () => missing(suite))
  describe('aliases', () => following(suite))
  describe('how long it holds, and who has validated it', () => facts(suite))
  describe('failures', () => failing(suite))
  describe('many at once', () => crowding(suite))
  describe('an answer that is not wanted any more', () => aborting(suite))
  describe('close', () => closing(suite))
}

interface Suite extends ResolverContractOptions {
  readonly check: (name: string, run: (opened: OpenedResolver) => Promise<void>) => unknown
}

async function inWorld({ open }: ResolverContractOptions, run: (opened: OpenedResolver) => Promise<void>): Promise<void> {
  const opened = await open(zone)
  try {
    await run(opened)
  } finally {
    await opened.resolver.close?.()
    await opened.dispose?.()
  }
}

/** 600 octets, so three strings of a TXT record. */
const LONG = `v=DKIM1; p=${'0123456789abcdef'.repeat(37)}`.slice(0, 600)

const zone: FakeZone = {
  'sender.test': { MX: ['10 mail.sender.test', '20 Backup.Sender.Test.'], TXT: ['v=spf1 mx -all', 'other'], ttl: 60 },
  'mail.sender.test': { A: ['203.0.113.9', '203.0.113.10'], AAAA: '2001:db8::9' },
  'null.test': { MX: '0 .' },
  'texts.test': { TXT: [LONG, '', 'caf\u00c3\u00a9'] },
  '_25._tcp.mail.sender.test': { TLSA: ['3 1 1 0D6F', '2 0 2 ff'], authenticated: true },
  '203.0.113.9': { PTR: 'Mail.Sender.test' },
  '2001:db8::9': { PTR: 'mail.sender.test' },
  'www.alias.test': { CNAME: 'Web.alias.test', authenticated: true, ttl: 40 },
  'web.alias.test': { CNAME: 'host.alias.test', ttl: 20, authenticated: true },
  'host.alias.test': { A: '192.0.2.1', ttl: 30, authenticated: true },
  'half.alias.test': { CNAME: 'mail.sender.test', authenticated: true },
  'lost.alias.test': { CNAME: 'nowhere.test' },
  'round.alias.test': { CNAME: 'and.round.alias.test' },
  'and.round.alias.test': { CNAME: 'round.alias.test' },
  'broken.test': 'SERVFAIL',
  'slow.test': 'TIMEOUT',
  'some.test': { A: '192.0.2.7', MX: 'SERVFAIL' },
  'deep.below.empty.test': { A: '192.0.2.2' },
  ...Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`host${at}.many.test`, { A: `10.0.${at >> 8}.${at & 255}` }])),
}

/** In an order of our own: a resolver may give records in any. */
const sorted = (records: readonly unknown[]): string[] => records.map((record) => shown(record)).sort()

const shown = (record: unknown): string =>
  JSON.stringify(record, (_, value: unknown) => (value instanceof Uint8Array ? [...value] : value))

function finding({ check }: Suite): void {
  const cases: readonly (readonly [name: string, type: DnsRecordType, records: readonly unknown[]])[] = [
    ['mail.sender.test', 'A', ['203.0.113.9', '203.0.113.10']],
    ['mail.sender.test', 'AAAA', ['2001:db8::9']],
    ['MAIL.Sender.TEST', 'AAAA', ['2001:db8::9']],
    ['null.test', 'MX', [{ preference: 0, exchange: '' }]],
    ['sender.test', 'TXT', ['v=spf1 mx -all', 'other']],
    ['texts.test', 'TXT', [LONG, '', 'caf\u00c3\u00a9']],
    ['9.113.0.203.in-addr.arpa', 'PTR', ['mail.sender.test']],
    ['9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa', 'PTR', ['mail.sender.test']],
    ['sender.test', 'MX', [
      { preference: 10, exchange: 'mail.sender.test' },
      { preference: 20, exchange: 'backup.sender.test' },
    ]],
    ['_25._tcp.mail.sender.test', 'TLSA', [
      { usage: 3, selector: 1, matching: 1, data: Uint8Array.of(0x0d, 0x6f) },
      { usage: 2, selector: 0, matching: 2, data: Uint8Array.of(0xff) },
    ]],
  ]
  for (const [name, type, records] of cases) {
    check(`${type} ${name}`, async ({ resolver }) => {
      const answer = await resolver.resolve(name, type)
      equal(sorted(answer.records), sorted(records))
      equal([answer.exists, answer.name], [true, name.toLowerCase()])
    })
  }
}

function missing({ check }: Suite): void {
  check('tells a name without such a record from no name', async ({ resolver }) => {
    equal(await answered(resolver, 'mail.sender.test', 'TXT'), [0, true, 'mail.sender.test'])
    equal(await answered(resolver, 'nowhere.test', 'A'), [0, false, 'nowhere.test'])
    equal(await answered(resolver, 'below.mail.sender.test', 'A'), [0, false, 'below.mail.sender.test'])
  })

  check('knows that there is a name where something is below it', async ({ resolver }) => {
    equal(await answered(resolver, 'below.empty.test', 'A'), [0, true, 'below.empty.test'])
  })

  check('has no name that cannot be one', async ({ resolver }) => {
    const label = 'x'.repeat(63)
    const long = [label, label, label, label].join('.')
    const short = ['', '.', 'a..sender.test', '.sender.test', 'a b.test', 'sender.test\u0000', 'b\u00fccher.test']
    for (const name of [...short, `${label}x.test`, long]) {
      equal((await answered(resolver, name, 'A')).slice(0, 2), [0, false], JSON.stringify(name))
    }
  })

  check('has names as long as they may be', async ({ resolver }) => {
    const label = 'x'.repeat(63)
    const name = `${[label, label, label].join('.')}.${'x'.repeat(61)}`
    equal(await answered(resolver, name, 'A'), [0, false, name])
  })

  check('takes names of properties for names', async ({ resolver }) => {
    for (const name of ['__proto__', 'constructor', 'tostring.test']) {
      equal(await answered(resolver, name, 'MX'), [0, false, name])
    }
  })
}

async function answered(resolver: Resolver, name: string, type: DnsRecordType): Promise<readonly unknown[]> {
  const { records, exists, name: at, ttl } = await resolver.resolve(name, type)
  holds(Number.isInteger(ttl) && ttl >= 0, `the ttl is ${ttl}`)
  return [records.length, exists, at]
}

function following({ check }: Suite): void {
  check('are followed, and it is told to where', async ({ resolver }) => {
    const { records, name, exists } = await resolver.resolve('www.alias.test', 'A')
    equal([records, name, exists], [['192.0.2.1'], 'host.alias.test', true])
  })

  check('are followed to what has no such record', async ({ resolver }) => {
    equal(await answered(resolver, 'WWW.alias.test', 'MX'), [0, true, 'host.alias.test'])
  })

  check('are followed to what does not exist', async ({ resolver }) => {
    equal(await answered(resolver, 'lost.alias.test', 'A'), [0, false, 'nowhere.test'])
  })

  check('are records too', async ({ resolver }) => {
    const { records, name } = await resolver.resolve('www.alias.test', 'CNAME')
    equal([records, name], [['web.alias.test'], 'www.alias.test'])
  })

  check('that lead round are no answer', async ({ resolver }) => {
    await rejects(resolver.resolve('round.alias.test', 'A'), 'temporary')
  })
}

function facts({ check, skipped = print }: Suite): void {
  check('holds as long as the zone says, aliases on the way included', async ({ resolver }) => {
    const times = [['sender.test', 'MX', 60], ['host.alias.test', 'A', 30], ['www.alias.test', 'A', 20]] as const
    for (const [name, type, most] of times) {
      const { ttl } = await resolver.resolve(name, type)
      holds(ttl > 0 && ttl <= most, `${name} holds for ${ttl} s, not for up to ${most} s`)
    }
  })

  check('was validated where all of it was', async ({ resolver }) => {
    const told: boolean[] = []
    told.push((await resolver.resolve('_25._tcp.mail.sender.test', 'TLSA')).authenticated)
    for (const name of ['www.alias.test', 'half.alias.test', 'mail.sender.test', 'nowhere.test']) {
      told.push((await resolver.resolve(name, 'A')).authenticated)
    }
    equal(told, [true, true, false, false, false])
  })

  check('is not asked for again as long as it holds', async ({ resolver, asked }) => {
    if (!asked) return skipped('resolverContract: what is kept (asked is not there)')
    for (const name of ['sender.test', 'nowhere.test', 'mail.sender.test']) {
      const first = await resolver.resolve(name, 'MX')
      const count = asked()
      const again = await resolver.resolve(name.toUpperCase(), 'MX')
      equal([again.records, again.exists, again.name], [first.records, first.exists, first.name])
      equal(asked(), count, `questions for ${name}`)
    }
  })
}

function failing({ check }: Suite): void {
  for (const [name, type] of [['broken.test', 'A'], ['slow.test', 'A'], ['some.test', 'MX']] as const) {
    check(`are temporary: ${type} of ${name}`, async ({ resolver }) => {
      await rejects(resolver.resolve(name, type), 'temporary')
      // Other questions have nothing to do with it.
      equal((await resolver.resolve('some.test', 'A')).records, ['192.0.2.7'])
    })
  }
}

function crowding({ check, skipped = print }: Suite): void {
  check('gives all who ask the same the same', async ({ resolver, asked }) => {
    const before = asked?.() ?? 0
    const answers = await Promise.all(Array.from({ length: 50 }, () => resolver.resolve('www.alias.test', 'A')))
    for (const { records, name } of answers) equal([records, name], [['192.0.2.1'], 'host.alias.test'])
    if (asked) holds(asked() - before <= 3, `${asked() - before} questions went out`)
    else skipped('resolverContract: that one question goes out (asked is not there)')
  })

  check('mixes up no answers', async ({ resolver }) => {
    const names = Array.from({ length: 300 }, (_, at) => `host${at}.many.test`)
    const answers = await Promise.all(names.map((name) => resolver.resolve(name, 'A')))
    equal(answers.map(({ records }) => records[0]), names.map((_, at) => `10.0.${at >> 8}.${at & 255}`))
  })
}

function aborting({ check }: Suite): void {
  check('is none', async ({ resolver }) => {
    const controller = new AbortController()
    const slow = resolver.resolve('slow.test', 'A', controller.signal)
    controller.abort()
    await rejects(slow, 'temporary')
    await rejects(resolver.resolve('mail.sender.test', 'A', controller.signal), 'temporary')
  })

  check('is one for others still', async ({ resolver }) => {
    const controller = new AbortController()
    const given = resolver.resolve('mail.sender.test', 'AAAA', controller.signal).then(() => 'answer', () => 'none')
    const other = resolver.resolve('mail.sender.test', 'AAAA')
    controller.abort()
    equal((await other).records, ['2001:db8::9'])
    await given
    equal((await resolver.resolve('mail.sender.test', 'AAAA')).records, ['2001:db8::9'])
  })
}

function closing({ check, skipped = print }: Suite): void {
  check('ends what is under way, and refuses more', async ({ resolver }) => {
    if (!resolver.close) return skipped('resolverContract: close (there is none)')
    const slow = rejects(resolver.resolve('slow.test', 'A'), 'closed')
    await resolver.close()
    await resolver.close()
    await slow
    await rejects(resolver.resolve('mail.sender.test', 'A'), 'closed')
  })
}
