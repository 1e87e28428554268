import { describe, expect, it } from 'vitest'
import type { DnsAnswer, DnsRecordType, Resolver } from '../../../src/contracts/index.ts'
import { MailError } from '../../../src/protocol/session/errors.ts'
import { fakeDns, type FakeZone, resolverContract } from '../../../src/testing/index.ts'

describe('fakeDns keeps the contract', () => {
  resolverContract({ describe, it, skipped: () => {}, open: async (zone) => ({ resolver: fakeDns(zone) }) })
})

/** Runs the suite and gives the topics of the checks that fail. */
async function failures(open: (zone: FakeZone) => Resolver): Promise<string[]> {
  const checks: { readonly topic: string; readonly run: () => Promise<void> }[] = []
  let topic = ''
  resolverContract({
    describe: (name, define) => {
      topic = name
      define()
    },
    it: (_name, run) => checks.push({ topic, run }),
    skipped: () => {},
    open: async (zone) => ({ resolver: open(zone), asked: () => 0 }),
  })
  const failed = new Set<string>()
  for (const check of checks) await check.run().catch(() => failed.add(check.topic))
  return [...failed]
}

type Answer = DnsAnswer<DnsRecordType>
type Ask = (name: string, type: DnsRecordType, signal?: AbortSignal) => Promise<Answer>

/** A resolver that is right, but for what `fault` makes of its answers. */
const faulty = (fault: (ask: Ask) => Ask) => (zone: FakeZone): Resolver => {
  const right = fakeDns(zone)
  return { resolve: fault((...given) => right.resolve(...given)) as Resolver['resolve'] }
}

const answering = (change: (answer: Answer) => Partial<Answer>) => faulty((ask) => async (...given) => {
  const answer = await ask(...given)
  return { ...answer, ...change(answer) }
})

describe('resolverContract finds a resolver that', () => {
  it.each<readonly [topic: string, what: string, open: (zone: FakeZone) => Resolver]>([
    ['records', 'gives one record only', answering(({ records }) => ({ records: records.slice(0, 1) }))],
    ['records', 'cuts texts at 255 octets', answering(({ records }) => ({
      records: records.map((record) => (typeof record === 'string' ? record.slice(0, 255) : record)),
    }))],
    ['records', 'tells the name as it was asked', faulty((ask) => async (name, ...rest) => (
      { ...(await ask(name, ...rest)), name }
    ))],
    ['no record and no name', 'takes no record for no name', answering(({ records }) => ({ exists: records.length > 0 }))],
    ['no record and no name', 'knows no empty names', answering(({ records, name }) => (
      name === 'below.empty.test' ? { records, exists: false } : {}
    ))],
    ['no record and no name', 'fails on names that cannot be', faulty((ask) => (name, ...rest) => {
      if (name.includes('..')) throw new MailError('temporary', 'x')
      return ask(name, ...rest)
    })],
    ['no record and no name', 'has a strange ttl', answering(() => ({ ttl: Number.NaN }))],
    ['aliases', 'forgets where they lead to', faulty((ask) => async (name, ...rest) => (
      { ...(await ask(name, ...rest)), name: name.toLowerCase() }
    ))],
    ['how long it holds, and who has validated it', 'looks at the last name only', answering(() => ({ ttl: 30 }))],
    ['how long it holds, and who has validated it', 'believes everything', answering(() => ({ authenticated: true }))],
    ['how long it holds, and who has validated it', 'believes nothing', answering(() => ({ authenticated: false }))],
    ['failures', 'takes failure for no answer', faulty((ask) => (...given) => ask(...given).catch(
      () => ({ records: [], exists: true, name: given[0], ttl: 0, authenticated: false }),
    ))],
    ['an answer that is not wanted any more', 'goes on', faulty((ask) => async (name, type) => (
      name === 'mail.sender.test' ? ask(name, type) : ask(name, type).catch(() => ask('some.test', 'A'))
    ))],
    ['many at once', 'mixes up answers', faulty((ask) => (name, ...rest) => (
      ask(name === 'host7.many.test' ? 'host8.many.test' : name, ...rest)
    ))],
  ])('%s: %s', async (topic, _, open) => {
    expect(await failures(open)).toContain(topic)
  })
})
