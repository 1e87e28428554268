import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ClientMessage, SmtpClientEvent, SmtpClientOptions } from '../../../../src/protocol/smtp/index.ts'
import { smtpClientConfig, smtpClientSession } from '../../../../src/protocol/smtp/index.ts'
import { Books } from './books.ts'
import { FickleServer } from './fickle.ts'
import { facts, messageTo, octetsOf, textOf } from './talk.ts'

/*
 * Whatever the server says, however it is cut, whenever the connection breaks or a deadline passes, and whatever the host does:
 * each recipient of each message that was handed over gets one outcome, each message one `done` behind them, and the conversation
 * comes to its end.
 */

type Step =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'wait'; readonly milliseconds: number }
  | { readonly kind: 'answer'; readonly how: number }
  | { readonly kind: 'end' | 'cut' | 'drain' | 'secured' | 'take' }

const replies = [
  '220 hello', '250 ok', '250-mx\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250 STARTTLS', '250 2.1.0 ok',
  '354 go',
  '250-mx\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 BINARYMIME', '250-mx\r\n250 LIMITS MAILMAX=2 RCPTMAX=2 RCPTDOMAINMAX=1',
  '421 4.3.2 bye', '450 4.2.0 later', '452 4.5.3 too many', '500 what', '502 no', '550 5.1.1 nobody', '552 5.5.3 too many',
  '554 no',
  '221 bye', '235 welcome', '334 ', '334 !!!', '251 ok', '299 odd', '300 odd', '999 odd', 'garbage', '250-never ends', '', '250',
]

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...replies).map((text): Step => ({ kind: 'say', text: `${text}\r\n` })) },
  { weight: 6, arbitrary: fc.nat(5).map((how): Step => ({ kind: 'answer', how })) },
  { weight: 4, arbitrary: fc.constant<Step>({ kind: 'take' }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }).map((text): Step => ({ kind: 'say', text })) },
  { weight: 1, arbitrary: fc.constantFrom(1000, 61_000, 700_000).map((milliseconds): Step => ({ kind: 'wait', milliseconds })) },
  { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: 'end' }, { kind: 'cut' }, { kind: 'drain' }, { kind: 'secured' }) },
)

/** The way that things should go, with more or less of it spoilt. */
const hopeful: fc.Arbitrary<Step[]> = fc
  .tuple(fc.array(steps, { maxLength: 3 }), fc.array(steps, { maxLength: 30 }))
  .map(([spoilt, rest]) => [
    { kind: 'say', text: '220 hello\r\n' }, { kind: 'say', text: `${replies[rest.length % 2 === 0 ? 2 : 5]}\r\n` },
    { kind: 'answer', how: 0 }, ...spoilt, { kind: 'say', text: '250 ok\r\n250 ok\r\n550 no\r\n' }, ...rest,
  ])

const messages: readonly ClientMessage[] = [
  messageTo(['b@example.org', 'c@example.org']),
  messageTo(['b@example.org', 'c@elsewhere.example', 'd@example.org'], { content: { encoding: '8bit', size: 900 } }),
  messageTo(['ü@example.org', 'c@example.org'], { content: { encoding: 'binary', size: 2000 } }),
]

const variants: readonly Partial<SmtpClientOptions>[] = [
  {},
  { protocol: 'lmtp' },
  { tls: 'opportunistic' },
  { tls: 'required', limits: { window: 2 } },
  { chunking: 'always', limits: { chunkOctets: 10 } },
  { timeouts: { keepAlive: 20_000 } },
]

function answerOf(question: SmtpClientEvent & { readonly id: number }, how: number): unknown {
  if (how === 5) return undefined
  switch (question.kind) {
    case 'ready':
      return messages[how % messages.length]
    case 'convert':
      return { encoding: how % 2 === 0 ? '7bit' : '8bit' }
    case 'content':
      return { bytes: octetsOf(['', 'Subject: x\r\n', '.\n', 'text that is longer\r\n.'][how % 4]!), last: how > 2 }
    default:
      return octetsOf('key')
  }
}

function play(options: Partial<SmtpClientOptions>, script: readonly Step[], split: (text: string) => readonly string[]): Books {
  const session = smtpClientSession(smtpClientConfig({ hello: 'client.example', tls: 'never', ...options }), {}, 0)
  const books = new Books()
  let now = 0
  const events = (): void => {
    for (let event = session.next(); event; event = session.next()) books.event(event)
  }
  const answer = (how: number): void => {
    const { open } = books
    if (!open) return
    const given = answerOf(open, how)
    // Before it is told of: what comes of the message may come at once.
    if (open.kind === 'ready' && given !== undefined) {
      books.hand(open.id, (given as ClientMessage).recipients.length)
    }
    books.open = undefined
    if (!session.answer(open, given as never)) throw new Error('the answer was not taken')
  }
  const does: { readonly [K in Step['kind']]: (step: Step) => void } = {
    say: (step) => split((step as { text: string }).text).forEach((piece) => {
      session.receive(now, octetsOf(piece))
      events()
    }),
    wait: (step) => session.advance((now += (step as { milliseconds: number }).milliseconds)),
    answer: (step) => answer((step as { how: number }).how),
    take: () => void session.takeOutput(),
    end: () => session.receiveEnd(now),
    cut: () => session.disconnect(now),
    drain: () => session.drain(now),
    secured: () => session.tlsEstablished(now, facts),
  }
  events()
  for (const step of script) {
    does[step.kind](step)
    events()
  }
  session.disconnect(now)
  events()
  if (!books.closed || !session.closed) throw new Error('it has no end')
  return books
}

describe('whatever happens', () => {
  const splits: readonly ((text: string) => readonly string[])[] = [(text) => [text], (text) => [...text]]

  it.each(variants.map((options) => [JSON.stringify(options), options] as const))('%s', (_, options) => {
    fc.assert(fc.property(fc.oneof(hopeful, fc.array(steps, { maxLength: 40 })), fc.constantFrom(...splits), (script, split) => {
      play(options, script, split)
    }), { numRuns: 400 })
  })

  it('a conversation that nobody ends comes to its end by its deadlines', () => {
    fc.assert(fc.property(hopeful, (script) => {
      const session = smtpClientSession(smtpClientConfig({ hello: 'client.example', tls: 'never' }), {}, 0)
      let told = 0
      const events = (): void => {
        for (let event = session.next(); event; event = session.next()) {
          if (event.kind === 'ready' && told === 0) session.answer(event, messages[0])
          if (event.kind === 'outcome') told++
        }
        session.takeOutput()
      }
      events()
      for (const step of script) {
        if (step.kind === 'say') session.receive(0, octetsOf(step.text))
        events()
      }
      for (let rounds = 0; session.deadline !== undefined; rounds++) {
        expect(rounds).toBeLessThan(20)
        session.advance(session.deadline)
        events()
      }
      expect(session.closed).toBe(true)
    }), { numRuns: 200 })
  })

  interface Played {
    readonly told: readonly string[]
    readonly heard: readonly string[]
    readonly taken: FickleServer['taken']
    readonly accepted: number
    readonly unknown: number
  }

  /** A conversation with a server that keeps to the protocol; `cut`: octets from the client after which it breaks. */
  function converse(
    options: Partial<SmtpClientOptions>,
    offers: readonly string[],
    whims: readonly number[],
    split: number,
    cut = Infinity,
  ): Played {
    const server = new FickleServer(offers, whims, options.protocol === 'lmtp')
    const session = smtpClientSession(smtpClientConfig({ hello: 'client.example', tls: 'never', ...options }), {}, 0)
    const books = new Books()
    const told: string[] = []
    const given = new Map<number, number>()
    let [handed, left, accepted, unknown] = [0, cut, 0, 0]
    const events = (): void => {
      for (let event = session.next(); event; event = session.next()) {
        books.event(event)
        if (event.kind === 'outcome') {
          const message = [...books.handed.keys()].indexOf(event.message)
          told.push([message, event.recipient, event.result, event.phase, event.code, event.status].join(' '))
          if (event.result === 'accepted') accepted++
          if (event.result === 'unknown') unknown++
        }
        if (event.kind === 'ready') {
          const message = handed < 6 ? messages[handed++ % messages.length] : undefined
          if (message) books.hand(event.id, message.recipients.length)
          books.open = undefined
          session.answer(event, message)
        } else if (event.kind === 'content') {
          // As much of it at a time as the split says.
          const from = given.get(event.message) ?? 0
          given.set(event.message, from + split)
          books.open = undefined
          const bytes = octetsOf('Subject: x\r\n\r\n.dot\nlines'.slice(from, from + split))
          session.answer(event, { bytes, last: from + split >= 26 })
        } else if (event.kind === 'convert') {
          books.open = undefined
          session.answer(event, { encoding: '7bit' })
        }
      }
    }
    events()
    let said = '220 hello\r\n'
    while (!session.closed && left > 0) {
      for (let at = 0; at < said.length; at += split) {
        session.receive(0, octetsOf(said.slice(at, at + split)))
        events()
      }
      let out = ''
      for (let pieces = session.takeOutput(); pieces.length > 0; pieces = session.takeOutput()) {
        out += textOf(pieces)
        events()
      }
      if (out === '' && !session.closed) throw new Error(`it is stuck behind ${server.heard.at(-1)}`)
      said = server.hear(out.slice(0, left))
      left -= out.length
    }
    session.disconnect(0)
    events()
    if (!books.closed) throw new Error('it has no end')
    return { told, heard: server.heard, taken: server.taken, accepted, unknown }
  }

  const offered = fc.subarray([
    'PIPELINING', 'SIZE 5000', '8BITMIME', 'SMTPUTF8', 'CHUNKING', 'BINARYMIME', 'DSN', 'LIMITS RCPTMAX=2',
  ])
  const protocols = fc.constantFrom<Partial<SmtpClientOptions>>(
    {}, { protocol: 'lmtp' }, { limits: { window: 2 } }, { chunking: 'always', limits: { chunkOctets: 10 } },
  )
  const whims = fc.array(fc.nat(30).map((whim) => (whim > 12 ? 0 : whim)), { maxLength: 60 })

  it('a server that keeps to the protocol has what it was said to have; in any split the same is said, heard and told', () => {
    fc.assert(fc.property(protocols, offered, whims, fc.integer({ min: 1, max: 40 }), (options, offers, given, split) => {
      const whole = converse(options, offers, given, 10_000)
      const pieces = converse(options, offers, given, split)
      expect(pieces).toEqual(whole)
      expect(whole.taken.reduce((sum, { recipients }) => sum + recipients, 0)).toBe(whole.accepted)
      expect(whole.unknown).toBe(0)
    }), { numRuns: 300 })
  })

  it('wherever the connection breaks, what the server has is accepted or unknown, and what it has not is neither', () => {
    fc.assert(fc.property(protocols, offered, whims, fc.nat(1500), (options, offers, given, cut) => {
      const { taken, accepted, unknown } = converse(options, offers, given, 10_000, cut)
      const has = taken.reduce((sum, { recipients }) => sum + recipients, 0)
      expect(has).toBeGreaterThanOrEqual(accepted)
      expect(has).toBeLessThanOrEqual(accepted + unknown)
    }), { numRuns: 300 })
  })

  it('holds no more of what a server says than it may', () => {
    const session = smtpClientSession(smtpClientConfig({ hello: 'client.example' }), {}, 0)
    let octets = 0
    while (!session.closed) {
      session.receive(0, octetsOf('220-'.padEnd(1000, 'x')))
      octets += 1000
      while (session.next());
      expect(octets).toBeLessThan(100_000)
    }
  })
})
