import { readAddress } from '../accounts/address.ts'
import { readRange } from '../contracts/read-body.ts'
import type { Account } from '../contracts/directory.ts'
import type { BodyStore } from '../contracts/bodies.ts'
import type { Dispatch } from '../contracts/dispatch.ts'
import type { EnqueuedMail, NewMail, RefusedRecipient } from '../contracts/new-mail.ts'
import type { Verdict } from '../contracts/policy.ts'
import type { Envelope, Recipient } from '../contracts/received.ts'
import { type Address, splitTag } from '../message/address.ts'
import type { MessageFacts } from '../message/facts.ts'
import { parseHeaderBlock } from '../message/headers.ts'
import { indexMessage } from '../message/indexer.ts'
import { isAscii } from '../protocol/bytes/text.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { MailError } from '../protocol/session/errors.ts'
import {
  aNumber, anObject, aSwitch, aText, checkOptions, oneOf, type OptionKind, type OptionKinds, required,
} from '../protocol/session/options.ts'
import { encodeMailbox, encodeXtext } from '../protocol/smtp/index.ts'
import type { Addressing } from './addressing.ts'
import { type Collected, Collector } from './collector.ts'
import { LineEnds } from './line-ends.ts'
import { refusalOf } from './reception.ts'
import { distinct, type Submission, type Unsent } from './submission.ts'

/** Where mail of the application's own goes. */
export interface HostMailPlaces {
  readonly addressing: Addressing
  readonly submission: Submission
  readonly queue: Dispatch
  readonly bodies: BodyStore
  /** Octets from which on a message goes to `bodies` while it comes. */
  readonly inMemory: number
  readonly clock: Clock
}

const addresses: OptionKind = {
  takes: "a list of addresses, such as ['eve@example.org']",
  is: (value) => Array.isArray(value) && value.every((each) => typeof each === 'string'),
}
const notices: OptionKind = {
  takes: "a list of 'SUCCESS', 'FAILURE' and 'DELAY'",
  is: (value) => Array.isArray(value) && value.every((each) => ['SUCCESS', 'FAILURE', 'DELAY'].includes(each as string)),
}
const kinds: OptionKinds<NewMail> = {
  from: { takes: 'an address, or null', is: (value) => value === null || typeof value === 'string', required: true },
  to: required(addresses),
  content: required({
    takes: 'a text, octets, or what gives them piece by piece',
    is: (value) => typeof value === 'string' || value instanceof Uint8Array || anObject.is(value),
  }),
  account: aText,
  ret: oneOf('FULL', 'HDRS'),
  // RFC 3461 §4.4.
  envid: {
    takes: '1 to 100 printable characters; some (blanks, + and =) count as three',
    is: (value) => aText.is(value) && /^[ -~]+$/.test(value as string) && encodeXtext(value as string).length <= 100,
  },
  notify: notices,
  requireTls: aSwitch,
  priority: { takes: 'a whole number from -9 to 9', is: (value) => Number.isInteger(value) && Math.abs(value as number) <= 9 },
  // A date of RFC 3339 has a year of four digits.
  notBefore: { takes: 'milliseconds since the Unix epoch', is: (value) => aNumber.is(value) && (value as number) < LATEST },
}

/** The year 10000, in milliseconds since the Unix epoch. */
const LATEST = 253_402_300_800_000

/** Takes mail over that the application around the server hands in, as submission takes it from its people (RFC 6409). */
export class HostMail {
  private readonly places: HostMailPlaces

  constructor(places: HostMailPlaces) {
    this.places = places
  }

  /** See `MailServer.enqueue`. */
  async enqueue(mail: NewMail): Promise<EnqueuedMail> {
    checkOptions('enqueue', mail, kinds)
    if (mail.to.length === 0) throw new MailError('misuse', 'enqueue: to is empty; it takes one recipient at the least.')
    const sender = mail.from === null ? null : addressOf(mail.from)
    const account = mail.account === undefined ? undefined : await this.senderOf(mail.account, sender)
    const size = typeof mail.content === 'string' ? undefined : (mail.content as Partial<Uint8Array>).length
    const { recipients, accepted, refused } = await this.claimed(mail.to, sender, size)
    const collected = await this.collect(mail.content)
    try {
      const received = this.places.clock.now()
      const message = await unsent(collected, received)
      const refusal = account ? await this.places.submission.judge(account, message) : undefined
      if (refusal) throw refusedBy(refusal)
      const { body, facts } = await this.places.submission.mended(message)
      const envelope = envelopeOf(mail, sender, recipients, facts)
      const { id } = await this.places.queue.enqueue({ envelope, body, facts, account: account?.id, received })
      return { id, messageId: facts.messageId ?? '', accepted, refused }
    } finally {
      await collected.discard()
    }
  }

  private async senderOf(id: string, sender: Address | null): Promise<Account> {
    const { submission } = this.places
    const refusal = await submission.sender(id, sender)
    const account = await submission.accountOf(id)
    if (refusal || !account) throw refusal ? refusedBy(refusal) : new MailError('permanent', 'This account may not send mail')
    return account
  }

  /** Whom the mail can go to. Throws where that is nobody. */
  private async claimed(to: NewMail['to'], sender: Address | null, size: number | undefined) {
    const recipients: Recipient[] = []
    const accepted: string[] = []
    const refused: RefusedRecipient[] = []
    let worst: Verdict | undefined
    for (const text of to) {
      const recipient = recipientOf(text)
      const verdict = await this.places.addressing.refusal(recipient, sender, size)
      const reply = refusalOf(verdict)
      if (reply === undefined) {
        recipients.push(recipient)
        accepted.push(text)
        continue
      }
      worst ??= verdict
      refused.push({ to: text, code: reply.code, reply: textOf(verdict!) })
    }
    if (worst && recipients.length === 0) throw refusedBy(worst)
    return { recipients: distinct({ recipients }), accepted, refused }
  }

  private async collect(content: NewMail['content']): Promise<Collected> {
    const { inMemory, bodies } = this.places
    const collector = new Collector(inMemory, bodies)
    const ends = new LineEnds()
    try {
      for await (const bytes of piecesOf(content)) for (const piece of ends.push(bytes)) await collector.write(piece)
      const last = ends.end()
      if (last) await collector.write(last)
    } catch (error) {
      await collector.discard()
      throw error
    }
    return collector.finish()
  }
}

async function* piecesOf(content: NewMail['content']): AsyncGenerator<Uint8Array, void, undefined> {
  if (typeof content === 'string') yield Buffer.from(content, 'utf8')
  else if (content instanceof Uint8Array) yield content
  else yield* content
}

/** What has come, as far as it is looked at. */
async function unsent({ body, facts: gathered }: Collected, received: number): Promise<Unsent> {
  if (body.bytes) {
    const facts = gathered ?? indexMessage(body.bytes)
    return { headers: parseHeaderBlock(body.bytes), facts, octets: body.size, body, received }
  }
  const facts = gathered!
  const header = await readRange(body, { start: 0, end: facts.structure.body })
  return { headers: parseHeaderBlock(header), facts, octets: body.size, body, received }
}

function envelopeOf(
  { ret, envid, notify, requireTls = false, priority, notBefore }: NewMail,
  sender: Address | null, recipients: readonly Recipient[], { eightBit, oddities }: MessageFacts,
): Envelope {
  const isUtf8 = [...recipients, ...(sender ? [sender] : [])].some(({ local }) => !isAscii(local))
  return {
    sender,
    recipients: recipients.map((to) => ({ ...to, notify })),
    size: undefined,
    body: eightBit ? '8BITMIME' : '7BIT',
    smtpUtf8: isUtf8 || oddities.some(({ kind }) => kind === '8bit-header'),
    ret,
    envid,
    requireTls,
    deliverBy: undefined,
    priority,
    hold: notBefore === undefined ? undefined : { until: new Date(notBefore).toISOString() },
  }
}

function recipientOf(text: string): Recipient {
  const address = addressOf(text)
  const { local, tag } = splitTag(address.local)
  return { ...address, user: local, tag, wire: encodeMailbox(address), notify: undefined, originalRecipient: undefined }
}

function addressOf(text: string): Address {
  const address = readAddress(text)
  if (!address) throw new MailError('permanent', `${JSON.stringify(text)} is no address`)
  return address
}

/** A refusal in one line. */
function textOf(refusal: Verdict): string {
  if (!('reply' in refusal)) return refusal.kind
  const { code, enhanced, text } = refusal.reply
  return [code, enhanced, [text].flat().join(' ')].filter((part) => part !== undefined).join(' ')
}

function refusedBy(refusal: Verdict): MailError {
  return new MailError(refusal.kind === 'defer' ? 'temporary' : 'permanent', textOf(refusal))
}
