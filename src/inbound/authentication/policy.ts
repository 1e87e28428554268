import type { Authentication, IprevFinding, SpfFinding } from '../../contracts/authentication.ts'
import type { Authenticator, SpfSubject } from '../../contracts/authenticator.ts'
import type { Policy, Stage, Verdict } from '../../contracts/policy.ts'
import type { Connection, Envelope, ReceivedMessage } from '../../contracts/received.ts'
import type { Address } from '../../message/address.ts'
import { asciiDomain } from '../../message/domain.ts'
import { MOST_FIELDS } from '../../message/headers.ts'
import { MailError } from '../../protocol/session/errors.ts'
import {
  aFunction, aSwitch, aText, checkOptions, having, oneOf, type OptionKinds, required, texts,
} from '../../protocol/session/options.ts'
import { inTime } from '../in-time.ts'
import { reverseNames } from '../reverse-name.ts'
import { reject } from '../verdict.ts'
import { isOverridden, verdictOn } from './disposition.ts'
import { forgedResults } from './forged.ts'
import { receivedSpfValue, resultsValue } from './results.ts'

/** What {@link authentication} looks at, and what follows. */
export interface AuthenticationOptions {
  /** Looks. */
  readonly authenticator: Authenticator
  /**
   * Whether the client may send for the sender of the envelope, and for the name in EHLO (default true). `reject`: a client that
   * the sender's domain does not let send for it is refused at MAIL by `550 5.7.23`, which forwarded mail often is.
   */
  readonly spf?: boolean | 'reject'
  /** Signatures (default true). */
  readonly dkim?: boolean
  /** Whether SPF or DKIM speak for the domain of the author (default true); goes with both. */
  readonly dmarc?: boolean
  /** What others on the way have sealed (default true). */
  readonly arc?: boolean
  /** Whether the client's address has a name that leads back to it (default true). */
  readonly iprev?: boolean
  /** Where the brand's picture is (default false). Nothing is fetched. */
  readonly bimi?: boolean
  /**
   * What becomes of mail that fails DMARC where the author's domain asks for something: `honour` (the default), what it asks for,
   * `550 5.7.1` or set apart; `quarantine` and `reject`, that in any case; `none`, it is only noted.
   */
  readonly policy?: 'none' | 'quarantine' | 'reject' | 'honour'
  /** Where the DNS does not say whether DMARC passes: take the message (`pass`, the default), or `451 4.7.1`. */
  readonly onTemporary?: 'pass' | 'defer'
  /** Domains whose seal is believed: what had passed DMARC when they got it comes in, whatever has become of it since. */
  readonly trustedSealers?: readonly string[]
  /** By what name this server signs its results (default: its hostname). Fields of others that use it are taken out. */
  readonly authservId?: string
  /** Write a `Received-SPF` field, too (default false). */
  readonly receivedSpf?: boolean
  /**
   * Whose mail is not looked at. Default: of those who have logged in, and of this machine (loopback, unix sockets). Forged
   * results are taken out of all mail.
   */
  readonly exempt?: (connection: Connection) => boolean
}

const spfKind = oneOf('reject')
const kinds: OptionKinds<AuthenticationOptions> = {
  authenticator: required(having('what looks, such as mailauthAuthenticator()', 'spf', 'message')),
  spf: { takes: "true, false or 'reject'", is: (value) => aSwitch.is(value) || spfKind.is(value) },
  dkim: aSwitch,
  dmarc: aSwitch,
  arc: aSwitch,
  iprev: aSwitch,
  bimi: aSwitch,
  policy: oneOf('none', 'quarantine', 'reject', 'honour'),
  onTemporary: oneOf('pass', 'defer'),
  trustedSealers: texts,
  authservId: { takes: 'a name', is: (value) => aText.is(value) && value !== '' },
  receivedSpf: aSwitch,
  exempt: aFunction,
}

/** RFC 7208 §4.6.4: an evaluation may take so many milliseconds; and all that is looked at of a message. */
const MOST_SPF = 20_000
const MOST_MESSAGE = 60_000

/**
 * Finds out who sent a message, and notes it: SPF and iprev at MAIL, DKIM, ARC and DMARC when the message is there. Writes
 * `Authentication-Results` (RFC 8601), takes out those that claim to be its own, and does what DMARC asks for. What the DNS does
 * not say, or not within 20 seconds at MAIL and 60 for the message, is `temperror`, and no pass. A message with more fields in
 * its header than can be looked through (20,000) is refused: `550 5.6.0`.
 *
 * @throws MailError `config` for options that cannot be
 */
export function authentication(options: AuthenticationOptions): Policy {
  checkOptions('authentication', options, kinds)
  const { dmarc = true, spf = true, dkim = true, bimi = false } = options
  if (dmarc && (spf === false || !dkim)) {
    throw new MailError('config', 'authentication: dmarc rests on spf and dkim: leave them on, or set dmarc to false.')
  }
  if (bimi && !dmarc) throw new MailError('config', 'authentication: bimi rests on dmarc: leave it on.')
  const looking = new Looking(options)
  return {
    name: 'authentication',
    waits: { sender: MOST_SPF, message: MOST_MESSAGE },
    sender: (sender, stage) => looking.sender(sender, stage),
    message: (message, stage) => looking.message(message, stage),
  }
}

/** What is known at MAIL. */
type AtMail = Pick<Authentication, 'spf' | 'helo' | 'iprev'>
/** What is found out of the message. */
type AtMessage = Omit<Authentication, 'spf' | 'iprev'>

class Looking {
  readonly #options: AuthenticationOptions
  readonly #trusted: ReadonlySet<string>

  constructor(options: AuthenticationOptions) {
    this.#options = options
    this.#trusted = new Set((options.trustedSealers ?? []).map(asciiDomain))
  }

  sender(sender: Address | null, stage: Stage): undefined | Promise<Verdict | undefined> {
    const { spf = true, iprev = true } = this.#options
    const { address } = stage.connection.peer
    if ((spf === false && !iprev) || address === undefined || this.#isExempt(stage.connection)) return undefined
    return this.#atMail(address, sender, stage).then((found) => {
      stage.notes.authentication({ ...found, dkim: undefined, dmarc: undefined, arc: undefined, bimi: undefined })
      if (spf !== 'reject' || found.spf?.result !== 'fail') return undefined
      // RFC 7372 §3.2.
      return reject(550, '5.7.23', `SPF: ${found.spf.domain} does not let ${address} send for it`)
    })
  }

  async message(message: ReceivedMessage, stage: Stage): Promise<Verdict | undefined> {
    const { headers } = message
    const authservId = this.#options.authservId ?? stage.hostname
    // Nobody knows what else is in there, and can take it out.
    if (headers.fields.length >= MOST_FIELDS) return reject(550, '5.6.0', 'The header has too many fields')
    for (const field of forgedResults(headers, authservId)) stage.notes.remove(field)
    if (this.#isExempt(stage.connection)) return undefined
    const { address } = stage.connection.peer
    const atMail = await this.#knownAtMail(address, message.envelope, stage)
    const found: Authentication = { ...(await this.#look(message, atMail.spf, stage)), ...atMail }
    const overridden = isOverridden(found, this.#trusted)
    stage.notes.authentication(found)
    stage.notes.header('Authentication-Results', resultsValue(found, { authservId, address, overridden }))
    if (this.#options.receivedSpf === true && found.spf && address !== undefined) {
      stage.notes.header('Received-SPF', receivedSpfValue(found.spf, subjectOf(address, message.envelope.sender, stage)))
    }
    if (overridden) {
      stage.notes.tag('arc-override')
      return undefined
    }
    const { policy = 'honour', onTemporary = 'pass' } = this.#options
    return verdictOn(found.dmarc, { policy, onTemporary })
  }

  #isExempt(connection: Connection): boolean {
    return (this.#options.exempt ?? isOurs)(connection)
  }

  /** What was noted at MAIL; found out now where nothing was, because this policy was not asked then. */
  async #knownAtMail(address: string | undefined, { sender }: Envelope, stage: Stage): Promise<AtMail> {
    const note = stage.noted.findLast((each) => each.kind === 'authentication')
    if (note) {
      const { spf, helo, iprev } = note.authentication
      return { spf, ...(helo ? { helo } : {}), iprev }
    }
    return address === undefined ? { spf: undefined, iprev: undefined } : this.#atMail(address, sender, stage)
  }

  async #atMail(address: string, sender: Address | null, stage: Stage): Promise<AtMail> {
    const { spf = true, iprev = true } = this.#options
    const subject = subjectOf(address, sender, stage)
    const hasHelo = spf !== false && subject.sender !== '' && subject.helo !== ''
    const [found, helo, name] = await Promise.all([
      spf === false ? undefined : this.#spf(subject, stage),
      hasHelo ? this.#spf({ ...subject, sender: '' }, stage) : undefined,
      iprev ? inTime(stage, MOST_SPF, (signal) => iprevOf(address, stage, signal), noName) : undefined,
    ])
    return { spf: found, ...(helo ? { helo } : {}), iprev: name }
  }

  #spf(subject: SpfSubject, stage: Stage): Promise<SpfFinding> {
    const { authenticator } = this.#options
    const { resolver } = stage
    const late = (): SpfFinding => ({
      result: 'temperror',
      identity: subject.sender === '' ? 'helo' : 'mailfrom',
      domain: asciiDomain(subject.sender === '' ? subject.helo : subject.sender.slice(subject.sender.lastIndexOf('@') + 1)),
      why: `not known after ${MOST_SPF / 1000} seconds`,
    })
    return inTime(stage, MOST_SPF, (signal) => authenticator.spf(subject, { resolver, signal }), late)
  }

  #look(message: ReceivedMessage, spf: SpfFinding | undefined, stage: Stage): Promise<AtMessage> {
    const { authenticator, dkim = true, dmarc = true, arc = true, bimi = false } = this.#options
    const { resolver } = stage
    const what = { spf, dkim, dmarc, arc, bimi }
    const late = (): AtMessage => ({ dkim: undefined, dmarc: dmarc ? unknownDmarc : undefined, arc: undefined, bimi: undefined })
    return inTime(stage, MOST_MESSAGE, (signal) => authenticator.message(message, what, { resolver, signal }), late)
  }
}

const unknownDmarc: Authentication['dmarc'] = {
  result: 'temperror', domain: '', policyDomain: undefined, policy: undefined, disposition: 'none',
  aligned: { spf: false, dkim: false }, record: undefined, why: `not known after ${MOST_MESSAGE / 1000} seconds`,
}

const noName = (): IprevFinding => ({ result: 'temperror', name: undefined })

async function iprevOf(address: string, { resolver }: Stage, signal: AbortSignal): Promise<IprevFinding> {
  const { result, name } = await reverseNames(address, resolver, signal)
  return { result, name }
}

function subjectOf(address: string, sender: Address | null, { connection, hostname, now }: Stage): SpfSubject {
  const from = sender === null ? '' : `${sender.local}@${sender.domain}`
  return { address, helo: connection.hello?.name ?? '', sender: from, hostname, now }
}

/** Whether a client has logged in, or is on this machine: whose mail is not looked at, if nothing else is said. */
export function isOurs({ account, peer: { address, proxy } }: Connection): boolean {
  if (account !== undefined) return true
  // A client that a proxy cannot name has no address either.
  return address === undefined ? proxy === undefined : address.startsWith('127.') || address === '::1'
}
