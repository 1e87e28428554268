import type { ConnectQuestion } from '../../events.ts'
import type { Reply } from '../../reply.ts'
import { refuses, type ServerContext, wireOf } from '../context.ts'

/** The answer to a `connect` question: the greeting, or a refusal. */
export function settleConnect(context: ServerContext, _question: ConnectQuestion, answer: Reply | undefined): string {
  const wire = wireOf(answer, '')
  if (refuses(answer)) {
    // RFC 5321 §3.1: after 554 the client says QUIT; after any other refusal there is nothing to wait for.
    if (answer!.code >= 500) context.refused = true
    else context.close('refused')
    return wire
  }
  const text = answer === undefined ? '' : ` ${typeof answer.text === 'string' ? answer.text : answer.text.join(' ')}`
  // RFC 2034 §4: no enhanced code in the greeting.
  return wireOf({ code: 220, text: `${context.config.greeting}${text}` }, '')
}
