import { Webhook } from 'standardwebhooks'
import { MailError } from '../../protocol/session/errors.ts'

/** Signs what a webhook posts: gives the header fields that go with it. `at`: milliseconds since the Unix epoch. */
export type SignWebhook = (id: string, at: number, payload: string) => Readonly<Record<string, string>>

/** Octets of a secret below which it can be guessed (Standard Webhooks: 24 to 64). */
const LEAST_OCTETS = 24

/**
 * Signs as standardwebhooks.com has it. `secret`: base64 of 24 octets or more, with or without `whsec_` before it.
 *
 * @throws MailError `config` for a secret that is none
 */
export function webhookSignatures(secret: string): SignWebhook {
  const webhook = keyed(secret)
  return (id, at, payload) => {
    const date = new Date(at)
    return {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at / 1000)),
      'webhook-signature': webhook.sign(id, date, payload),
    }
  }
}

function keyed(secret: string): Webhook {
  const plain = secret.startsWith('whsec_') ? secret.slice(6) : secret
  const takes = `it takes base64 of ${LEAST_OCTETS} octets or more, such as 'whsec_' and what \`openssl rand -base64 32\` prints`
  const octets = Buffer.from(plain, 'base64')
  if (octets.length < LEAST_OCTETS) throw new MailError('config', `webhooks: secret is too short; ${takes}.`)
  try {
    return new Webhook(secret)
  } catch (error) {
    throw new MailError('config', `webhooks: secret is none; ${takes}.`, { cause: error })
  }
}
