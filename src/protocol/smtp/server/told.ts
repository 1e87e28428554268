import { asciiUpper } from '../../bytes/text.ts'
import type { LineEvent } from '../../session/told.ts'
import type { RefusalEvent } from '../events.ts'
import { replies } from './replies.ts'

/** The limits that the session's own replies stand for. */
const limits: ReadonlyMap<string, string> = new Map([
  [replies.tooManyErrors, 'errors'],
  [replies.tooManyCommands, 'commands'],
  [replies.tooManyTransactions, 'transactions'],
  [replies.tooManyAttempts, 'authAttempts'],
  [replies.tooManyRefused, 'refusedRecipients'],
  [replies.tooManyRecipients, 'recipients'],
  [replies.lineTooLong, 'commandOctets'],
  [replies.authLineTooLong, 'authOctets'],
  [replies.tooLarge, 'messageOctets'],
  [replies.headerTooLarge, 'headerOctets'],
  [replies.textLineTooLong, 'textLineOctets'],
  [replies.loop, 'hops'],
  [replies.timeout, 'timeout'],
  [replies.tooLong, 'total'],
])

/** Replies in words of ours alone; any other may repeat what the client has sent. */
const ours: ReadonlySet<string> = new Set(Object.values(replies))

/** That we stop, or failed, is no refusal of the client's doing; both are told elsewhere. */
const exempt: ReadonlySet<string> = new Set([replies.drained, replies.failed])

/** The event for what the session says of its own accord; nothing where that refuses nothing. */
export function refusalOf(wire: string): RefusalEvent | undefined {
  // 4xx and 5xx.
  const isRefusal = wire.charCodeAt(0) >= 52 && !exempt.has(wire)
  if (!isRefusal) return undefined
  const line = wire.slice(0, wire.indexOf('\r'))
  const [code = '', enhanced = ''] = line.split(' ', 2)
  const text = ours.has(wire) ? line.slice(code.length + enhanced.length + 2) : ''
  return { kind: 'refusal', code: Number(code.slice(0, 3)), enhanced, text, limit: limits.get(wire) }
}

/** The event for a command line. What is no command may be anything, a password that was sent too late too: it is not told. */
export const lineOf = (verb: string | undefined, octets: number): LineEvent => ({
  kind: 'line',
  verb: verb === undefined ? undefined : asciiUpper(verb),
  octets,
})
