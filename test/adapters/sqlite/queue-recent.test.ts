import { describe, expect, it } from 'vitest'
import { RecentMessages } from '../../../src/adapters/sqlite/queue-recent.ts'
import { outgoing } from './queue-mail.ts'

const message = outgoing(1, 300)
const bytes = message.body.bytes!

describe('messages that came in a moment ago', () => {
  it('are given once', () => {
    const recent = new RecentMessages()
    recent.add(7, message, bytes)
    expect(recent.take(6)).toBeUndefined()
    expect(recent.take(7)).toMatchObject({ id: '7', envelope: message.envelope, body: { id: 'queue-7', size: bytes.length } })
    expect(recent.take(7)).toBeUndefined()
  })

  it('are forgotten in the order they came: many, and those that are long sooner', () => {
    const recent = new RecentMessages()
    expect(recent.first).toBe(Number.MAX_SAFE_INTEGER)
    for (let id = 1; id <= 300; id++) recent.add(id, message, bytes)
    expect(recent.first).toBe(45)
    expect(recent.take(44)).toBeUndefined()
    recent.add(301, message, new Uint8Array(4 * 1024 * 1024))
    expect(recent.first).toBe(301)
  })
})
