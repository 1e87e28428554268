import { describe, expect, it } from 'vitest'
import { accountDirectory, type AccountDirectoryOptions } from '../../src/accounts/directory.ts'
import type { AccountRecord, Login } from '../../src/contracts/index.ts'
import type { ClientCertificate } from '../../src/protocol/session/index.ts'
import { keptScram, makeScram } from '../../src/accounts/scram.ts'
import { at, fakeHash, FakePasswords, recordsOf, scram } from './fakes.ts'

const now = 1_760_000_000_000

type Some = Partial<AccountRecord> & { readonly id: string }

async function setUp(options: Partial<AccountDirectoryOptions> = {}, more: readonly Some[] = []) {
  const records = await recordsOf({
    domains: ['example.org', { name: 'example.com', aliasOf: 'example.org' }, { name: 'strict.example', caseSensitive: true },
      { name: 'off.example', disabled: true }],
    accounts: [
      {
        id: 'alice@example.org',
        addresses: ['alice@example.org', 'al@example.org'],
        logins: ['alice', 'älice'],
        password: fakeHash('pw'),
      },
      { id: 'dora@example.org', disabled: true, password: fakeHash('pw') },
      { id: 'nopass@example.org' },
      { id: 'mute@example.org', rights: { smtp: false }, password: fakeHash('pw') },
      {
        id: 'root@example.org',
        rights: { admin: true },
        password: fakeHash('pw'),
        quota: { octets: null, messages: 7 },
        messageOctets: 1,
      },
      { id: 'Eve@strict.example', password: fakeHash('pw') },
      { id: 'x@off.example', password: fakeHash('pw') },
      { id: 'appy@example.org', password: fakeHash('pw'), rights: { admin: true }, appPasswords: [
        { id: '4kfx', label: 'reader', hash: fakeHash('4kfx00001111222233334444'), created: 0, rights: { smtp: false } },
        { id: 'abcd', label: 'all', hash: fakeHash('abcd00001111222233334444'), created: 0 },
        { id: 'r00t', label: 'admin', hash: fakeHash('r00t00001111222233334444'), created: 0, rights: { admin: true } },
      ] },
      ...more,
    ],
    aliases: [
      { address: 'info@example.org', to: ['alice@example.org'], senders: ['mute@example.org'] },
      { address: 'name@example.org', to: ['nobody@example.org'], senders: ['mute@example.org'] },
      { address: 'gone@example.org', to: ['alice@example.org'], senders: ['mute@example.org'], disabled: true },
    ],
  })
  const passwords = new FakePasswords()
  const errors: unknown[] = []
  const directory = accountDirectory({ records, passwords, onError: (error) => void errors.push(error), ...options })
  const verify = (username: string, password: string, right: Login['right'] = 'imap', when = now) =>
    directory.verify({ username, password, right, now: when })
  return { records, passwords, errors, directory, verify }
}

/** Lets what nobody waits for come to its end. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setTimeout(resolve, 1))
}

describe('verify', () => {
  it.each([
    'alice@example.org', 'ALICE@Example.ORG', 'al@example.org', '"alice"@example.org', 'alice@example.com', 'alice', 'ALICE',
    'ÄLICE', 'a\u0308lice',
  ])('knows alice as %s', async (username) => {
    expect((await (await setUp()).verify(username, 'pw'))?.id).toBe('alice@example.org')
  })

  it.each([
    '', 'bob', 'alice@outside.example', 'alice+tag@example.org', 'info@example.org', '@example.org', 'alice@', '@', 'alice\u0000',
    'x@off.example', 'eve@strict.example', 'alice@example.org,bob', '<alice@example.org>', 'x'.repeat(256), 'ä'.repeat(200),
  ])('knows nobody as %s', async (username) => {
    const { verify, directory } = await setUp()
    expect(await verify(username, 'pw')).toBeUndefined()
    expect(await directory.named({ username, right: 'imap', now })).toBeUndefined()
  })

  it('gives what an account may and may hold', async () => {
    const { verify } = await setUp()
    expect(await verify('alice', 'pw')).toEqual({
      id: 'alice@example.org',
      disabled: false,
      rights: { smtp: true, imap: true, admin: false },
      quota: { messages: Infinity, octets: 1024 ** 3 },
    })
    expect(await verify('root@example.org', 'pw', 'admin')).toEqual({
      id: 'root@example.org',
      disabled: false,
      rights: { smtp: true, imap: true, admin: true },
      quota: { messages: 7, octets: Infinity },
      messageOctets: 1,
    })
    const given = await setUp({ defaults: { quota: { octets: 5, messages: 6 }, rights: { imap: false }, attachmentOctets: 9 } })
    expect(await given.verify('alice', 'pw', 'smtp')).toMatchObject({
      quota: { messages: 6, octets: 5 }, rights: { imap: false }, attachmentOctets: 9,
    })
    expect(await given.verify('alice', 'pw', 'imap')).toBeUndefined()
  })

  it.each<[string, string, Login['right'], boolean]>([
    ['alice', 'pw', 'imap', true],
    ['alice', 'wrong', 'imap', false],
    ['alice', '', 'imap', false],
    ['alice', 'p\u0000w', 'imap', false],
    ['alice', 'x'.repeat(5000), 'imap', false],
    ['alice', 'pw', 'admin', false],
    ['nobody', 'pw', 'imap', false],
    ['', '', 'imap', false],
    ['dora@example.org', 'pw', 'imap', false],
    ['dora@example.org', 'wrong', 'imap', false],
    ['nopass@example.org', '', 'imap', false],
    ['nopass@example.org', 'pw', 'imap', false],
    ['mute@example.org', 'pw', 'imap', true],
    ['mute@example.org', 'pw', 'smtp', false],
    ['appy@example.org', 'pw', 'imap', true],
    ['appy@example.org', 'wrong', 'imap', false],
    ['appy@example.org', '4kfx-0000-1111-2222-3333-4444', 'imap', true],
    ['appy@example.org', '4kfx-0000-1111-2222-3333-4445', 'imap', false],
    ['appy@example.org', '4kfx-0000-1111-2222-3333-4444', 'smtp', false],
    ['appy@example.org', '9999-0000-1111-2222-3333-4444', 'imap', false],
    ['appy@example.org', 'abcd-0000-1111-2222-3333-4444', 'admin', false],
    ['alice', '4kfx-0000-1111-2222-3333-4444', 'imap', false],
    ['appy@example.org', 'root-0000-1111-2222-3333-4444', 'admin', true],
  ])('%s with %j for %s: one hash is computed', async (username, password, right, isRight) => {
    const { verify, passwords } = await setUp()
    expect((await verify(username, password, right)) !== undefined).toBe(isRight)
    expect(passwords.done).toHaveLength(1)
    expect(['verify', 'pretend']).toContain(passwords.done[0])
  })

  it('takes an app password however it is written, and narrows the rights to its own', async () => {
    const { verify } = await setUp()
    for (const typed of ['4kfx00001111222233334444', '4KFX OOOO IIII 2222 3333 4444', ' 4kfx-0000-llll-2222-3333-4444 ']) {
      expect((await verify('appy@example.org', typed))?.rights).toEqual({ smtp: false, imap: true, admin: false })
    }
    expect((await verify('appy@example.org', 'abcd-0000-1111-2222-3333-4444'))?.rights)
      .toEqual({ smtp: true, imap: true, admin: false })
  })

  it('takes a password in whatever form a keyboard gives it', async () => {
    const { verify } = await setUp({}, [{ id: 'u@example.org', password: fakeHash('pässwörd 1') }])
    expect(await verify('u@example.org', 'pa\u0308sswo\u0308rd\u00a01')).toBeDefined()
    expect(await verify('u@example.org', 'p\u00e4ssw\u00f6rd \u00ad1')).toBeDefined()
    expect(await verify('u@example.org', 'password 1')).toBeUndefined()
  })

  it('does not take a fault for a wrong password', async () => {
    const { verify, records, passwords } = await setUp()
    passwords.verify = async () => { throw new Error('out of memory') }
    await expect(verify('alice', 'pw')).rejects.toThrow('out of memory')
    await records.close?.()
    await expect(verify('alice', 'pw')).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('what a log-in brings up to date', () => {
  const old = { id: 'old@example.org', password: fakeHash('pw', 1) }

  it('hashes anew what is outdated, once, and not for who fails', async () => {
    const { verify, records, passwords } = await setUp({}, [old, { ...old, id: 'olddora@example.org', disabled: true }])
    await verify('old@example.org', 'wrong')
    await verify('olddora@example.org', 'pw')
    await settled()
    expect(passwords.done).not.toContain('hash')
    await Promise.all(Array.from({ length: 5 }, () => verify('old@example.org', 'pw')))
    await settled()
    expect((await records.account('old@example.org'))?.password).toBe(fakeHash('pw', 2))
    expect(passwords.done.filter((one) => one === 'hash')).toHaveLength(1)
    await verify('old@example.org', 'pw')
    await settled()
    expect(passwords.done.filter((one) => one === 'hash')).toHaveLength(1)
  })

  it('does not undo a change of password that came between', async () => {
    const { verify, records, passwords } = await setUp({ scram }, [old])
    const hash = passwords.hash.bind(passwords)
    passwords.hash = async (password) => {
      await records.updateAccount(old.id, (account) => account && { ...account, password: fakeHash('new') })
      return hash(password)
    }
    expect(await verify('old@example.org', 'pw')).toBeDefined()
    await settled()
    expect(await records.account(old.id)).toEqual({ ...old, addresses: [old.id], created: 0, password: fakeHash('new') })
  })

  it('makes SCRAM keys where they are wanted', async () => {
    const { verify, records, directory } = await setUp({ scram })
    expect(await directory.scramKeys?.('alice', 'SHA-256')).toBeUndefined()
    await verify('alice', 'pw')
    // Threads compute them, for which nothing here can wait.
    await expect.poll(() => directory.scramKeys?.('ALICE@example.org', 'SHA-1'), { timeout: 60_000 }).toBeDefined()
    const keys = await directory.scramKeys?.('ALICE@example.org', 'SHA-1')
    expect([keys?.iterations, keys?.storedKey.length, keys?.serverKey.length]).toEqual([4096, 20, 20])
    const before = await records.account('alice@example.org')
    await verify('alice', 'pw')
    await verify('appy@example.org', 'abcd-0000-1111-2222-3333-4444')
    await settled()
    expect(await records.account('alice@example.org')).toEqual(before)
    expect(await directory.scramKeys?.('appy@example.org', 'SHA-256')).toBeUndefined()
  })

  it('notes when an app password was used, once a minute', async () => {
    const { verify, records } = await setUp()
    const used = async () => (await records.account('appy@example.org'))?.appPasswords?.map(({ lastUsed }) => lastUsed)
    const typed = 'abcd-0000-1111-2222-3333-4444'
    for (const [when, expected] of [[now, now], [now + 59_999, now], [now + 60_000, now + 60_000]] as const) {
      await verify('appy@example.org', typed, 'imap', when)
      await settled()
      expect(await used()).toEqual([undefined, expected, undefined])
    }
  })

  it('notes when somebody logged in, once a minute, and nobody waits for it', async () => {
    const { directory, records, verify } = await setUp()
    const account = (await verify('alice', 'pw'))!
    for (const [when, expected] of [[now, now], [now + 1, now], [now + 60_000, now + 60_000], [now, now + 60_000]] as const) {
      expect(directory.loggedIn?.(account, { username: 'alice', right: 'imap', now: when })).toBeUndefined()
      directory.loggedIn?.(account, { username: 'alice', right: 'imap', now: when })
      await settled()
      expect((await records.account(account.id))?.lastLogin).toBe(expected)
    }
  })

  it('tells of what fails, and lets in all the same', async () => {
    const { directory, passwords, records, verify, errors } = await setUp({}, [old])
    passwords.hash = async () => { throw new Error('no threads') }
    expect(await verify('old@example.org', 'pw')).toBeDefined()
    await settled()
    expect(errors).toMatchObject([{ message: 'no threads' }])
    const account = (await directory.account('alice@example.org'))!
    await records.close?.()
    directory.loggedIn?.(account, { username: 'alice', right: 'imap', now })
    await settled()
    expect(errors).toMatchObject([{}, { code: 'closed' }])
    const quiet = await setUp({ onError: () => { throw new Error('the host fails too') } }, [old])
    quiet.passwords.hash = passwords.hash
    expect(await quiet.verify('old@example.org', 'pw')).toBeDefined()
    await settled()
  })
})

describe('maySendAs', () => {
  it.each([
    ['alice@example.org', 'alice@example.org', true],
    ['alice@example.org', 'AL+anything@example.com', true],
    ['alice@example.org', 'info@example.org', true],
    ['alice@example.org', 'gone@example.org', false],
    ['alice@example.org', 'mute@example.org', false],
    ['alice@example.org', 'nobody@example.org', false],
    ['alice@example.org', 'alice@outside.example', false],
    ['alice@example.org', 'postmaster@example.org', true],
    ['mute@example.org', 'info@example.org', true],
    ['mute@example.org', 'Info@example.com', true],
    ['mute@example.org', 'name@example.org', true],
    ['mute@example.org', 'gone@example.org', false],
    ['mute@example.org', 'alice@example.org', false],
    ['mute@example.org', 'postmaster@example.org', false],
  ])('%s as %s: %s', async (id, address, expected) => {
    const { directory } = await setUp({ postmaster: 'alice@example.org' })
    expect(await directory.maySendAs((await directory.account(id))!, at(address))).toBe(expected)
  })
})

describe('certificates', () => {
  const certificate: ClientCertificate = {
    authorized: true,
    subject: 'CN=Alice',
    fingerprint: 'ab'.repeat(32),
    names: ['alice@example.org'],
  }
  const carol = { id: 'carol@example.org', certificates: [certificate.fingerprint] }
  const login = (username: string, given: Partial<ClientCertificate> = {}) =>
    ({ username, right: 'imap' as const, now, certificate: { ...certificate, ...given } })

  it('are nobody\'s unless wanted', async () => {
    expect((await setUp()).directory.certificate).toBeUndefined()
  })

  it('are the account\'s that lists them', async () => {
    const { directory } = await setUp({ certificates: 'fingerprint' }, [carol])
    const whose = async (...given: Parameters<typeof login>) => (await directory.certificate?.(login(...given)))?.id
    expect(await whose('')).toBe('carol@example.org')
    expect(await whose('Carol@example.com')).toBe('carol@example.org')
    expect(await whose('alice')).toBeUndefined()
    expect(await whose('', { authorized: false })).toBeUndefined()
    expect(await whose('', { fingerprint: 'cd'.repeat(32) })).toBeUndefined()
    expect(await whose('', { fingerprint: '' })).toBeUndefined()
    expect(await whose('', { fingerprint: 'alice@example.org' })).toBeUndefined()
  })

  it('are by address the account\'s that has one of the addresses', async () => {
    const { directory } = await setUp({ certificates: 'address' }, [carol])
    const whose = async (...given: Parameters<typeof login>) => (await directory.certificate?.(login(...given)))?.id
    const other = { fingerprint: '' }
    expect(await whose('')).toBe('carol@example.org')
    expect(await whose('', other)).toBe('alice@example.org')
    expect(await whose('alice', other)).toBe('alice@example.org')
    expect(await whose('carol@example.org', other)).toBeUndefined()
    expect(await whose('', { ...other, names: ['alice', 'www.example.org', 'dora@example.org'] })).toBeUndefined()
    expect(await whose('', { ...other, names: ['al@example.org', 'alice@example.org'] })).toBe('alice@example.org')
    const two = { ...other, names: ['root@example.org', 'alice@example.org'] }
    expect(await whose('', two)).toBeUndefined()
    expect(await whose('root@example.org', two)).toBe('root@example.org')
  })
})

describe('options', () => {
  it('offer only what they ask for', async () => {
    const { directory } = await setUp()
    for (const name of ['scramKeys', 'password', 'certificate', 'token'] as const) expect(directory[name]).toBeUndefined()
    const all = await setUp({ plainPasswords: true }, [{ id: 'p@example.org', plainPassword: 'secret' }])
    expect(await all.directory.password?.('P@example.org')).toBe('secret')
    expect(await all.directory.password?.('alice')).toBeUndefined()
  })

  it('are looked at', async () => {
    await expect(setUp({ postmaster: 'nobody' })).rejects.toThrow('postmaster is "nobody"; it takes an address.')
    await expect(setUp({ certificates: 'name' as never })).rejects.toThrow("it takes 'fingerprint' or 'address', or false")
    await expect(setUp({ plainPassword: true } as never)).rejects.toThrow('Did you mean plainPasswords?')
  })
})

it('keeps SCRAM keys as they were made, and none that cannot be read', async () => {
  const kept = await makeScram('pencil', scram)
  const record = { id: 'a', addresses: [], created: 0, scram: kept }
  expect(keptScram(record, 'SHA-256')?.salt).toHaveLength(16)
  expect(keptScram({ ...record, scram: { 'SHA-256': { ...kept['SHA-256']!, salt: '?' } } }, 'SHA-256')).toBeUndefined()
  expect(keptScram(undefined, 'SHA-1')).toBeUndefined()
  expect(Object.keys(await makeScram('pencil', { ...scram, hashes: ['SHA-256'] }))).toEqual(['SHA-256'])
})
