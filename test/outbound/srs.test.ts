import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../src/adapters/node/crypto.ts'
import { type Srs, srs, type SrsOptions } from '../../src/outbound/srs.ts'

const key = new TextEncoder().encode('tops3cr3t')
/** The day of PostSRSd's answers below. */
const DAY = 86_400_000
const now = Date.UTC(2026, 10, 20, 15)

const usual = { domain: 'fwd.example', keys: [key], crypto: nodeCrypto } as const
const made = (given: Partial<SrsOptions> = {}): Srs => srs({ ...usual, hashLength: 4, ...given })

/** Written for people: `local@domain`. */
function address(text: string) {
  const at = text.lastIndexOf('@')
  return { local: text.slice(0, at), domain: text.slice(at + 1) }
}

describe('as PostSRSd 1.10 writes it (-s tops3cr3t -d fwd.example)', () => {
  it.each([
    ['alice@source.example', 'SRS0=/z0l=JJ=source.example=alice', 'alice@source.example'],
    ['Alice.Smith+tag@Source.Example', 'SRS0=KGra=JJ=Source.Example=Alice.Smith+tag', 'Alice.Smith+tag@Source.Example'],
    ['a=b=c@x.example', 'SRS0=Gte7=JJ=x.example=a=b=c', 'a=b=c@x.example'],
    ["o'neil@source.example", "SRS0=h1mP=JJ=source.example=o'neil", "o'neil@source.example"],
    [
      'SRS0=AAAA=OH=orig.example=bob@other.example', 'SRS1=8kRy=other.example==AAAA=OH=orig.example=bob',
      'SRS0=AAAA=OH=orig.example=bob@other.example',
    ],
    [
      'SRS1=BBBB=first.example==AAAA=OH=orig.example=bob@other.example', 'SRS1=XfwF=first.example==AAAA=OH=orig.example=bob',
      'SRS0=AAAA=OH=orig.example=bob@first.example',
    ],
    [
      'srs0+AAAA=OH=orig.example=bob@other.example', 'SRS1=TcFc=other.example=+AAAA=OH=orig.example=bob',
      'SRS0+AAAA=OH=orig.example=bob@other.example',
    ],
    ['SRS0-x@other.example', 'SRS1=klSg=other.example=-x', 'SRS0-x@other.example'],
  ])('%s', (from, to, back) => {
    const rewritten = made().forward(address(from), now)
    expect(rewritten).toEqual({ local: to, domain: 'fwd.example' })
    expect(made().reverse(rewritten!, now)).toEqual({ address: address(back) })
  })
})

describe('forwarding', () => {
  it('leaves the null sender and our own alone', () => {
    expect(made().forward(null, now)).toBeNull()
    expect(made().forward(address('user@FWD.example'), now)).toEqual(address('user@FWD.example'))
  })

  it('gives up on what nobody would take', () => {
    expect(made().forward({ local: 'x'.repeat(228), domain: 'source.example' }, now)?.local.length).toBe(256)
    expect(made().forward({ local: 'x'.repeat(229), domain: 'source.example' }, now)).toBeUndefined()
    expect(made().forward({ local: 'ä'.repeat(120), domain: 'source.example' }, now)).toBeUndefined()
  })

  it('has options, and refuses senseless ones', () => {
    expect(srs(usual).forward(address('a@b.example'), now)!.local).toMatch(/^SRS0=[A-Za-z0-9+/]{8}=JJ=b\.example=a$/)
    const long = made({ separator: '+', hashLength: 12 }).forward(address('a@b.example'), now)!
    expect(long.local).toMatch(/^SRS0\+[A-Za-z0-9+/]{12}=JJ=b\.example=a$/)
    expect(made({ hashLength: 12 }).reverse(long, now)).toEqual({ address: address('a@b.example') })
    for (const wrong of [{ keys: [] }, { hashLength: 3 }, { hashLength: 28 }, { days: 0 }, { days: 1001 }]) {
      expect(() => made(wrong)).toThrow(expect.objectContaining({ code: 'misuse' }))
    }
  })
})

describe('what comes back', () => {
  const sent = made().forward(address('alice@source.example'), now)!

  it('is good for 21 days, and from a clock that is a day ahead', () => {
    expect(made().reverse(sent, now + 21 * DAY)).toHaveProperty('address')
    expect(made().reverse(sent, now + 22 * DAY)).toEqual({ refused: 'expired' })
    expect(made().reverse(sent, now - DAY)).toHaveProperty('address')
    expect(made().reverse(sent, now - 2 * DAY)).toEqual({ refused: 'expired' })
    expect(made({ days: 1 }).reverse(sent, now + 2 * DAY)).toEqual({ refused: 'expired' })
  })

  it('may have lost its letter case', () => {
    for (const local of [sent.local.toLowerCase(), sent.local.toUpperCase()]) {
      const { address: found } = made().reverse({ local, domain: 'fwd.example' }, now) as { address: { local: string } }
      expect(found.local.toLowerCase()).toBe('alice')
    }
  })

  it('counts whichever key signed it', () => {
    const fresh = new TextEncoder().encode('another secret')
    const both = made({ keys: [fresh, key] })
    expect(both.reverse(sent, now)).toHaveProperty('address')
    expect(both.forward(address('alice@source.example'), now)).not.toEqual(sent)
    expect(made({ keys: [fresh] }).reverse(sent, now)).toEqual({ refused: 'forged' })
  })

  it.each([
    ['none', 'alice'], ['none', 'SRS0'], ['none', 'SRS0='], ['none', 'SRS0=/z0l=JJ=source.example'],
    ['none', 'SRS0=/z0l=JJ=source.example='], ['none', 'SRS0=/z0l==source.example=alice'], ['none', 'SRS1=XfwF=first.example=x'],
    ['forged', 'SRS0=/z0l=JJ=source.example=mallory'], ['forged', 'SRS0=/z0l=JK=source.example=alice'],
    ['forged', 'SRS0=/z0l=JJ=evil.example=alice'], ['forged', 'SRS0=/z0=JJ=source.example=alice'],
    ['forged', 'SRS1=8kRy=evil.example==AAAA=OH=orig.example=bob'],
  ])('%s: %s', (refused, local) => {
    expect(made().reverse({ local, domain: 'fwd.example' }, now)).toEqual({ refused })
  })

  it('is who was rewritten, whoever that is; and of anything else, nobody', () => {
    const local = fc.string({ minLength: 1, maxLength: 60 }).filter((text) => !/^srs[01][-+=]/i.test(text))
    fc.assert(fc.property(local, fc.domain(), (user, domain) => {
      const sender = { local: user, domain }
      const once = made().forward(sender, now)!
      expect(made().reverse(once, now)).toEqual({ address: sender })
      // Three forwarders in a row: the last one leads back to the first.
      const twice = made({ domain: 'two.example' }).forward(once, now)!
      const thrice = made({ domain: 'three.example' }).forward(twice, now)
      if (thrice) expect(made({ domain: 'three.example' }).reverse(thrice, now)).toEqual({ address: once })
      expect(made().reverse(sender, now)).toEqual({ refused: 'none' })
    }), { numRuns: 100 })
  })

  it('never throws', () => {
    const pieces = fc.constantFrom('SRS0', 'SRS1', '=', '==', '+', '-', '/z0l', 'JJ', 'source.example', 'alice', 'é', '"', ' ')
    fc.assert(fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      made().reverse({ local: parts.join(''), domain: 'fwd.example' }, now)
      made().forward({ local: parts.join(''), domain: 'x.example' }, now)
    }), { numRuns: 200 })
  })
})
