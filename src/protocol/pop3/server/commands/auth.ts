import { decodeBase64, encodeBase64 } from '../../../bytes/base64.ts'
import { asciiUpper } from '../../../bytes/text.ts'
import type { SaslExchange, SaslSecret, SaslStep } from '../../../sasl/exchange.ts'
import { mechanismsOf } from '../../capabilities.ts'
import { allowsPlaintext, isOffered } from '../../config.ts'
import type { Pop3AuthRefusal } from '../../events.ts'
import { err, mistake, type Result, type Run, tlsFirst, tooLong, wait } from '../../run.ts'
import { isRefusal } from '../../../session/refusal.ts'
import { none, words } from '../arguments.ts'
import { AUTHORIZATION, type Command, type Pop3Context } from '../context.ts'
import { multiLine } from '../multi-line.ts'
import { judge, refuse } from './login.ts'

const EMPTY = new Uint8Array(0)

/** AUTH (RFC 5034 §4), with an initial response. */
export const auth: Command = {
  name: 'AUTH',
  states: AUTHORIZATION,
  *run(context, argument) {
    const { config, channel } = context
    const [name, initial, ...rest] = words(argument)
    none(rest.join(' '))
    // Older than RFC 5034, and still asked: which mechanisms there are.
    if (name === undefined) return yield* multiLine(context, 'Mechanisms follow', mechanismsOf(config, channel))
    const mechanism = config.mechanisms.get(asciiUpper(name))
    if (mechanism === undefined) return err('There is no such mechanism')
    if (mechanism.plaintext && !allowsPlaintext(config, channel)) return tlsFirst
    if (!isOffered(config, mechanism, channel)) return err('There is no such mechanism')
    if (initial !== undefined && mechanism.serverFirst) return mistake('The mechanism takes no initial response')
    // RFC 5034 §4: `=` is an initial response that is there and empty.
    const bytes = initial === undefined ? undefined : initial === '=' ? EMPTY : decodeBase64(initial)
    if (initial !== undefined && bytes === undefined) return mistake('That is no base64')
    const exchange = mechanism.begin(channel)
    return yield* proceed(context, exchange, exchange.respond(bytes))
  },
}

function* proceed(context: Pop3Context, exchange: SaslExchange, first: SaslStep): Run<Result | undefined> {
  for (let step = first; ;) {
    if (step.kind === 'malformed') return mistake(step.why)
    if (step.kind === 'challenge') {
      const bytes = yield* challenge(context, step.bytes)
      if (!(bytes instanceof Uint8Array)) return bytes
      step = exchange.respond(bytes)
    } else if (step.kind === 'lookUp') {
      const answer = (yield { kind: 'secret', lookUp: step.lookUp }) as SaslSecret | Pop3AuthRefusal | undefined
      if (isRefusal(answer)) return yield* refuse(context, answer)
      step = exchange.found!(answer)
    } else {
      const result = yield* judge(context, step.credentials)
      const why = result === undefined || result.fine ? undefined : exchange.refused?.()
      // What the client says to the reason of a refusal means nothing.
      if (why !== undefined) yield* challenge(context, why)
      return result
    }
  }
}

/** Says a challenge and hears the answer to it, or how the exchange ends. */
function* challenge(context: Pop3Context, bytes: Uint8Array): Run<Uint8Array | Result> {
  // The space stays even where the challenge is empty.
  context.write(`+ ${encodeBase64(bytes)}\r\n`)
  const text = yield* wait<string | undefined>({ kind: 'line' })
  if (text === undefined) return tooLong('authOctets')
  if (text === '*') return err('Given up')
  return decodeBase64(text) ?? mistake('That is no base64')
}
