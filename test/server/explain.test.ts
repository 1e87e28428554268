import { describe, expect, it } from 'vitest'
import type { Explanation, Policy } from '../../src/contracts/index.ts'
import { discard, observeOnly, quarantine, reject } from '../../src/index.ts'
import { world, type WorldOptions } from '../../src/testing/index.ts'

const content = 'Subject: a secret\n\nmore of it\n'

/** What is explained of a message that a client sends. */
async function explained(
  server: Extract<WorldOptions['server'], object>, to: string | string[] = 'a@mx.test',
): Promise<Explanation[]> {
  const w = world({ now: 1_000_000, server: { explain: true, ...server } })
  // Who is refused at the door sends nothing.
  await w.clock.until(w.connect('203.0.113.9').send({ from: 's@s.test', to, content }).catch(() => undefined))
  return w.events.flatMap((event) => (event.kind === 'explained' ? [event.explanation] : []))
}

const scoring: Policy = {
  name: 'scoring',
  hello: (_, { notes }) => notes.score(1.5, 'a bare name'),
  message: (_, { notes }) => {
    notes.score(2, 'a bad link')
    notes.header('X-Points', '3.5')
  },
}

describe('an explanation', () => {
  it('says of a message that was taken what each policy decided', async () => {
    const slow: Policy = { name: 'slow', message: (_, stage) => stage.wait(250) }
    const strict: Policy = { name: 'strict', message: () => reject('No') }
    expect(await explained({ policies: [scoring, slow, observeOnly(strict)] })).toEqual([{
      id: expect.stringMatching(/\.1$/),
      at: 1_000_250,
      client: { address: '203.0.113.9', name: 'client.test', account: undefined, tls: undefined },
      sender: 's@s.test',
      recipients: ['a@mx.test'],
      outcome: { kind: 'accepted', stage: 'message' },
      steps: [
        { stage: 'connect', policy: 'maxConnections', verdict: 'pass', took: 0 },
        { stage: 'hello', policy: 'scoring', verdict: 'pass', took: 0 },
        { stage: 'message', policy: 'scoring', verdict: 'pass', took: 0 },
        { stage: 'message', policy: 'observeOnly(strict)', verdict: 'pass', would: 'reject: 550 5.7.1 No', took: 0 },
        { stage: 'message', policy: 'slow', verdict: 'pass', took: 250 },
      ],
      score: 3.5,
      scores: [
        { policy: 'scoring', score: 1.5, why: 'a bare name' },
        { policy: 'scoring', score: 2, why: 'a bad link' },
      ],
      tags: [{ policy: 'observeOnly(strict)', tag: 'would reject: 550 5.7.1 No' }],
      fields: [{ policy: 'scoring', name: 'X-Points', value: '3.5' }],
    }])
  })

  it('says at each stage what would have been decided there', async () => {
    const strict: Policy = {
      name: 'strict',
      sender: () => reject('No'),
      recipient: ({ local }) => (local === 'b' ? quarantine('odd') : undefined),
      message: () => undefined,
    }
    const [explanation] = await explained({ policies: [observeOnly(strict)], connections: false }, ['a@mx.test', 'b@mx.test'])
    expect(explanation!.steps.map(({ stage, would }) => [stage, would])).toEqual([
      ['sender', 'reject: 550 5.7.1 No'], ['recipient', undefined], ['recipient', 'quarantine: odd'], ['message', undefined],
    ])
  })

  it.each<[string, Policy[], Explanation['outcome']]>([
    ['set apart', [{ name: 'p', message: () => quarantine('odd') }], { kind: 'quarantined', stage: 'message', policy: 'p' }],
    ['dropped', [scoring, { name: 'p', sender: () => discard('known') }], { kind: 'discarded', stage: 'message', policy: 'p' }],
    [
      'refused at the end', [{ name: 'p', message: () => reject('No') }],
      { kind: 'refused', stage: 'message', policy: 'p', reply: '550 5.7.1 No' },
    ],
    [
      'refused at the beginning', [{ name: 'p', connect: () => reject('No') }],
      { kind: 'refused', stage: 'connect', policy: 'p', reply: '550 5.7.1 No' },
    ],
    [
      'not judged for a fault', [{ name: 'p', sender: () => { throw new Error('broken') } }],
      { kind: 'deferred', stage: 'sender', policy: 'p', reply: '451 4.3.0 Temporary failure, try again later' },
    ],
  ])('says of mail that was %s who decided so', async (_, policies, outcome) => {
    const [explanation, ...others] = await explained({ policies })
    expect(others).toEqual([])
    expect(explanation!.outcome).toEqual(outcome)
    expect(explanation!.steps.filter(({ policy }) => policy === 'p')).toHaveLength(1)
  })

  it('tells of each recipient that was refused, and of what the others came to', async () => {
    const picky: Policy = { name: 'picky', recipient: ({ local }) => (local === 'b' ? reject('Not b') : undefined) }
    const outcomes = (await explained({ policies: [picky] }, ['a@mx.test', 'b@mx.test'])).map(({ outcome }) => outcome)
    expect(outcomes).toEqual([
      { kind: 'refused', stage: 'recipient', policy: 'picky', reply: '550 5.7.1 Not b', recipient: 'b@mx.test' },
      { kind: 'accepted', stage: 'message' },
    ])
  })

  it('tells what whoever takes messages over has said', async () => {
    const [explanation] = await explained({ deliver: () => reject(552, '5.2.2', 'Full') })
    expect(explanation!.outcome).toEqual({ kind: 'refused', stage: 'deliver', reply: '552 5.2.2 Full' })
  })

  it('goes into JSON and says nothing of the message itself', async () => {
    const found: Policy = {
      name: 'who',
      message: (_, { notes }) =>
        notes.authentication({
          spf: { result: 'pass', identity: 'mailfrom', domain: 's.test', why: undefined },
          dkim: undefined,
          dmarc: {
            result: 'fail', domain: 's.test', policyDomain: 's.test', policy: 'reject', disposition: 'reject',
            aligned: { spf: false, dkim: false }, record: new Map([['p', 'reject']]), why: undefined,
          },
          arc: undefined, iprev: undefined, bimi: undefined,
        }),
    }
    const [explanation] = await explained({ policies: [found] })
    const text = JSON.stringify(explanation)
    expect(JSON.parse(text)).toMatchObject({ authentication: { spf: { result: 'pass' }, dmarc: { disposition: 'reject' } } })
    expect(text).not.toContain('secret')
    expect(text).not.toContain('record')
  })

  it('is not even made where nobody asks for it', async () => {
    const w = world({ server: { policies: [scoring] } })
    await w.connect('203.0.113.9').send({ to: 'a@mx.test', content })
    expect(w.events.some(({ kind }) => kind === 'explained')).toBe(false)
    expect(w.delivered[0]!.notes.some(({ kind }) => kind === 'decision')).toBe(false)
  })
})
