import { decodeBase64, encodeBase64 } from '../../../bytes/base64.ts'
import type { SaslExchange, SaslSecret, SaslStep } from '../../../sasl/exchange.ts'
import { isOffered } from '../../config.ts'
import type { AuthRefusal } from '../../events.ts'
import { bad, type Heard, no, type Result, type Run, wait } from '../../run.ts'
import { isRefusal } from '../../../session/refusal.ts'
import type { Command, ImapContext } from '../context.ts'
import { judge, refuse } from './login.ts'

const EMPTY = new Uint8Array(0)

/** AUTHENTICATE (RFC 9051 §6.2.2), with an initial response (RFC 4959). */
export const authenticate: Command = {
  name: 'AUTHENTICATE',
  states: ['not authenticated'],
  *run(context, reader) {
    reader.space()
    const name = reader.word()
    const initial = reader.maybeSpace() ? reader.until(' ') : undefined
    reader.end()
    const mechanism = context.config.mechanisms.get(name)
    if (mechanism === undefined) return no('There is no such mechanism')
    if (mechanism.plaintext && !context.channel.secure && !context.config.authWithoutTls) return no('TLS first',
      'PRIVACYREQUIRED')
    if (!isOffered(context.config, mechanism, context.channel)) return no('There is no such mechanism')
    if (initial !== undefined && mechanism.serverFirst) return bad('The mechanism takes no initial response')
    // RFC 4959 §3: `=` is an initial response that is there and empty (I10).
    const bytes = initial === undefined ? undefined : initial === '=' ? EMPTY : decodeBase64(initial)
    if (initial !== undefined && (bytes === undefined || initial === '')) return bad('That is no base64')
    const exchange = mechanism.begin(context.channel)
    return yield* proceed(context, exchange, exchange.respond(bytes))
  },
}

function* proceed(context: ImapContext, exchange: SaslExchange, first: SaslStep): Run {
  for (let step = first; ;) {
    if (step.kind === 'malformed') return bad(step.why)
    if (step.kind === 'challenge') {
      const bytes = yield* challenge(context, step.bytes)
      if (!(bytes instanceof Uint8Array)) return bytes
      step = exchange.respond(bytes)
    } else if (step.kind === 'lookUp') {
      const answer = (yield { kind: 'secret', lookUp: step.lookUp }) as SaslSecret | AuthRefusal | undefined
      if (isRefusal(answer)) return yield* refuse(context, answer)
      step = exchange.found!(answer)
    } else {
      const result = yield* judge(context, step.credentials)
      const why = result.status === 'OK' ? undefined : exchange.refused?.()
      // What the client says to the reason of a refusal means nothing.
      if (why !== undefined) yield* challenge(context, why)
      return result
    }
  }
}

/** Says a challenge and hears the answer to it, or how the exchange ends. */
function* challenge(context: ImapContext, bytes: Uint8Array): Run<Uint8Array | Result> {
  // The space stays even where the challenge is empty (I9).
  context.say(`+ ${encodeBase64(bytes)}`)
  const { text, announced, broken } = yield* wait<Heard>({ kind: 'line' })
  if (broken || announced !== undefined) {
    return { ...bad('That is no answer to a challenge'), ends: { why: 'protocol', text: 'Nothing more can be understood' } }
  }
  if (text === '*') return bad('Given up')
  return decodeBase64(text) ?? bad('That is no base64')
}
