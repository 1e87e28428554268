import { describe, expect, it } from 'vitest'
import {
  accept,
  allOf,
  defer,
  inOrder,
  observeOnly,
  pass,
  type Policy,
  quarantine,
  reject,
  type Stage,
  type Verdict,
  when,
  within,
} from '../../src/index.ts'
import { world, type World } from '../../src/testing/index.ts'

const says = (name: string, verdict: Verdict | undefined, log: string[] = []): Policy => ({
  name,
  sender: () => {
    log.push(name)
    return verdict
  },
  closed: () => void log.push(`closed ${name}`),
})

/** The reply to MAIL under a policy. */
async function mail(policy: Policy): Promise<{ w: World; reply: string }> {
  const w = world({ server: { policies: [policy], connections: false } })
  const client = w.connect('203.0.113.9')
  const words = ['EHLO x.test', 'MAIL FROM:<a@s.test>', 'RCPT TO:<b@mx.test>', 'DATA', '.', 'QUIT']
  const replies = await w.clock.until(client.ask(...words))
  await client.closed
  return { w, reply: replies[2]! }
}

describe('when', () => {
  it.each([true, false, Promise.resolve(true), Promise.resolve(false)])('asks where it matches: %o', async (match) => {
    const log: string[] = []
    const { reply } = await mail(when(() => match, says('no', reject('No'), log)))
    expect(reply.slice(0, 3)).toBe((await match) ? '550' : '250')
    expect(log).toEqual((await match) ? ['no', 'closed no'] : ['closed no'])
  })

  it('sees the stage, and its break is our own fault', async () => {
    const named = when(({ connection }) => connection.peer.address === '203.0.113.9', says('no', reject('No')))
    expect(named.name).toBe('when(no)')
    expect((await mail(named)).reply).toMatch(/^550/)
    expect(
      (
        await mail(
          when(
            () => {
              throw new Error('db')
            },
            says('no', reject('No')),
          ),
        )
      ).reply,
    ).toMatch(/^451 4\.3\.0/)
  })

  it('has the methods of what it wraps, and no others', () => {
    expect(Object.keys(when(() => true, says('a', undefined))).sort()).toEqual(['closed', 'name', 'sender'])
    expect(Object.keys(when(() => true, { name: 'b', message: () => undefined })).sort()).toEqual(['message', 'name'])
  })

  it('calls what it wraps as its own', async () => {
    class Counting implements Policy {
      readonly name = 'counting'
      count = 0
      sender(): Verdict | undefined {
        return ++this.count > 0 ? reject(`Number ${this.count}`) : undefined
      }
    }
    expect((await mail(when(() => true, new Counting()))).reply).toBe('550 5.7.1 Number 1')
    expect((await mail(inOrder(new Counting()))).reply).toBe('550 5.7.1 Number 1')
    expect((await mail(allOf(new Counting()))).reply).toBe('550 5.7.1 Number 1')
  })
})

describe('inOrder', () => {
  it('stops at the first that decides anything', async () => {
    const log: string[] = []
    const policy = inOrder(
      says('a', pass(), log),
      says('b', undefined, log),
      says('c', accept('known'), log),
      says('d', reject('No'), log),
    )
    expect(policy.name).toBe('inOrder(a, b, c, d)')
    expect((await mail(policy)).reply).toMatch(/^250/)
    expect(log).toEqual(['a', 'b', 'c', 'closed a', 'closed b', 'closed c', 'closed d'])
  })

  it('waits for each', async () => {
    const slow = (name: string, verdict: Verdict): Policy => ({
      name,
      sender: (_, stage) => stage.wait(1000).then(() => verdict),
    })
    const { w, reply } = await mail(
      inOrder(slow('a', pass()), slow('b', pass()), slow('c', defer('Later')), slow('d', reject('No'))),
    )
    expect(reply).toBe('451 4.7.1 Later')
    expect(w.clock.ticks()).toBeGreaterThanOrEqual(3000)
    expect(w.clock.ticks()).toBeLessThan(4000)
  })

  it('of none passes', async () => {
    expect((await mail(inOrder())).reply).toMatch(/^250/)
    expect((await mail(inOrder({ name: 'a', message: () => undefined }))).reply).toMatch(/^250/)
  })
})

describe('observeOnly', () => {
  it.each([
    [reject('No'), ['would reject: 550 5.7.1 No']],
    [defer('Later'), ['would defer: 451 4.7.1 Later']],
    [quarantine('odd'), ['would quarantine: odd']],
    [pass(), []],
    [undefined, []],
  ] as readonly (readonly [Verdict | undefined, string[]])[])('turns %o into a tag', async (verdict, tags) => {
    const { w, reply } = await mail(observeOnly(says('no', verdict)))
    expect(reply).toMatch(/^250/)
    expect(w.delivered[0]!.notes).toEqual(tags.map((tag) => ({ kind: 'tag', policy: 'observeOnly(no)', tag })))
  })

  it('writes nothing into the header, and notes the rest', async () => {
    const flagged: Policy = {
      name: 'flagged',
      message: ({ headers }, { notes }) => {
        notes.header('X-Spam-Flag', 'YES')
        notes.score(7, 'odd')
        for (const field of headers.all('x-forged')) notes.remove(field)
        return reject('No')
      },
    }
    const w = world({ server: { policies: [observeOnly(flagged)] } })
    const content = 'X-Forged: yes\r\nSubject: x\r\n\r\nhi\r\n'
    expect((await w.connect('203.0.113.9').send({ to: 'b@mx.test', content })).reply).toMatch(/^250/)
    const [message] = w.delivered
    expect(message!.headers.has('x-spam-flag')).toBe(false)
    expect(message!.headers.has('x-forged')).toBe(false)
    expect(message!.notes.map(({ kind }) => kind)).toEqual(['score', 'removal', 'tag'])
  })

  it.each<readonly [string, Policy['sender']]>([
    ['throws', () => { throw new Error('db') }],
    ['rejects', () => Promise.reject(new Error('db'))],
    ['answers what is no verdict', () => 'no' as never],
  ])('lets mail go its way where the policy %s, and tells of it', async (_, sender) => {
    const { w, reply } = await mail(observeOnly({ name: 'broken', sender: sender! }))
    expect(reply).toMatch(/^250/)
    const tag = 'would defer: 451 4.3.0 Temporary failure, try again later'
    expect(w.delivered[0]!.notes).toEqual([{ kind: 'tag', policy: 'observeOnly(broken)', tag }])
    expect(w.events.filter(({ kind }) => kind === 'failed')).toMatchObject([{ what: 'policy observeOnly(broken) at sender' }])
  })
})

describe('within', () => {
  const taking = (ms: number, verdict: Verdict): Policy => ({
    name: 'slow',
    sender: (_, stage) => stage.wait(ms).then(() => verdict),
  })

  it.each([
    [900, 'defer', /^550/],
    [1100, 'defer', /^451 4\.3\.0/],
    [1100, 'pass', /^250/],
  ] as const)('1000 milliseconds, taking %i: then %s', async (taken, otherwise, reply) => {
    expect((await mail(within(1000, taking(taken, reject('No')), otherwise))).reply).toMatch(reply)
  })

  it.each([
    ['answers', () => Promise.resolve(undefined)],
    ['answers later', (stage: Stage) => stage.wait(5)],
    ['breaks', () => Promise.reject(new Error('db'))],
  ])('leaves no alarm behind where the policy %s in time', async (_, sender) => {
    const w = world({ server: { policies: [within(50_000, { name: 'quick', sender: (_, stage) => sender(stage) }, 'pass')] } })
    const client = w.connect()
    await client.ask('EHLO x.test')
    const before = w.clock.pending
    await w.clock.until(client.ask('MAIL FROM:<>'))
    expect(w.clock.pending).toBe(before)
  })

  it('tells a policy that is late that nobody listens any more', async () => {
    const heard: string[] = []
    const late: Policy = {
      name: 'late',
      sender: async (_, stage) => {
        stage.signal.addEventListener('abort', () => void heard.push('abort'))
        await stage.wait(10_000).catch(() => heard.push('wait'))
        await stage.wait(10_000, new AbortController().signal).catch(() => heard.push('wait'))
        return reject('No')
      },
    }
    const w = world({ server: { policies: [within(1000, late, 'pass')] } })
    const client = w.connect()
    await client.ask('EHLO x.test')
    const before = w.clock.pending
    expect(await w.clock.until(client.ask('MAIL FROM:<>'))).toEqual(['250 2.1.0 Sender ok'])
    expect(w.clock.ticks()).toBe(1000)
    expect(heard).toEqual(['abort', 'wait', 'wait'])
    expect(w.clock.pending).toBe(before)
  })

  it('lets answers through that come at once', async () => {
    expect((await mail(within(1000, says('no', reject('No')), 'pass'))).reply).toMatch(/^550/)
  })

  it('does not turn a break into a pass', async () => {
    const broken: Policy = { name: 'broken', sender: () => Promise.reject(new Error('db')) }
    expect((await mail(within(1000, broken, 'pass'))).reply).toMatch(/^451 4\.3\.0/)
  })

  it.each([0, -1, Number.NaN])('refuses %d milliseconds', (milliseconds) => {
    expect(() => within(milliseconds, says('no', undefined), 'pass')).toThrow(expect.objectContaining({ code: 'config' }))
  })
})

describe('allOf', () => {
  it('asks all, and the strongest counts', async () => {
    const log: string[] = []
    const policy = allOf(says('a', defer('Later'), log), says('b', reject('No'), log), says('c', undefined, log))
    expect(policy.name).toBe('allOf(a, b, c)')
    expect((await mail(policy)).reply).toBe('550 5.7.1 No')
    expect(log).toEqual(['a', 'b', 'c', 'closed a', 'closed b', 'closed c'])
  })

  it('can be made conditional as one', async () => {
    expect((await mail(when(() => false, allOf(says('a', reject('No')))))).reply).toMatch(/^250/)
  })
})
