import { nodeResolver, type PostWebhook, webhookPost } from '../../adapters/node/index.ts'
import { type SignWebhook, webhookSignatures } from '../../adapters/standardwebhooks/index.ts'
import type { ReceivedMessage } from '../../contracts/received.ts'
import type { Resolver } from '../../contracts/resolver.ts'
import { encodeMailbox } from '../../protocol/smtp/index.ts'
import { shown } from '../../observe/shown.ts'
import type { Clock } from '../../protocol/session/clock.ts'
import { MailError } from '../../protocol/session/errors.ts'
import {
  aFunction, aNumberAboveZero, aSwitch, aText, checkOptions, type OptionKinds, required, texts,
} from '../../protocol/session/options.ts'
import type { Destined } from './destined.ts'

/** How filters tell programs of mail. */
export interface WebhookOptions {
  /** What all calls are signed with, as standardwebhooks.com has it: base64 of 24 octets or more, with or without `whsec_`. */
  readonly secret: string
  /** Milliseconds that a call may take (default 10,000). */
  readonly timeout?: number
  /** Calls go to addresses that are not public too (default false). */
  readonly allowPrivate?: boolean
  /** Authorities to trust in place of those that the platform does; PEM. */
  readonly ca?: readonly string[]
  /** Posts; default: over HTTPS, to public addresses alone, following no redirect. */
  readonly post?: PostWebhook
}

/** What webhooks take beside their options. */
export interface WebhookPlaces {
  readonly resolver: Resolver | undefined
  readonly clock: Clock
  readonly random: (octets: number) => Uint8Array
  readonly failed: (what: string, error: unknown) => void
}

const kinds: OptionKinds<WebhookOptions> = {
  secret: required(aText),
  timeout: aNumberAboveZero,
  allowPrivate: aSwitch,
  ca: texts,
  post: aFunction,
}

/** Calls at a time, and calls that wait. */
const MOST_RUNNING = 8
const MOST_WAITING = 1000

/** Tells programs of the host's that mail has come. Mail waits for none of them, and none is called twice. */
export class Webhooks {
  private readonly places: WebhookPlaces
  private readonly sign: SignWebhook
  private readonly post: PostWebhook
  private readonly ownResolver: ReturnType<typeof nodeResolver> | undefined
  private waiting: (() => Promise<void>)[] = []
  private running = 0

  constructor(options: WebhookOptions, places: WebhookPlaces) {
    checkOptions('webhooks', options, kinds)
    this.places = places
    this.sign = webhookSignatures(options.secret)
    const { timeout = 10_000, allowPrivate = false, ca } = options
    this.ownResolver = options.post || places.resolver ? undefined : nodeResolver()
    const resolver = places.resolver ?? this.ownResolver!
    this.post = options.post ?? webhookPost({ resolver, timeout, allowPrivate, ca })
  }

  /** Calls a URL, some time soon. Never throws. */
  tell(url: string, message: ReceivedMessage, to: Destined, tags: readonly string[]): void {
    if (this.waiting.length >= MOST_WAITING) {
      this.places.failed(webhookOf(url), new MailError('temporary', `${MOST_WAITING} webhooks wait already`))
      return
    }
    const { clock, random } = this.places
    const at = clock.now()
    const id = `msg_${Buffer.from(random(12)).toString('hex')}`
    const timestamp = new Date(at).toISOString()
    const body = JSON.stringify({ type: 'message.received', timestamp, data: summaryOf(message, to, tags) })
    this.waiting.push(async () => {
      try {
        const headers = { 'content-type': 'application/json', ...this.sign(id, at, body) }
        await this.post({ url: new URL(url), headers, body: Buffer.from(body) })
      } catch (error) {
        this.places.failed(webhookOf(url), error)
      }
    })
    this.goOn()
  }

  /** Forgets what waits. */
  async close(): Promise<void> {
    const forgotten = this.waiting.length
    this.waiting = []
    if (forgotten > 0) this.places.failed('webhooks', new MailError('closed', `${forgotten} were not called before the end`))
    await this.ownResolver?.close()
  }

  private goOn(): void {
    while (this.running < MOST_RUNNING) {
      const next = this.waiting.shift()
      if (!next) return
      this.running++
      void next().then(() => {
        this.running--
        this.goOn()
      })
    }
  }
}

/** Which webhook it was, without its path: that may hold a secret. */
export function webhookOf(url: string): string {
  try {
    return `webhook ${new URL(url).origin}`
  } catch {
    return 'webhook'
  }
}

/** Characters of a field that are told. */
const MOST_CHARACTERS = 1000

/** What a program hears of a message: none of its text. */
function summaryOf(message: ReceivedMessage, { account, recipient }: Destined, tags: readonly string[]): object {
  const { id, envelope, received, octets, headers, facts, automated } = message
  const field = (name: string): string => (headers.text(name) ?? '').slice(0, MOST_CHARACTERS)
  return {
    id,
    account: account.id,
    recipient: encodeMailbox(recipient),
    sender: shown(envelope.sender),
    received: new Date(received).toISOString(),
    octets,
    attachments: facts.attachments,
    messageId: facts.messageId ?? null,
    from: field('from'),
    to: field('to'),
    subject: field('subject'),
    automated: automated !== undefined,
    tags,
  }
}
