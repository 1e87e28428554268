import type { Cause, Classified, Consequence, Failure, FailureRule } from './failure.ts'

type Conditions = Omit<FailureRule, 'cause' | 'consequence'>

const row = (cause: Cause, consequence: Consequence, conditions: Conditions): FailureRule => {
  return { ...conditions, cause, consequence }
}

/**
 * What is made of failures: the first row that fits counts. Enhanced codes (RFC 3463) tell more than codes, so they come first;
 * what no row knows is tried again if it is temporary.
 */
export const failureTable: readonly FailureRule[] = [
  // What we have found ourselves, before any reply.
  row('ordered', 'bounce', { reasons: ['doomed'] }),
  row('suppressed', 'bounce', { reasons: ['suppressed'] }),
  row('expired', 'bounce', { reasons: ['expired', 'late'] }),
  row('loop', 'bounce', { reasons: ['self'] }),
  row('bad-address', 'bounce', { reasons: ['no-domain', 'null-mx'] }),
  row('dns', 'bounce', { reasons: ['no-address'], result: 'permanent' }),
  row('dns', 'retry', { reasons: ['dns', 'no-address'] }),
  row('network', 'retry', { reasons: ['unreachable', 'closed-site', 'lost'] }),
  row('timeout', 'retry', { reasons: ['timeout'] }),
  row('tls', 'retry', { reasons: ['tls', 'tls-policy', 'tls-not-offered'], result: 'temporary' }),
  row('tls', 'bounce', { reasons: ['tls', 'tls-policy', 'tls-not-offered'] }),
  row('protocol', 'retry', { reasons: ['protocol'] }),
  row('ours', 'retry', { reasons: ['host', 'ours'], result: 'temporary' }),
  row('ours', 'hold', { reasons: ['host', 'ours'] }),
  // A password that is wrong today is mended tomorrow: nobody's mail is lost by it.
  row('login', 'retry', { reasons: ['auth-not-offered', 'auth-failed'] }),
  row('login', 'retry', { phases: ['auth'] }),
  row('full', 'retry', { reasons: ['full'], result: 'temporary' }),
  row('full', 'bounce', { reasons: ['full'] }),
  // They fit into another transaction.
  row('busy', 'retry', { reasons: ['recipients'] }),
  row('size', 'bounce', { reasons: ['size'], result: 'permanent' }),
  row('feature', 'bounce', {
    reasons: ['8bitmime', 'binarymime', 'smtputf8', 'requiretls', 'deliverby', 'futurerelease'],
    result: 'permanent',
  }),
  row('feature', 'retry', { reasons: ['8bitmime', 'binarymime', 'smtputf8', 'requiretls', 'deliverby', 'futurerelease'] }),
  // RFC 5321 §4.2.4.2: a host that refuses all mail (554 as greeting) speaks for itself, not for the others of its domain.
  row('policy', 'retry', { phases: ['connect', 'hello', 'tls', 'idle'], result: 'permanent' }),
  // What the other side says in enhanced codes.
  row('full', 'retry', { details: ['2.2', '3.1'], result: 'temporary' }),
  row('full', 'bounce', { details: ['2.2', '3.1'] }),
  row('unknown-user', 'bounce', { details: ['1.1', '1.10'], result: 'permanent' }),
  row('moved', 'bounce', { details: ['1.6'], result: 'permanent' }),
  row('bad-address', 'bounce', { details: ['1.2', '1.3'], result: 'permanent' }),
  row('disabled', 'bounce', { details: ['2.1'], result: 'permanent' }),
  row('size', 'bounce', { details: ['2.3', '3.4'], result: 'permanent' }),
  row('loop', 'bounce', { details: ['4.6'], result: 'permanent' }),
  row('content', 'bounce', { details: ['6'], result: 'permanent' }),
  row('feature', 'bounce', { details: ['3.3', '5.6'], result: 'permanent' }),
  row('busy', 'retry', { details: ['3.2', '4.5', '5.3'], result: 'temporary' }),
  row('greylisted', 'retry', { details: ['7.1'], codes: [450, 451], phases: ['recipient'], result: 'temporary' }),
  row('policy', 'retry', { details: ['7'], result: 'temporary' }),
  row('policy', 'bounce', { details: ['7'], result: 'permanent' }),
  // And by codes alone.
  row('busy', 'retry', { codes: [421] }),
  row('full', 'retry', { codes: [452], phases: ['recipient'] }),
  row('unknown-user', 'bounce', { codes: [550], phases: ['recipient'] }),
  row('bad-address', 'bounce', { codes: [501, 553], phases: ['recipient'] }),
  row('moved', 'bounce', { codes: [551], phases: ['recipient'] }),
  row('size', 'bounce', { codes: [552] }),
  row('bad-address', 'bounce', { codes: [556] }),
  row('content', 'bounce', { codes: [550, 554], phases: ['content'] }),
  row('temporary', 'retry', { result: 'temporary' }),
  row('permanent', 'bounce', { result: 'permanent' }),
  row('network', 'retry', { result: 'unknown' }),
]

/** What is to be made of a failure. `own`: rows that come before those of {@link failureTable}. */
export function classify(failure: Failure, own: readonly FailureRule[] = []): Classified {
  const found = own.find((rule) => fits(rule, failure)) ?? failureTable.find((rule) => fits(rule, failure))!
  return { cause: found.cause, consequence: found.consequence }
}

function fits({ result, phases, reasons, codes, details }: FailureRule, failure: Failure): boolean {
  if (result !== undefined && result !== failure.result) return false
  if (phases && !phases.includes(failure.phase)) return false
  if (reasons && !reasons.includes(failure.reason)) return false
  if (codes && !codes.includes(failure.code)) return false
  const detail = failure.status.slice(failure.status.indexOf('.') + 1)
  return !details || details.some((each) => detail === each || detail.startsWith(`${each}.`))
}
