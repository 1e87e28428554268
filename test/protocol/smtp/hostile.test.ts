import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { login, plain } from '../../../src/protocol/sasl/index.ts'
import { isMailError, type AnswerTo } from '../../../src/protocol/session/index.ts'
import {
  type Reply,
  type SmtpPeer,
  smtpServerConfig,
  type SmtpServerEvent,
  type SmtpServerOptions,
  smtpServerSession,
} from '../../../src/protocol/smtp/index.ts'
import { type Asked, heldEvents, heldOctets, Ledger } from './ledger.ts'

/** What a session may keep whatever its peer does, beside the chunk that came last: see docs/limits.md. */
const BOUND = 64 * 1024 + 12_288 + 64 * 1024 + 16 * 1024

const latin1 = (text: string): Uint8Array => Buffer.from(text, 'latin1')

const options: SmtpServerOptions[] = [
  { hostname: 'mx.example.org', rules: { earlyTalk: 'accept' } },
  { hostname: 'mx.example.org', profile: 'submission', startTls: true, auth: { mechanisms: [plain, login], withoutTls: true } },
  { hostname: 'mx.example.org', profile: 'lmtp', limits: { messageOctets: 200, recipients: 3, errors: 40 } },
  {
    hostname: 'mx.example.org',
    profile: 'test',
    limits: { commandOctets: 80, authOctets: 90, skippedOctets: 300, commands: 60, window: 3 },
  },
]
const configs = options.map(smtpServerConfig)
const peers: SmtpPeer[] = [{}, { trusted: true }, { secure: true }]

/** Lines that a client might send, and some that no client would. */
const line = fc.constantFrom(
  'EHLO client.example', 'LHLO client.example', 'HELO client.example', 'MAIL FROM:<a@client.example>', 'MAIL FROM:<>',
  'MAIL FROM:<x@defer.example> SIZE=100', 'MAIL FROM:<a@client.example> BODY=BINARYMIME', 'RCPT TO:<b@example.org>',
  'RCPT TO:<c@example.org>', 'RCPT TO:<d@refuse.example>', 'RCPT TO:<postmaster>', 'DATA', 'DATA', '.', '..', '.x',
  'Subject: x', '', 'Received: by x', 'BDAT 3', 'BDAT 10 LAST', 'BDAT 0 LAST', 'BDAT 500', 'BDAT x', 'RSET', 'NOOP', 'QUIT',
  'VRFY x', 'EXPN x', 'HELP', 'STARTTLS', 'AUTH PLAIN AHVzZXIAc2VjcmV0', 'AUTH LOGIN', 'dXNlcg==', '*',
  'XCLIENT ADDR=192.0.2.1', 'XFORWARD NAME=x', 'nonsense',
)
const odd = fc.constantFrom('\r', '\n', '\0', '.', '\u00ff', 'x'.repeat(350), '\r\n.\r\n', ' ', 'BDAT 5 LAST\r\nhello')
const conversation = fc
  .array(fc.oneof({ weight: 10, arbitrary: line.map((text) => `${text}\r\n`) }, { weight: 1, arbitrary: odd }), {
    maxLength: 40,
    size: 'max',
  })
  .map((parts) => parts.join(''))
/** One in which a message gets through now and then. */
const likely = fc
  .array(
    fc.oneof(
      conversation,
      fc.constantFrom(
        'EHLO c\r\n',
        'LHLO c\r\n',
        'MAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\nDATA\r\nx\r\n.\r\n',
        'MAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\nBDAT 3\r\nabcBDAT 2 LAST\r\n\r\n',
        'MAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\nDATA\r\nx\ny\r\n',
        'MAIL FROM:<a@b.c>\r\nRCPT TO:<b@b.c>\r\nBDAT 3\r\nx\nyRSET\r\n',
      ),
    ),
    { minLength: 1, maxLength: 6, size: 'max' },
  )
  .map((parts) => parts.join(''))

/** A host that decides by what is asked, so that every run hears the same. */
function decide(event: Asked): AnswerTo<SmtpServerEvent> | undefined {
  const text = event.kind === 'recipient' ? event.recipient.domain : event.kind === 'sender' ? (event.sender?.domain ?? '') : ''
  if (event.kind === 'auth') return { account: 'user' }
  if (text.startsWith('refuse')) return { code: 550, enhanced: '5.1.1', text: 'No' }
  if (text.startsWith('defer')) return { code: 450, enhanced: '4.2.0', text: 'Later' }
  return undefined
}

interface Heard {
  readonly output: string
  readonly events: readonly string[]
}

const tell = (event: SmtpServerEvent): string =>
  JSON.stringify(event, (_name, value: unknown) => (value instanceof Map ? [...value] : value))

/**
 * Runs pieces through a session and writes down what it says; neighbouring body events as one, those of refused content not
 * at all.
 */
function hear(
  config: (typeof configs)[number],
  peer: SmtpPeer,
  pieces: readonly string[],
  burst: boolean,
  late?: 'first' | 'last',
): Heard {
  const session = smtpServerSession(config, peer, 0)
  const open: Asked[] = []
  const events: string[] = []
  let output = ''
  let body = ''
  const take = (event: SmtpServerEvent): void => {
    if (event.kind === 'body') return void (body += Buffer.from(event.bytes).toString('latin1'))
    if (body !== '' && !(event.kind === 'abandoned' && event.why === 'refused')) events.push(`body ${body}`)
    body = ''
    events.push(tell(event))
    if ('id' in event && late) open.push(event)
    else if ('id' in event) session.answer(event, decide(event) as never)
    if (event.kind === 'startTls') session.tlsEstablished(0, { protocol: 'TLSv1.3', cipher: 'x' })
  }
  const pump = (): void => {
    for (;;) {
      for (let event = session.next(); event; event = session.next()) take(event)
      const said = session.takeOutput().join('')
      output += said
      const question = late === 'first' ? open.shift() : open.pop()
      if (question) session.answer(question, decide(question) as never)
      else if (said === '') return
    }
  }
  pump()
  for (const piece of pieces) {
    session.receive(0, latin1(piece))
    if (!burst) pump()
  }
  pump()
  session.receiveEnd(0)
  pump()
  return { output, events }
}

const cut = (text: string, cuts: readonly number[]): string[] => {
  const at = [0, ...cuts.map((value) => value % (text.length + 1)).sort((a, b) => a - b), text.length]
  return at.slice(1).map((end, index) => text.slice(at[index], end))
}

const which = fc.record({ config: fc.constantFrom(...configs), peer: fc.constantFrom(...peers) })
const cuts = fc.array(fc.nat(5000), { maxLength: 10, size: 'max' })

/** Without STARTTLS: TLS is up at once here, so that the split decides what came before. */
const clear = (text: string): string => text.replaceAll('STARTTLS', 'NOOP')

const nonsense = fc.constantFrom('\r', '\n', ' ', 'A', 'D', '.', '\0', '\u00ff', ':', '<', '>', '\r\n')

describe('any split of the input', () => {
  it.each([
    ['conversations that might be', likely],
    ['conversations of no sense', conversation],
    [
      'octets of no sense',
      fc.string({ unit: nonsense, maxLength: 300, size: 'max' }),
    ],
  ])('gives the same events and the same output: %s', (_what, arbitrary) => {
    fc.assert(
      fc.property(which, arbitrary, cuts, ({ config, peer }, raw, at) => {
        const text = clear(raw)
        const whole = hear(config, peer, [text], false)
        expect(hear(config, peer, [...text], false)).toEqual(whole)
        expect(hear(config, peer, cut(text, at), false)).toEqual(whole)
        expect(hear(config, peer, cut(text, at), true)).toEqual(whole)
      }),
      { numRuns: 300 },
    )
  })
})

describe('answers that come late, and those to recipients in the wrong order', () => {
  const patient = options.map((option) =>
    smtpServerConfig({
      ...option,
      limits: { ...option.limits, errors: Infinity, commands: Infinity, refusedRecipients: Infinity, skippedOctets: Infinity },
    }),
  )

  it('change nothing of what is said', () => {
    fc.assert(
      fc.property(fc.constantFrom(...patient), likely.map(clear), cuts, (config, text, at) => {
        const now = hear(config, {}, [text], false)
        expect(hear(config, {}, cut(text, at), false, 'first')).toEqual(now)
        expect(hear(config, {}, cut(text, at), true, 'last')).toEqual(now)
      }),
      { numRuns: 500 },
    )
  })
})

/** Things that happen to a session from outside. */
type Act =
  | { readonly do: 'send'; readonly text: string }
  | { readonly do: 'answer'; readonly which: number; readonly answer: unknown; readonly twice: boolean }
  | { readonly do: 'fail'; readonly which: number }
  | { readonly do: 'wait'; readonly milliseconds: number }
  | { readonly do: 'end' | 'disconnect' | 'drain' | 'tls' }

const reply = fc.constantFrom<unknown>(
  undefined,
  { code: 250, enhanced: '2.1.5', text: 'Welcome' },
  { code: 450, enhanced: '4.2.0', text: 'Later' },
  { code: 550, text: ['No', 'never'] },
  { code: 421, enhanced: '4.3.2', text: 'Going down' },
  { code: 354, text: 'go' },
  { code: 250, text: 'evil\r\n250 more' },
  { account: 'user' },
  { account: 5 },
  [{ code: 250, text: 'one' }],
  [],
  null,
  'nonsense',
)
const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 80, arbitrary: fc.record({ do: fc.constant('send' as const), text: likely }) },
  {
    weight: 120,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      which: fc.integer({ min: -3, max: 3 }),
      answer: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, reply),
      twice: fc.boolean(),
    }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('fail' as const), which: fc.nat(3) }) },
  {
    weight: 20,
    arbitrary: fc.record({ do: fc.constant('wait' as const), milliseconds: fc.constantFrom(1, 999, 61_000, 301_000) }),
  },
  { weight: 20, arbitrary: fc.constant({ do: 'tls' as const }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'disconnect' as const, 'drain' as const) }) },
)

/** A session under a host that answers as it likes, its books kept. */
class Siege {
  readonly session
  readonly ledger = new Ledger()
  private readonly late: Asked[] = []
  private now = 0
  private steps = 0
  private sent = 0
  private inputs = 0
  private largest = 0

  /** Which of its questions are answered at once. */
  private readonly ready: readonly boolean[]

  constructor(config: (typeof configs)[number], peer: SmtpPeer, ready: readonly boolean[]) {
    this.session = smtpServerSession(config, peer, this.now)
    this.ready = ready
    this.pump()
  }

  act(step: Act): void {
    const { session } = this
    this.inputs++
    if (step.do === 'send') this.send(step.text)
    else if (step.do === 'answer') this.answer(step.which, step.answer, step.twice)
    else if (step.do === 'fail') this.answer(step.which, 'fail', false)
    else if (step.do === 'wait') session.advance((this.now += step.milliseconds))
    else if (step.do === 'end') session.receiveEnd(this.now)
    else if (step.do === 'drain') session.drain(this.now)
    else if (step.do === 'tls') session.tlsEstablished(this.now, { protocol: 'TLSv1.3', cipher: 'x' })
    else if (step.do === 'disconnect') {
      session.disconnect(this.now)
      this.ledger.ended = true
    }
    this.pump()
  }

  /** Ends it in one way or another; all must be over then. */
  finish(): void {
    this.act({ do: 'end' })
    for (let rounds = 0; !this.ledger.closed; rounds++) {
      const { deadline } = this.session
      expect(deadline).toBeDefined()
      expect(rounds).toBeLessThan(2000)
      this.now = Math.max(this.now, deadline!)
      this.session.advance(this.now)
      this.pump()
    }
    expect(this.session.closed).toBe(true)
    expect(this.session.next()).toBeUndefined()
    expect(this.session.takeOutput()).toEqual([])
    expect(this.session.deadline).toBeUndefined()
    expect(this.session.wantsInput).toBe(false)
  }

  private send(text: string): void {
    for (const piece of cut(text, [text.length >> 1])) {
      if (!this.session.wantsInput) return
      this.session.receive(this.now, latin1(piece))
      this.largest = Math.max(this.largest, piece.length)
      this.sent += piece.length
      this.look()
    }
  }

  private answer(which: number, answer: unknown, twice: boolean): void {
    const { open: waiting } = this.ledger
    const question = which < 0 || waiting.size === 0 ? this.late.at(which) : [...waiting.values()][which % waiting.size]
    if (!question) return
    const open = this.ledger.open.has(question.id)
    let taken: boolean
    try {
      taken = answer === 'fail' ? this.session.fail(question) : this.session.answer(question, answer as never)
    } catch (error) {
      // No answer that can be given: it must have had no effect.
      expect(isMailError(error) ? error.code : error instanceof TypeError).toBe(isMailError(error) ? 'misuse' : true)
      expect(open).toBe(true)
      taken = this.session.fail(question)
      answer = 'fail'
    }
    expect(taken).toBe(open)
    this.late.push(question)
    if (taken) this.ledger.answered(question, answer === 'fail' || (answer as Reply | undefined)?.code! >= 400)
    if (twice) expect(this.session.answer(question, undefined)).toBe(false)
  }

  private pump(): void {
    for (;;) {
      for (let event = this.session.next(); event; event = this.session.next()) {
        this.ledger.event(event)
        this.steps++
        this.look()
        if ('id' in event && this.ready[event.id % this.ready.length]) {
          this.session.answer(event, event.kind === 'auth' ? { account: 'user' } : undefined)
          this.ledger.answered(event, false)
        }
      }
      const said = this.session.takeOutput().join('')
      this.ledger.output(said)
      if (said === '') break
    }
    // Each event is owed to some octets, or to something that happened.
    expect(this.steps).toBeLessThanOrEqual(4 + 2 * this.sent + 30 * this.inputs)
    const { deadline } = this.session
    if (this.ledger.closed) expect(deadline).toBeUndefined()
    else if (deadline !== undefined && deadline <= this.now) {
      // Overdue already: once told the time it is not any more, so nobody spins.
      this.session.advance(this.now)
      if (this.session.deadline !== undefined) expect(this.session.deadline).toBeGreaterThan(this.now)
      this.pump()
    }
  }

  private look(): void {
    if (heldOctets(this.session) > BOUND + this.largest) throw new Error(`${heldOctets(this.session)} octets are held`)
    if (heldEvents(this.session) > 25) throw new Error(`${heldEvents(this.session)} events are held`)
  }
}

describe('a hostile peer, and a host that answers late, out of order, twice, or nonsense', () => {
  it('never makes the session throw, hang, lose count or hold more than it says', () => {
    fc.assert(
      fc.property(
        which,
        fc.array(fc.boolean(), { minLength: 1, maxLength: 7, size: 'max' }),
        fc.array(act, { maxLength: 40, size: 'max' }),
        ({ config, peer }, ready, acts) => {
          const siege = new Siege(config, peer, ready)
          for (const step of acts) siege.act(step)
          siege.finish()
        },
      ),
      { numRuns: 1500 },
    )
  })

  it.each([
    ['octets without a line end', 'x'],
    ['line ends', '\r\n'],
    ['commands', 'NOOP\r\n'],
    ['recipients', 'RCPT TO:<a@b.c>\r\n'],
    ['chunks', 'BDAT 1\r\nx'],
    ['content', 'x'.repeat(998) + '\r\n'],
  ])('holds no more than it says of a flood of %s', (_what, unit) => {
    for (const size of [1, 1000, 65_536]) {
      for (const waiting of [false, true]) {
        const session = smtpServerSession(
          smtpServerConfig({ hostname: 'mx.example.org', limits: { errors: Infinity, commands: Infinity } }),
          {},
          0,
        )
        const pump = (): void => {
          for (let event = session.next(); event; event = session.next()) {
            if ('id' in event && !(waiting && event.kind === 'recipient')) session.answer(event, undefined)
          }
        }
        pump()
        const start = `EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.c>\r\n${unit.startsWith('x'.repeat(998)) ? 'DATA\r\n' : ''}`
        session.receive(0, latin1(start))
        pump()
        const chunk = latin1(unit.repeat(Math.ceil(size / unit.length)).slice(0, size))
        let chunks = 0
        // Output is not taken: a peer that does not read.
        while (session.wantsInput && chunks++ < 300_000 / size) {
          session.receive(0, chunk)
          pump()
          if (heldOctets(session) > BOUND + size) expect(heldOctets(session)).toBeLessThanOrEqual(BOUND + size)
        }
      }
    }
  })
})
