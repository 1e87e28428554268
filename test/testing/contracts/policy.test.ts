import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import {
  accept, allOf, defer, earlyTalker, hostnameCheck, inOrder, maxConnections, observeOnly, type Policy, rateLimit, reject, tarpit,
  when, within,
} from '../../../src/index.ts'
import { policyContract, type PolicyContractOptions } from '../../../src/testing/index.ts'

// As `node --expose-gc` does.
setFlagsFromString('--expose-gc')
;(globalThis as { gc?: unknown }).gc = runInNewContext('gc')

interface Check {
  readonly topic: string
  readonly name: string
  readonly run: () => Promise<void>
}

/** The checks of the suite for a policy, and what it skips. */
function suite(open: () => Policy, options: Partial<PolicyContractOptions> = {}): { checks: Check[]; skipped: string[] } {
  const checks: Check[] = []
  const skipped: string[] = []
  let topic = ''
  policyContract({
    describe: (name, define) => {
      topic = name
      define()
    },
    it: (name, run) => checks.push({ topic, name, run }),
    skipped: (line) => skipped.push(line),
    within: 100,
    ...options,
    open,
  })
  return { checks, skipped }
}

/** Whether checks fail: of that topic, or of any. */
async function isCaught(open: () => Policy, among?: string): Promise<boolean> {
  for (const { topic, run } of suite(open).checks) {
    if (among !== undefined && topic !== among) continue
    if (await run().then(() => false, () => true)) return true
  }
  return false
}

describe.each<readonly [string, () => Policy]>([
  ['earlyTalker', () => earlyTalker({ wait: 5000 })],
  ['hostnameCheck', () => hostnameCheck({ own: ['mx.test'] })],
  ['maxConnections', () => maxConnections({ server: 30, address: 20, network: 25 })],
  ['rateLimit', () => rateLimit({ perMinute: 5 })],
  ['rateLimit of connections', () => rateLimit({ perMinute: 5, count: 'connection', by: 'network' })],
  ['rateLimit of recipients', () => rateLimit({ perMinute: 5, count: 'recipient', by: 'account', keys: 10 })],
  ['tarpit', () => tarpit({ delay: 2000, after: 0 })],
  ['several as one', () =>
    allOf(
      inOrder({ name: 'friends', sender: () => accept('known') }, hostnameCheck()),
      when(({ now }) => now % 2 === 0, tarpit({ delay: 10 })),
      within(500, { name: 'slow', message: (_, stage) => stage.wait(1000) }, 'pass'),
      observeOnly({ name: 'no', message: () => reject('No') }),
    )],
  ['one that reads all there is', () => ({
    name: 'reader',
    message: async (message) => {
      const { subject, reply } = await message.parsed()
      return subject === 'no' || message.headers.text('from') === reply.text || message.facts.oddities.length > 99
        ? defer(`${message.threadId} ${message.automated}`)
        : undefined
    },
  })],
])('%s', (_, open) => policyContract({ describe, it, open, goesOut: false, skipped: () => undefined }))

const later = new Map<object, unknown>()

const faults: readonly (readonly [topic: string, what: string, open: () => Policy])[] = [
  ['the policy', 'has a stage that there is not', () => ({ name: 'x', sendr() {} }) as Policy],
  ['any client', 'takes an address for given', () => ({ name: 'x', connect: ({ peer }) => void peer.address!.split('.') })],
  ['any client', 'takes TLS for given', () => ({
    name: 'x',
    sender: (_, { connection }) => void connection.tls!.protocol.length,
  })],
  ['any client', 'takes a name for a domain', () => ({
    name: 'x',
    hello: (name) => (name.includes('.') ? undefined : reject(550, '4.7.1', 'No domain')),
  })],
  ['any client', 'says what the client said', () => ({ name: 'x', hello: (name) => reject(`${name}\r\n is no name`) })],
  ['any client', 'answers by a boolean', () => ({ name: 'x', connect: () => true as never })],
  ['any client', 'refuses for good by 4xx', () => ({ name: 'x', connect: () => reject(450, '4.7.1', 'No') })],
  ['any client', 'puts off by 5xx', () => ({ name: 'x', connect: () => defer(550, '5.7.1', 'Later') })],
  ['any client', 'changes what it looks at', () => ({
    name: 'x',
    sender: (_, { connection }) => {
      ;(connection as { account?: string }).account = 'bob'
    },
  })],
  ['any address', 'takes a sender for given', () => ({ name: 'x', sender: (sender) => void sender!.domain })],
  ['any address', 'takes every domain for a name', () => ({
    name: 'x',
    recipient: ({ domain }) => void new URL(`http://${domain}`),
  })],
  ['any address', 'decodes what is not encoded', () => ({ name: 'x', recipient: ({ local }) => void atob(local) })],
  ['any message', 'takes a field for given', () => ({
    name: 'x',
    message: ({ headers }) => void headers.text('subject')!.length,
  })],
  ['any message', 'asks for a header that is short', () => ({
    name: 'x',
    message: ({ headers }) => {
      if ((headers.text('subject') ?? '').length > 1000) throw new Error('too long')
    },
  })],
  ['waiting', 'never answers', () => ({ name: 'x', sender: () => new Promise(() => {}) })],
  ['waiting', 'waits for a minute', () => ({ name: 'x', sender: (_, stage) => stage.wait(60_000) })],
  ['waiting', 'waits for longer than it says', () => ({
    name: 'x',
    waits: { sender: 100 },
    sender: (_, stage) => stage.wait(101),
  })],
  ['waiting', 'does not hear that it is over', () => ({
    name: 'x',
    sender: (_, stage) => (stage.signal.aborted ? undefined : stage.wait(5).catch(() => new Promise<void>(() => {}))),
  })],
  ['waiting', 'leaves its alarm behind', () => ({
    name: 'x',
    sender: (_, stage) => {
      void stage.wait(5).catch(() => {})
    },
  })],
  ['waiting', 'can be asked by one at a time', () => {
    let busy = false
    const recipient: Policy['recipient'] = async (_, stage) => {
      if (busy) return new Promise(() => {})
      busy = true
      await stage.wait(5)
      busy = false
      return undefined
    }
    return { name: 'x', recipient }
  }],
  ['many connections', 'does not expect an end without a beginning', () => ({
    name: 'x',
    connect: (connection) => void later.set(connection, 1),
    closed: (connection) => {
      if (!later.delete(connection)) throw new Error('unknown')
    },
  })],
  ['many connections', 'counts up, and never down', () => {
    let open = 0
    return { name: 'x', connect: () => (++open > 100 ? defer('Full') : undefined) }
  }],
  ['many connections', 'keeps connections for ever', () => {
    const seen = new Set<object>()
    return { name: 'x', connect: (connection) => void seen.add(connection), closed() {} }
  }],
  ['time', 'asks the machine', () => ({ name: 'x', sender: () => (Date.now() % 2 === 3 ? reject('No') : undefined) })],
  ['time', 'asks the machine for a date', () => ({ name: 'x', sender: () => void new Date().getHours() })],
  ['time', 'asks the machine for ticks', () => ({ name: 'x', sender: () => void performance.now() })],
]

describe('policyContract', () => {
  it.each(faults)('%s: finds a policy that %s', async (topic, _, open) => {
    expect(await isCaught(open, topic)).toBe(true)
  })

  it('has a faulty policy for every topic', () => {
    const topics = new Set(suite(() => ({ name: 'x', message() {} })).checks.map(({ topic }) => topic))
    expect([...new Set(faults.map(([topic]) => topic))].sort()).toEqual([...topics, 'any address'].sort())
  })

  it('says what it skips', () => {
    expect(suite(() => ({ name: 'x', connect() {} }), { goesOut: true }).skipped).toEqual([
      'policyContract skips addresses: there is no such stage',
      'policyContract skips messages: there is no such stage',
      'policyContract skips whether it looks at the clock of the machine: it goes out',
    ])
  })

  it('lets a policy make dates of what it is given', async () => {
    const open = (): Policy => ({ name: 'x', sender: (_, { now }) => void new Date(now).toISOString() })
    expect(await isCaught(open)).toBe(false)
  })
})
