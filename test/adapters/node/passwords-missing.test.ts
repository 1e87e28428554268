import { expect, it, vi } from 'vitest'
import { passwords } from '../../../src/adapters/node/index.ts'

vi.mock('@node-rs/argon2', () => {
  throw new Error("Cannot find package '@node-rs/argon2'")
})

const missing = {
  code: 'unavailable',
  message: 'passwords() needs @node-rs/argon2 for argon2id, which is not installed: npm install @node-rs/argon2',
}

it('names the command that installs @node-rs/argon2 where it is missing', async () => {
  const wanted = passwords({ scheme: 'argon2id' })
  await expect(wanted.hash('secret')).rejects.toMatchObject(missing)
  await expect(wanted.pretend('secret')).rejects.toMatchObject(missing)
})

it('never takes a password for wrong because the package is missing', async () => {
  const hash = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  await expect(passwords().verify('password', hash)).rejects.toMatchObject(missing)
})
