import { nodeCrypto } from '../../../src/adapters/node/index.ts'
import type {
  Credentials,
  SaslChannel,
  SaslClientExchange,
  SaslClientStep,
  SaslExchange,
  SaslLookUp,
  SaslSecret,
  SaslStep,
} from '../../../src/protocol/sasl/index.ts'

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (octets: Uint8Array): string => new TextDecoder().decode(octets)
export const base64 = (coded: string): Uint8Array => Uint8Array.from(Buffer.from(coded, 'base64'))

export const clear: SaslChannel = { secure: false, certified: false }
export const secure: SaslChannel = { secure: true, certified: false }

/** A channel with binding data of its own. */
export const bound = (name: string): SaslChannel => ({ ...secure, binding: (type) => bytes(`${type} of ${name}`) })

/** The host of a server's exchange. */
export interface TalkHost {
  readonly secret?: (lookUp: SaslLookUp) => SaslSecret | undefined
  readonly accepts?: (credentials: Credentials) => boolean
  /** Changes what goes over the wire; `at` counts messages from 0. */
  readonly tamper?: (message: Uint8Array, at: number) => Uint8Array
}

/** How a talk ended. */
export interface TalkEnd {
  readonly credentials: Credentials | undefined
  /** Both sides are content. */
  readonly done: boolean
  /** Why one of them was not. */
  readonly why: string | undefined
  readonly said: readonly string[]
}

/** Lets a client and a server talk until one of them is at its end. `initial`: the protocol carries an initial response. */
export async function talk(
  client: SaslClientExchange,
  server: SaslExchange,
  host: TalkHost = {},
  initial = true,
): Promise<TalkEnd> {
  const said: string[] = []
  const carry = (message: Uint8Array): Uint8Array => {
    const carried = host.tamper?.(message, said.length) ?? message
    said.push(text(message))
    return carried
  }
  const end = (credentials: Credentials | undefined, done: boolean, why?: string): TalkEnd => ({ credentials, done, why, said })
  let step: SaslClientStep = client.respond(undefined)
  let credentials: Credentials | undefined
  let heard: SaslStep = server.respond(initial && step.kind === 'response' ? carry(step.bytes) : undefined)
  // What would have been the initial response answers an empty challenge.
  if (!initial && step.kind === 'response') heard = server.respond(carry(step.bytes))
  for (;;) {
    if (heard.kind === 'malformed') return end(credentials, false, `server: ${heard.why}`)
    if (heard.kind === 'lookUp') {
      heard = server.found!(host.secret?.(heard.lookUp))
      continue
    }
    if (heard.kind === 'verify') {
      credentials = heard.credentials
      if (credentials.kind !== 'refuted' && (host.accepts?.(credentials) ?? true)) {
        const last = client.succeeded()
        return end(credentials, last.kind === 'done', last.kind === 'failed' ? `client: ${last.why}` : undefined)
      }
      const told = server.refused?.()
      if (told === undefined) return end(credentials, false, 'refused')
      step = client.respond(carry(told))
      return end(credentials, false, `refused, ${step.kind === 'response' ? JSON.stringify(text(step.bytes)) : step.kind}`)
    }
    step = client.respond(carry(heard.bytes))
    if (step.kind === 'derive') {
      const { hash, password, salt, iterations } = step
      step = client.derived!(await nodeCrypto.pbkdf2(hash, password, salt, iterations))
    }
    if (step.kind !== 'response') return end(credentials, false, step.kind === 'failed' ? `client: ${step.why}` : step.kind)
    heard = server.respond(carry(step.bytes))
  }
}
