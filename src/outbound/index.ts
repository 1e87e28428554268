/** Mail that goes out: routes, deliveries, reports and bounces, what is forwarded, addresses that no mail goes to. */
export type { Bounce, BouncedRecipient } from './bounce.ts'
export { readBounce } from './bounce.ts'
export type { DaneFinding } from './dane.ts'
export { daneOf } from './dane.ts'
export type { Breaker, BreakerRules } from './delivery/breaker.ts'
export { classify, failureTable } from './delivery/classify.ts'
export type { ConnectTerms, Line, TlsTrouble, Trouble } from './delivery/connect.ts'
export type { Courier, CourierTerms, Errand, ErrandEnd } from './delivery/courier.ts'
export { Delivery } from './delivery/delivery.ts'
export type { DirectionParts } from './delivery/directions.ts'
export { directionsOf } from './delivery/directions.ts'
export type {
  Cause,
  Classified,
  Consequence,
  Failure,
  FailureRule,
  TryPhase,
  TryReason,
} from './delivery/failure.ts'
export type { Connecting, DeliveryNews, DeliveryParts, DeliveryRules } from './delivery/options.ts'
export { defaultDeliveryRules } from './delivery/options.ts'
export type { RateRules } from './delivery/rate.ts'
export type { Progress, RetrySchedule } from './delivery/schedule.ts'
export { defaultSchedule, nextTry } from './delivery/schedule.ts'
export type { Directions, NextHop, SiteTarget, Target } from './delivery/target.ts'
export type { Tried } from './delivery/tried.ts'
export { missed, took } from './delivery/tried.ts'
export type { WindowRules } from './delivery/window.ts'
export type { Lasting } from './lasting.ts'
export type { MailHost, MailHosts, MxTerms, OwnHost } from './mx.ts'
export { mxHosts } from './mx.ts'
export type { DueReport, RecipientProgress, ReportableMessage } from './report-rules.ts'
export { DELAY_AFTER, nextDelayReport, reportsFor } from './report-rules.ts'
export type { Report, ReportedRecipient, ReportKind, TypedAddress } from './report.ts'
export type { RouteFailure, RouteReason } from './route-failure.ts'
export type { Routes, RouteTable, Way } from './route-table.ts'
export { routeTable } from './route-table.ts'
export type {
  DestinationParts,
  HostsRoute,
  LocalRoute,
  MxRoute,
  RequiredTls,
  Route,
  RouteChoice,
  RouteHost,
  RouteRule,
} from './routes.ts'
export { destinationOf, destinationParts } from './routes.ts'
export type { Srs, SrsOptions, SrsReversed } from './srs.ts'
export { srs } from './srs.ts'
export type { FetchPolicy, StsFinding, StsLookup, StsParts, StsTrouble } from './sts.ts'
export { mtaSts } from './sts.ts'
export type { StsMode, StsPolicy } from './sts-policy.ts'
export { parseStsPolicy, parseStsRecord } from './sts-policy.ts'
export type { NewSuppression, Suppression, SuppressionList, SuppressionListOptions, SuppressionReason } from './suppression.ts'
export { suppressionList } from './suppression.ts'
export type { HostTls, TlsAuthority, TlsWish } from './tls-policy.ts'
export { hostTls } from './tls-policy.ts'
export type { ReportedPolicy } from './tls-tally.ts'
export type { Verp, VerpOptions, VerpRead, VerpSubject } from './verp.ts'
export { verp } from './verp.ts'
export type { ReportOptions, WrittenReport } from './write-report.ts'
export { octetsForReport, writeReport } from './write-report.ts'
