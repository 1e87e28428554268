import { memoryBody } from '../../adapters/memory/bodies.ts'
import { nodeCrypto } from '../../adapters/node/index.ts'
import type { Recipient } from '../../contracts/received.ts'
import { Courier } from '../../outbound/delivery/courier.ts'
import { smtpClientConfig } from '../../protocol/smtp/index.ts'
import type { Draws } from './draws.ts'
import { PASSWORD, type Surroundings } from './host.ts'

/** A message that somebody wants to send. */
export interface Letter {
  readonly key: string
  readonly sender: string
  readonly recipients: readonly string[]
  /** The servers that the sender may hand it in at. */
  readonly servers: readonly string[]
  readonly notify: Recipient['notify']
  readonly octets: number
}

/** Tries after which somebody gives up on a server that does not take his mail. */
const MOST_TRIES = 200

/** Hands a letter in, again and again until it is taken or refused for good. Resolves when he is done with it. */
export async function handIn(letter: Letter, from: string, around: Surroundings, draws: Draws): Promise<void> {
  const { ledger, transcript, clock } = around
  const { key, servers, sender } = letter
  ledger.begin(key, sender, letter.recipients)
  let left = letter.recipients
  for (let tries = 0; left.length > 0 && tries < MOST_TRIES; tries++) {
    if (tries > 0) await new Promise<void>((resolve) => clock.alarm(clock.ticks() + draws.between(30_000, 1_800_000), resolve))
    const results = await once(letter, left, from, draws.pick(servers), around)
    transcript.note(`${sender} ${key} ${left.map((to, at) => `${to} ${results[at]}`).join(', ')}`)
    if (results.includes('unknown')) ledger.disturb(key, 'its sender did not hear whether it was taken')
    left.forEach((to, at) => {
      if (results[at] === 'accepted') ledger.promise(key, to)
    })
    // Some who do not know whether it has gone send it again.
    const isInsistent = draws.below(2) === 0
    left = left.filter((_, at) => results[at] === 'temporary' || (results[at] === 'unknown' && isInsistent))
  }
}

type Result = 'accepted' | 'temporary' | 'permanent' | 'unknown'

async function once(
  letter: Letter, to: readonly string[], from: string, server: string, { network, clock }: Surroundings,
): Promise<readonly Result[]> {
  const failed = to.map((): Result => 'temporary')
  try {
    const patience = new AbortController()
    const late = clock.alarm(clock.ticks() + 30_000, () => patience.abort(new Error('No connection')))
    const transport = await network.dial({ host: server, port: 587, localAddress: from }, patience.signal)
    late.cancel()
    const identity = { username: letter.sender, password: PASSWORD }
    const auth = { identity, crypto: nodeCrypto, mechanisms: ['PLAIN'], withoutTls: true }
    const config = smtpClientConfig({ hello: 'person.test', tls: 'never', auth })
    const courier = new Courier(transport, { config, clock, failed: () => undefined })
    if (!(await courier.free())) return failed
    const bytes = textOf(letter)
    const content = { size: bytes.length, encoding: '7bit', utf8: false } as const
    const { outcomes } = await courier.send({
      message: {
        sender: addressOf(letter.sender),
        recipients: to.map((each) => ({ ...addressOf(each), notify: letter.notify, originalRecipient: undefined })),
        content,
      },
      body: memoryBody(letter.key, bytes),
      convert: async () => undefined,
    })
    courier.quit()
    return outcomes.map(({ result }) => result)
  } catch {
    return failed
  }
}

const addressOf = (address: string): { readonly local: string; readonly domain: string } => {
  const [local = '', domain = ''] = address.split('@')
  return { local, domain }
}

function textOf({ key, sender, recipients, octets }: Letter): Uint8Array {
  const header = [`From: ${sender}`, `To: ${recipients.join(', ')}`, `Message-ID: ${key}`, 'Subject: hello', '', '']
  return Buffer.from(`${header.join('\r\n')}${'What a day it was.\r\n'.repeat(Math.ceil(octets / 20))}`, 'latin1')
}
