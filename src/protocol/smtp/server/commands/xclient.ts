import { asciiUpper, hasControl } from '../../../bytes/text.ts'
import type { ClientAttributes, XclientQuestion } from '../../events.ts'
import { XCLIENT_NAMES, XFORWARD_NAMES } from '../../extensions.ts'
import { parseLiteral } from '../../literal.ts'
import { encodeReply, reply, type Reply } from '../../reply.ts'
import { decodeXtext } from '../../xtext.ts'
import { type Command, refuses, type ServerContext, wireOf } from '../context.ts'
import { replies } from '../replies.ts'

/** XCLIENT (Postfix's XCLIENT_README): a trusted proxy speaks for the client it names. */
export const xclient: Command = (context, argument) => {
  if (!context.trusted) return void context.complain(replies.xclientRefused)
  if (context.transaction) return void context.complain(replies.inTransaction)
  const attributes = readAttributes(argument, XCLIENT_NAMES)
  if (typeof attributes === 'string') return void context.complain(badAttribute(attributes))
  if (!isAddress(attributes.get('ADDR'))) return void context.complain(badAttribute('ADDR'))
  const question: XclientQuestion = { kind: 'xclient', id: context.id(), attributes }
  return context.ask(question)
}

/** XFORWARD (Postfix's XFORWARD_README): the original client's facts, for the log. */
export const xforward: Command = (context, argument) => {
  if (!context.trusted) return void context.complain(replies.xclientRefused)
  if (context.transaction) return void context.complain(replies.inTransaction)
  const attributes = readAttributes(argument, XFORWARD_NAMES)
  if (typeof attributes === 'string') return void context.complain(badAttribute(attributes))
  context.say(replies.ok)
  return { kind: 'xforward', attributes }
}

const badAttribute = (name: string): string => encodeReply(reply(501, '5.5.4', `Bad attribute ${name}`))

/** `NAME=value` words in xtext, or the name of the first that is not sound. */
function readAttributes(text: string, known: readonly string[]): ClientAttributes | string {
  const attributes = new Map<string, string | undefined>()
  for (const word of text.trim().split(' ')) {
    const equals = word.indexOf('=')
    const name = asciiUpper(word.slice(0, Math.max(0, equals)))
    const value = decodeXtext(word.slice(equals + 1))
    if (!known.includes(name) || value === undefined) return known.includes(name) ? name : 'list'
    const upper = value.toUpperCase()
    attributes.set(name, upper === '[UNAVAILABLE]' || upper === '[TEMPUNAVAIL]' ? undefined : printable(value))
  }
  return attributes
}

/** Whether policies can tell the client by it: `192.0.2.1` or `IPV6:2001:db8::1`; or it is not known. */
function isAddress(text: string | undefined): boolean {
  if (text === undefined) return true
  const kind = parseLiteral(`[${text}]`)?.kind
  return kind === 'ipv4' || kind === 'ipv6'
}

/** What the client itself said comes through the proxy's mouth: control characters would reach logs and headers. */
function printable(text: string): string {
  if (!hasControl(text)) return text
  let out = ''
  for (let at = 0; at < text.length; at++) out += hasControl(text.charAt(at)) ? '?' : text.charAt(at)
  return out
}

/** The answer to an `xclient` question. Accepted, the conversation begins anew with the greeting of the named client. */
export function settleXclient(context: ServerContext, question: XclientQuestion, answer: Reply | undefined): string {
  const wire = wireOf(answer, '')
  if (refuses(answer)) return wire
  context.restart()
  // The proxy has let it log in.
  context.account = question.attributes.get('LOGIN') || undefined
  return ''
}
