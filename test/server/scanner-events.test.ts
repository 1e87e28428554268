import { expect, it } from 'vitest'
import { scannerObserver, type ServerEvent } from '../../src/index.ts'
import { virtualClock } from '../../src/testing/index.ts'

it('tells an observer when a scanner does not answer, and when it does again', () => {
  const events: ServerEvent[] = []
  const tell = scannerObserver((event) => void events.push(event), virtualClock({ now: 5 }))
  const error = new Error('no connection')
  tell({ kind: 'opened', scanner: 'clamd', error })
  tell({ kind: 'closed', scanner: 'clamd' })
  expect(events).toEqual([
    { kind: 'scanner', at: 5, scanner: 'clamd', error },
    { kind: 'scanner', at: 5, scanner: 'clamd', error: undefined },
  ])
})
