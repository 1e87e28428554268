import type { NodeListener } from '../adapters/node/index.ts'
import type { Clock } from '../protocol/session/clock.ts'
import type { Conversation } from '../protocol/session/drive.ts'
import { awake } from './awake.ts'

/** What became of a stop. */
export interface Stopped {
  /** Conversations that came to their own end. */
  readonly completed: number
  /** Conversations that were cut off at the deadline. */
  readonly cut: number
}

/** A listener that is up. */
export interface Running {
  /** The address it is bound to; `undefined` for a unix socket. */
  readonly address: string | undefined
  /** The TCP port; 0 for a unix socket. */
  readonly port: number
  /** The path of the unix socket. */
  readonly path: string | undefined
  /** Conversations that are open. */
  readonly connections: number
  /**
   * Stops accepting, lets conversations come to a safe point and ends them there with 421; never between the end of a message
   * and its reply. What is open after `within` milliseconds (default 30,000) is reset. Resolves when all is closed; may be
   * called again.
   */
  stop(options?: { readonly within?: number }): Promise<Stopped>
}

/** Milliseconds that conversations which were reset get to let go of what they hold. */
const LEFT_BEHIND = 1000

/** Conversations that belong together, to be stopped together. */
export class Conversations {
  private readonly open = new Set<Conversation>()
  private readonly clock: Clock
  private stopping: Promise<Stopped> | undefined
  private emptied: (() => void) | undefined

  constructor(clock: Clock) {
    this.clock = clock
  }

  get size(): number {
    return this.open.size
  }

  add(conversation: Conversation): void {
    this.open.add(conversation)
    // It slipped in while the door was being closed.
    if (this.stopping) conversation.drain()
  }

  remove(conversation: Conversation): void {
    this.open.delete(conversation)
    if (this.open.size === 0) this.emptied?.()
  }

  stop(within: number): Promise<Stopped> {
    return (this.stopping ??= awake(this.clock, this.end(within)))
  }

  private async end(within: number): Promise<Stopped> {
    const all = this.open.size
    // A copy: a conversation that is idle ends, and leaves the set, at once.
    for (const conversation of [...this.open]) conversation.drain()
    let cut = 0
    if (this.open.size > 0) {
      await this.emptiedWithin(within)
      cut = this.open.size
      for (const conversation of [...this.open]) conversation.reset()
      // A handler that never ends keeps its conversation open for ever, but not the one who stops.
      if (this.open.size > 0) await this.emptiedWithin(LEFT_BEHIND)
    }
    return { completed: all - cut, cut }
  }

  /** Resolves when no conversation is open, or so many milliseconds have passed. */
  private emptiedWithin(milliseconds: number): Promise<void> {
    const { clock } = this
    return new Promise((resolve) => {
      const alarm = clock.alarm(clock.ticks() + milliseconds, resolve)
      this.emptied = () => {
        alarm.cancel()
        resolve()
      }
    })
  }
}

/** A listening socket and the conversations that came of it. */
export class Listening implements Running {
  private readonly listener: NodeListener
  private readonly conversations: Conversations
  private readonly clock: Clock
  private readonly released: (stopped: Stopped, took: number) => Promise<void>
  private stopping: Promise<Stopped> | undefined

  /** `released` is called when all is closed, with how many milliseconds that took. */
  constructor(
    listener: NodeListener,
    conversations: Conversations,
    clock: Clock,
    released: (stopped: Stopped, took: number) => Promise<void>,
  ) {
    this.listener = listener
    this.conversations = conversations
    this.clock = clock
    this.released = released
  }

  get address(): string | undefined {
    return this.listener.address
  }

  get port(): number {
    return this.listener.port ?? 0
  }

  get path(): string | undefined {
    return this.listener.path
  }

  get connections(): number {
    return this.conversations.size
  }

  stop(options: { readonly within?: number } = {}): Promise<Stopped> {
    return (this.stopping ??= awake(this.clock, this.end(options.within ?? 30_000)))
  }

  private async end(within: number): Promise<Stopped> {
    const began = this.clock.ticks()
    this.listener.close()
    const stopped = await this.conversations.stop(within)
    await this.listener.closed
    await this.released(stopped, this.clock.ticks() - began)
    return stopped
  }
}
