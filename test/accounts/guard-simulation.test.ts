import { describe, expect, it } from 'vitest'
import { passwordMarks } from '../../src/adapters/node/index.ts'
import { seededRandom } from '../../src/testing/random.ts'
import { DAY, Guarding, HOUR, MINUTE, SECOND, T } from './guarding.ts'

/*
 * What the guard is for, played through in virtual time with everybody at it at once: people at work and at home, phones that
 * have old passwords, and those who guess.
 */

/** What came of somebody's attempts. */
interface Tally {
  tried: number
  admitted: number
  /** The longest wait before a failure was answered, in milliseconds. */
  held: number
}

const tally = (): Tally => ({ tried: 0, admitted: 0, held: 0 })

async function attempt(g: Guarding, of: Tally, username: string, address: string, password: string): Promise<boolean> {
  const one = g.attempt(username, address, password)
  of.tried++
  const { admitted, delay } = await g.guard.admit(one)
  if (!admitted) return false
  of.admitted++
  if (password === `right of ${username}`) {
    await g.guard.succeeded(one)
    return true
  }
  of.held = Math.max(of.held, delay)
  await g.guard.failed(one)
  return false
}

const people = Array.from({ length: 60 }, (_, i) => `person${i}@example.test`)
const office = '198.51.100.7'
const right = (name: string): string => `right of ${name}`

/** The next password when all names have been tried with one. */
describe('spraying: one password, many names', () => {
  it('from one address ends with the tenth name, and harms nobody else', async () => {
    const g = new Guarding({ mark: passwordMarks() })
    for (const name of people) expect(await attempt(g, tally(), name, office, right(name))).toBe(true)
    const attacker = tally()
    for (let minute = 0; minute < 24 * 60; minute++) {
      g.now = T + minute * MINUTE
      await attempt(g, attacker, people[minute % people.length] as string, '203.0.113.9', `Winter${Math.floor(minute / 60)}!`)
    }
    // 1440 tries in a day; the limits let through what they say: ten names an hour.
    expect(attacker.admitted).toBeLessThanOrEqual(10 * 24 + 10)
    expect(attacker.admitted).toBeGreaterThan(100)
    expect(attacker.held).toBe(16 * SECOND)
    const told = g.events.filter((event) => event.kind === 'guessing')
    expect(told[0]).toEqual({ kind: 'guessing', at: T + 9 * MINUTE, limit: 'names', of: '203.0.113.9', count: 10 })
    // Not one account is shut, nor the office.
    for (const name of people) expect(await attempt(g, tally(), name, office, right(name))).toBe(true)
    expect(await attempt(g, tally(), people[0] as string, '192.0.2.55', right(people[0] as string))).toBe(true)
  })

  it('from inside the office, behind its one address, shuts nobody out who is at home there', async () => {
    const g = new Guarding({ mark: passwordMarks() })
    for (const name of people) await attempt(g, tally(), name, office, right(name))
    const attacker = tally()
    for (let i = 0; i < 600; i++) {
      g.now = T + i * 6 * SECOND
      await attempt(g, attacker, people[i % people.length] as string, office, `guess ${Math.floor(i / people.length)}`)
      const name = people[(i * 7) % people.length] as string
      expect(await attempt(g, tally(), name, office, right(name))).toBe(true)
    }
    // Ten guesses for each name in an hour: known addresses have twenty each. It is told, and nobody new gets in from there.
    expect(attacker.admitted).toBe(600)
    expect(g.events.some((event) => event.kind === 'guessing' && event.limit === 'names')).toBe(true)
    expect(await attempt(g, tally(), 'new@example.test', office, right('new@example.test'))).toBe(false)
  })

  it('from many addresses is held to the names', async () => {
    const g = new Guarding({ mark: passwordMarks() })
    const attacker = tally()
    for (let i = 0; i < 5000; i++) {
      g.now = T + (i * HOUR) / 5000
      const bot = `203.0.${Math.floor(i / 250) % 250}.${i % 250}`
      await attempt(g, attacker, people[i % people.length] as string, bot, `guess ${i}`)
    }
    expect(attacker.admitted).toBe(20 * people.length)
  })
})

describe('a victim: one name, guessed from everywhere', () => {
  it('is served at home throughout, and by the phone, and elsewhere when it is over', async () => {
    const g = new Guarding({ mark: passwordMarks() })
    const random = seededRandom(5)
    const [victim, home] = ['alice@example.test', '192.0.2.1']
    const [attacker, alice] = [tally(), tally()]
    await attempt(g, alice, victim, home, right(victim))
    for (let step = 0; step < 3 * 24 * 60; step++) {
      g.now = T + step * MINUTE
      const bot = `203.0.${random.below(250)}.${random.below(250)}`
      await attempt(g, attacker, victim, bot, `guess ${step}`)
      // Her mail program looks every five minutes; now and then she mistypes first.
      if (step % 5 > 0) continue
      if (random.below(20) === 0) await attempt(g, tally(), victim, home, 'tpyo')
      expect(await attempt(g, alice, victim, home, right(victim))).toBe(true)
    }
    expect(alice.admitted).toBe(alice.tried)
    expect(attacker.admitted).toBeLessThanOrEqual(20 * 72 + 20)
    // On a journey, while it goes on: no. When it has been over for an hour and a half: yes.
    expect(await attempt(g, alice, victim, '198.51.100.80', right(victim))).toBe(false)
    g.now += 90 * MINUTE
    expect(await attempt(g, alice, victim, '198.51.100.80', right(victim))).toBe(true)
  })

  it('who has changed the password is not shut out by her own phone, at home or on its way', async () => {
    const g = new Guarding({ mark: passwordMarks() })
    const [name, home] = ['alice@example.test', '192.0.2.1']
    await attempt(g, tally(), name, home, 'the old one')
    const [phone, desk] = [tally(), tally()]
    await attempt(g, desk, name, home, right(name))
    for (let minute = 0; minute < 8 * 60; minute++) {
      g.now = T + minute * MINUTE
      // An hour here, an hour there.
      await attempt(g, phone, name, minute % 120 < 60 ? home : `203.0.113.${Math.floor(minute / 120)}`, 'the old one')
      if (minute % 10 === 0) expect(await attempt(g, desk, name, home, right(name))).toBe(true)
    }
    expect(phone.admitted).toBe(phone.tried)
    expect(await attempt(g, desk, name, '198.51.100.80', right(name))).toBe(true)
  })
})

describe('what is kept under attack', () => {
  it('goes by itself, whoever the attackers were', async () => {
    const g = new Guarding({ mark: passwordMarks() })
    await attempt(g, tally(), 'alice@example.test', '192.0.2.1', right('alice@example.test'))
    for (let i = 0; i < 3000; i++) await attempt(g, tally(), `name${i}`, `2001:db8:${i.toString(16)}::1`, 'guess')
    const during = await g.kept()
    expect(during.length).toBeLessThanOrEqual(5 * 3000 + 1)
    expect(Math.max(...during.map(([key, value]) => key.length + value.length))).toBeLessThan(120)
    expect(await g.kept(T + 2 * HOUR)).toEqual([['guard:known:alice@example.test\n192.0.2.1', expect.any(String)]])
    expect(await g.kept(T + 30 * DAY)).toEqual([])
  })

  it('does not grow with what is refused', async () => {
    const g = new Guarding({ mark: passwordMarks() })
    for (let i = 0; i < 100; i++) await attempt(g, tally(), `name${i}`, '203.0.113.9', `guess ${i}`)
    const before = await g.kept()
    for (let i = 0; i < 1000; i++) await attempt(g, tally(), `other${i}`, '203.0.113.9', `guess ${i}`)
    expect(await g.kept()).toEqual(before)
  })
})
