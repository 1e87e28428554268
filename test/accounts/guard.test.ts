import { describe, expect, it } from 'vitest'
import { loginGuard } from '../../src/accounts/guard.ts'
import { memoryKeyValue } from '../../src/adapters/memory/index.ts'
import { passwordMarks } from '../../src/adapters/node/index.ts'
import type { KeyValue } from '../../src/contracts/key-value.ts'
import { MailError } from '../../src/protocol/session/errors.ts'
import { DAY, Guarding, HOUR, MINUTE, SECOND, T } from './guarding.ts'

const [home, office, far] = ['192.0.2.1', '198.51.100.7', '203.0.113.9']

const alike = (times: number, one: string): string[] => Array<string>(times).fill(one)

describe('the delay of a failure', () => {
  it('is a second, twice as long with each further failure, 16 seconds at most', async () => {
    const g = new Guarding()
    expect(await g.tries(7, 'alice', far)).toEqual(['1', '2', '4', '8', '16', '16', '16'])
  })

  it('grows by address whatever the name, and by name whatever the address', async () => {
    const g = new Guarding()
    const tried = [await g.try('a', far, false), await g.try('b', far, false), await g.try('c', far, false)]
    expect(tried).toEqual(['1', '2', '4'])
    expect(await g.try('c', office, false)).toBe('2')
    expect(await g.try('c', home, false)).toBe('4')
    expect(await g.try('d', '192.0.2.200', false)).toBe('1')
  })

  it('goes back as failures leave the window', async () => {
    const g = new Guarding()
    await g.tries(4, 'alice', far)
    g.now = T + HOUR - 1
    expect(await g.try('alice', far, false)).toBe('16')
    g.now = T + HOUR + 45 * MINUTE
    // A quarter of five failures, rounded up
    expect(await g.try('alice', far, false)).toBe('4')
    g.now = T + 3 * HOUR
    expect(await g.try('alice', far, false)).toBe('1')
  })
})

describe('an address', () => {
  it('is heard no more after 30 failures, until enough of them are an hour old', async () => {
    const g = new Guarding()
    const names = Array.from({ length: 5 }, (_, i) => `name${i}`)
    for (let i = 0; i < 30; i++) expect(await g.try(names[i % 5] as string, far, false)).not.toContain('no')
    expect(await g.try('anybody', far, true)).toBe('no: address')
    const { delay } = g.events.at(-1) as { delay: number }
    g.now = T + delay - 2 * MINUTE
    expect(await g.try('anybody', far, true)).toBe('no: address')
    g.now = T + delay
    expect(await g.try('anybody', far, true)).toBe('in')
  })

  it('is a /64 where it is IPv6, and IPv4 where it is mapped', async () => {
    const g = new Guarding({ perAddress: 3 })
    const outcomes: string[] = []
    for (const host of ['1', 'abcd:1', 'ffff:ffff:ffff']) outcomes.push(await g.try(host, `2001:db8:0:1::${host}`, false))
    expect(outcomes).toEqual(['1', '2', '4'])
    expect(await g.try('x', '2001:DB8:0:1:9::9', false)).toBe('no: address')
    expect(await g.try('x', '2001:db8:0:2::1', false)).toBe('1')
    await g.tries(3, 'y', '::ffff:192.0.2.9')
    expect(await g.try('z', '::ffff:192.0.2.10', false)).not.toContain('no')
  })

  it('that many people share is not counted: loopback and unix sockets by default', async () => {
    const g = new Guarding({ perAddress: 2, perAddressNames: 2 })
    for (const address of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1', undefined]) {
      for (let i = 0; i < 4; i++) expect(await g.try(`${address} ${i}`, address, false)).toBe('1')
    }
    const own = new Guarding({ perAddress: 2, shared: (address) => address === office })
    expect(await own.tries(3, 'a', office)).toEqual(['1', '2', '4'])
    expect(await own.tries(3, 'b', '127.0.0.1')).toEqual(['1', '2', 'no: address'])
  })
})

describe('a name', () => {
  it('takes no more from strangers after 20 failures, from wherever they came', async () => {
    const g = new Guarding()
    for (let i = 0; i < 20; i++) expect(await g.try('alice', `203.0.113.${i}`, false)).not.toContain('no')
    expect(await g.try('alice', '203.0.113.100', true)).toBe('no: account')
    expect(await g.try('bob', '203.0.113.100', false)).toBe('1')
  })

  it('is the same in all its spellings', async () => {
    const g = new Guarding({ perAccount: 6 })
    const spellings = [
      'alice@b\u00fccher.example', 'Alice@B\u00dcCHER.example', '"alice"@b\u00fccher.example', 'ALICE@xn--bcher-kva.example',
      'a\\lice@xn--bcher-kva.example', 'alice@bu\u0308cher.example',
    ]
    const outcomes: string[] = []
    for (const [i, name] of spellings.entries()) outcomes.push(await g.try(name, `203.0.113.${i}`, false))
    expect(outcomes.filter((one) => one !== '1').length).toBeGreaterThan(3)
    const logins = new Guarding({ perAccount: 2 })
    expect([await logins.try('Zo\u00eb', home, false), await logins.try('ZOE\u0308', office, false)]).toEqual(['1', '2'])
    expect(await logins.try('zo\u00eb', far, false)).toBe('no: account')
  })

  it('may be what the host says', async () => {
    const g = new Guarding({ perAccount: 2, nameOf: (username) => username.split('@')[0] as string })
    await g.try('alice@one.example', home, false)
    await g.try('alice@two.example', office, false)
    expect(await g.try('alice', far, false)).toBe('no: account')
  })

  it('is counted without an account like with one', async () => {
    const outcomes = await Promise.all(['alice', 'nobody-at-all'].map(async (name) => {
      const g = new Guarding()
      await g.try('alice', home, true)
      return [await g.tries(25, name, far), g.events.map(({ kind }) => kind), (await g.kept()).length]
    }))
    expect(outcomes[0]).toEqual(outcomes[1])
  })

  it('may be empty, or anything', async () => {
    const g = new Guarding({ perAddress: 100, perAddressNames: 100 })
    const long = ['x'.repeat(255), '\ufdfa'.repeat(85), '\u{1f4ec}'.repeat(63)]
    for (const name of ['', ' ', '\n', '\0', '\ud83d', '__proto__', '@', 'a@', '@a', ...long]) {
      expect(await g.try(name, far, false)).not.toContain('no')
      expect(await g.try(name, far, true)).toBe('in')
    }
    for (const [key] of await g.kept()) expect(key.length).toBeLessThan(512)
  })
})

describe('a success', () => {
  it('takes back what the same address got wrong for the same name', async () => {
    const g = new Guarding()
    expect(await g.tries(3, 'alice', office)).toEqual(['1', '2', '4'])
    expect(await g.try('alice', office, true)).toBe('in')
    expect([await g.try('bob', office, false), await g.try('alice', far, false)]).toEqual(['1', '1'])
  })

  it('takes back what was wrong an hour before, too', async () => {
    const g = new Guarding()
    g.now = T + 50 * MINUTE
    await g.tries(3, 'alice', office)
    g.now = T + 70 * MINUTE
    await g.tries(2, 'alice', office)
    await g.try('alice', office, true)
    expect([await g.try('bob', office, false), await g.try('alice', far, false)]).toEqual(['1', '1'])
  })

  it('of an own account does not make who guesses others unsuspicious', async () => {
    const g = new Guarding()
    const outcomes: string[] = []
    for (let i = 0; i < 40; i++) {
      outcomes.push(await g.try(`victim${i % 9}`, far, false))
      await g.try('mallory', far, true)
    }
    expect(outcomes.slice(0, 5)).toEqual(['1', '2', '4', '8', '16'])
    expect(outcomes.slice(30)).toEqual(alike(10, 'no: address'))
  })

  it('of the victim, all day long, does not clear the count of who guesses', async () => {
    const g = new Guarding()
    const outcomes: string[] = []
    for (let i = 0; i < 30; i++) {
      outcomes.push(await g.try('alice', `203.0.113.${i}`, false))
      expect(await g.try('alice', home, true)).toBe('in')
    }
    expect(outcomes.slice(20)).toEqual(alike(10, 'no: account'))
  })

  it('happens twice at once and takes back once', async () => {
    const g = new Guarding()
    await g.tries(3, 'alice', office)
    await g.tries(4, 'bob', office)
    const attempts = [1, 2, 3].map(() => g.attempt('alice', office))
    for (const one of attempts) await g.guard.admit(one)
    await Promise.all(attempts.map((one) => g.guard.succeeded(one)))
    expect(await g.try('carol', office, false)).toBe('16')
    expect((await g.kept()).filter(([key]) => key.startsWith('guard:address'))).toEqual([[expect.any(String), '5']])
  })

  it('makes the address known for 30 days, and writes once a day', async () => {
    const g = new Guarding()
    await g.try('alice', home, true)
    let writes = 0
    const set = g.keyValue.set.bind(g.keyValue)
    g.keyValue.set = (...given) => {
      writes++
      return set(...given)
    }
    await g.tries(5, 'alice', home, true)
    expect(writes).toBe(0)
    g.now += 29 * DAY
    for (let i = 0; i < 20; i++) await g.try('alice', `203.0.113.${i}`, false)
    expect(await g.try('alice', home, true)).toBe('in')
    expect(writes).toBe(1)
    g.now += 30 * DAY
    for (let i = 0; i < 20; i++) await g.try('alice', `203.0.113.${i}`, false)
    expect(await g.try('alice', home, true)).toBe('no: account')
  })
})

describe('an address that a name is known from', () => {
  it('is judged by its own failures for it, and by no others', async () => {
    const g = new Guarding({ perKnown: 5 })
    await g.try('alice', home, true)
    expect(await g.tries(6, 'alice', home)).toEqual(['1', '2', '4', '8', '16', 'no: known'])
    expect(await g.try('alice', far, false)).toBe('16')
    expect(await g.try('bob', home, false)).toBe('16')
  })

  it('has its failures counted for address and name all the same', async () => {
    const g = new Guarding()
    await g.try('alice', home, true)
    await g.tries(3, 'alice', home)
    expect([await g.try('bob', home, false), await g.try('alice', far, false)]).toEqual(['8', '8'])
  })

  it('is forgotten with a new password, and so are failures', async () => {
    const g = new Guarding({ perAccount: 3 })
    await g.try('alice', home, true)
    await g.try('alicex', home, true)
    await g.tries(3, 'alice', far)
    expect(await g.try('alice', office, true)).toBe('no: account')
    await g.guard.forget('Alice', g.now)
    expect(await g.try('alice', office, true)).toBe('in')
    const known = (await g.kept()).map(([key]) => key).filter((key) => key.startsWith('guard:known'))
    expect(known).toEqual(['guard:known:alice\n198.51.100.7', 'guard:known:alicex\n192.0.2.1'])
  })
})

describe('attempts side by side', () => {
  const crowds: readonly [what: string, limit: number, name: (i: number) => string, address: (i: number) => string][] = [
    ['one name', 20, () => 'alice', (i) => `203.0.113.${i}`],
    ['one address', 30, (i) => `name${i % 9}`, () => far],
  ]

  it.each(crowds)(
    'of %s pass no limit together',
    async (_what, limit, name, address) => {
      const g = new Guarding()
      const attempts = Array.from({ length: 100 }, (_, i) => g.attempt(name(i), address(i)))
      const admissions = await Promise.all(attempts.map((one) => g.guard.admit(one)))
      expect(admissions.filter(({ admitted }) => admitted)).toHaveLength(limit)
      await Promise.all(attempts.filter((_, i) => admissions[i]?.admitted).map((one) => g.guard.failed(one)))
      expect(await g.try(name(1), address(1), true)).toMatch('no: ')
      expect(await g.try('somebody', '192.0.2.77', true)).toBe('in')
    },
  )

  it('that are right all get in, and leave nothing behind', async () => {
    const g = new Guarding()
    for (let round = 0; round < 20; round++) {
      const attempts = Array.from({ length: 20 }, (_, i) => g.attempt(`name${i}`, office))
      const admissions = await Promise.all(attempts.map((one) => g.guard.admit(one)))
      expect(admissions).toEqual(alike(20, '').map(() => ({ admitted: true, delay: 1000 })))
      await Promise.all(attempts.map((one) => g.guard.succeeded(one)))
    }
  })

  it('that were not judged count for nothing', async () => {
    const g = new Guarding({ perAccount: 3 })
    for (let i = 0; i < 10; i++) {
      const attempt = g.attempt('alice', far)
      expect(await g.guard.admit(attempt)).toEqual({ admitted: true, delay: SECOND })
      g.guard.dropped(attempt)
    }
    expect(await g.kept()).toEqual([])
  })

  it('that end without a word count for two minutes', async () => {
    const g = new Guarding({ perAccount: 3 })
    for (let i = 0; i < 3; i++) await g.guard.admit(g.attempt('alice', `203.0.113.${i}`))
    expect(await g.try('alice', far, true)).toBe('no: account')
    expect(g.events.at(-1)).toMatchObject({ delay: SECOND })
    g.now += 2 * MINUTE
    expect(await g.try('alice', far, true)).toBe('in')
  })
})

describe('the same wrong password', () => {
  it('counts once, but is held back ever longer', async () => {
    const g = new Guarding({ mark: passwordMarks() })
    const phone = async (): Promise<string> => g.try('alice', home, false, 'the old one')
    const held = [await phone(), await phone(), await phone(), await phone(), await phone(), await phone(), await phone()]
    expect(held).toEqual(['1', '2', '4', '8', '16', '16', '16'])
    for (let i = 0; i < 100; i++) await phone()
    expect(await g.try('alice', home, true, 'the new one')).toBe('in')
    expect(await g.try('alice', far, false, 'a guess')).toBe('1')
  })

  it('counts again when it comes more often than any phone has it', async () => {
    const g = new Guarding({ mark: passwordMarks() })
    const outcomes: string[] = []
    for (let i = 0; i < 300; i++) outcomes.push(await g.try('alice', far, false, 'the same'))
    expect(outcomes.indexOf('no: account')).toBe(240 + 19)
  })

  it('is another one for another name, or from elsewhere', async () => {
    const g = new Guarding({ mark: passwordMarks() })
    await g.try('alice', far, false, 'Summer2026')
    expect(await g.try('bob', far, false, 'Summer2026')).toBe('2')
    expect(await g.try('carol', far, false, 'Summer2026')).toBe('4')
    expect(await g.try('alice', office, false, 'Summer2026')).toBe('2')
  })

  it('stands nowhere: not in a key, not in a value, not in an event', async () => {
    const g = new Guarding({ mark: passwordMarks() })
    for (const password of ['hunter2', 'hunter2', 'hunter3']) await g.try('alice', far, false, password)
    await g.try('alice', far, true, 'hunter4')
    expect((await g.kept()).some(([key]) => key.startsWith('guard:wrong:'))).toBe(true)
    expect(JSON.stringify([await g.kept(), g.events])).not.toContain('hunter')
    const [one, other] = [passwordMarks(), passwordMarks()]
    expect(one('hunter2')).toMatch(/^[\w-]{16}$/)
    expect([one('hunter2') === one('hunter2'), one('hunter2') === other('hunter2')]).toEqual([true, false])
  })
})

it('tells what happens', async () => {
  const g = new Guarding({ perAccount: 2, mark: passwordMarks() })
  await g.try('Alice', far, false, 'one')
  await g.try('Alice', far, false, 'one')
  await g.try('Alice', far, false, 'two')
  await g.try('Alice', office, false, 'three')
  const attempt = { at: T, username: 'Alice', address: far }
  expect(g.events).toEqual([
    { kind: 'loginFailed', ...attempt, repeated: false },
    { kind: 'loginFailed', ...attempt, repeated: true },
    { kind: 'guessing', at: T, limit: 'account', of: 'alice', count: 2 },
    { kind: 'loginFailed', ...attempt, repeated: false },
    { kind: 'loginBarred', ...attempt, address: office, limit: 'account', delay: HOUR + 1 },
  ])
})

it('lets nobody be harmed by who watches', async () => {
  const guard = loginGuard({
    keyValue: memoryKeyValue(),
    observe: () => {
      throw new Error('broken')
    },
  })
  const attempt = { username: 'alice', address: far, now: T }
  expect(await guard.admit(attempt)).toEqual({ admitted: true, delay: SECOND })
  await guard.failed(attempt)
})

describe('a store that fails', () => {
  const broken = (...methods: (keyof KeyValue)[]): KeyValue => {
    const store = memoryKeyValue()
    const fail = async (): Promise<never> => {
      throw new MailError('temporary', 'the disk is full')
    }
    return Object.assign(store, Object.fromEntries(methods.map((method) => [method, fail])))
  }

  it('lets nobody guess', async () => {
    const reading = new Guarding({ keyValue: broken('get') })
    for (let i = 0; i < 30; i++) await expect(reading.try('alice', far, false)).rejects.toMatchObject({ code: 'temporary' })
    const writing = new Guarding({ keyValue: broken('add'), perAccount: 3 })
    for (let i = 0; i < 3; i++) await expect(writing.try('alice', far, false)).rejects.toMatchObject({ code: 'temporary' })
    // What could not be counted is still under way.
    expect(await writing.try('alice', far, false)).toBe('no: account')
  })

  it('keeps nobody out who is right', async () => {
    const g = new Guarding({ keyValue: broken('set') })
    expect(await g.try('alice', home, true)).toBe('in')
    expect(g.events).toEqual([{ kind: 'guardFailed', at: T, error: expect.any(MailError) as unknown }])
  })
})

it('refuses settings that are none', () => {
  expect(() => loginGuard({ keyValue: {} as KeyValue })).toThrow(/keyValue is an object; it takes a key-value store/)
  expect(() => loginGuard({ keyValue: memoryKeyValue(), perAccount: 0 })).toThrow(/perAccount is 0/)
  for (const window of [Infinity, 0.5, 10]) expect(() => loginGuard({ keyValue: memoryKeyValue(), window })).toThrow(/window is/)
})
