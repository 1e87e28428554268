import { expect, it } from 'vitest'
import { type Observer, observers, type ServerEvent } from '../../src/index.ts'

const closed = { kind: 'closed' } as ServerEvent
const command = { kind: 'command' } as ServerEvent

const recorder = (commands?: boolean): { readonly seen: string[]; readonly observe: Observer } => {
  const seen: string[] = []
  const observe = (event: ServerEvent): void => void seen.push(event.kind)
  return { seen, observe: commands === undefined ? observe : Object.assign(observe, { commands }) }
}

it('observers tells each, though others throw or reject, and commands only those who want them', async () => {
  const [one, other] = [recorder(true), recorder()]
  const all = observers(
    () => {
      throw new Error('mine')
    },
    one.observe,
    undefined,
    (async () => {
      throw new Error('mine, later')
    }) as Observer,
    other.observe,
  )
  expect(all.commands).toBe(true)
  all(closed)
  all(command)
  await new Promise((resolve) => setImmediate(resolve))
  expect(one.seen).toEqual(['closed', 'command'])
  expect(other.seen).toEqual(['closed'])
})

it('observers wants commands only where one of them does', () => {
  expect(observers(recorder().observe, recorder(false).observe, undefined).commands).toBeUndefined()
  expect(observers().commands).toBeUndefined()
})
