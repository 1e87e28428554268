import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../src/adapters/node/crypto.ts'
import { type Verp, verp, type VerpOptions } from '../../src/outbound/verp.ts'
import { encodePath, parsePath } from '../../src/protocol/smtp/path.ts'

const key = new TextEncoder().encode('a key of sixteen octets')
const DAY = 86_400_000
const now = Date.UTC(2026, 10, 20, 15)

const made = (given: Partial<VerpOptions> = {}): Verp =>
  verp({ domain: 'ours.example', keys: [key], crypto: nodeCrypto, ...given })
const subject = { message: '0198a5c2-7d3e-7b1f-9c44-0a1b2c3d4e5f', recipient: 41 }

describe('senders that tell what a bounce is about', () => {
  it('are local parts that everybody takes', () => {
    const { local, domain } = made().encode(subject, now)
    expect(local).toMatch(/^bounce\+jj-15-0198a5c2-7d3e-7b1f-9c44-0a1b2c3d4e5f-[a-z2-7]{10}$/)
    expect(local.length).toBeLessThanOrEqual(64)
    expect(domain).toBe('ours.example')
    const read = parsePath(encodePath({ local, domain }), 0, { lenient: false, recipient: true })
    expect(read).toMatchObject({ path: { local, domain } })
  })

  it('are good for 30 days, and from a clock that is a day ahead', () => {
    const address = made().encode(subject, now)
    expect(made().decode(address, now)).toEqual(subject)
    expect(made().decode(address, now + 30 * DAY)).toEqual(subject)
    expect(made().decode(address, now - DAY)).toEqual(subject)
    expect(made().decode(address, now + 31 * DAY)).toEqual({ refused: 'expired' })
    expect(made({ days: 60 }).decode(address, now + 60 * DAY)).toEqual(subject)
  })

  it('count whichever key signed them, and not those of other domains', () => {
    const fresh = new TextEncoder().encode('another key')
    const address = made().encode(subject, now)
    expect(made({ keys: [fresh, key] }).decode(address, now)).toEqual(subject)
    expect(made({ keys: [fresh] }).decode(address, now)).toEqual({ refused: 'forged' })
    expect(made().decode({ ...address, domain: 'OURS.example' }, now)).toEqual(subject)
    expect(made().decode({ ...address, domain: 'theirs.example' }, now)).toEqual({ refused: 'none' })
    const theirs = { ...address, domain: 'theirs.example' }
    expect(made({ domain: 'theirs.example' }).decode(theirs, now)).toEqual({ refused: 'forged' })
  })

  it('cannot be made up: no character of them may change', () => {
    const { local, domain } = made().encode(subject, now)
    for (let at = 0; at < local.length; at++) {
      const other = local.charAt(at) === 'a' ? 'b' : 'a'
      expect(made().decode({ local: local.slice(0, at) + other + local.slice(at + 1), domain }, now)).toHaveProperty('refused')
    }
  })

  it.each(['', 'bounce', 'bounce+', 'bounce+jj', 'bounce+jj-0-', 'bounce+jj-0-id', 'bounce+jj--id-aaaaaaaaaa', 'anna',
    'bounce+jj-00-id-aaaaaaaaaa', 'bounce+jjj-0-id-aaaaaaaaaa', 'bounce+jj-0-=1-aaaaaaaaaa'])('none of them is "%s"', (local) => {
    expect(made().decode({ local, domain: 'ours.example' }, now)).toEqual({ refused: 'none' })
  })

  it('say when they cannot', () => {
    const misuse = expect.objectContaining({ code: 'misuse' })
    for (const message of ['', 'x'.repeat(44), 'X'.repeat(28)]) {
      expect(() => made().encode({ message, recipient: 0 }, now)).toThrow(misuse)
    }
    for (const recipient of [-1, 1.5, NaN]) expect(() => made().encode({ message: 'id', recipient }, now)).toThrow(misuse)
    for (const prefix of ['B', '', '.b', 'a b', '++']) expect(() => made({ prefix })).toThrow(misuse)
    for (const wrong of [{ keys: [] }, { days: 0 }, { days: 1001 }]) expect(() => made(wrong)).toThrow(misuse)
  })

  it('come back as they went, in any letter case', () => {
    const ids = fc.oneof(fc.uuid(), fc.stringMatching(/^[a-z0-9._-]{1,30}$/), fc.string({ minLength: 1, maxLength: 12 }))
    fc.assert(fc.property(ids, fc.nat(1000), fc.constantFrom('b', 'bounce+', 'return.'), (message, recipient, prefix) => {
      const sender = made({ prefix }).encode({ message, recipient }, now)
      expect(sender.local.length).toBeLessThanOrEqual(64)
      expect(parsePath(encodePath(sender), 0, { lenient: false, recipient: true })).toHaveProperty('path')
      for (const local of [sender.local, sender.local.toUpperCase()]) {
        expect(made({ prefix }).decode({ local, domain: 'ours.example' }, now)).toEqual({ message, recipient })
      }
    }), { numRuns: 150 })
  })
})
