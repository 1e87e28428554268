import type { ReceivedMessage } from '../contracts/received.ts'
import type { Address } from '../message/address.ts'
import { encodeMailbox } from '../protocol/smtp/index.ts'

/** The line on standard output that says a server is up. */
export function readyLine(ports: Readonly<Record<string, number | undefined>>, pid: number, version: string): string {
  return JSON.stringify({ event: 'ready', ports, pid, version })
}

/**
 * The line for an accepted message: its id in the store, that of the transaction, the envelope with those recipients who have it.
 * Put together by hand: it is written for each message.
 */
export function messageLine(message: ReceivedMessage, to: readonly Address[], stored: string): string {
  const { envelope, id, received, octets } = message
  const sender = envelope.sender === null ? 'null' : JSON.stringify(encodeMailbox(envelope.sender))
  let recipients = ''
  for (const one of to) recipients += `${recipients === '' ? '' : ','}${JSON.stringify(encodeMailbox(one))}`
  const when = `"received":"${new Date(received).toISOString()}"`
  const ids = `"id":${JSON.stringify(stored)},"transaction":"${id}"`
  return `{"event":"message",${ids},${when},"sender":${sender},"recipients":[${recipients}],"octets":${octets}}`
}
