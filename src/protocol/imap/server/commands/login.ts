import { fromUtf8Octets } from '../../../bytes/text.ts'
import { no, ok, type Result, type Run, wait } from '../../run.ts'
import type { AuthRefusal } from '../../events.ts'
import type { Credentials } from '../../../sasl/exchange.ts'
import type { Command, ImapContext } from '../context.ts'
import { isRefusal, UNAVAILABLE } from '../../../session/refusal.ts'

const TOO_MANY = 'Too many log-ins on one connection'

/** LOGIN (RFC 9051 §6.2.3). */
export const login: Command = {
  name: 'LOGIN',
  states: ['not authenticated'],
  *run(context, reader) {
    reader.space()
    const name = reader.astring()
    reader.space()
    const secret = reader.astring()
    reader.end()
    if (!context.channel.secure && !context.config.authWithoutTls) return no('TLS first', 'PRIVACYREQUIRED')
    const username = fromUtf8Octets(name)
    const password = fromUtf8Octets(secret)
    const named = username !== undefined && username !== '' && name.length <= 255 && !username.includes('\0')
    if (!named || password === undefined || password === '') return yield* refuse(context, undefined)
    return yield* judge(context, { kind: 'password', mechanism: 'LOGIN', username, password })
  },
}

/** Asks the host whose credentials these are. */
export function* judge(context: ImapContext, credentials: Credentials): Run {
  // Each may cost the host a hash, and UNAUTHENTICATE lets a client that knows a password give it again and again.
  if (++context.logIns > context.config.limits.logIns) {
    return { ...no(TOO_MANY, 'LIMIT'), ends: { why: 'limit', text: TOO_MANY, limit: 'logIns' } }
  }
  const answer = (yield { kind: 'auth', credentials }) as { readonly account: string } | AuthRefusal | undefined
  if (answer === undefined || isRefusal(answer)) return yield* refuse(context, answer)
  context.account = answer.account
  return ok('Logged in', `CAPABILITY ${context.capabilities()}`)
}

/** Says that nobody logs in: after a while, unless the reason is none of the client's (I62). */
export function* refuse(context: ImapContext, answer: AuthRefusal | undefined): Run {
  if (answer?.temporary) return no(answer.refused === '' ? UNAVAILABLE : answer.refused, answer.code ?? 'UNAVAILABLE')
  const { timeouts, limits } = context.config
  const doubled = Math.min(context.failedAuth++, 4)
  yield* wait<undefined>({ kind: 'pause', until: context.now + Math.max(timeouts.authDelay * 2 ** doubled, answer?.delay ?? 0) })
  const result: Result = no(answer?.refused ?? 'Name or password is wrong', answer?.code ?? 'AUTHENTICATIONFAILED')
  if (context.failedAuth < limits.authAttempts) return result
  return { ...result, ends: { why: 'limit', text: 'Too many failed log-ins', limit: 'authAttempts' } }
}
