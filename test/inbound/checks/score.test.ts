import { describe, expect, it } from 'vitest'
import {
  accept, dnswl, inOrder, observeOnly, type Policy, quarantine, reject, score, type ScoreOptions,
} from '../../../src/index.ts'
import { policyContract, world } from '../../../src/testing/index.ts'

const pointing = (...points: readonly (readonly [number, string])[]): Policy => ({
  name: 'pointing',
  sender: (_, { notes }) => points.slice(0, 1).forEach(([count, why]) => notes.score(count, why)),
  message: async (_, { notes }) => points.slice(1).forEach(([count, why]) => notes.score(count, why)),
})

interface Told {
  readonly reply: string
  readonly header: string
  readonly quarantined: boolean
  readonly tags: readonly string[]
  readonly discarded: boolean
}

async function told(policies: readonly Policy[], content = 'Subject: x\r\n\r\nx\r\n'): Promise<Told> {
  const w = world({ server: { policies, trace: false } })
  const { reply } = await w.connect('203.0.113.9').send({ to: 'alice@mx.test', content })
  const message = w.delivered[0]
  let text = ''
  if (message) for await (const chunk of message.raw()) text += Buffer.from(chunk).toString('latin1')
  const notes = message?.notes ?? []
  return {
    reply: reply.startsWith('250') ? 'ok' : reply,
    header: text.split('\r\n\r\n')[0]!,
    quarantined: notes.some(({ kind }) => kind === 'quarantine'),
    tags: notes.flatMap((note) => (note.kind === 'tag' ? [note.tag] : [])),
    discarded: w.events.some((event) => event.kind === 'accepted' && event.discarded),
  }
}

describe('score', () => {
  const marks = { tag: 3, quarantine: 5, discard: 10, reject: 15 }
  const spam = '550 5.7.1 This message looks like spam'
  it.each<readonly [points: number, marks: ScoreOptions, told: Partial<Told>]>([
    [2.9, marks, { reply: 'ok', quarantined: false, tags: [] }],
    [3, marks, { reply: 'ok', quarantined: false, tags: ['spam'] }],
    [5, marks, { reply: 'ok', quarantined: true, tags: ['spam'] }],
    [10, marks, { reply: 'ok', discarded: true }],
    [15, marks, { reply: spam }],
    [1e308, marks, { reply: spam }],
    [-4, marks, { reply: 'ok', quarantined: false, tags: [] }],
    // The highest mark counts, and of equal ones the sterner.
    [30, { reject: 10, discard: 20 }, { reply: 'ok', discarded: true }],
    [5, { quarantine: 5, reject: 5 }, { reply: spam }],
    [99, {}, { reply: 'ok', quarantined: false, tags: [] }],
    [0, { quarantine: 0 }, { quarantined: true }],
  ])('%d points, %j', async (points, options, expected) => {
    const policy = pointing([points / 4, 'one'], [points / 2, 'two'], [points / 4, 'three'])
    expect(await told([score(options, policy)])).toMatchObject(expected)
    expect(await told([inOrder(policy, score(options))])).toMatchObject(expected)
  })

  it('writes the points, what they were for, and nothing that came from outside', async () => {
    const content = 'X-Spam-Score: -100\r\nx-spam-FLAG: NO\r\nX-Spam-Report: fine\r\nX-Spam-Level: *\r\nSubject: x\r\n\r\nx\r\n'
    const points = pointing([0.1, 'a little'], [0.2, 'some'], [4, 'caf\u00e9 \r\nX: y'])
    const { header } = await told([score({ tag: 3 }, points)], content)
    expect(header.replaceAll('\r\n ', ' ').split('\r\n')).toEqual([
      'X-Spam-Score: 4.3', 'X-Spam-Flag: YES', expect.stringMatching(/^X-Spam-Report: =\?utf-8\?/i),
      'X-Spam-Level: *', 'Subject: x',
    ])
    const plain = await told([score({ tag: 3 }, pointing([1, 'a little'], [-0.5, 'a friend'], [4, 'a lot']))])
    expect(plain.header.replaceAll('\r\n ', ' ')).toContain('X-Spam-Report: a lot (4); a little (1); a friend (-0.5)')
    expect((await told([score({ tag: 3 }, pointing([1, 'a little']))], content)).header.split('\r\n')).toEqual([
      'X-Spam-Score: 1', 'X-Spam-Level: *', 'Subject: x',
    ])
    const silent = await told([score({ tag: 3, headers: false }, pointing([4, 'a lot']))], content)
    expect(silent.header).toContain('X-Spam-Score: -100')
  })

  it('tells no more reasons than people read', async () => {
    const many = Array.from({ length: 1000 }, (_, at) => [1, `${at} ${'x'.repeat(10_000)}`] as const)
    expect((await told([score({ tag: 3 }, pointing(...many))])).header.length).toBeLessThan(10_000)
  })

  it.each<readonly [string, Policy, Partial<Told>]>([
    ['a refusal', { name: 'x', message: () => reject('No') }, { reply: '550 5.7.1 No' }],
    ['a refusal at MAIL', { name: 'x', sender: () => reject('No') }, { reply: '550 5.7.1 No' }],
    ['what is set apart', { name: 'x', message: () => quarantine('odd') }, { reply: 'ok', quarantined: true }],
    ['what is accepted', { name: 'x', message: () => accept('a friend') }, { reply: 'ok', quarantined: false }],
  ])('lets stand what the policies in it decide: %s', async (_, policy, expected) => {
    expect(await told([score({ quarantine: 5 }, pointing([1, 'one']), policy)])).toMatchObject(expected)
  })

  it('is spared who is accepted before it', async () => {
    const friend: Policy = { name: 'friend', sender: () => accept('a friend'), message: () => accept('a friend') }
    expect(await told([inOrder(friend, score({ reject: 1 }, pointing([5, 'x'])))])).toMatchObject({ reply: 'ok', tags: [] })
  })

  it('takes points in favour off', async () => {
    const w = world({
      server: { policies: [score({ quarantine: 5 }, dnswl({ zones: [{ zone: 'wl.test', then: 3 }] }), pointing([6, 'x']))] },
      dns: { '2.0.0.127.wl.test': { A: '127.0.0.2' }, '9.113.0.203.wl.test': { A: '127.0.0.2' } },
    })
    await w.connect('203.0.113.9').send({ to: 'alice@mx.test' })
    expect(w.delivered[0]!.headers.text('x-spam-score')).toBe('3')
  })

  it('is observed without consequence', async () => {
    expect(await told([observeOnly(score({ reject: 1 }, pointing([5, 'x'])))])).toMatchObject({
      reply: 'ok', tags: ['spam', `would reject: ${spam}`],
    })
  })

  it.each([[{ tag: '5' }], [{ drop: 5 }], [{ headers: false }], [{ reject: Number.NaN }]])('refuses %j', (options) => {
    expect(() => score(options as never)).toThrow(expect.objectContaining({ code: 'config' }))
  })
})

describe.each<readonly [string, () => Policy]>([
  ['score', () => score({ tag: 1 })],
  ['score of others', () =>
    score({ reject: 2 }, pointing([1, 'x'], [1, 'y']), { name: 'slow', message: (_, stage) => stage.wait(1000) })],
])('%s keeps the contract', (_, open) => policyContract({ describe, it, open, skipped: () => undefined }))
