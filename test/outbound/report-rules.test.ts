import { describe, expect, it } from 'vitest'
import type { Envelope, Recipient } from '../../src/contracts/received.ts'
import {
  DELAY_AFTER, nextDelayReport, type RecipientProgress, type ReportableMessage, reportsFor,
} from '../../src/outbound/report-rules.ts'

const received = Date.UTC(2026, 10, 20, 10)
const HOUR = 3_600_000

function recipient(local: string, notify?: Recipient['notify']): Recipient {
  const wire = `${local}@b.example`
  return { local, domain: 'b.example', user: local, tag: undefined, wire, notify, originalRecipient: undefined }
}

function message(recipients: readonly RecipientProgress[], given: Partial<Envelope> = {}): ReportableMessage {
  const envelope: Envelope = {
    sender: { local: 'anna', domain: 'a.example' }, recipients: recipients.map((each) => each.recipient), size: undefined,
    body: '7BIT', smtpUtf8: false, ret: 'HDRS', envid: 'E1', requireTls: false, deliverBy: undefined, priority: undefined,
    hold: undefined, ...given,
  }
  return { envelope, received, due: received, recipients }
}

/** What is reported of one recipient in that state, four hours and more after it arrived. */
function reported(state: RecipientProgress['state'], notify: Recipient['notify'], more: Partial<RecipientProgress> = {}) {
  const progress = { recipient: recipient('bob', notify), state, lastAttempt: received, ...more }
  return reportsFor(message([progress]), received + 4 * HOUR).map(({ report }) => report.recipients[0]!.action)
}

describe('who is told what (RFC 3461 §5.2)', () => {
  const [never, success, failure, delay] = [[], ['SUCCESS'], ['FAILURE'], ['DELAY']] as const
  it.each([
    ['failed', undefined, ['failed']], ['failed', failure, ['failed']], ['failed', never, []], ['failed', success, []],
    ['failed', delay, []],
    ['waiting', undefined, ['delayed']], ['waiting', delay, ['delayed']], ['waiting', never, []], ['waiting', failure, []],
    ['waiting', success, []],
    ['delivered', undefined, []], ['delivered', success, ['delivered']], ['delivered', never, []], ['delivered', failure, []],
    ['relayed', undefined, []], ['relayed', success, ['relayed']], ['relayed', never, []], ['relayed', delay, []],
    ['expanded', undefined, []], ['expanded', success, ['expanded']], ['expanded', never, []], ['expanded', failure, []],
    ['dropped', undefined, []], ['dropped', ['SUCCESS', 'FAILURE', 'DELAY'], []],
  ] as const)('%s with NOTIFY=%s: %s', (state, notify, actions) => {
    expect(reported(state, notify)).toEqual(actions)
  })

  it('whoever took NOTIFY over reports what becomes of it', () => {
    expect(reported('relayed', ['SUCCESS'], { notifyPassedOn: true })).toEqual([])
    expect(reported('delivered', ['SUCCESS'], { notifyPassedOn: true })).toEqual(['delivered'])
  })

  it('nobody is told twice', () => {
    expect(reported('failed', undefined, { endReported: true })).toEqual([])
    expect(reported('delivered', ['SUCCESS'], { endReported: true })).toEqual([])
    expect(reported('waiting', undefined, { delayReported: true })).toEqual([])
    expect(reported('failed', undefined, { delayReported: true })).toEqual(['failed'])
  })

  it('never of what came from the null sender', () => {
    const progress = [{ recipient: recipient('bob', ['SUCCESS', 'FAILURE']), state: 'failed' as const }]
    expect(reportsFor(message(progress, { sender: null }), received + 9 * HOUR)).toEqual([])
    const waiting = { ...progress[0]!, state: 'waiting' as const, lastAttempt: received }
    expect(nextDelayReport(message([waiting], { sender: null }))).toBeUndefined()
  })
})

describe('one report for many', () => {
  const many = message([
    {
      recipient: recipient('a'), state: 'failed', reply: { code: 550, enhanced: '5.1.1', text: 'No' }, remoteMta: 'mx.b.example',
    },
    { recipient: recipient('b'), state: 'waiting', lastAttempt: received, retryUntil: received + 99 * HOUR },
    { recipient: recipient('c', ['SUCCESS']), state: 'delivered' },
    { recipient: recipient('d'), state: 'failed', status: '5.4.4', reason: 'No such domain' },
    { recipient: recipient('e', ['SUCCESS']), state: 'relayed' },
    { recipient: recipient('f', []), state: 'failed' },
  ])

  it('of each kind, with those whom it concerns and nobody else', () => {
    const found = reportsFor(many, received + 5 * HOUR)
    expect(found.map(({ report, recipients }) => [report.kind, recipients])).toEqual([
      ['failed', [0, 3]], ['delayed', [1]], ['succeeded', [2, 4]],
    ])
    expect(found[0]!.report).toEqual({
      kind: 'failed', to: { local: 'anna', domain: 'a.example' }, envelopeId: 'E1', ret: 'HDRS', smtpUtf8: false,
      requireTls: false, received,
      recipients: [
        {
          recipient: { local: 'a', domain: 'b.example' }, original: undefined, action: 'failed', status: '5.1.1',
          reply: { code: 550, enhanced: '5.1.1', text: 'No' }, remoteMta: 'mx.b.example',
        },
        {
          recipient: { local: 'd', domain: 'b.example' }, original: undefined, action: 'failed', status: '5.4.4',
          reason: 'No such domain',
        },
      ],
    })
    expect(found[2]!.report.recipients.map(({ status }) => status)).toEqual(['2.0.0', '2.0.0'])
  })
})

describe('delays', () => {
  const waiting = (more: Partial<RecipientProgress> = {}) =>
    message([{ recipient: recipient('bob'), state: 'waiting', lastAttempt: received, ...more }])

  it('are told of after four hours, or as long as is wished', () => {
    expect(reportsFor(waiting(), received + DELAY_AFTER - 1)).toEqual([])
    expect(reportsFor(waiting(), received + DELAY_AFTER)).toHaveLength(1)
    expect(reportsFor(waiting(), received + HOUR, HOUR)).toHaveLength(1)
    expect(nextDelayReport(waiting())).toBe(received + 4 * HOUR)
    expect(nextDelayReport(waiting(), HOUR)).toBe(received + HOUR)
  })

  it('begin when the message was to go out, and not before it was tried', () => {
    const held = { ...waiting(), due: received + 24 * HOUR }
    expect(reportsFor(held, received + 27 * HOUR)).toEqual([])
    expect(reportsFor(held, received + 28 * HOUR)).toHaveLength(1)
    const { lastAttempt: _, ...untried } = waiting().recipients[0]!
    expect(reportsFor(message([untried]), received + 9 * HOUR)).toEqual([])
    expect(nextDelayReport(message([untried]))).toBeUndefined()
  })

  it('are told of when delivery was wanted by then (RFC 2852)', () => {
    const by = (seconds: number, mode: 'return' | 'notify') =>
      ({ ...waiting(), envelope: { ...waiting().envelope, deliverBy: { seconds, mode, trace: false } } })
    expect(nextDelayReport(by(60, 'notify'))).toBe(received + 60_000)
    expect(nextDelayReport(by(-60, 'notify'))).toBe(received)
    expect(nextDelayReport(by(99_999, 'notify'))).toBe(received + 4 * HOUR)
    expect(nextDelayReport(by(60, 'return'))).toBe(received + 4 * HOUR)
  })

  it('need no report any more where they have ended, or were told of', () => {
    expect(nextDelayReport(waiting({ state: 'delivered' }))).toBeUndefined()
    expect(nextDelayReport(waiting({ delayReported: true }))).toBeUndefined()
    const unwanted = message([{ recipient: recipient('bob', ['FAILURE']), state: 'waiting', lastAttempt: received }])
    expect(nextDelayReport(unwanted)).toBeUndefined()
  })
})
