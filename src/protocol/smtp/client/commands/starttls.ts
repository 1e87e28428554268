import { type ClientContext, says, type Slot } from '../context.ts'
import { logIn } from './auth.ts'

/** STARTTLS (RFC 3207), where the server has it. */
export function secure(context: ClientContext): void {
  if (context.capabilities.keywords.has('STARTTLS')) context.say('STARTTLS', startTls)
  else if (context.config.tls === 'required') context.giveUp({ phase: 'tls', reason: 'tls-not-offered' })
  else logIn(context)
}

const startTls: Slot = {
  phase: 'tls',
  patience: 'command',
  settle: (context, reply) => {
    if (!says(reply)) {
      if (context.config.tls === 'required') context.giveUp({ phase: 'tls', reason: 'refused', reply })
      else logIn(context)
    } else if (context.hasInput) {
      // CVE-2011-0411, RFC 3207 §4.2: it would be taken for what comes over TLS.
      context.breakOff({ phase: 'tls', reason: 'protocol' })
    } else {
      context.enter('handshake')
      context.emit({ kind: 'startTls' })
    }
  },
}
