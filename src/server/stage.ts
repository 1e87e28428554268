import type { Connection, Envelope } from '../contracts/received.ts'
import type { Resolver } from '../contracts/resolver.ts'
import type { StageFacts } from '../inbound/pipeline.ts'
import type { Clock } from '../protocol/session/clock.ts'
import type { Conversation } from '../protocol/session/drive.ts'
import { MailError } from '../protocol/session/errors.ts'

/** What all questions of a server share. */
export interface StageSurroundings {
  readonly hostname: string
  readonly clock: Clock
  readonly resolver: Resolver
}

/**
 * What a question is about, as policies, claims and deliveries see it. A class, because its signal is made only when
 * somebody asks for it, and an accessor of an object literal would cost each one a shape of its own.
 */
export class QuestionStage implements StageFacts {
  readonly now: number
  readonly connection: Connection
  readonly envelope: Envelope | undefined
  /** What is asked. */
  readonly question: { readonly id: number }
  private readonly surroundings: StageSurroundings
  private readonly conversation: Conversation

  constructor(
    surroundings: StageSurroundings,
    connection: Connection,
    envelope: Envelope | undefined,
    question: { readonly id: number },
    conversation: Conversation,
  ) {
    this.now = surroundings.clock.now()
    this.connection = connection
    this.envelope = envelope
    this.surroundings = surroundings
    this.question = question
    this.conversation = conversation
  }

  get hostname(): string {
    return this.surroundings.hostname
  }

  get resolver(): Resolver {
    return this.surroundings.resolver
  }

  get signal(): AbortSignal {
    return this.conversation.signal(this.question)
  }

  wait(milliseconds: number, until?: AbortSignal): Promise<void> {
    return wait(this.surroundings.clock, milliseconds, until === undefined ? [this.signal] : [this.signal, until])
  }
}

/** Resolves after a while on the clock; rejects when nobody waits for it any more. */
function wait(clock: Clock, milliseconds: number, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (): void => {
      alarm.cancel()
      for (const signal of signals) signal.removeEventListener('abort', gone)
    }
    const gone = (): void => {
      over()
      reject(new MailError('closed', 'The question was withdrawn while a policy waited.'))
    }
    const alarm = clock.alarm(clock.ticks() + milliseconds, () => {
      over()
      resolve()
    })
    if (signals.some(({ aborted }) => aborted)) gone()
    else for (const signal of signals) signal.addEventListener('abort', gone, { once: true })
  })
}
