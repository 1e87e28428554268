import { asciiUpper } from '../../../bytes/text.ts'
import type { SmtpServerConfig } from '../../config.ts'
import type { SmtpServerEvent } from '../../events.ts'
import type { Command, ServerContext } from '../context.ts'
import { auth, settleAuth, settleSecret } from './auth.ts'
import { bdat } from './bdat.ts'
import { settleConnect } from './connect.ts'
import { custom, expn, help, noop, quit, rset, settleCommand, settleExpand, settleVerify, vrfy } from './control.ts'
import { data, settleContent, settleMessage } from './data.ts'
import { ehlo, helo, lhlo, settleHello } from './hello.ts'
import { mail, settleSender } from './mail.ts'
import { rcpt, settleRecipient } from './rcpt.ts'
import { starttls } from './starttls.ts'
import { settleXclient, xclient, xforward } from './xclient.ts'

const commands = new Map<string, Command>([
  ['MAIL', mail],
  ['RCPT', rcpt],
  ['DATA', data],
  ['BDAT', bdat],
  ['EHLO', ehlo],
  ['HELO', helo],
  ['LHLO', lhlo],
  ['RSET', rset],
  ['NOOP', noop],
  ['QUIT', quit],
  ['VRFY', vrfy],
  ['EXPN', expn],
  ['HELP', help],
  ['AUTH', auth],
  ['STARTTLS', starttls],
  ['XCLIENT', xclient],
  ['XFORWARD', xforward],
])

/** RFC 2920 §3.1: behind these a client must wait for the reply. QUIT is left out: nothing behind it is read. */
const last: ReadonlySet<Command> = new Set([ehlo, helo, lhlo, data, vrfy, expn, noop, auth, starttls, xclient])

/** Whether the command must be the last of its batch (S12). */
export const standsLast = (command: Command): boolean => last.has(command)

/** The command of a verb, in any case. */
export function commandOf(config: SmtpServerConfig, verb: string): Command | undefined {
  const known = commands.get(verb)
  if (known) return known
  const upper = asciiUpper(verb)
  return commands.get(upper) ?? (config.verbs.has(upper) ? custom(upper) : undefined)
}

type Settler = (context: ServerContext, question: never, answer: never) => string

const settlers: Partial<Record<SmtpServerEvent['kind'], Settler>> = {
  connect: settleConnect,
  hello: settleHello,
  secret: settleSecret,
  auth: settleAuth,
  sender: settleSender,
  recipient: settleRecipient,
  content: settleContent,
  message: settleMessage,
  verify: settleVerify,
  expand: settleExpand,
  command: settleCommand,
  xclient: settleXclient,
}

/** What the host's answer means for the session, and the reply that goes out for it. */
export function settle(context: ServerContext, question: SmtpServerEvent, answer: unknown): string {
  return settlers[question.kind]!(context, question as never, answer as never)
}
