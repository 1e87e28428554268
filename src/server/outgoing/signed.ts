import type { OutgoingMessage } from '../../contracts/dispatch.ts'
import type { Sign } from '../../contracts/sign.ts'
import { edited } from '../edited-body.ts'

/** A message of ours with what signs it put before it. Rejects as `sign` does. */
export async function signed(message: OutgoingMessage, sign: Sign | undefined): Promise<OutgoingMessage> {
  const text = sign ? await sign(message) : ''
  if (text === '') return message
  const { body, facts } = await edited(message, [{ from: 0, to: 0, text }])
  return { ...message, body, facts }
}
