import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { webhookSignatures } from '../../../src/adapters/standardwebhooks/index.ts'
import { type WebhookCall, webhookPost } from '../../../src/adapters/node/index.ts'
import type { FilterAction, MailFilter } from '../../../src/contracts/filter.ts'
import type { WebhookOptions } from '../../../src/server/filtering/webhooks.ts'
import { mailServer } from '../../../src/server/mail-server.ts'
import { mailWorld, type MailWorld } from '../mail-world.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const call: FilterAction = { kind: 'webhook', url: 'https://hooks.test/in?token=x' }
const calls: FilterAction[] = [call, { kind: 'keep' }, { kind: 'tag', tag: 'a' }]
const filter: MailFilter = { filter: () => ({ actions: calls, edits: [], steps: [] }) }
const faults = ({ world }: MailWorld) => world.events.flatMap((event) => (event.kind === 'failed' ? [event.what] : []))

async function stage(webhooks: Omit<WebhookOptions, 'secret'> | undefined) {
  const world = await mailWorld({ options: { filter, ...(webhooks && { webhooks: { secret, ...webhooks } }) } })
  const send = async (count = 1): Promise<void> => {
    for (let at = 0; at < count; at++) {
      const content = 'Subject: =?utf-8?q?=C3=A4?=\n\nx'
      await world.connect('mx').send({ from: 'joe@other.test', to: 'alice@example.test', content })
    }
  }
  return { world, send }
}

describe('a webhook', () => {
  it('hears of a message, signed', async () => {
    const heard: WebhookCall[] = []
    const { world, send } = await stage({ post: async (call) => void heard.push(call) })
    await send()
    const [{ url, headers, body }] = heard as [WebhookCall]
    expect([url.host, headers['content-type']]).toEqual(['hooks.test', 'application/json'])
    const text = Buffer.from(body).toString()
    const signed = new Webhook(secret).sign(headers['webhook-id']!, new Date(Number(headers['webhook-timestamp']) * 1000), text)
    expect(headers['webhook-signature']).toBe(signed)
    const [kept] = await world.mail('alice')
    expect(JSON.parse(text)).toMatchObject({
      type: 'message.received',
      timestamp: '2026-11-20T08:09:10.000Z',
      data: {
        account: 'alice@example.test', recipient: 'alice@example.test', sender: 'joe@other.test', subject: 'ä', tags: ['a'],
        octets: kept!.octets, attachments: 0, automated: false,
      },
    })
    expect(kept!.flags).toEqual(['a'])
  })

  it('that fails costs no mail, and its secret stays one', async () => {
    const { world, send } = await stage({
      post: async () => {
        throw new Error('no')
      },
    })
    await send()
    expect([(await world.mail('alice')).length, faults(world)]).toEqual([1, ['webhook https://hooks.test']])
  })

  it('that never answers keeps nobody waiting, and no more than a bound of others', async () => {
    let running = 0
    const { world, send } = await stage({ post: () => new Promise(() => running++) })
    await send(12)
    expect([(await world.mail('alice')).length, running]).toEqual([12, 8])
    await world.server.stop({ within: 0 })
    expect(faults(world)).toEqual(['webhooks'])
  })

  it('without a secret is told of', async () => {
    const { world, send } = await stage(undefined)
    await send()
    expect([(await world.mail('alice')).length, faults(world)]).toEqual([1, ['webhook https://hooks.test']])
  })

  it('never goes to addresses that are not public, nor without TLS', async () => {
    const resolver = { resolve: async () => ({ records: ['127.0.0.1'], ttl: 1 }) } as never
    const post = webhookPost({ resolver, timeout: 1000, allowPrivate: false })
    const call = (url: string): Promise<void> => post({ url: new URL(url), headers: {}, body: new Uint8Array(0) })
    await expect(call('https://hooks.test/')).rejects.toThrow('hooks.test has no address that may be gone to')
    await expect(call('http://hooks.test/')).rejects.toThrow('webhooks go over https alone')
  })
})

it.each(['', 'short', `whsec_${'!'.repeat(60)}`])('takes no secret such as %j', (odd) => {
  expect(() => webhookSignatures(odd)).toThrow(/secret is/)
})

it('takes no options that nobody knows', () => {
  const options = { hostname: 'mx.test', directory: {}, store: {}, listen: { mx: {} }, webhooks: { secret, tiemout: 1 } }
  const having = (...methods: string[]) => Object.fromEntries(methods.map((name) => [name, () => undefined]))
  const directory = having('resolve', 'account', 'verify', 'maySendAs', 'named')
  const store = { ...having('append', 'mailboxes', 'create', 'usage'), traits: { durability: 'disk', overhead: 0 } }
  const make = () => mailServer({ ...options, directory, store } as never)
  expect(make).toThrow('webhooks: there is no option "tiemout". Did you mean timeout?')
})
