import { fromUtf8Octets } from '../../../bytes/text.ts'
import type { Credentials } from '../../../sasl/exchange.ts'
import { allowsPlaintext } from '../../config.ts'
import type { Pop3AuthRefusal } from '../../events.ts'
import { Maildrop } from '../../maildrop.ts'
import { ask, err, mistake, ok, type Result, type Run, tlsFirst, wait } from '../../run.ts'
import { isRefusal, Refused, UNAVAILABLE } from '../../../session/refusal.ts'
import { AUTHORIZATION, type Command, type Pop3Context } from '../context.ts'
import { contents } from './dele.ts'

/** Octets of UTF-8 that a name may have. */
const MOST_NAME = 255

/** USER (RFC 1939 §7). Whoever it names, the answer is the same. */
export const user: Command = {
  name: 'USER',
  states: AUTHORIZATION,
  *run(context, argument) {
    if (!allowsPlaintext(context.config, context.channel)) return tlsFirst
    if (argument === '') return mistake('It takes a name')
    context.username = argument
    return ok('And the password?')
  },
}

/** PASS (RFC 1939 §7): all that follows is the password, spaces too. */
export const pass: Command = {
  name: 'PASS',
  states: AUTHORIZATION,
  *run(context, argument) {
    if (!allowsPlaintext(context.config, context.channel)) return tlsFirst
    const name = context.username
    context.username = undefined
    if (name === undefined) return mistake('USER first')
    // RFC 6856 §2.2: names and passwords that are no UTF-8 are refused.
    const username = fromUtf8Octets(name)
    const password = fromUtf8Octets(argument)
    const isNamed = username !== undefined && name.length <= MOST_NAME && !username.includes('\0')
    if (!isNamed || password === undefined || password === '') return yield* refuse(context, undefined)
    return yield* judge(context, { kind: 'password', mechanism: 'PASS', username, password })
  },
}

/** Asks the host whose credentials these are, and for the maildrop. */
export function* judge(context: Pop3Context, credentials: Credentials): Run<Result | undefined> {
  const answer = (yield { kind: 'auth', credentials }) as { readonly account: string } | Pop3AuthRefusal | undefined
  if (answer === undefined || isRefusal(answer)) return yield* refuse(context, answer)
  try {
    context.maildrop = new Maildrop(yield* ask({ kind: 'open' }))
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    // RFC 1939 §4: the server may close the connection. The client need not log in twice to ask again.
    context.close('refused', { ...err(error.message, error.code), told: error.code === 'IN-USE' })
    return undefined
  }
  return ok(contents(context))
}

/** Says that nobody logs in: after a while, unless the reason is none of the client's. */
export function* refuse(context: Pop3Context, answer: Pop3AuthRefusal | undefined): Run<Result | undefined> {
  if (answer?.temporary) return err(answer.refused === '' ? UNAVAILABLE : answer.refused, answer.code ?? 'SYS/TEMP')
  const { timeouts, limits } = context.config
  const doubled = Math.min(context.failedAuth++, 4)
  yield* wait<undefined>({ kind: 'pause', until: context.now + Math.max(timeouts.authDelay * 2 ** doubled, answer?.delay ?? 0) })
  // RFC 3206 §4.
  const result = err(answer?.refused ?? 'Name or password is wrong', answer?.code ?? 'AUTH')
  if (context.failedAuth < limits.authAttempts) return result
  context.close('limit', { ...result, limit: 'authAttempts' })
  return undefined
}
