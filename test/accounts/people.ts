import { accountDirectory } from '../../src/accounts/directory.ts'
import { makeScram } from '../../src/accounts/scram.ts'
import type { AccountRecords } from '../../src/contracts/index.ts'
import type { OpenedDirectory } from '../../src/testing/contracts/directory.ts'
import { at, fakeHash, FakePasswords, recordsOf, scram } from './fakes.ts'

const fingerprint = 'ab'.repeat(32)

const aliceKeys = makeScram('wonderland', scram)

/** A directory of ours with everything in it that the suite can look at. */
export async function people(empty?: AccountRecords): Promise<OpenedDirectory> {
  const password = fakeHash('wonderland')
  const records = await recordsOf({
    domains: [
      'example.org',
      { name: 'example.com', aliasOf: 'example.org' },
      { name: 'caught.example', catchAll: ['alice@example.org'] },
    ],
    accounts: [
      {
        id: 'alice@example.org',
        logins: ['alice'],
        password,
        certificates: [fingerprint],
        scram: await aliceKeys,
        plainPassword: 'wonderland',
      },
      { id: 'bob@example.org', password: fakeHash('builder') },
      { id: 'dora@example.org', password: fakeHash('explorer'), disabled: true },
      { id: 'mute@example.org', password: fakeHash('quiet'), rights: { smtp: false } },
    ],
    aliases: [
      { address: 'all@example.org', to: ['both@example.org', 'alice@example.org', 'out@outside.example', 'out@outside.example'] },
      { address: 'both@example.org', to: ['alice@example.org', 'bob@example.org'] },
      { address: 'round@example.org', to: ['about@example.org'] },
      { address: 'about@example.org', to: ['round@example.org'] },
    ],
  }, empty)
  const directory = accountDirectory({
    records,
    passwords: new FakePasswords(),
    postmaster: 'bob@example.org',
    scram,
    plainPasswords: true,
    certificates: 'fingerprint',
  })
  return {
    directory,
    alice: { username: 'alice', password: 'wonderland', address: at('alice@example.org') },
    bob: { username: 'bob@example.org', password: 'builder', address: at('bob@example.org') },
    unknown: at('nobody@example.org'),
    elsewhere: at('alice@outside.example'),
    spellings: [at('ALICE@example.org'), at('Alice@example.com')],
    tagged: { address: at('alice+books@example.org'), tag: 'books' },
    disabled: { username: 'dora@example.org', password: 'explorer', address: at('dora@example.org') },
    limited: { username: 'mute@example.org', password: 'quiet', address: at('mute@example.org'), lacks: 'smtp' },
    list: { address: at('all@example.org'), outside: at('out@outside.example') },
    circle: at('round@example.org'),
    caught: at('anything@caught.example'),
    postmaster: at('postmaster@example.org'),
    certificate: { authorized: true, subject: 'CN=Alice', fingerprint, names: [] },
  }
}
