import type { ComposeMail } from '../../contracts/draft.ts'
import type { Resolver } from '../../contracts/resolver.ts'
import type { Sign } from '../../contracts/sign.ts'
import type { BreakerRules } from '../../outbound/delivery/breaker.ts'
import type { FailureRule } from '../../outbound/delivery/failure.ts'
import type { RateRules } from '../../outbound/delivery/rate.ts'
import type { RetrySchedule } from '../../outbound/delivery/schedule.ts'
import type { WindowRules } from '../../outbound/delivery/window.ts'
import type { OwnHost } from '../../outbound/mx.ts'
import type { Routes } from '../../outbound/route-table.ts'
import type { Srs } from '../../outbound/srs.ts'
import type { FetchPolicy } from '../../outbound/sts.ts'
import type { SuppressionList } from '../../outbound/suppression.ts'
import type { Verp } from '../../outbound/verp.ts'
import type { Dial } from '../../protocol/session/dial.ts'
import { MailError } from '../../protocol/session/errors.ts'
import {
  aCountAboveZero,
  aFunction,
  aNumber,
  anObject,
  aSwitch,
  aText,
  checkOptions,
  having,
  oneOf,
  type OptionKind,
  type OptionKinds,
  orFalse,
  required,
} from '../../protocol/session/options.ts'
import { smtpClientConfig, type SmtpClientLimits, type SmtpClientTimeouts } from '../../protocol/smtp/index.ts'
import type { DmarcReportOptions } from './dmarc-reporting.ts'
import type { TlsReportOptions } from './tls-reporting.ts'

/** How mail goes out. */
export interface OutgoingOptions {
  /** Which way mail for others goes. Default: to the servers that the DNS names (MX). */
  readonly routes?: Routes
  /** Default: the system's resolvers. */
  readonly resolver?: Resolver
  /** Makes messages of reports. Default: nodemailer's MailComposer. */
  readonly compose?: ComposeMail
  /** Connects. Default: sockets. */
  readonly dial?: Dial
  /** What we call ourselves to other servers. Default: the server's hostname. */
  readonly hello?: string
  /** Names and addresses by which the DNS may name us as a server, besides the hostname. */
  readonly own?: Partial<OwnHost>
  /** Waits between tries, in milliseconds, or a function. Default: nine retries in two days and eight hours. */
  readonly schedule?: RetrySchedule
  /** Milliseconds after which a sender is told that it takes long (default four hours); `false`: never. */
  readonly delayAfter?: number | false
  /** Connections at a time (default 200). */
  readonly connections?: number
  /** Connections to one site, at first and at the most (default 5 and 20). */
  readonly window?: WindowRules
  /** When to stop trying a site that cannot be reached. Default: three failures, a minute, doubled up to half an hour. */
  readonly breaker?: BreakerRules
  /** Messages that one site gets in a time. Default: as many as it takes. */
  readonly rate?: RateRules
  /** What is made of failures: rows that come before those of `failureTable`. */
  readonly failures?: readonly FailureRule[]
  /** The resolver's DNSSEC verdicts can be trusted: TLSA records are honoured (RFC 7672). Default false. */
  readonly dane?: boolean
  /**
   * Fetches MTA-STS policies (RFC 8461), which are kept in the server's `keyValue`. Default: over HTTPS, where there is a
   * `keyValue`; `false`: nobody's policy is looked for.
   */
  readonly sts?: FetchPolicy | false
  /**
   * Signs what people submit, what the application hands in and what the server reports, also where it stays here: `sign` of
   * what `dkim()` gives. Never what is passed on. Default: nothing is signed.
   */
  readonly sign?: Sign
  /**
   * Seals what is passed on (ARC, RFC 8617), so that whoever gets it can know what was found out about it here: `seal` of what
   * `arcSealer()` gives. Default: nothing is sealed.
   */
  readonly seal?: Sign
  /**
   * Senders of what is forwarded (SRS), so that it passes SPF and its bounces come back the same way: what `srs()` gives, for a
   * domain whose mail comes in here. Default: forwarded mail keeps its sender.
   */
  readonly srs?: Srs
  /**
   * Senders of what people submit (VERP), each of which tells message and recipient, so that a bounce is matched to its message
   * (`bounced`): what `verp()` gives, for a domain whose mail comes in here. Needs a `keyValue`. Default: mail keeps its sender.
   */
  readonly verp?: Verp
  /** Addresses that no mail is to go to; bounces that come in add to it. */
  readonly suppressions?: SuppressionList
  /**
   * Tells domains that ask for it how connections to their servers were secured (RFC 8460), once a day. Needs a `keyValue`.
   * Default: nobody is told.
   */
  readonly tlsReports?: TlsReportOptions
  /**
   * Tells domains that ask for it what became of mail in their names (DMARC aggregate reports, RFC 7489), once a day, as the
   * policy `authentication()` has found it. Needs a `keyValue`. Default: nobody is told.
   */
  readonly dmarcReports?: DmarcReportOptions
  /** Mail may go to loopback addresses that the DNS names: for tests. Default false. */
  readonly loopback?: boolean
  /** Bounds of a connection to another server. */
  readonly limits?: Partial<SmtpClientLimits>
  /** Time-outs of a connection to another server. */
  readonly timeouts?: Partial<SmtpClientTimeouts>
  /** Milliseconds that a lease lasts (default ten minutes). */
  readonly lease?: number
}

const someRoutes: OptionKind = {
  takes: 'a route, a list of rules, or an object with choose',
  is: (value) => typeof value === 'object' && value !== null,
}
const aSchedule: OptionKind = {
  takes: 'a list of milliseconds, or a function',
  is: (value) => typeof value === 'function' || (Array.isArray(value) && value.every((each) => aNumber.is(each))),
}
const aList: OptionKind = { takes: 'a list', is: (value) => Array.isArray(value) }

/** What stands in the columns of a rule for failures. */
const failureKinds: OptionKinds<FailureRule> = {
  cause: required(aText),
  consequence: required(oneOf('retry', 'bounce', 'hold', 'drop')),
  result: oneOf('temporary', 'permanent', 'unknown'),
  phases: aList,
  reasons: aList,
  codes: aList,
  details: aList,
}

const kinds: OptionKinds<OutgoingOptions> = {
  routes: someRoutes,
  resolver: having('a resolver', 'resolve'),
  compose: aFunction,
  dial: aFunction,
  hello: aText,
  own: anObject,
  schedule: aSchedule,
  delayAfter: orFalse(aNumber),
  connections: aCountAboveZero,
  window: anObject,
  breaker: anObject,
  rate: anObject,
  failures: aList,
  dane: aSwitch,
  sts: orFalse(aFunction),
  sign: aFunction,
  seal: aFunction,
  srs: having('what srs() gives', 'forward', 'reverse'),
  verp: having('what verp() gives', 'encode', 'decode'),
  suppressions: having('a suppression list', 'find', 'addBounce'),
  tlsReports: anObject,
  dmarcReports: anObject,
  loopback: aSwitch,
  limits: anObject,
  timeouts: anObject,
  lease: aNumber,
}

const tlsReportKinds: OptionKinds<TlsReportOptions> = { organization: required(aText), contact: required(aText), post: aFunction }
const windowKinds: OptionKinds<WindowRules> = { initial: aCountAboveZero, most: aCountAboveZero }
const rateKinds: OptionKinds<RateRules> = { messages: aCountAboveZero, per: aCountAboveZero }
const breakerKinds: OptionKinds<BreakerRules> = { failures: aCountAboveZero, pause: aNumber, factor: aNumber, longest: aNumber }

/** Throws a `config` MailError that names what is wrong. `hostname`: what we call ourselves where they do not say. */
export function checkOutgoingOptions(options: OutgoingOptions, hostname: string): void {
  checkOptions('outgoing', options, kinds)
  const { hello = hostname, window, rate, breaker, limits, timeouts } = options
  // What is wrong with them is not to come out with the first mail.
  smtpClientConfig({ hello, ...(limits ? { limits } : {}), ...(timeouts ? { timeouts } : {}) })
  const { tlsReports } = options
  if (tlsReports) checkOptions('outgoing.tlsReports', tlsReports, tlsReportKinds)
  options.failures?.forEach((rule, at) => checkOptions(`outgoing.failures[${at}]`, rule, failureKinds))
  if (window) checkOptions('outgoing.window', window, windowKinds)
  if (rate) checkOptions('outgoing.rate', rate, rateKinds)
  if (breaker) checkOptions('outgoing.breaker', breaker, breakerKinds)
  if (window && window.initial > window.most) {
    throw new MailError('config', `outgoing.window: initial is ${window.initial}, which is more than most, ${window.most}.`)
  }
}
