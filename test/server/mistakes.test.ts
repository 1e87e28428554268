import { describe, expect, it, vi } from 'vitest'
import {
  allOf,
  defer,
  earlyTalker,
  hostnameCheck,
  inOrder,
  isMailError,
  maxConnections,
  observeOnly,
  type Policy,
  rateLimit,
  receiver,
  reject,
  tarpit,
  when,
  within,
} from '../../src/index.ts'
import { world } from '../../src/testing/index.ts'

/*
 * What programs without types get wrong. Each mistake is an error where the server is put together, or a 451 and an event: never
 * mail taken that nobody meant to take, never the end of the process.
 */

const sound = { hostname: 'mx.test', accepts: () => true, deliver: () => undefined }

/** The message of the `config` error. */
function complaint(build: () => unknown): string {
  try {
    build()
  } catch (error) {
    expect(isMailError(error) && error.code).toBe('config')
    return (error as Error).message
  }
  return ''
}

describe('receiver()', () => {
  it.each([
    [undefined, /object of options/],
    [{}, /hostname is missing/],
    [{ ...sound, hostname: 5 }, /hostname is 5/],
    [{ ...sound, hostname: 'mx test' }, /hostname: "mx test"/],
    [{ ...sound, accepts: undefined }, /accepts is missing/],
    [{ ...sound, accepts: ['example.org'] }, /accepts is a list; it takes a function/],
    [{ ...sound, deliver: undefined }, /deliver is missing/],
    [{ ...sound, polices: [] }, /no option "polices". Did you mean policies\?/],
    [{ ...sound, onData: () => 0 }, /no option "onData". There are: hostname, accepts/],
    [{ ...sound, policies: rateLimit({ perMinute: 1 }) }, /policies is an object; it takes a list/],
    [{ ...sound, profile: 'constructor' }, /profile is "constructor"/],
    [{ ...sound, inMemory: '1mb' }, /inMemory is "1mb"/],
    [{ ...sound, bodies: {} }, /bodies is an object; it takes a body store/],
    [{ ...sound, clock: Date }, /clock is a function; it takes a clock/],
    [{ ...sound, trace: 'Final' }, /trace is "Final"/],
    [{ ...sound, trusted: '10.0.0.0/8' }, /trusted is "10.0.0.0\/8"; it takes a list/],
    [{ ...sound, connections: 5 }, /connections is 5; it takes bounds/],
    [{ ...sound, connections: { max: 5 } }, /maxConnections: there is no option "max"/],
    [{ ...sound, observe: {} }, /observe is an object/],
    [{ ...sound, authenticate: true }, /authenticate is true/],
    [{ ...sound, smtp: { hostname: 'x' } }, /smtp: hostname is not set here but by hostname/],
    [{ ...sound, smtp: { auth: {} } }, /smtp: auth is not set here but by authenticate/],
    [{ ...sound, smtp: { sizeLimit: 5 } }, /no option "sizeLimit"/],
    [{ ...sound, smtp: { limits: { messageOctets: '5MB' } } }, /messageOctets is "5MB"/],
    [{ ...sound, smtp: { limits: { recipients: 2.5 } } }, /recipients is 2.5; it takes a whole number from 0 on/],
    [{ ...sound, inMemory: 0.5 }, /inMemory is 0.5; it takes octets, a whole number from 0 on/],
    [{ ...sound, connections: { address: 1.5 } }, /address is 1.5; it takes a whole number from 0 on/],
    [{ ...sound, smtp: { limits: { constructor: 5 } } }, /no option "constructor"/],
    [{ ...sound, smtp: { timeouts: { idel: 5 } } }, /Did you mean idle\?/],
    [{ ...sound, smtp: { rules: { bareLineEnds: 'allow' } } }, /bareLineEnds is "allow"; it takes 'reject' or 'normalize'/],
    [{ ...sound, smtp: { extensions: { chunking: false } } }, /no option "chunking"/],
  ])('says what is wrong with %j', (options, message) => {
    expect(complaint(() => receiver(options as never))).toMatch(message)
  })
})

describe('the first policies', () => {
  it.each([
    [() => rateLimit(undefined as never), /rateLimit takes an object of options/],
    [() => rateLimit({ perMinute: '60' } as never), /perMinute is "60"/],
    [() => rateLimit({ perminute: 60 } as never), /no option "perminute". Did you mean perMinute\?/],
    [() => rateLimit({ perMinute: 60, by: 'ip' } as never), /by is "ip"; it takes 'address' or .* or a function/],
    [() => maxConnections({ server: -1 }), /server is -1/],
    [() => maxConnections({ network: Number.NaN }), /network is NaN; it takes a whole number from 0 on/],
    [() => rateLimit({ perMinute: 1, keys: 1.5 }), /keys is 1.5; it takes a whole number above 0/],
    [() => tarpit({ delay: 5, after: 0.5 }), /after is 0.5; it takes a whole number from 0 on/],
    [() => earlyTalker(5 as never), /earlyTalker takes an object of options, not 5/],
    [() => tarpit({ delay: 5, afer: 2 } as never), /no option "afer". Did you mean after\?/],
    [() => hostnameCheck({ own: 'mx.test' } as never), /own is "mx.test"; it takes a list/],
  ])('say what is wrong: %o', (build, message) => {
    expect(complaint(build)).toMatch(message)
  })
})

describe('a policy', () => {
  class Counting {
    readonly name = 'counting'
    readonly seen = new Map()
    readonly helper = (): boolean => true
    sender(): undefined {
      return this.judge()
    }
    private judge(): undefined {
      return undefined
    }
  }
  class Misspelt extends Counting {
    receipient(): undefined {
      return undefined
    }
  }

  it('may be an instance of a class with more in it', () => {
    expect(complaint(() => receiver({ ...sound, policies: [new Counting()] }))).toBe('')
  })

  it.each([
    [undefined, /undefined is no policy/],
    [rateLimit, /a function is no policy \(call it/],
    [{ recipient: () => undefined }, /has no name/],
    [{ name: 'p' }, /policy p has no stage/],
    [{ name: 'p', receipient: () => undefined }, /policy p: there is no stage "receipient". Did you mean recipient\?/],
    [{ name: 'p', rcpt: () => undefined, sender: () => undefined }, /no stage "rcpt". There are: connect/],
    [{ name: 'p', recipient: true }, /recipient is true; it takes a function/],
    [new Misspelt(), /no stage "receipient"/],
  ])('is looked at before it is asked: %o', (policy, message) => {
    const given = policy as unknown as Policy
    for (const build of [
      () => receiver({ ...sound, policies: [given] }),
      () => when(() => true, given),
      () => inOrder(given),
      () => allOf(given),
      () => observeOnly(given),
      () => within(5, given, 'defer'),
    ]) {
      expect(complaint(build)).toMatch(message)
    }
  })

  it.each([
    [() => when({ name: 'p' } as never, {} as never), /when: give a function first, not an object/],
    [() => within(5, new Counting(), 'reject' as never), /within: what counts otherwise is 'defer' or 'pass', not "reject"/],
  ])('is not composed of anything: %o', (build, message) => {
    expect(complaint(build)).toMatch(message)
  })
})

const garbage: readonly unknown[] = ['yes', '', 0, 1, NaN, {}, [], new Error('x'), () => true, Symbol('s'), { kind: 'rejekt' }]
const broken: readonly unknown[] = [
  { kind: 'reject' },
  { kind: 'reject', reply: { code: 250, text: 'Ok' } },
  { kind: 'defer', reply: { code: 450.5, text: 'Hm' } },
  { kind: 'reject', reply: { code: 550 } },
  reject('No\r\n250 Ok'),
]
const oneRecipient = (answer: unknown) => {
  const w = world({ server: answer as never })
  return { w, sent: w.connect().send({ to: 'b@mx.test' }) }
}

describe('an answer that is none', () => {
  const answers = [...garbage, ...broken].flatMap((value) => [() => value, async () => value])

  it.each(answers)('claims nobody: %#', async (accepts) => {
    const { w, sent } = oneRecipient({ accepts })
    expect((await sent).recipients[0]!.reply).toMatch(/^451 4\.3\.0/)
    expect(w.delivered).toEqual([])
    expect(w.events.filter(({ kind }) => kind === 'failed')).toMatchObject([{ what: 'recipient' }])
  })

  it.each([false, null, undefined])('%s claims nobody, and is sound', async (value) => {
    const { w, sent } = oneRecipient({ accepts: () => value })
    expect((await sent).recipients[0]!.reply).toMatch(/^550 5\.1\.1/)
    expect(w.events.filter(({ kind }) => kind === 'failed')).toEqual([])
  })

  it.each(answers)('of a policy lets nothing pass: %#', async (message) => {
    const one = { name: 'p', message } as Policy
    for (const policy of [one, allOf(one), inOrder(one)]) {
      const { w, sent } = oneRecipient({ policies: [policy] })
      expect((await sent).reply).toMatch(/^451 4\.3\.0/)
      expect(w.delivered).toEqual([])
      expect(w.events.filter(({ kind }) => kind === 'failed')).toHaveLength(1)
    }
  })

  const misspelt = { kind: 'rejected', reply: { code: 550, text: 'No' } }
  const mistakes = [false, new Error('x'), () => true, misspelt, { kind: 'defer' }, [misspelt], [reject('a'), reject('b')]]
  it.each(mistakes)('of deliver does not lose mail: %o', async (value) => {
    const { w, sent } = oneRecipient({ deliver: async () => value })
    expect((await sent).reply).toMatch(/^451 4\.3\.0/)
    expect(w.events.filter(({ kind }) => kind === 'failed')).toMatchObject([{ what: 'deliver' }])
  })

  it.each([null, 7, 'an id', { id: 7 }, { kind: 'ticket' }, [{ id: 7 }, { id: 8 }]])(
    'of deliver is what was written: %o',
    async (value) => {
      const { w, sent } = oneRecipient({ deliver: async () => value })
      expect((await sent).reply).toMatch(/^250/)
      expect(w.events.filter(({ kind }) => kind === 'failed')).toEqual([])
    },
  )

  it.each([
    ['tag', [undefined]],
    ['score', ['5', 'why']],
    ['score', [5]],
    ['header', ['X-A', undefined]],
    ['header', [' ', 'a']],
  ] as const)('notes take no nonsense: %s %o', async (method, given) => {
    const policy = {
      name: 'p',
      message: (_: unknown, { notes }: { notes: Record<string, (...given: unknown[]) => void> }) => notes[method]!(...given),
    }
    const { w, sent } = oneRecipient({ policies: [policy] })
    expect((await sent).reply).toMatch(/^451 4\.3\.0/)
    const [failed] = w.events.filter((event) => event.kind === 'failed')
    expect(failed).toMatchObject({ what: 'policy p at message', error: { message: expect.stringMatching(`notes.${method}`) } })
  })
})

describe('those who only listen', () => {
  it('may fail later, and end nothing', async () => {
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    const late = async (): Promise<void> => {
      throw new Error('late')
    }
    const failing: Policy = { name: 'failing', closed: late }
    const told: string[] = []
    const told2: Policy = { name: 'told', closed: () => void told.push('told') }
    const broken: Policy = {
      name: 'broken',
      closed: () => {
        throw new Error('at once')
      },
    }
    const failures: unknown[] = []
    const w = world({
      server: {
        policies: [failing, inOrder(broken, told2), allOf(failing, told2)],
        observe: async (event) => {
          if (event.kind === 'failed') failures.push(event.what)
          throw new Error('observer')
        },
      },
    })
    const client = w.connect()
    expect((await client.send({ to: 'b@mx.test' })).reply).toMatch(/^250/)
    await client.ask('QUIT')
    await client.closed
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
    expect(told).toEqual(['told', 'told'])
    expect(failures).toEqual([
      'policy failing at closed',
      'policy inOrder(broken, told) at closed',
      'policy allOf(failing, told) at closed',
    ])
  })

  it('deferring policies are still heard', async () => {
    const { sent } = oneRecipient({ policies: [when((() => 'truthy') as never, { name: 'p', message: () => defer('Later') })] })
    expect((await sent).reply).toMatch(/^451 4\.7\.1/)
  })
})

describe('a listener', () => {
  it.each([
    [{}, undefined, /either a port or a path/],
    [{}, 25, /either a port or a path/],
    [{ smtp: { tlsRequired: true } }, { port: 0 }, /tlsRequired is set, and a listener without tls could take no mail/],
  ])('says what is wrong: %j %j', async (more, place, message) => {
    const complaint = await receiver({ ...sound, ...more })
      .listen(place as never)
      .catch((error: unknown) => error)
    expect(isMailError(complaint) && complaint.code).toBe('config')
    expect((complaint as Error).message).toMatch(message)
  })
})
