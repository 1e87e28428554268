import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { octets } from '../../../src/protocol/bytes/text.ts'
import { imapServerConfig, type ImapServerEvent, imapServerSession } from '../../../src/protocol/imap/index.ts'
import { filtered, listed, mapped, numbersIn, ordered, STEP, type Steps } from '../../../src/protocol/imap/steps.ts'
import { type Linked, threadByReferences, threadBySubject } from '../../../src/protocol/imap/threads.ts'
import { plain } from '../../../src/protocol/sasl/plain.ts'

const MANY = 100_000
const THREADED = 30_000

function done<Value>(steps: Steps<Value>): { readonly value: Value; readonly most: number; readonly all: number } {
  let most = 0
  let all = 0
  for (;;) {
    const step = steps.next()
    if (step.done === true) return { value: step.value, most, all }
    most = Math.max(most, step.value)
    all += step.value
  }
}

describe('what is done in steps', () => {
  it('is in order, what is the same staying as it is', () => {
    const lengths = [0, 1, STEP - 1, STEP, STEP + 1, 3 * STEP + 7, 4 * STEP, 9 * STEP - 1]
    fc.assert(fc.property(fc.constantFrom(...lengths), fc.integer({ min: 1, max: 5000 }), fc.nat(), (length, kinds, seed) => {
      let state = seed
      const list = Array.from({ length }, (_, at) => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
        return { kind: (state >>> 8) % kinds, at }
      })
      const wanted = [...list].sort((a, b) => a.kind - b.kind)
      const { value, most } = done(ordered(list, (a, b) => a.kind - b.kind))
      expect(value).toBe(list)
      expect(list).toEqual(wanted)
      expect(most).toBeLessThanOrEqual(2 * STEP)
    }), { numRuns: 30 })
  })

  it('is the same as at once', () => {
    const list = Array.from({ length: 3 * STEP + 5 }, (_, at) => at)
    expect(done(filtered(list, (at) => at % 3 === 0)).value).toEqual(list.filter((at) => at % 3 === 0))
    expect(done(mapped(list, (at) => at * 2)).value).toEqual(list.map((at) => at * 2))
    expect(done(mapped(list, String)).all).toBe(3 * STEP)
    expect(done(listed(list))).toEqual({ value: ` ${list.join(' ')}`, most: STEP, all: 3 * STEP })
    expect(done(listed([])).value).toBe('')
    const set = [{ first: 3, last: 3 }, { first: 7, last: 2 * STEP }]
    expect(done(numbersIn(set))).toEqual({ value: [3, ...list.slice(7, 2 * STEP + 1)], most: STEP, all: STEP })
  })
})

const linked = (at: number, references: readonly number[], subject: string): Linked =>
  ({ id: `<${at}>`, references: references.map((one) => `<${one}>`), subject, reply: references.length > 0, sent: at })

const all = Array.from({ length: MANY }, (_, at) => at)

const some = all.slice(0, THREADED)

describe('threads of thousands of messages', () => {
  const kinds: readonly (readonly [name: string, messages: readonly Linked[], text: string])[] = [
    ['each by itself', some.map((at) => linked(at, [], `s${at}`)), some.map((at) => `(${at})`).join('')],
    ['each an answer to the one before', some.map((at) => linked(at, at > 0 ? [at - 1] : [], 's')), `(${some.join(' ')})`],
    ['all answers to the first', some.map((at) => linked(at, at > 0 ? [0] : [], 's')),
      `(0 ${some.slice(1).map((at) => `(${at})`).join('')})`],
  ]
  it.each(kinds)('come in steps: %s', (_name, messages, text) => {
    const { value, most, all: sum } = done(threadByReferences(messages, some))
    expect(value).toBe(text)
    expect(most).toBeLessThanOrEqual(2 * STEP)
    expect(sum).toBeGreaterThan(THREADED)
    const bySubject = done(threadBySubject(messages, some))
    expect(bySubject.most).toBeLessThanOrEqual(2 * STEP)
    expect(bySubject.all).toBeGreaterThan(THREADED)
  })
})

const config = imapServerConfig({ hostname: 'imap.example', auth: { mechanisms: [plain], withoutTls: true } })
const mailbox = {
  id: 'm', path: ['INBOX'], uidValidity: 7, uidNext: MANY + 1, modSeq: 30, messages: MANY, unseen: 0, deleted: 0, octets: 5,
}
const uids = all.map((at) => at + 1)

/** What is said to a command about many messages, and how often the session waited before it went on. */
function asked(command: string): { readonly said: string; readonly waits: number } {
  const session = imapServerSession(config, {}, 0)
  let said = ''
  let waits = 0
  const entry = (uid: number) => ({ id: `${uid}`, uid, modSeq: 1, received: 0, saved: 0, flags: [], octets: (uid * 7919) % MANY })
  const answerTo = (event: ImapServerEvent): unknown => {
    if (event.kind === 'auth') return { account: 'alice' }
    if (event.kind === 'mailbox') return mailbox
    if (event.kind === 'open') {
      return { mailbox, uids: [{ first: 1, last: MANY }], firstUnseen: undefined, keywords: [], recent: [] }
    }
    if (event.kind === 'changes') return { modSeq: 30, changed: [], vanished: [], more: false, complete: true }
    if (event.kind === 'entries') return { items: uids.map(entry), last: true }
    if (event.kind === 'columns') {
      const values = all.map((at) => linked(at, at % 4 === 0 ? [] : [at - 1], `s${at}`))
      return { columns: [{ uids, values, weight: 1 }], last: true }
    }
    return undefined
  }
  const pump = (): void => {
    for (let event = session.next(); event; event = session.next()) {
      if ('id' in event) session.answer(event, answerTo(event) as never)
    }
    for (const piece of session.takeOutput()) if (typeof piece === 'string') said += piece
  }
  pump()
  for (const line of ['a LOGIN a b', 'b SELECT INBOX', `c ${command}`]) {
    session.receive(0, octets(`${line}\r\n`))
    pump()
  }
  for (; !said.includes('\r\nc OK') && waits < 1000; waits++) {
    session.advance(0)
    pump()
  }
  return { said, waits }
}

describe('others have their turns', () => {
  it('while messages are sorted', () => {
    const { said, waits } = asked('UID SORT (SIZE) UTF-8 ALL')
    const order = [...uids].sort((a, b) => ((a * 7919) % MANY) - ((b * 7919) % MANY))
    expect(said).toContain(`* SORT ${order.join(' ')}\r\nc OK`)
    expect(waits).toBeGreaterThan(1)
    expect(asked('SORT (REVERSE SIZE) UTF-8 ALL').said).toContain(`* SORT ${order.reverse().join(' ')}\r\n`)
  })

  it('while messages are counted up', () => {
    const { said, waits } = asked('UID SEARCH ALL')
    expect(said).toContain(`* SEARCH ${uids.join(' ')}\r\nc OK`)
    expect(waits).toBeGreaterThan(0)
  })

  it('while messages are threaded', () => {
    const { said, waits } = asked('THREAD REFERENCES UTF-8 ALL')
    expect(said).toContain('* THREAD (1 2 3 4)(5 6 7 8)')
    expect(waits).toBeGreaterThan(1)
  })
})
