import type { Policy, PolicyReply, Stage, Verdict } from '../../contracts/policy.ts'
import type { ReceivedMessage } from '../../contracts/received.ts'
import type { Scanned, Scanner, ScanFinding } from '../../contracts/scanner.ts'
import { isMailError, MailError } from '../../protocol/session/errors.ts'
import {
  anObject,
  aSwitch,
  checkOptions,
  having,
  oneOf,
  type OptionKind,
  type OptionKinds,
  required,
} from '../../protocol/session/options.ts'
import { inTime } from '../in-time.ts'
import { defer, discard, pass, quarantine, reject } from '../verdict.ts'

/** What a scanner may ask for, and what may be done. */
export type ScanAction = Scanned['action']

/** What {@link scan} makes of what a scanner says, and of its silence. */
export interface ScanOptions {
  /**
   * Where the scanner cannot say (it does not answer, or not in time): `defer` answers `451 4.3.0`, so that nothing comes in that
   * was not looked at; `pass` takes the message, with the tag `unscanned`. Those who watch the server are told either way.
   */
  readonly onError: 'pass' | 'defer'
  /**
   * The same for a message that is larger than the scanner takes; `reject` answers `552 5.3.4`. Default: `pass` where `onError`
   * is that, otherwise `reject`, since no waiting makes it smaller.
   */
  readonly tooLarge?: 'pass' | 'reject'
  /** Milliseconds that it may take (default 120,000); then the scanner cannot say. */
  readonly within?: number
  /**
   * What is done in place of what the scanner asks for: `{ reject: 'quarantine' }`, `{ tag: 'quarantine', defer: 'pass' }`. What
   * is not in it is done as it is asked.
   */
  readonly actions?: { readonly [Asked in ScanAction]?: ScanAction }
  /** The answer to what is rejected. Default: `550 5.7.1` and what was found. */
  readonly reject?: PolicyReply
  /** Write what was found into the header, and the fields that the scanner wants there (default true). */
  readonly fields?: boolean
}

const DAY = 86_400_000
const aReply: OptionKind = {
  takes: 'a reply, such as { code: 550, enhanced: \'5.7.1\', text: \'No\' }',
  is: (value) => {
    const { code, enhanced, text } = anObject.is(value) ? (value as Partial<PolicyReply>) : {}
    const isCode = Number.isInteger(code) && code! >= 500 && code! < 600
    return isCode && (enhanced === undefined || typeof enhanced === 'string') && typeof text === 'string'
  },
}
const anAction = oneOf('pass', 'tag', 'quarantine', 'defer', 'reject', 'discard')
const actionKinds: OptionKinds<Record<ScanAction, ScanAction>> = {
  pass: anAction, tag: anAction, quarantine: anAction, defer: anAction, reject: anAction, discard: anAction,
}
const kinds: OptionKinds<ScanOptions> = {
  onError: required(oneOf('pass', 'defer')),
  tooLarge: oneOf('pass', 'reject'),
  within: {
    takes: 'milliseconds, above 0 and at most a day',
    is: (value) => typeof value === 'number' && value > 0 && value <= DAY,
  },
  actions: anObject,
  reject: aReply,
  fields: aSwitch,
}

/**
 * Has a scanner look at each message. What it finds is noted: its points as a score, a tag `virus` or `spam` for what it has
 * something against, and fields in the header:
 *
 * - of a scanner that counts points, `X-Spam-Status: Yes, score=15.3 required=5.0 tests=GTUBE scanner=spamd` (or `No, …`), and
 *   `X-Spam-Flag: YES` for spam;
 * - of another, `X-Virus-Status: Clean`, or `Infected (Eicar-Signature)`;
 * - those that the scanner wants there itself.
 *
 * Fields whose names begin with `X-Spam` or `X-Virus`, and those named like an `X-` field that the scanner adds, are taken out
 * of the message as it came: only this server's own count. `tag` is what a scanner asks for that wants no more than that.
 */
export function scan(scanner: Scanner, options: ScanOptions): Policy {
  if (!having('a scanner', 'scan').is(scanner) || typeof scanner.name !== 'string') {
    throw new MailError('config', 'scan: give a scanner first, such as clamd(), with a name and scan().')
  }
  checkOptions('scan', options, kinds)
  checkOptions('scan: actions', options.actions ?? {}, actionKinds)
  const { within = 120_000 } = options
  const late = (): never => {
    throw new MailError('temporary', `${scanner.name} did not answer within ${within} ms`)
  }
  const message = async (received: ReceivedMessage, stage: Stage): Promise<Verdict | undefined> => {
    removeFields(received, stage, (name) => beginsForged(name))
    let scanned: Scanned
    try {
      scanned = await inTime(stage, within, (signal) => scanner.scan(received, signal), late)
    } catch (error) {
      return unscanned(error, options, stage)
    }
    note(scanner.name, scanned, received, stage, options.fields ?? true)
    return verdictOn(scanned, options)
  }
  return { name: `scan(${scanner.name})`, waits: { message: within }, message }
}

/** What is done where the scanner cannot say. */
function unscanned(error: unknown, { onError, tooLarge }: ScanOptions, stage: Stage): Verdict {
  // Nobody waits for the answer any more.
  if (stage.signal.aborted) throw error
  if (isMailError(error) && error.code === 'permanent') {
    if ((tooLarge ?? onError) !== 'pass') return reject(552, '5.3.4', 'Message too big to be scanned')
  } else if (onError === 'defer') throw error
  stage.trouble(error)
  stage.notes.tag('unscanned')
  return pass()
}

/** Names that nobody outside has a say in. */
function beginsForged(name: string): boolean {
  const lower = name.toLowerCase()
  return lower.startsWith('x-spam') || lower.startsWith('x-virus')
}

function removeFields({ headers }: ReceivedMessage, { notes }: Stage, isUnwanted: (name: string) => boolean): void {
  for (const field of headers.fields) if (isUnwanted(field.name)) notes.remove(field)
}

/** Most scanners look for one of two things; those that count points look for spam. */
const looksForSpam = ({ score }: Scanned): boolean => score !== undefined

/** Whether it has something against the message, whatever is made of that. */
const isAgainst = ({ action }: Scanned): boolean => action !== 'pass' && action !== 'defer'

/** Fields that a scanner may add, and characters of each. */
const MOST_FIELDS = 50
const MOST_VALUE = 4096

/** Takes down what was found. */
function note(name: string, scanned: Scanned, message: ReceivedMessage, stage: Stage, withFields: boolean): void {
  const { notes } = stage
  const { score, addFields = [], removeFields: unwanted = [] } = scanned
  if (score !== undefined && Number.isFinite(score)) notes.score(score, foundIn(scanned))
  if (isAgainst(scanned)) notes.tag(looksForSpam(scanned) ? 'spam' : 'virus')
  if (!withFields) return
  const own = addFields.map(([added]) => added.toLowerCase()).filter((added) => added.startsWith('x-'))
  const out = new Set([...own, ...unwanted.map((one) => one.toLowerCase())])
  removeFields(message, stage, (one) => out.has(one.toLowerCase()))
  if (looksForSpam(scanned)) {
    notes.header('X-Spam-Status', spamStatus(name, scanned))
    if (isAgainst(scanned)) notes.header('X-Spam-Flag', 'YES')
  } else notes.header('X-Virus-Status', isAgainst(scanned) ? `Infected (${namesOf(scanned, ', ')})` : 'Clean')
  for (const [added, value] of addFields.slice(0, MOST_FIELDS)) {
    if (/^[!-9;-~]{1,120}$/.test(added)) notes.header(added, value.slice(0, MOST_VALUE))
  }
}

/** In the manner of SpamAssassin, which mail programs and filters know. */
function spamStatus(name: string, scanned: Scanned): string {
  const { score = 0, threshold } = scanned
  const required = threshold === undefined ? '' : ` required=${shownPoints(threshold)}`
  const isSpam = isAgainst(scanned) ? 'Yes' : 'No'
  return `${isSpam}, score=${shownPoints(score)}${required} tests=${namesOf(scanned, ',')} scanner=${name}`
}

const shownPoints = (points: number): string => String(Math.round(points * 10) / 10)

/** Characters of all names. */
const MOST_NAMES = 700

/** Names of what was found, without what would look like something else in a header. */
function namesOf({ findings }: Scanned, between: string): string {
  const names: string[] = []
  let room = MOST_NAMES
  for (const finding of findings) {
    const name = finding.name.slice(0, 120).replace(/[^\w.:+@/-]/g, '_')
    room -= name.length + between.length
    if (room < 0) break
    names.push(name)
  }
  return names.length === 0 ? 'none' : names.join(between)
}

/** `15.3 of 5 points: GTUBE` */
function foundIn(scanned: Scanned): string {
  const { score, threshold } = scanned
  const of = threshold === undefined ? '' : ` of ${shownPoints(threshold)}`
  const points = score === undefined ? '' : `${shownPoints(score)}${of} points: `
  return `${points}${namesOf({ ...scanned, findings: heaviest(scanned.findings) }, ', ')}`
}

/** Those that count most come first. */
const heaviest = (findings: readonly ScanFinding[]): ScanFinding[] =>
  [...findings].sort(({ score: one = 0 }, { score: other = 0 }) => Math.abs(other) - Math.abs(one))

/** What is done about it. */
function verdictOn(scanned: Scanned, { actions = {}, reject: reply }: ScanOptions): Verdict {
  switch (actions[scanned.action] ?? scanned.action) {
    case 'reject':
      return reply ? { kind: 'reject', reply } : reject(refusal(scanned))
    case 'defer':
      return defer(sayable(scanned.text, 'Try again later'))
    case 'discard':
      return discard(foundIn(scanned))
    case 'quarantine':
      return quarantine(foundIn(scanned))
    default:
      return pass()
  }
}

/** Of a virus its name helps its sender; of spam the rules would only help to get past them. */
function refusal(scanned: Scanned): string {
  if (looksForSpam(scanned)) return sayable(scanned.text, 'Message refused as spam')
  return `Message refused: it contains ${namesOf(scanned, ', ').slice(0, 200)}`
}

/** What a scanner wants told, as a reply may say it; `usual` where that is nothing. */
function sayable(text: string | undefined, usual: string): string {
  const ascii = (text ?? '').slice(0, 1000).replace(/[^!-~]+/g, ' ').trim().slice(0, 200)
  return ascii === '' ? usual : ascii
}
