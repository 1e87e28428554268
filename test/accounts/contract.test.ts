import { describe, expect, it } from 'vitest'
import { directoryContract } from '../../src/testing/contracts/directory.ts'
import { people } from './people.ts'

const skipped: string[] = []

describe('accountDirectory', () => {
  directoryContract({ describe, it, skipped: (line) => void skipped.push(line), open: () => people() })
})

it('skips only what it has not', () => {
  expect(skipped).toEqual(['directoryContract: tells whose token it is (open gives no token)'])
})
