import { describe, expect, it } from 'vitest'
import { memoryQueue } from '../../../src/adapters/memory/queue.ts'
import { mailQueueContract, type OpenedMailQueue } from '../../../src/testing/contracts/mail-queue.ts'
import { type Check, checksOf } from './fault.ts'
import { lasting, overlaid, queueFaults, type WholeQueue } from './queue-faults.ts'

function checks(open: () => OpenedMailQueue, skipped: (line: string) => void = () => {}): Check[] {
  return checksOf((runner) => mailQueueContract({ ...runner, skipped, open: async () => open() }))
}

/** The first of the checks that fails, and why. */
async function failing(its: readonly Check[]): Promise<string | undefined> {
  for (const { name, run } of its) {
    const error: unknown = await run().then(() => undefined, (reason: unknown) => reason)
    if (error !== undefined) return `${name}: ${String(error)}`
  }
  return undefined
}

describe('mailQueueContract', () => {
  const topics = [...new Set(checks(() => ({ queue: memoryQueue() })).map(({ topic }) => topic))]

  it('has a faulty queue for every topic', () => {
    expect(new Set(queueFaults.map(({ topic }) => topic))).toEqual(new Set(topics))
  })

  const named = queueFaults.map((fault) => [fault.topic, fault.name, fault] as const)
  it.concurrent.each(named)('%s: finds a queue that %s', async (_topic, _name, fault) => {
    const found = await failing(checks(fault.open).filter(({ topic }) => topic === fault.topic))
    expect(found).toBeDefined()
    // Found, not stumbled over.
    expect(found).not.toContain('TypeError')
  })

  it('finds nothing wrong with a queue that has the least, and says what it left out', async () => {
    const skipped: string[] = []
    const none = { watch: undefined, close: undefined } as unknown as Partial<WholeQueue>
    const open = (): OpenedMailQueue => ({ queue: overlaid(memoryQueue() as WholeQueue, none) })
    expect(await failing(checks(open, (line) => skipped.push(line)))).toBeUndefined()
    expect(skipped).toEqual([
      'mailQueueContract: watch (the queue has no watch)',
      'mailQueueContract: after a crash (durability is none)',
      'mailQueueContract: close (the queue has no close)',
    ])
  })

  it('finds nothing wrong with a queue that says nothing untrue about crashes', async () => {
    expect(await failing(checks(() => lasting()).filter(({ topic }) => topic === 'after a crash'))).toBeUndefined()
  })
})
