import type { Command } from '../context.ts'
import { replies } from '../replies.ts'

/**
 * STARTTLS (RFC 3207 §4). What the client has sent behind it in the clear ends the connection: it may be somebody else's
 * (§4.1, S12).
 */
export const starttls: Command = (context, argument) => {
  if (!context.config.startTls) return void context.complain(context.secure ? replies.alreadySecure : replies.notImplemented)
  if (context.secure) return void context.complain(replies.alreadySecure)
  if (argument !== '') return void context.complain(replies.noArgument)
  if (!context.hello) return void context.complain(context.config.lmtp ? replies.helloFirstLmtp : replies.helloFirst)
  context.abandon('reset')
  context.say(replies.readyForTls)
  context.expect('handshake')
  return { kind: 'startTls' }
}
