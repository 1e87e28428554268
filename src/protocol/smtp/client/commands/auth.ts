import { decodeBase64, encodeBase64 } from '../../../bytes/base64.ts'
import { channelOf } from '../../../sasl/channel.ts'
import { chooseMechanism } from '../../../sasl/client/choose.ts'
import type { SaslClientStep } from '../../../sasl/client/exchange.ts'
import type { Reply } from '../../reply.ts'
import type { SmtpClientAuth } from '../config.ts'
import { type ClientContext, refuses, says, type Slot } from '../context.ts'

/** RFC 4954 §4: an AUTH command with more octets than this goes without its initial response. */
const LONGEST = 510

/** AUTH (RFC 4954), where we have somebody to log in as. Otherwise, and then, the server is ready. */
export function logIn(context: ClientContext): void {
  const { auth } = context.config
  if (auth === undefined) context.enter('idle')
  else attempt(context, auth, context.capabilities.auth)
}

function attempt(context: ClientContext, auth: SmtpClientAuth, offered: readonly string[]): void {
  const { identity, mechanisms, withoutTls = false } = auth
  const channel = channelOf(context.secure, context.tls)
  const choice = { offered, identity, ...(mechanisms === undefined ? {} : { allowed: mechanisms }) }
  const isAllowed = context.secure || withoutTls
  const mechanism = isAllowed ? chooseMechanism({ ...choice, channel: { ...channel, secure: true } }) : undefined
  if (mechanism === undefined) {
    // Whoever need not log in does not, where that is not possible.
    if (auth.required === false) context.enter('idle')
    else context.giveUp({ phase: 'auth', reason: 'auth-not-offered' })
    return
  }
  const exchange = mechanism.begin({ identity, channel, crypto: auth.crypto, offered })
  context.login = { exchange, mechanism: mechanism.name, initial: undefined, cancelled: false }
  const step = exchange.respond(undefined)
  if (step.kind === 'failed') return fail(context)
  const command = `AUTH ${mechanism.name}`
  const slot = slotOf(auth, offered)
  if (step.kind === 'response') {
    // RFC 4954 §4: `=` is an initial response that is empty.
    const line = `${command} ${step.bytes.length === 0 ? '=' : encodeBase64(step.bytes)}`
    if (line.length <= LONGEST) return context.say(line, slot)
    context.login.initial = step.bytes
  }
  context.say(command, slot)
}

/** The reply to AUTH, or to a line of the exchange. */
function slotOf(auth: SmtpClientAuth, offered: readonly string[]): Slot {
  const slot: Slot = {
    phase: 'auth',
    patience: 'auth',
    goesOn: true,
    settle: (context, reply) => {
      const login = context.login!
      if (!says(reply) && !refuses(reply)) challenged(context, reply, slot)
      else if (login.cancelled) fail(context)
      else if (says(reply)) {
        // The server has to have proven what the mechanism lets it prove.
        if (login.exchange.succeeded().kind !== 'done') return context.breakOff({ phase: 'auth', reason: 'auth-failed' })
        context.mechanism = login.mechanism
        context.login = undefined
        context.enter('idle')
      } else refused(context, reply, auth, offered)
    },
  }
  return slot
}

function challenged(context: ClientContext, reply: Reply, slot: Slot): void {
  const login = context.login!
  const text = typeof reply.text === 'string' ? reply.text : reply.text.join('')
  const challenge = decodeBase64(text.trim())
  if (login.cancelled) return context.breakOff({ phase: 'auth', reason: 'protocol' })
  const { initial } = login
  login.initial = undefined
  if (challenge === undefined) cancel(context, slot)
  else if (initial !== undefined) context.say(encodeBase64(initial), slot)
  else proceed(context, login.exchange.respond(challenge), slot)
}

function proceed(context: ClientContext, step: SaslClientStep, slot: Slot): void {
  if (step.kind === 'response') context.say(encodeBase64(step.bytes), slot)
  else if (step.kind === 'derive') {
    const { hash, password, salt, iterations } = step
    context.ask({ kind: 'derive', id: context.id(), hash, password, salt, iterations })
  } else cancel(context, slot)
}

/** The key that was asked for, or that there is none. */
export function derived(context: ClientContext, key: Uint8Array | undefined): void {
  const { exchange } = context.login!
  const slot = slotOf(context.config.auth!, context.capabilities.auth)
  if (key === undefined || exchange.derived === undefined) cancel(context, slot)
  else proceed(context, exchange.derived(key), slot)
}

/** RFC 4954 §4: `*` ends the exchange; the server says 501. */
function cancel(context: ClientContext, slot: Slot): void {
  context.login!.cancelled = true
  context.say('*', slot)
}

function refused(context: ClientContext, reply: Reply, auth: SmtpClientAuth, offered: readonly string[]): void {
  const { mechanism } = context.login!
  context.login = undefined
  // RFC 4954 §6: 504 and 534 are about the mechanism, not about us.
  const others = offered.filter((name) => name !== mechanism)
  if ((reply.code === 504 || reply.code === 534) && others.length < offered.length) attempt(context, auth, others)
  else if (auth.required === false && reply.code >= 500) context.enter('idle')
  else context.giveUp({ phase: 'auth', reason: 'refused', reply })
}

function fail(context: ClientContext): void {
  context.login = undefined
  context.giveUp({ phase: 'auth', reason: 'auth-failed' })
}
