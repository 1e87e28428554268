import { describe, expect, it } from 'vitest'
import { budgeted } from '../../src/index.ts'
import { fakeDns, resolverContract, virtualClock } from '../../src/testing/index.ts'

describe('budgeted keeps the contract of a resolver', () => {
  resolverContract({
    describe,
    it,
    skipped: () => undefined,
    open: async (zone) => {
      const dns = fakeDns(zone)
      return { resolver: budgeted(dns, 1000), asked: () => dns.asked.length }
    },
  })
})

describe('budgeted', () => {
  const temporary = expect.objectContaining({ code: 'temporary' }) as unknown

  it('asks so many questions, and then no more', async () => {
    const dns = fakeDns({ 'a.test': { A: '192.0.2.1' } })
    const resolver = budgeted(dns, 3)
    for (const name of ['a.test', 'b.test', 'c.test']) await resolver.resolve(name, 'A')
    await expect(resolver.resolve('d.test', 'A')).rejects.toEqual(temporary)
    await expect(resolver.resolve('a.test', 'AAAA')).rejects.toEqual(temporary)
    expect(dns.asked).toHaveLength(3)
    // What has been asked stays known.
    expect((await resolver.resolve('A.test', 'A')).records).toEqual(['192.0.2.1'])
  })

  it('gives one answer to one question, however often it is asked, and one failure', async () => {
    const dns = fakeDns({ 'a.test': { A: '192.0.2.1', ttl: 0 }, 'b.test': 'SERVFAIL' })
    const resolver = budgeted(dns, 5)
    const first = resolver.resolve('a.test', 'A')
    dns.set('a.test', { A: '192.0.2.2' })
    const answers = await Promise.all([first, ...Array.from({ length: 1000 }, () => resolver.resolve('a.test', 'A'))])
    expect(new Set(answers.map(({ records }) => records[0]))).toEqual(new Set(['192.0.2.1']))
    for (let at = 0; at < 3; at++) await expect(resolver.resolve('b.test', 'A')).rejects.toEqual(temporary)
    expect(dns.asked).toHaveLength(2)
  })

  it('lets one go who does not wait any more, and all when it is over', async () => {
    const clock = virtualClock()
    const over = new AbortController()
    const resolver = budgeted(fakeDns({ 'slow.test': 'TIMEOUT' }, { clock }), 5, over.signal)
    const own = new AbortController()
    const impatient = resolver.resolve('slow.test', 'A', own.signal)
    const patient = resolver.resolve('slow.test', 'A').catch((error: unknown) => error)
    own.abort()
    await expect(impatient).rejects.toEqual(temporary)
    expect(clock.pending).toBe(1)
    over.abort()
    expect(await patient).toEqual(temporary)
    expect(clock.pending).toBe(0)
  })
})
