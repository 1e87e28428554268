import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'
import type { Conversation, DriveOptions } from '../protocol/session/drive.ts'
import type { SessionEvent } from '../protocol/session/session.ts'
import type { TlsFacts } from '../protocol/session/tls.ts'
import type { LiveConnection } from './connection.ts'
import type { Conversations } from './listening.ts'
import { secured, whence } from './whence.ts'

/** Who answers for one connection. */
export interface Guest {
  readonly connection: LiveConnection
  /** The transport has closed; `error` where it broke. */
  left(error: Error | undefined): void | Promise<void>
}

/** By which clock, and who is told. */
interface Watch {
  readonly clock: Clock
  readonly observe: Observer | undefined
}

/**
 * What follows from the course of one conversation. A class: closures would weigh more than all else that an idle
 * connection holds here.
 */
export class Attendance<Who extends Guest = Guest> implements DriveOptions {
  readonly clock: Clock
  protected readonly guest: Who
  private readonly observe: Observer | undefined
  private readonly conversations: Conversations

  constructor({ clock, observe }: Watch, guest: Who, among: Conversations) {
    this.clock = clock
    this.observe = observe
    this.guest = guest
    this.conversations = among
  }

  secured(tls: TlsFacts): void {
    this.guest.connection.securedBy(tls)
    if (this.observe) secured(this.observe, this.guest.connection, tls, this.clock.now())
  }

  failed(error: unknown, event: SessionEvent): void {
    this.observe?.({ kind: 'failed', ...this.whence(), what: event.kind, error })
  }

  closed(error: Error | undefined, conversation: Conversation): void {
    // Why a handshake failed is told nowhere else; that peers go is no trouble.
    if (error !== undefined && this.guest.connection.securing) {
      this.observe?.({ kind: 'turnedAway', ...this.whence(), reason: 'handshake', error })
    }
    this.guest.left(error)?.catch((failure: unknown) => this.failed(failure, { kind: 'closed' }))
    this.conversations.remove(conversation)
  }

  private whence() {
    return whence(this.guest.connection, this.clock.now())
  }
}
