import { expect, it } from 'vitest'
import { memoryQueue } from '../../../src/adapters/memory/queue.ts'
import type { Target } from '../../../src/outbound/delivery/target.ts'
import { took } from '../../../src/outbound/delivery/tried.ts'
import { MailError } from '../../../src/protocol/session/errors.ts'
import { Stage } from './stage.ts'

it('does not give back what is on its way into a slow mailbox when the queue fails meanwhile', async () => {
  const queue = memoryQueue()
  const lease = queue.lease.bind(queue)
  let leases = 0
  queue.lease = async (want) => {
    if (++leases === 2) throw new MailError('temporary', 'broken')
    return lease(want)
  }
  let times = 0
  const stage: Stage = new Stage({}, {
    queue,
    here: async ({ recipients }) => {
      times++
      await new Promise<void>((resolve) => stage.clock.alarm(stage.clock.ticks() + 60_000, resolve))
      const last = { at: stage.clock.now(), code: 250, enhanced: '2.0.0', text: '', host: undefined, address: undefined }
      return recipients.map(({ number }) => took(number, 'delivered', last))
    },
  })
  await stage.send('me@here.test', ['a@here.test'])
  await stage.pass(3600)
  expect(stage.faults).toEqual(['deliver to local:: MailError: broken'])
  expect(times).toBe(1)
  expect(stage.results).toEqual(['a@here.test delivered'])
})

it('reports although nobody could say for a while where a report goes', async () => {
  let asked = 0
  const failure = { result: 'permanent', phase: 'route', reason: 'no-domain', code: 550, status: '5.1.2' } as const
  const nowhere: Target = { kind: 'nowhere', failure, text: 'There is no such domain' }
  const stage = new Stage({}, {
    destination: ({ domain }) => {
      if (domain === 'there.test') return 'mx:there.test'
      return ++asked === 1 ? (new Promise(() => undefined) as Promise<string>) : 'local:'
    },
  })
  stage.targets.set('mx:there.test', nowhere)
  await stage.send('me@here.test', ['a@there.test'])
  await stage.pass(3600)
  expect(stage.reports.map(({ report, to }) => `${report} ${to}`)).toEqual(['failed me@here.test'])
  expect(stage.delivered.map(({ local }) => local)).toEqual(['me'])
})
