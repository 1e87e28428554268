import { describe, expect, it } from 'vitest'
import { accept, defer, discard, inOrder, pass, type Policy, quarantine, reject, type Verdict } from '../../src/index.ts'
import { type TestClient, world, type World, type WorldOptions } from '../../src/testing/index.ts'

type Stage = 'connect' | 'hello' | 'auth' | 'sender' | 'recipient' | 'message'
const stages: readonly Stage[] = ['connect', 'hello', 'auth', 'sender', 'recipient', 'message']

/** Who is refused at AUTH is not logged in; at any other stage nothing is delivered. */
function expectRefused({ delivered }: World, stage: Stage): void {
  expect(delivered.map(({ connection }) => connection.account)).toEqual(stage === 'auth' ? [undefined] : [])
}

/** A policy with one method. */
const at = (stage: Stage, judge: (...given: never[]) => unknown, name: string = stage): Policy =>
  ({ name, [stage]: judge }) as Policy

const credentials = Buffer.from('\0bob\0pw').toString('base64')
const conversation = [
  'EHLO x.test',
  `AUTH PLAIN ${credentials}`,
  'MAIL FROM:<a@s.test>',
  'RCPT TO:<b@mx.test>',
  'DATA',
  'Subject: x\r\n\r\n.',
]

async function talk(
  policies: readonly Policy[],
  more: Extract<WorldOptions['server'], object> = {},
): Promise<{ w: World; client: TestClient; replies: string[] }> {
  const w = world({
    server: {
      policies,
      authenticate: ({ username }) => ({ account: username }),
      plaintextAuth: true,
      connections: false,
      ...more,
    },
  })
  const client = w.connect('203.0.113.9')
  const replies = await w.clock.until(client.ask(...conversation))
  return { w, client, replies }
}

const lastLines = (replies: readonly string[]): string[] => replies.map((reply) => reply.split('\n').at(-1)!)

describe('policies', () => {
  it('are asked at each stage, once, with what is known by then', async () => {
    const seen: unknown[] = []
    const watch: Policy = {
      name: 'watch',
      connect: (connection, stage) =>
        void seen.push(['connect', connection.peer.address, stage.envelope, stage.connection === connection]),
      hello: (name, { connection }) => void seen.push(['hello', name, connection.hello]),
      auth: (attempt, { connection }) => void seen.push(['auth', attempt, connection.account]),
      sender: (sender, { connection, envelope }) =>
        void seen.push(['sender', sender, connection.account, envelope?.recipients.length]),
      recipient: (to, { envelope }) => void seen.push(['recipient', to.local, envelope?.recipients.length]),
      message: (message, { envelope }) =>
        void seen.push(['message', message.headers.text('subject'), envelope?.recipients.length]),
      closed: ({ peer }) => void seen.push(['closed', peer.address]),
    }
    const { client } = await talk([watch])
    await client.ask('QUIT')
    await client.closed
    expect(seen).toEqual([
      ['connect', '203.0.113.9', undefined, true],
      ['hello', 'x.test', { verb: 'EHLO', name: 'x.test' }],
      ['auth', { username: 'bob', mechanism: 'PLAIN', account: 'bob' }, undefined],
      ['sender', { local: 'a', domain: 's.test' }, 'bob', 0],
      ['recipient', 'b', 0],
      ['message', 'x', 1],
      ['closed', '203.0.113.9'],
    ])
  })

  it('are asked about log-ins that failed too, and about the null sender', async () => {
    const seen: unknown[] = []
    const w = world({
      server: {
        authenticate: () => undefined,
        plaintextAuth: true,
        policies: [
          at('auth', ({ account }: { account: unknown }) => void seen.push(account)),
          at('sender', (sender: unknown) => void seen.push(sender)),
        ],
      },
    })
    const client = w.connect()
    await w.clock.until(client.login('bob', 'wrong'))
    await client.ask('MAIL FROM:<>')
    expect(seen).toEqual([undefined, null])
  })

  it('are not asked about recipients that nobody claims', async () => {
    let asked = 0
    const w = world({ server: { accepts: () => false, policies: [at('recipient', () => void asked++)] } })
    await w.connect().send({ to: 'a@mx.test' })
    expect(asked).toBe(0)
  })

  it('run side by side: a stage takes as long as its slowest', async () => {
    const waits = [3000, 5000, 4000].map((wait, index) =>
      at('sender', (_: never, stage: { wait(ms: number): Promise<void> }) => stage.wait(wait), `wait ${index}`),
    )
    const { w, replies } = await talk(waits)
    expect(lastLines(replies)[3]).toBe('250 2.1.0 Sender ok')
    expect(w.clock.ticks()).toBe(5000)
  })

  it('are told when their answer is no longer wanted', async () => {
    const seen: string[] = []
    const waiting: Policy = {
      name: 'waiting',
      sender: (_, stage) =>
        stage.wait(10_000).catch((error: Error) => void seen.push(error.message, String(stage.signal.aborted))),
    }
    const w = world({ server: { policies: [waiting] } })
    const client = w.connect()
    await client.ask('EHLO x.test')
    client.write('MAIL FROM:<>\r\n')
    await w.clock.advance(0)
    client.reset()
    await w.clock.advance(0)
    expect(seen).toEqual(['The question was withdrawn while a policy waited.', 'true'])
    expect(w.events.filter(({ kind }) => kind === 'failed')).toEqual([])
    expect(w.clock.pending).toBe(0)
  })
})

describe('a verdict', () => {
  const refusals: readonly (readonly [Stage, number])[] = [
    ['connect', 0],
    ['hello', 1],
    ['auth', 2],
    ['sender', 3],
    ['recipient', 4],
    ['message', 6],
  ]

  it.each(refusals)('refuses for good at %s', async (stage, reply) => {
    const { w, replies } = await talk([at(stage, () => reject(`No ${stage}`))])
    expect(lastLines(replies)[reply]).toBe(`550 5.7.1 No ${stage}`)
    expectRefused(w, stage)
    expect(w.events).toContainEqual(expect.objectContaining({ kind: 'refused', stage, code: 550, text: `No ${stage}` }))
  })

  it.each(refusals)('refuses for now at %s', async (stage, reply) => {
    const { w, replies } = await talk([at(stage, async () => defer(`Not yet ${stage}`))])
    expect(lastLines(replies)[reply]).toBe(`451 4.7.1 Not yet ${stage}`)
    expectRefused(w, stage)
  })

  it.each(refusals)(
    'is 451 4.3.0 where a policy breaks at %s: never a refusal for good, never a silent pass',
    async (stage, reply) => {
      const broken = [
        at(
          stage,
          () => {
            throw new Error('db')
          },
          'throws',
        ),
        at(stage, () => Promise.reject(new Error('db')), 'rejects'),
      ]
      for (const policy of broken) {
        const { w, replies } = await talk([policy, at(stage, () => accept('fine'))])
        expect(lastLines(replies)[reply]).toBe('451 4.3.0 Temporary failure, try again later')
        expectRefused(w, stage)
        expect(w.events).toContainEqual(
          expect.objectContaining({ kind: 'failed', what: `policy ${policy.name} at ${stage}`, error: new Error('db') }),
        )
      }
    },
  )

  it('is the strongest of all, whatever their order', async () => {
    const verdicts: readonly Verdict[] = [pass(), accept('a'), quarantine('q'), discard('d'), defer('Later'), reject('Never')]
    for (const one of verdicts) {
      for (const other of verdicts) {
        const { replies } = await talk([at('sender', () => one, 'one'), at('sender', async () => other, 'other')])
        const kinds = [one.kind, other.kind]
        const expected = kinds.includes('reject') ? '550' : kinds.includes('defer') ? '451' : '250'
        expect(replies[3]!.slice(0, 3)).toBe(expected)
      }
    }
  })

  it('of 421 ends the connection', async () => {
    for (const stage of ['connect', 'hello', 'sender', 'recipient'] as const) {
      const { client } = await talk([at(stage, () => defer(421, '4.7.0', 'Go away'))])
      expect(client.replies.at(-1)).toBe('421 4.7.0 Go away')
      expect(await client.closed).toBeUndefined()
    }
  })

  it('that is no refusal, or could not be sent, is our own fault', async () => {
    for (const reply of [
      { code: 250, text: 'fine' },
      { code: 550, text: 'a\r\nb' },
      { code: 550, enhanced: '4.0.0', text: 'x' },
    ]) {
      const { replies } = await talk([at('sender', () => ({ kind: 'reject', reply }))])
      expect(replies[3]).toBe('451 4.3.0 Temporary failure, try again later')
    }
  })
})

describe('discard', () => {
  it.each(['connect', 'hello', 'sender', 'message'] as const)('at %s says 250 and delivers nothing', async (stage) => {
    const { w, replies } = await talk([at(stage, () => discard('junk'))])
    expect(replies.at(-1)).toMatch(/^250 2\.0\.0 Ok/)
    expect(w.delivered).toEqual([])
    expect(w.events.at(-1)).toMatchObject({ kind: 'accepted', discarded: true, sender: 'a@s.test', recipients: ['b@mx.test'] })
  })

  it('of a sender is for this message alone, of a connection for all that come over it', async () => {
    for (const [stage, delivered] of [
      ['sender', 1],
      ['connect', 0],
    ] as const) {
      let first = true
      const policy = at(stage, () => {
        const verdict = first ? discard('junk') : undefined
        first = false
        return verdict
      })
      const { w, client } = await talk([policy])
      expect((await client.send({ to: 'b@mx.test' })).accepted).toBe(true)
      expect(w.delivered).toHaveLength(delivered)
    }
  })

  it('of a recipient drops it from the envelope, and the others get the message', async () => {
    const drop = at('recipient', ({ local }: { local: string }) => (local === 'b' ? discard('trap') : undefined))
    const { w, client } = await talk([drop])
    expect(w.delivered).toEqual([])
    await client.send({ to: ['b@mx.test', 'c@mx.test'] })
    expect(w.delivered[0]!.envelope.recipients.map(({ local }) => local)).toEqual(['c'])
  })

  it('beats an acceptance, of the claim too', async () => {
    const { w } = await talk([at('recipient', () => accept('known'))], { accepts: () => discard('trap') })
    expect(w.delivered).toEqual([])
  })
})

describe('quarantine', () => {
  it.each(stages)('at %s delivers the message with a note', async (stage) => {
    const { w, replies } = await talk([at(stage, () => quarantine('odd'), 'suspicious')])
    expect(replies.at(-1)).toMatch(/^250/)
    expect(w.delivered[0]!.notes).toEqual([{ kind: 'quarantine', policy: 'suspicious', why: 'odd' }])
  })

  it('of a claim is noted too', async () => {
    const { w } = await talk([], { accepts: () => quarantine('new user') })
    expect(w.delivered[0]!.notes).toEqual([{ kind: 'quarantine', policy: 'accepts', why: 'new user' }])
  })

  it('is noted where a stronger verdict wins', async () => {
    const seen: unknown[] = []
    const policies = [
      at('sender', () => quarantine('odd'), 'one'),
      at('sender', () => accept('known'), 'other'),
      at('message', ({ notes }: { notes: unknown[] }) => void seen.push(...notes)),
    ]
    await talk(policies)
    expect(seen).toEqual([{ kind: 'quarantine', policy: 'one', why: 'odd' }])
  })
})

describe('notes', () => {
  it('come along from stage to stage, in order, under the name of who made them', async () => {
    const policies = stages.map((stage) =>
      at(stage, (_: never, { notes }: { notes: { tag(tag: string): void; score(score: number, why: string): void } }) => {
        notes.tag(`at ${stage}`)
        if (stage === 'message') notes.score(2.5, 'odd')
      }),
    )
    const { w } = await talk(policies)
    expect(w.delivered[0]!.notes).toEqual([
      ...stages.map((stage) => ({ kind: 'tag', policy: stage, tag: `at ${stage}` })),
      { kind: 'score', policy: 'message', score: 2.5, why: 'odd' },
    ])
  })

  it('of a message stay with it; those of the connection come with each', async () => {
    let count = 0
    const policies = [
      at('connect', (_: never, { notes }: { notes: { tag(tag: string): void } }) => notes.tag('connection')),
      at('sender', (_: never, { notes }: { notes: { tag(tag: string): void } }) => notes.tag(`mail ${++count}`)),
    ]
    const { w, client } = await talk(policies)
    await client.send({ to: 'b@mx.test' })
    expect(w.delivered.map(({ notes }) => notes.map((note) => ('tag' in note ? note.tag : '')))).toEqual([
      ['connection', 'mail 1'],
      ['connection', 'mail 2'],
    ])
  })
})

describe('the end of a connection', () => {
  it('is told once for every connect, to each policy, whatever others do', async () => {
    const told: string[] = []
    const policies: Policy[] = [
      {
        name: 'a',
        closed: () => {
          throw new Error('broke')
        },
      },
      { name: 'b', connect: () => reject('No'), closed: () => void told.push('b') },
    ]
    const w = world({ server: { policies } })
    const client = w.connect()
    await client.ask('QUIT')
    await client.closed
    expect(told).toEqual(['b'])
    expect(w.events).toContainEqual(expect.objectContaining({ kind: 'failed', error: new Error('broke') }))
  })
})

describe('judged', () => {
  const hearing = (heard: unknown[]): Policy => ({
    name: 'hearing',
    judged: ({ id }, { kind }, { noted }) => void heard.push([id, kind, noted.map((note) => note.kind)]),
  })

  it.each([
    ['passed', () => undefined, ['pass', ['tag']]],
    ['refused later', async () => reject('No'), ['reject', ['tag']]],
    ['set apart', () => quarantine('odd'), ['quarantine', ['tag', 'quarantine']]],
  ])('hears of a message that is %s, once, what all have made of it', async (_, judge, expected) => {
    const heard: unknown[] = []
    const policy: Policy = {
      name: 'judge',
      message: (_message, { notes }) => {
        notes.tag('seen')
        return judge()
      },
    }
    const w = world({ server: { policies: [inOrder(hearing(heard), policy)] } })
    await w.connect().send({ to: 'a@mx.test', content: 'Subject: x\n\n' })
    expect(heard).toEqual([[expect.stringMatching(/\.1$/), ...expected]])
  })

  it('is called where nobody judges, and what it throws is told and changes nothing', async () => {
    const broken = { name: 'broken', judged: () => { throw new Error('oh') } }
    const w = world({ server: { policies: [broken] } })
    expect(await w.connect().send({ to: 'a@mx.test', content: 'Subject: x\n\n' })).toMatchObject({ accepted: true })
    expect(w.events).toContainEqual(expect.objectContaining({ kind: 'failed', what: 'policy broken at judged' }))
  })
})
