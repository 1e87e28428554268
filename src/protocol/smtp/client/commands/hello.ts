import type { Reply } from '../../reply.ts'
import { noCapabilities, readCapabilities, type SmtpCapabilities } from '../capabilities.ts'
import { type ClientContext, says, type Slot } from '../context.ts'
import { logIn } from './auth.ts'
import { secure } from './starttls.ts'

/** The greeting (RFC 5321 §3.1). */
export const greeting: Slot = {
  phase: 'connect',
  patience: 'greeting',
  settle: (context, reply) => {
    if (says(reply)) sayHello(context)
    else context.giveUp({ phase: 'connect', reason: 'refused', reply })
  },
}

/** EHLO, LHLO; after STARTTLS again. What was known of the server before is forgotten (RFC 3207 §4.2). */
export function sayHello(context: ClientContext): void {
  context.capabilities = noCapabilities
  context.mechanism = undefined
  greet(context, context.config.lmtp ? 'LHLO' : 'EHLO')
}

function greet(context: ClientContext, verb: SmtpCapabilities['verb']): void {
  context.enter('hello')
  const settle = (_: ClientContext, reply: Reply): void => greeted(context, verb, reply)
  context.say(`${verb} ${context.config.hello}`, { phase: 'hello', patience: 'hello', settle })
}

function greeted(context: ClientContext, verb: SmtpCapabilities['verb'], reply: Reply): void {
  const { tls, auth } = context.config
  if (says(reply)) {
    context.capabilities = readCapabilities(verb, typeof reply.text === 'string' ? [reply.text] : reply.text)
    if (context.secure || tls === 'never') logIn(context)
    else secure(context)
    return
  }
  // RFC 5321 §3.2: a server of old. It has neither TLS nor AUTH.
  const needed = (tls === 'required' && !context.secure) || (auth !== undefined && auth.required !== false)
  if (verb === 'EHLO' && reply.code >= 500 && !needed) greet(context, 'HELO')
  else context.giveUp({ phase: 'hello', reason: 'refused', reply })
}
