import { expect, it } from 'vitest'
import { memoryQueue } from '../../../src/adapters/memory/queue.ts'
import { MailError } from '../../../src/protocol/session/errors.ts'
import { Stage } from './stage.ts'

it('settles what has gone out once a queue that is full has room again', async () => {
  const queue = memoryQueue()
  let refusals = 3
  const settle = queue.settle.bind(queue)
  queue.settle = async (lease, settlement) => {
    if (refusals-- > 0) throw new MailError('quota', 'The disk is full')
    return settle(lease, settlement)
  }
  const stage = new Stage({}, { queue })
  const there = stage.server('there.test', '192.0.2.9')
  await stage.send('alice@here.test', ['eve@there.test'])
  await stage.pass(3600)
  expect(there.taken).toHaveLength(1)
  expect(stage.results).toEqual(['eve@there.test relayed'])
  expect(await queue.counts(stage.clock.now())).toMatchObject({ messages: 0 })
})
