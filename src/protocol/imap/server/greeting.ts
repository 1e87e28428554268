import { responseText } from '../encode.ts'
import { type Run } from '../run.ts'
import { isRefusal } from '../../session/refusal.ts'
import type { ImapContext } from './context.ts'

/** Asks whether the client is welcome, and greets it (RFC 9051 §7.1.4, §7.1.5). */
export function* greeting(context: ImapContext): Run<void> {
  const answer = yield { kind: 'connect' }
  if (isRefusal(answer)) {
    const code = answer.code === undefined ? '' : `[${answer.code}] `
    context.say(`* BYE ${code}${responseText(answer.refused)}`)
    context.close('refused', '')
    return
  }
  context.say(`* OK [CAPABILITY ${context.capabilities()}] ${context.config.hostname} ready`)
}
