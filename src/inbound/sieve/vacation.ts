import type { FilterAction } from '../../contracts/filter.ts'
import type { Address } from '../../message/address.ts'
import { splitTag } from '../../message/address.ts'
import { automated } from '../../message/automated.ts'
import { asciiDomain } from '../../message/domain.ts'
import { isAscii } from '../../protocol/bytes/text.ts'
import { fieldsOf } from './evaluate.ts'
import type { Text, Vacation } from './program.ts'
import type { Frame, RunState } from './state.ts'
import { type Steps, waitFor } from './steps.ts'
import { readMailbox } from './values.ts'

type Reply = Extract<FilterAction, { kind: 'reply' }>

/** Fields by which a message is addressed to people (RFC 5230 §4.5). */
const ADDRESSED = ['to', 'cc', 'bcc', 'resent-to', 'resent-cc', 'resent-bcc']
/** Characters of a subject. */
const MOST_SUBJECT = 500
const WEEK = 7 * 86_400

/** What vacation does: an answer, or in words why there is none. */
export function* answerTo(vacation: Vacation, frame: Frame, state: RunState): Steps<Reply | { readonly why: string }> {
  const { message, environment, limits } = state
  const { sender } = message.envelope
  if (sender === null) return { why: 'it has no sender to be answered' }
  // RFC 5230 §4.6, RFC 3834 §2. A list archives what goes through it.
  const machine = automated(message.headers, sender)
  if (machine.automated) return { why: `a machine has sent it (${machine.reason})` }
  const marked = ['list-archive', 'auto-submitted'].find((name) => {
    return state.headers.all(name).some(({ value }) => value.trim().toLowerCase() !== 'no')
  })
  if (marked !== undefined) return { why: `a machine has sent it (${marked})` }
  const own = [environment.recipient, ...(environment.addresses ?? [])]
  const others = state.texts(vacation.addresses, frame).flatMap((text) => readMailbox(text)?.address ?? [])
  if (isAmong(sender, [...own, ...others])) return { why: 'its sender is whom it is for' }
  const addressed = addressedAs([...own, ...others], state)
  if (!addressed) return { why: 'it is not addressed to whom it came to' }
  const seconds = Math.min(limits.vacationMost, Math.max(limits.vacationLeast, vacation.seconds ?? WEEK))
  const text = state.text(vacation.reason, frame)
  // §5: what a variable has brought may be no MIME entity any more.
  if (vacation.mime && !isAscii(text)) return { why: 'its text is not ASCII, as :mime has it' }
  if (!(yield* isFirst(vacation, seconds, sender, frame, state))) return { why: 'its sender was answered not long ago' }
  const original = state.headers.all('subject')[0]?.text
  const subject = vacation.subject === undefined
    // §5.3.
    ? original === undefined || original === '' ? 'Automated reply' : `Auto: ${original}`
    : state.text(vacation.subject, frame)
  return {
    kind: 'reply',
    to: sender,
    from: yield* senderOf(vacation.from, isAmong(addressed, own) ? addressed : environment.recipient, frame, state),
    subject: subject.replace(/[\p{Cc}]+/gu, ' ').slice(0, MOST_SUBJECT).trim(),
    text,
    mime: vacation.mime,
  }
}

/** The one of the addresses that the message names as a recipient. */
function addressedAs(addresses: readonly Address[], state: RunState): Address | undefined {
  const keys = new Map(addresses.flatMap((address) => keysOf(address).map((key) => [key, address] as const)).toReversed())
  for (const { value } of fieldsOf(ADDRESSED, undefined, state)) {
    for (const address of state.addresses(value)) {
      const found = keysOf(address).map((key) => keys.get(key)).find((one) => one !== undefined)
      if (found) return found
    }
  }
  return undefined
}

/** An address as it is compared: with its tag, and without. */
function keysOf({ local, domain }: Address): readonly string[] {
  const name = local.toLowerCase()
  return [...new Set([name, splitTag(name).local])].map((one) => `${one}@${asciiDomain(domain)}`)
}

function isAmong(address: Address, several: readonly Address[]): boolean {
  const keys = new Set(several.flatMap(keysOf))
  return keysOf(address).some((key) => keys.has(key))
}

/**
 * Whether the sender gets this answer now (RFC 5230 §4.2): answers are told apart by their handle, or by what stands in the
 * script, variables not put in.
 */
function* isFirst(vacation: Vacation, seconds: number, sender: Address, frame: Frame, state: RunState): Steps<boolean> {
  const { handle, subject, from, mime, reason } = vacation
  const what = handle === undefined
    ? ['says', sourceOf(subject), sourceOf(from), String(mime), sourceOf(reason)]
    : ['handle', state.text(handle, frame)]
  const to = `${sender.local.toLowerCase()}@${asciiDomain(sender.domain)}`
  const message = state.message.headers.value('message-id') ?? ''
  return yield* waitFor(state.memory.mayAnswer([to, ...what], message, seconds))
}

function sourceOf(text: Text | undefined): string {
  return text === undefined ? '' : typeof text === 'string' ? text : text.source
}

/** Who answers. Another address than the account's own is passed over where the account may not use it (RFC 5230 §4.3). */
function* senderOf(from: Text | undefined, own: Address, frame: Frame, state: RunState): Steps<Reply['from']> {
  const { local, domain } = own
  const usual = { address: { local, domain } }
  const wanted = from === undefined ? undefined : readMailbox(state.text(from, frame))
  if (!wanted) return usual
  const { environment } = state
  const isOwn = isAmong(wanted.address, [environment.recipient, ...(environment.addresses ?? [])])
  if (!isOwn && !(yield* waitFor(environment.maySendAs?.(wanted.address) ?? false))) {
    state.note('vacation: its :from is not an address of the account, which answers in its own name')
    return usual
  }
  return wanted.name === '' ? { address: wanted.address } : wanted
}
