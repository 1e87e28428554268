import { describe, expect, it } from 'vitest'
import { MailError, observeOnly, type Policy, scan, type ScanAction, type ScanOptions } from '../../../src/index.ts'
import type { Scanned, Scanner, ScanSubject } from '../../../src/contracts/index.ts'
import { policyContract, world, type World } from '../../../src/testing/index.ts'

/** A scanner that says this. */
const saying = (scanned: Scanned | Error, name = 'fake'): Scanner => ({
  name,
  scan: () => (scanned instanceof Error ? Promise.reject(scanned) : Promise.resolve(scanned)),
})

const clean: Scanned = { action: 'pass', findings: [] }
const infected: Scanned = { action: 'reject', findings: [{ name: 'Eicar-Signature' }] }
const ham: Scanned = { action: 'pass', findings: [{ name: 'BAYES_00', score: -1.9 }], score: -1.9, threshold: 5 }
const spam = (action: ScanAction): Scanned => ({
  action, findings: [{ name: 'A', score: 1 }, { name: 'GTUBE', score: 14.25 }], score: 15.25, threshold: 5,
})
const sick = new MailError('temporary', 'fake: no connection')
const tooLarge = new MailError('permanent', 'fake: too large')

const forged = 'X-Spam-Flag: NO\r\nX-Other: 1\r\nx-spam-status: No,\r\n score=0\r\nX-Virus-Status: Clean\r\nX-Own: forged\r\n'
const text = `Subject: x\r\n${forged}\r\nx`

interface Said {
  readonly w: World
  readonly reply: string
  readonly header: readonly string[]
  readonly tags: readonly string[]
  readonly scores: readonly string[]
  readonly troubles: readonly string[]
}

async function sent(policy: Policy): Promise<Said> {
  const w = world({ server: { policies: [policy], connections: false } })
  const { reply } = await w.clock.until(w.connect('203.0.113.9').send({ to: 'a@mx.test', content: text }))
  const [message] = w.delivered
  const notes = message?.notes ?? []
  return {
    w,
    reply,
    header: (message?.headers.fields ?? []).flatMap(({ name, value }) => (name === 'Received' ? [] : [`${name}: ${value}`])),
    tags: notes.flatMap((note) => (note.kind === 'tag' ? [note.tag] : [])),
    scores: notes.flatMap((note) => (note.kind === 'score' ? [`${note.score} ${note.why}`] : [])),
    troubles: w.events.flatMap((event) => (event.kind === 'failed' ? [`${event.what}: ${(event.error as Error).message}`] : [])),
  }
}

const scanned = (says: Scanned | Error, options: ScanOptions = { onError: 'defer' }): Promise<Said> =>
  sent(scan(saying(says), options))

const rest = ['Subject: x', 'X-Other: 1', 'X-Own: forged']

describe('scan writes down what was found, and takes out what others have written', () => {
  it.each<readonly [string, Scanned, Partial<Said>]>([
    ['no virus', clean, { header: ['X-Virus-Status: Clean', ...rest], tags: [], scores: [] }],
    ['a virus', { ...infected, action: 'tag' }, {
      header: ['X-Virus-Status: Infected (Eicar-Signature)', ...rest], tags: ['virus'],
    }],
    ['ham', ham, {
      header: ['X-Spam-Status: No, score=-1.9 required=5 tests=BAYES_00 scanner=fake', ...rest], tags: [],
      scores: ['-1.9 -1.9 of 5 points: BAYES_00'],
    }],
    ['spam', spam('tag'), {
      header: ['X-Spam-Status: Yes, score=15.3 required=5 tests=A,GTUBE scanner=fake', 'X-Spam-Flag: YES', ...rest],
      tags: ['spam'],
      scores: ['15.25 15.3 of 5 points: GTUBE, A'],
    }],
    ['spam that is set apart', spam('quarantine'), {
      header: [
        'X-Spam-Status: Yes, score=15.3 required=5 tests=A,GTUBE scanner=fake', 'X-Spam-Flag: YES',
        'X-Quarantine-Reason: scan(fake): 15.3 of 5 points: GTUBE, A', ...rest,
      ],
    }],
    ['nothing in particular', { action: 'tag', findings: [], score: 0 }, {
      header: ['X-Spam-Status: Yes, score=0 tests=none scanner=fake', 'X-Spam-Flag: YES', ...rest],
    }],
    ['names that are none', { action: 'tag', findings: [{ name: 'a,b\r\nBcc: (c) =?x?q?d?=' }] }, {
      header: ['X-Virus-Status: Infected (a_b__Bcc:__c____x_q_d__)', ...rest],
    }],
    ['what wants fields, too', {
      ...clean, addFields: [['X-Own', 'ours'], ['X-Gr\u00fc\u00df', 'no'], ['Subject', 'na\u00efve']], removeFields: ['x-other'],
    }, { header: ['X-Virus-Status: Clean', 'X-Own: ours', 'Subject: =?UTF-8?B?bmHDr3Zl?=', 'Subject: x'] }],
  ])('%s', async (_, says, expected) => {
    const said = await scanned(says)
    expect(said).toMatchObject({ troubles: [], ...expected, reply: expect.stringMatching(/^250 /) as string })
  })

  it('writes no more than fits, whatever the scanner says', async () => {
    const findings = Array.from({ length: 5000 }, (_, at) => ({ name: `SYMBOL_${at}`, score: at }))
    const addFields = Array.from({ length: 5000 }, (_, at) => [`X-F${at}`, 'x'.repeat(10_000)] as const)
    const { header, scores } = await scanned({ action: 'tag', findings, score: 1, addFields })
    expect(Math.max(...header.map((line) => line.length))).toBeLessThan(5000)
    expect(header.length).toBeLessThan(60)
    expect(scores[0]).toMatch(/^1 1 points: SYMBOL_4999, SYMBOL_4998, /)
    expect(scores[0]!.length).toBeLessThan(800)
  })

  it('leaves the header to others where it is told to, but for what is forged', async () => {
    const said = await scanned({ ...spam('tag'), addFields: [['X-Own', 'ours']] }, { onError: 'defer', fields: false })
    expect(said).toMatchObject({ header: rest, tags: ['spam'] })
  })
})

describe('scan does what the scanner asks for', () => {
  const reason = { code: 554, enhanced: '5.7.1', text: 'Not here' }
  it.each<readonly [string, Scanned, Partial<ScanOptions>, RegExp, string]>([
    ['a virus is refused by name', infected, {}, /^550 5\.7\.1 Message refused: it contains Eicar-Signature$/, 'refused'],
    ['spam is not told by what', spam('reject'), {}, /^550 5\.7\.1 Message refused as spam$/, 'refused'],
    ['unless the scanner says', { ...spam('reject'), text: 'Gtube\r\n250 \u201cyes\u201d' }, {}, /^550 5\.7\.1 Gtube 250 yes$/,
      'refused'],
    ['or the host', infected, { reject: reason }, /^554 5\.7\.1 Not here$/, 'refused'],
    ['greylisting', { ...ham, action: 'defer', text: 'Later' }, {}, /^451 4\.7\.1 Later$/, 'refused'],
    ['greylisting in silence', { ...ham, action: 'defer' }, {}, /^451 4\.7\.1 Try again later$/, 'refused'],
    ['quarantine', spam('quarantine'), {}, /^250 /, 'quarantine'],
    ['discard', spam('discard'), {}, /^250 /, 'discard'],
    ['tag', spam('tag'), {}, /^250 /, 'accepted'],
    ['reject made quarantine', infected, { actions: { reject: 'quarantine' } }, /^250 /, 'quarantine'],
    ['tag made quarantine', spam('tag'), { actions: { tag: 'quarantine' } }, /^250 /, 'quarantine'],
    ['reject made discard', infected, { actions: { reject: 'discard' } }, /^250 /, 'discard'],
    ['defer made pass', { ...ham, action: 'defer' }, { actions: { defer: 'pass' } }, /^250 /, 'accepted'],
    ['another one changes nothing', infected, { actions: { tag: 'pass' } }, /^550 /, 'refused'],
  ])('%s', async (_, says, options, reply, fate) => {
    const { w, reply: given } = await scanned(says, { onError: 'defer', ...options })
    expect(given).toMatch(reply)
    const last = w.events.findLast(({ kind }) => kind === 'accepted' || kind === 'refused')!
    const isSetApart = w.delivered[0]?.notes.some(({ kind }) => kind === 'quarantine')
    const told = last.kind === 'accepted' ? (last.discarded ? 'discard' : isSetApart ? 'quarantine' : 'accepted') : last.kind
    expect(told).toBe(fate)
  })

  it('and who dropped a message, and why, is told', async () => {
    const { w } = await scanned(spam('discard'))
    expect(w.delivered).toEqual([])
    expect(w.events.findLast(({ kind }) => kind === 'accepted')).toMatchObject({
      discarded: true, discards: [{ policy: 'scan(fake)', why: '15.3 of 5 points: GTUBE, A' }],
    })
  })

  it('gives the scanner the message, as it is', async () => {
    let seen: { subject: ScanSubject; text: string } | undefined
    const scanner: Scanner = {
      name: 'fake',
      scan: async (subject) => {
        let read = ''
        for await (const bytes of subject.raw()) read += Buffer.from(bytes).toString()
        seen = { subject, text: read }
        return clean
      },
    }
    await sent(scan(scanner, { onError: 'pass' }))
    expect(seen!.text.endsWith(`${text}\r\n`)).toBe(true)
    expect(seen!.subject).toMatchObject({ octets: seen!.text.length, connection: { peer: { address: '203.0.113.9' } } })
    expect(seen!.subject.envelope.recipients.map(({ wire }) => wire)).toEqual(['a@mx.test'])
  })
})

describe('scan, where the scanner cannot say,', () => {
  const trouble = (what: string): string[] => [`policy scan(fake) at message: ${what}`]

  it.each<readonly [string, Error, ScanOptions, Omit<Partial<Said>, 'reply'> & { readonly reply: string | object }]>([
    ['defers', sick, { onError: 'defer' }, {
      reply: '451 4.3.0 Temporary failure, try again later', troubles: trouble('fake: no connection'), tags: [],
    }],
    ['passes, and tells', sick, { onError: 'pass' }, {
      reply: expect.stringMatching(/^250 /) as object,
      troubles: trouble('fake: no connection'),
      tags: ['unscanned'],
      header: rest,
    }],
    ['refuses what is too large where it would defer', tooLarge, { onError: 'defer' }, {
      reply: '552 5.3.4 Message too big to be scanned', troubles: [],
    }],
    ['passes what is too large where it would pass', tooLarge, { onError: 'pass' }, {
      reply: expect.stringMatching(/^250 /) as object, troubles: trouble('fake: too large'), tags: ['unscanned'],
    }],
    ['passes what is too large where it is told to', tooLarge, { onError: 'defer', tooLarge: 'pass' }, {
      reply: expect.stringMatching(/^250 /) as object, tags: ['unscanned'],
    }],
    ['refuses what is too large where it is told to', tooLarge, { onError: 'pass', tooLarge: 'reject' }, {
      reply: '552 5.3.4 Message too big to be scanned',
    }],
    ['whatever else it throws', new TypeError('oops'), { onError: 'defer' }, {
      reply: '451 4.3.0 Temporary failure, try again later', troubles: trouble('oops'),
    }],
  ])('%s', async (_, error, options, expected) => {
    expect(await scanned(error, options)).toMatchObject(expected)
  })

  it.each(['pass', 'defer'] as const)('not within its time: %s', async (onError) => {
    const signals: AbortSignal[] = []
    const scanner: Scanner = {
      name: 'fake',
      scan: (_, signal) => {
        signals.push(signal)
        return new Promise(() => undefined)
      },
    }
    const policy = scan(scanner, { onError, within: 20_000 })
    expect(policy.waits).toEqual({ message: 20_000 })
    const { w, reply, troubles } = await sent(policy)
    expect(reply.slice(0, 3)).toBe(onError === 'pass' ? '250' : '451')
    expect(troubles).toEqual(trouble('fake did not answer within 20000 ms'))
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
    expect(w.clock.ticks()).toBeGreaterThanOrEqual(20_000)
  })

  it('does nothing where it only looks on, but for what it writes', async () => {
    const said = await sent(observeOnly(scan(saying(infected), { onError: 'defer' })))
    expect(said.reply).toMatch(/^250 /)
    expect(said.tags).toEqual(['virus', 'would reject: 550 5.7.1 Message refused: it contains Eicar-Signature'])
  })
})

describe('scan refuses', () => {
  const scanner = saying(clean)
  it.each<readonly [string, () => unknown, RegExp]>([
    ['no choice', () => scan(scanner, {} as ScanOptions), /scan: onError is missing; it takes 'pass' or 'defer'/],
    ['another one', () => scan(scanner, { onError: 'accept' as 'pass' }), /onError is "accept"/],
    ['no scanner', () => scan({} as Scanner, { onError: 'pass' }), /give a scanner first/],
    ['what is called, not made', () => scan((() => scanner) as unknown as Scanner, { onError: 'pass' }), /give a scanner first/],
    ['another action', () => scan(scanner, { onError: 'pass', actions: { virus: 'reject' } as object }), /no option "virus"/],
    ['an action that does nothing', () => scan(scanner, { onError: 'pass', actions: { tag: 'junk' as 'tag' } }), /tag is "junk"/],
    ['a reply that is none', () => scan(scanner, { onError: 'pass', reject: { code: 250, text: 'Ok' } }), /it takes a reply/],
    ['no time', () => scan(scanner, { onError: 'pass', within: Infinity }), /at most a day/],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: 'config', message: expect.stringMatching(message) as string }) as Error)
  })
})

describe('scan keeps the contract', () => {
  policyContract({ describe, it, open: () => scan(saying(spam('tag')), { onError: 'defer' }), skipped: () => undefined })
})
