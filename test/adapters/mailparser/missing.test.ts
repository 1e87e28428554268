import { expect, it, vi } from 'vitest'
import { contentOf } from './messages.ts'

vi.mock('mailparser', () => {
  throw new Error("Cannot find package 'mailparser'")
})

it('names the command that installs mailparser where it is missing', async () => {
  await expect(contentOf('\nHello')).rejects.toMatchObject({
    code: 'unavailable',
    message: 'parsed() needs mailparser, which is not installed: npm install mailparser',
  })
})
