import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../../src/adapters/memory/index.ts'
import { turn } from '../../../src/adapters/node/event-loop.ts'
import type { MailStore } from '../../../src/contracts/store.ts'
import { imapContract } from '../../../src/testing/contracts/imap.ts'
import type { OpenedMailStore } from '../../../src/testing/contracts/mail-store.ts'
import { message } from '../../../src/testing/contracts/sample-mail.ts'
import { seededRandom } from '../../../src/testing/random.ts'
import { type Check, checksOf, only, overlaid, type WholeStore } from './fault.ts'
import { imapFaults } from './imap-faults.ts'

function checks(open: () => OpenedMailStore, skipped: (line: string) => void = () => {}, patience = 10_000): Check[] {
  return checksOf((runner) => imapContract({ ...runner, skipped, patience, open: async () => open() }))
}

/** The first of the checks that fails, and why. */
async function failing(its: readonly Check[]): Promise<string | undefined> {
  for (const { name, run } of its) {
    const error: unknown = await run().then(() => undefined, (reason: unknown) => reason)
    if (error instanceof Error) return `${name}: ${error.message}`
  }
  return undefined
}

/** A store that begins with what it is asked some turns later. */
function tardy(store: MailStore): MailStore {
  const random = seededRandom(1)
  const wait = async (): Promise<void> => {
    for (let turns = random.below(4); turns > 0; turns--) await turn()
  }
  return new Proxy(store, {
    get(target, key) {
      const found = Reflect.get(target, key) as unknown
      if (typeof found !== 'function' || key === 'watch') return typeof found === 'function' ? found.bind(target) : found
      const method = found as (...given: unknown[]) => unknown
      if (key !== 'entries' && key !== 'list') return async (...given: unknown[]) => (await wait(), method.apply(target, given))
      return async function* (...given: unknown[]) {
        await wait()
        yield* method.apply(target, given) as AsyncIterable<unknown>
      }
    },
  })
}

/** A store that leaves gaps between UIDs and between mod-sequences. */
function gappy(store: WholeStore): WholeStore {
  return overlaid(store, {
    append: async (id, given, room) => {
      const { uid } = await store.append(id, message(new Uint8Array(1)))
      await store.expunge(id, only(uid))
      return store.append(id, given, room)
    },
  })
}

describe('imapContract', () => {
  const topics = [...new Set(checks(() => ({ store: memoryStore() })).map(({ topic }) => topic))]

  it('has a faulty store for every topic', () => {
    expect(new Set(imapFaults.map(({ topic }) => topic))).toEqual(new Set(topics))
  })

  const named = imapFaults.map((fault) => [fault.topic, fault.name, fault] as const)
  it.concurrent.each(named)('%s: finds a store that %s, and says where to look', async (_topic, _name, fault) => {
    const its = checks(fault.open, () => {}, 1000).filter(({ topic }) => topic === fault.topic)
    const found = await failing(its)
    expect(found).toBeDefined()
    expect(found).toContain(`Look first at what your store promises in\n`)
    expect(found).toContain(`\n  ${fault.culprit}: `)
  })

  it('tells what is amiss in the words of IMAP and of the store', async () => {
    const fault = imapFaults.find(({ name }) => name === 'tells the UIDs the wrong way round')!
    const found = (await failing(checks(fault.open).filter(({ topic }) => topic === fault.topic)))!.split('\n')
    expect(found.slice(0, 4)).toEqual([
      'copies messages as they are, and tells which became which: UIDs here that COPYUID tells.0 is 2, not 1',
      'Look first at what your store promises in',
      '  copy: copies octets, flags and dates, all or none, in UID order, and tells which UID became which; heeds the quota',
      'What happened (> clients, < the server, store: what it asked):',
    ])
    const copied = found.findIndex((line) => line.startsWith('     store.copy("1", 1:3,5, "2", '))
    expect(found.slice(0, copied).findLast((line) => line.includes(' > '))).toMatch(/^ {2}A > A\d+ UID COPY 5,1:3 to$/)
    expect(found.slice(copied).find((line) => line.includes(' < '))).toMatch(/^ {2}A < A\d+ OK \[COPYUID \d+ 2:5 1:3,5\] Copied$/)
  })

  it('finds nothing wrong with a store that has the least, and says what it left out', async () => {
    const skipped: string[] = []
    const none = Object.fromEntries([
      'appendAll', 'move', 'replace', 'octets', 'recount', 'accounts', 'subscriptions', 'subscribe', 'claim', 'search', 'watch',
      'watchAccount', 'close',
    ].map((method) => [method, undefined]))
    const open = (): OpenedMailStore => ({ store: overlaid(memoryStore() as WholeStore, none as unknown as Partial<WholeStore>) })
    expect(await failing(checks(open, (line) => skipped.push(line)))).toBeUndefined()
    expect(skipped).toEqual([
      'imapContract: subscriptions (the store has no subscribe)',
      'imapContract: several messages in one APPEND (the store has no appendAll)',
      'imapContract: MOVE (the store has no move)',
      'imapContract: REPLACE (the store has no replace)',
      'imapContract: SEARCH by the index (the store has no search)',
      'imapContract: IDLE (the store has no watch)',
      'imapContract: after a restart (durability is none)',
    ])
  })

  it('finds nothing wrong with a store that takes its time', async () => {
    expect(await failing(checks(() => ({ store: tardy(memoryStore()) })))).toBeUndefined()
  })

  it('finds nothing wrong with a store that leaves gaps', async () => {
    expect(await failing(checks(() => ({ store: gappy(memoryStore() as WholeStore) })))).toBeUndefined()
  })

  it('finds nothing wrong with a store that forgets what was expunged', async () => {
    const its = checks(() => ({ store: memoryStore({ remembered: 1 }) }))
    expect(await failing(its.filter(({ topic }) => ['EXPUNGE', 'QRESYNC', 'several sessions'].includes(topic)))).toBeUndefined()
  })
})
