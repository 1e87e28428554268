import { expect, it } from 'vitest'
import type { Directory, Login } from '../../../src/contracts/index.ts'
import { directoryContract } from '../../../src/testing/index.ts'
import { people } from '../../accounts/people.ts'
import { caught } from './faults.ts'

type Password = Login & { readonly password: string }

const all = { smtp: true, imap: true, admin: true }

type Broken = { [K in keyof Directory]?: Directory[K] | undefined }

/** What a directory may get wrong, and the topic under which it is found out. */
const faults: readonly [fault: string, topic: string, broken: (right: Directory) => Broken][] = [
  ['calls every address one of its own', 'addresses of people', (right) => ({
    resolve: async (address) => {
      const found = await right.resolve(address)
      return found.kind === 'elsewhere' ? { kind: 'unknown' } : found
    },
  })],
  ['compares addresses by case', 'addresses of people', (right) => ({
    resolve: async (address) => (/[A-Z]/.test(address.local) ? { kind: 'unknown' } : right.resolve(address)),
  })],
  ['takes a star for anybody', 'addresses of people', (right) => ({
    resolve: (address) => right.resolve(address.local === '*' ? { ...address, local: 'alice' } : address),
  })],
  ['takes mail for who is disabled', 'addresses of people', (right) => ({
    resolve: async (address) => right.resolve(address.local === 'dora' ? { ...address, local: 'bob' } : address),
  })],
  ['forgets the tag', 'addresses of people', (right) => ({
    resolve: (address) => right.resolve({ ...address, local: address.local.split('+')[0]! }),
  })],
  ['knows an account by any id', 'addresses of people', (right) => ({
    account: async (id) => (await right.account(id)) ?? right.account('bob@example.org'),
  })],
  ['delivers twice', 'addresses that stand for others', (right) => ({
    resolve: async (address) => {
      const found = await right.resolve(address)
      return found.kind === 'here' && found.destinations.length > 1
        ? { kind: 'here', destinations: [...found.destinations, ...found.destinations] }
        : found
    },
  })],
  ['takes a circle for an address that is nobody\'s', 'addresses that stand for others', (right) => ({
    resolve: async (address) => {
      const found = await right.resolve(address)
      return found.kind === 'broken' ? { kind: 'unknown' } : found
    },
  })],
  ['has no postmaster', 'addresses that stand for others', (right) => ({
    resolve: async (address) => (/^postmaster$/i.test(address.local) ? { kind: 'unknown' } : right.resolve(address)),
  })],
  ['trims passwords', 'passwords', (right) => ({
    verify: (login: Password) => right.verify({ ...login, password: login.password.trim() }),
  })],
  ['takes an empty password', 'passwords', (right) => ({
    verify: (login: Password) => right.verify({ ...login, password: login.password === '' ? 'wonderland' : login.password }),
  })],
  ['lets in who is disabled', 'passwords', (right) => ({
    verify: async (login: Password) =>
      login.username.startsWith('dora') ? right.account('dora@example.org') : right.verify(login),
  })],
  ['names who is disabled', 'passwords', (right) => ({
    named: async (login) => (login.username.startsWith('dora') ? right.account('dora@example.org') : right.named(login)),
  })],
  ['takes one person for another', 'passwords', (right) => ({
    verify: async (login: Password) => (await right.verify(login)) && right.account('alice@example.org'),
  })],
  ['does not look at rights', 'rights', (right) => ({
    verify: async (login: Password) => {
      const found = (await right.verify({ ...login, right: 'imap' })) ?? (await right.verify(login))
      return found && { ...found, rights: all }
    },
  })],
  ['does not look at rights where it is asked for a name', 'rights', (right) => ({
    named: (login) => right.named({ ...login, right: 'imap' }),
  })],
  ['makes others wait for a note', 'rights', () => ({ loggedIn: (async () => {}) as () => void })],
  ['lets everybody write as anybody', 'senders', () => ({ maySendAs: async () => true })],
  ['lets nobody write', 'senders', () => ({ maySendAs: async () => false })],
  ['lets people write under any address of the domain', 'senders', (right) => ({
    maySendAs: async (account, address) => address.domain === 'example.org' || right.maySendAs(account, address),
  })],
  ['takes a certificate for whoever is named', 'proof of other kinds', (right) => ({
    certificate: (login) => right.named(login),
  })],
  ['takes any certificate', 'proof of other kinds', (right) => ({ certificate: () => right.account('alice@example.org') })],
  ['has no certificates, and is given one', 'proof of other kinds', () => ({ certificate: undefined })],
  ['keeps secrets of nobody', 'proof of other kinds', () => ({ password: async () => 'wonderland' })],
  ['keeps keys of a wrong length', 'proof of other kinds', (right) => ({
    scramKeys: (username) => right.scramKeys!(username, 'SHA-1'),
  })],
]

it('finds no fault with a directory that has none', async () => {
  expect(await caught((runner) => directoryContract({ ...runner, open: () => people() }))).toEqual([])
})

it.each(faults)('catches one that %s', async (_fault, topic, broken) => {
  const open = async () => {
    const opened = await people()
    return { ...opened, directory: { ...opened.directory, ...broken(opened.directory) } as Directory }
  }
  expect(await caught((runner) => directoryContract({ ...runner, open }))).toContain(topic)
})

it('says what it has skipped', async () => {
  const skipped: string[] = []
  const open = async () => {
    const { directory, alice, bob, unknown, elsewhere } = await people()
    return { directory, alice, bob, unknown, elsewhere }
  }
  const told = { skipped: (line: string) => void skipped.push(line) }
  expect(await caught((runner) => directoryContract({ ...runner, ...told, open }))).toEqual([])
  expect(skipped).toHaveLength(12)
  expect(skipped[0]).toBe('directoryContract: knows an address in every spelling (open gives no spellings)')
})
