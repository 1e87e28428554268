import { dial, nodeClock } from '../../src/adapters/node/index.ts'
import type { DialTarget } from '../../src/protocol/session/dial.ts'
import { drive } from '../../src/protocol/session/drive.ts'
import {
  type ClientMessage, smtpClientConfig, type SmtpClientEvent, type SmtpClientOptions, smtpClientSession,
} from '../../src/protocol/smtp/index.ts'
import { PATIENCE } from './children.ts'

/** A message, and its octets. */
export interface Outgoing {
  readonly to: readonly string[]
  readonly octets: Uint8Array
  readonly more?: Partial<ClientMessage>
}

/** What became of messages that our client has sent on one connection. */
export interface Dispatched {
  /** By message, for each recipient in order: `accepted`, `permanent recipient`, `temporary content` … */
  readonly results: readonly (readonly string[])[]
  readonly events: readonly SmtpClientEvent[]
}

/** Octets that our client is given at a time. */
const PIECE = 10_000

/** Sends messages by our client, one after the other. */
export async function dispatch(
  target: Omit<DialTarget, 'host'>,
  messages: readonly Outgoing[],
  options: Partial<SmtpClientOptions> = {},
): Promise<Dispatched> {
  const transport = await dial({ host: '127.0.0.1', ...target }, AbortSignal.timeout(PATIENCE))
  const config = smtpClientConfig({ hello: 'client.test', ...options })
  const session = smtpClientSession(config, transport.peer, nodeClock.ticks())
  const events: SmtpClientEvent[] = []
  const sent = new Map<number, { readonly octets: Uint8Array; at: number; readonly results: string[] }>()
  const left = [...messages]
  const thrown: unknown[] = []
  const keep = (event: SmtpClientEvent): void => void events.push(event)
  await new Promise<void>((resolve) => {
    drive(session, transport, {
      ready: (event) => {
        keep(event)
        const next = left.shift()
        if (next === undefined) return undefined
        sent.set(event.id, { octets: next.octets, at: 0, results: [] })
        return messageOf(next)
      },
      content: ({ message }) => {
        const one = sent.get(message)!
        const bytes = one.octets.subarray(one.at, (one.at += PIECE))
        return { bytes, last: one.at >= one.octets.length }
      },
      outcome: (event) => {
        keep(event)
        const { result, phase } = event
        sent.get(event.message)!.results[event.recipient] = result === 'accepted' ? result : `${result} ${phase}`
      },
      done: keep,
      failed: keep,
      closed: keep,
    }, { clock: nodeClock, closed: () => resolve(), failed: (error) => thrown.push(error) })
  })
  if (thrown.length > 0) throw new AggregateError(thrown, 'the client has failed')
  return { results: [...sent.values()].map(({ results }) => results), events }
}

function messageOf({ to, octets, more }: Outgoing): ClientMessage {
  const recipients = to.map((text) => ({ local: text.slice(0, text.indexOf('@')), domain: text.slice(text.indexOf('@') + 1) }))
  const sender = { local: 'sender', domain: 'client.test' }
  return { sender, recipients, content: { encoding: '7bit', size: octets.length }, ...more }
}
