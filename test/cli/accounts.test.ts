import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { accountDirectory } from '../../src/accounts/directory.ts'
import { nodeClock, passwords } from '../../src/adapters/node/index.ts'
import { sqlite } from '../../src/adapters/sqlite/index.ts'
import { run } from '../../src/cli/program.ts'
import { SecretReader } from '../../src/cli/secret.ts'
import { MailError } from '../../src/protocol/session/errors.ts'

let data = ''
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'posthorn-accounts-'))
  const db = sqlite({ path: join(data, 'mail.db') })
  await db.accounts.setDomain({ name: 'example.test' })
  await db.close()
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

/** Runs a command; what it printed and how it ended. `typed`: passwords, by a person where `isTyped`. */
async function command(given: readonly string[], typed: readonly string[] = [], isTyped = false) {
  const out: string[] = []
  const error: string[] = []
  const lines = [...typed]
  const code = await run({
    arguments: given,
    environment: { POSTHORN_DATA: data },
    pid: 1,
    clock: nodeClock,
    watched: false,
    secrets: {
      isTyped,
      read: async () => {
        const line = lines.shift()
        if (line === undefined) throw new MailError('config', 'No password was given.')
        return line
      },
    },
    out: (line) => void out.push(line),
    outPiece: async (text) => out.push(text.trimEnd()) > 0,
    error: (line) => void error.push(line),
    progress: () => undefined,
    stopped: () => new Promise(() => undefined),
  })
  return { code, out: out.map((line) => JSON.parse(line) as Record<string, unknown>), error: error.join('\n') }
}

const login = async (password: string): Promise<string | undefined> => {
  const db = sqlite({ path: join(data, 'mail.db') })
  const directory = accountDirectory({ records: db.accounts, passwords: passwords() })
  const account = await directory.verify({ username: 'eve@example.test', password, right: 'smtp', now: 0 })
  await db.close()
  return account?.id
}

describe('posthorn user', () => {
  it('adds, lists, changes and removes accounts, and prints what was done', async () => {
    const added = await command(['user', 'add', 'Eve@Example.test', '--quota', '5MB', '--admin'], ['apple'])
    expect(added).toMatchObject({ code: 0, error: '', out: [{ event: 'account.create', subject: 'eve@example.test' }] })
    expect(await login('apple')).toBe('eve@example.test')
    const listed = await command(['user', 'list'])
    expect(listed.out).toMatchObject([
      { id: 'eve@example.test', quota: { octets: 5_000_000, messages: null }, rights: { admin: true }, hasPassword: true },
    ])
    expect(JSON.stringify(listed)).not.toMatch(/scrypt|apple/)
    expect(await command(['user', 'passwd', 'EVE@example.test'], ['pear', 'pear'], true)).toMatchObject({ code: 0 })
    expect([await login('apple'), await login('pear')]).toEqual([undefined, 'eve@example.test'])
    expect((await command(['user', 'disable', 'eve@example.test'])).out).toMatchObject([{ event: 'account.disable' }])
    expect(await login('pear')).toBeUndefined()
    expect((await command(['user', 'enable', 'eve@example.test'])).code).toBe(0)
    expect(await login('pear')).toBe('eve@example.test')
    const kept = await command(['user', 'remove', 'eve@example.test'])
    expect(kept).toMatchObject({ code: 2, error: expect.stringContaining('--erase-mail') as string })
    const removed = await command(['user', 'remove', 'eve@example.test', '--erase-mail'])
    expect(removed.out).toMatchObject([{ event: 'account.remove' }])
    expect((await command(['user', 'list'])).out).toEqual([])
  })

  it('keeps what was done in audit.log, what was erased too, and no secret', async () => {
    await command(['user', 'add', 'eve@example.test'], ['apple'])
    await command(['user', 'remove', 'eve@example.test', '--erase-mail'])
    const text = readFileSync(join(data, 'audit.log'), 'utf8')
    expect(text.trimEnd().split('\n').map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { event: 'account.create', subject: 'eve@example.test', addresses: ['eve@example.test'] },
      { event: 'account.remove', subject: 'eve@example.test', erased: { messages: 0, octets: 0 } },
    ])
    expect(text).not.toMatch(/scrypt|apple/)
  })

  it('does not remove an account where that cannot be written down', async () => {
    await command(['user', 'add', 'eve@example.test'], ['apple'])
    rmSync(join(data, 'audit.log'))
    mkdirSync(join(data, 'audit.log'))
    const removed = await command(['user', 'remove', 'eve@example.test', '--erase-mail'])
    expect(removed).toMatchObject({ code: 1, error: expect.stringContaining('audit.log cannot be written to') as string })
    expect((await command(['user', 'list'])).out).toMatchObject([{ id: 'eve@example.test', disabled: true }])
  })

  it.each<[string, readonly string[], readonly string[], RegExp]>([
    ['no password', ['user', 'add', 'eve@example.test'], [], /No password was given/],
    ['a domain that is not there', ['user', 'add', 'eve@other.test'], ['x'], /"eve@other\.test" is in no domain of this server/],
    ['no address', ['user', 'add', 'eve'], ['x'], /"eve" is no address/],
    ['a bad quota', ['user', 'add', 'eve@example.test', '--quota', 'much'], ['x'], /--quota: "much" will not do/],
    ['an unknown account', ['user', 'passwd', 'eve@example.test'], ['x'], /There is no account eve@example\.test here/],
    ['another folder', ['user', 'list', '--data', '/nowhere'], [], /\/nowhere holds no accounts/],
    ['an unknown domain', ['domain', 'remove', 'other.test'], [], /There is no domain other\.test here/],
  ])('says what is wrong with %s', async (_, given, typed, says) => {
    const { code, out, error } = await command(given, typed)
    expect({ code: code > 0, out }).toEqual({ code: true, out: [] })
    expect(error).toMatch(says)
  })

  it('changes nothing where two passwords differ, or there is an account already', async () => {
    const add = ['user', 'add', 'eve@example.test']
    expect((await command(add, ['apple', 'aple'], true)).error).toMatch(/two different passwords/)
    expect((await command(add, ['apple'])).code).toBe(0)
    expect((await command(add)).error).toMatch(/There is an account eve@example\.test already/)
    expect(await login('apple')).toBe('eve@example.test')
  })
})

it('posthorn domain adds, lists and removes', async () => {
  expect((await command(['domain', 'add', 'Two.test'])).out).toMatchObject([{ event: 'domain.set', subject: 'two.test' }])
  expect((await command(['domain', 'list'])).out).toMatchObject([{ name: 'example.test' }, { name: 'two.test' }])
  const again = await command(['domain', 'add', 'EXAMPLE.test'])
  expect(again).toMatchObject({ code: 2, out: [], error: 'posthorn: There is a domain EXAMPLE.test already' })
  expect((await command(['domain', 'remove', 'two.test'])).code).toBe(0)
  expect((await command(['domain', 'list'])).out).toMatchObject([{ name: 'example.test' }])
})

describe('passwords on standard input', () => {
  /** Standard input on which this comes, and what was shown. */
  function input(given: readonly string[], isTTY = false) {
    const pieces = [...given]
    const heard = new Map<string, (text: string) => void>()
    const raw: boolean[] = []
    const shown: string[] = []
    const stream = {
      isTTY,
      setRawMode: (on: boolean) => raw.push(on),
      setEncoding: () => undefined,
      on: (event: string, listener: (text: string) => void) => heard.set(event, listener),
      resume: () =>
        setImmediate(() => {
          for (const piece of pieces.splice(0)) heard.get('data')?.(piece)
          if (!isTTY) heard.get('end')?.('')
        }),
      pause: () => undefined,
    }
    return { reader: new SecretReader(stream, (text) => shown.push(text)), raw, shown }
  }

  it('are a line each from a program', async () => {
    const { reader, shown } = input(['on', 'e\r\ntw', 'o'])
    expect([await reader.read('P: '), await reader.read('P: ')]).toEqual(['one', 'two'])
    await expect(reader.read('P: ')).rejects.toMatchObject({ code: 'config' })
    expect(shown).toEqual([])
  })

  it('are typed by a person, unseen', async () => {
    const { reader, raw, shown } = input(['a', 'b\x7fc', '\b\bdé\r'], true)
    expect(await reader.read('P: ')).toBe('dé')
    expect([raw, shown]).toEqual([[true, false], ['P: ', '\n']])
  })

  it.each([['\x03'], ['ab\x04'], ['\r'], ['x'.repeat(5000)]])('are none where %j is typed', async (typed) => {
    await expect(input([typed], true).reader.read('P: ')).rejects.toThrow(/No password was given/)
  })
})
