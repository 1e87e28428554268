import { describe, expect, it } from 'vitest'
import { allOf, inOrder, observeOnly, type Policy, when, within } from '../../src/index.ts'
import { policyContract, world } from '../../src/testing/index.ts'

const error = new Error('the list does not answer')
const troubled = (): Policy => ({ name: 'troubled', sender: async (_, stage) => stage.trouble(error) })

describe('trouble that a policy gets over', () => {
  it.each<readonly [string, Policy]>([
    ['troubled', troubled()],
    ['inOrder(troubled)', inOrder(troubled())],
    ['allOf(troubled)', allOf(troubled())],
    ['when(troubled)', when(() => true, troubled())],
    ['within(troubled)', within(1000, troubled(), 'defer')],
    ['observeOnly(troubled)', observeOnly(troubled())],
  ])('is told, and keeps nothing from being taken: %s', async (name, policy) => {
    const w = world({ server: { policies: [policy] } })
    expect((await w.connect('203.0.113.9').send({ to: 'alice@mx.test' })).accepted).toBe(true)
    expect(w.events.filter(({ kind }) => kind === 'failed')).toEqual([
      expect.objectContaining({ what: `policy ${name} at sender`, error }),
    ])
  })
})

describe('a policy with trouble keeps the contract', () => {
  policyContract({ describe, it, open: troubled, skipped: () => undefined })
})
