import type { Awaitable, Policy, Stage, Verdict } from '../../contracts/policy.ts'
import type { ReceivedMessage, Recipient } from '../../contracts/received.ts'
import {
  aCount, aFunction, aSwitch, checkOptions, type OptionKind, type OptionKinds, texts,
} from '../../protocol/session/options.ts'
import type { Part } from '../../message/structure.ts'
import { aConsequence, type Consequence, follow } from '../consequence.ts'
import { inspect, type Inflate } from './inspect.ts'
import { type AttachmentLimits, judge } from './judge.ts'

/** What `attachmentPolicy` takes, and what follows from the rest. */
export interface AttachmentPolicyOptions extends AttachmentLimits {
  /** What follows where an attachment is not to be taken (default `reject`: 550 5.7.1, or 552 5.3.4 for sizes). */
  readonly then?: Consequence
  /**
   * Other limits for a recipient, in place of those that they name; a message for several is held against those of each, and one
   * that refuses it refuses it for all.
   */
  readonly limitsOf?: (recipient: Recipient) => Awaitable<AttachmentLimits | undefined>
}

const all: readonly unknown[] = ['executable', 'script', 'macro', 'archive', 'disk']
const someKinds: OptionKind = {
  takes: "a list of 'executable', 'script', 'macro', 'archive' and 'disk'",
  is: (value) => Array.isArray(value) && value.every((one) => all.includes(one)),
}
const limitKinds: OptionKinds<AttachmentLimits> = {
  refuse: someKinds,
  extensions: texts,
  deceptive: aSwitch,
  encrypted: aSwitch,
  unreadable: aSwitch,
  archiveDepth: aCount,
  messageDepth: aCount,
  octets: aCount,
  totalOctets: aCount,
  count: aCount,
  unpackedOctets: aCount,
}
const kinds: OptionKinds<AttachmentPolicyOptions> = { ...limitKinds, then: aConsequence, limitsOf: aFunction }

/** Messages that are looked at side by side: each may hold an archive in memory. */
const BESIDE = 4

/** `attachmentPolicy` over whatever inflates. */
export function attachmentPolicyOver(inflate: Inflate, options: AttachmentPolicyOptions = {}): Policy {
  checkOptions('attachmentPolicy', options, kinds)
  const { then = 'reject', limitsOf, ...limits } = options
  const turns = new Turns(BESIDE)
  const limitsFor = async (to: Recipient): Promise<AttachmentLimits> => {
    const own = await limitsOf?.(to)
    if (own !== undefined) checkOptions(`attachmentPolicy: limitsOf(${to.wire})`, own, limitKinds)
    return { ...limits, ...own }
  }
  return {
    name: 'attachmentPolicy',
    async message(message: ReceivedMessage, stage: Stage): Promise<Verdict | undefined> {
      // Most mail brings nothing.
      if (isText(message.facts.structure)) return undefined
      const inspection = await turns.take(() => inspect(message, inflate))
      const { recipients } = message.envelope
      const all = limitsOf ? await Promise.all(recipients.map(limitsFor)) : [limits]
      const fault = all.map((one) => judge(inspection, one)).find((found) => found !== undefined)
      return fault && follow(then, fault, stage)
    },
  }
}

/** Whether a message is a text, and no file. */
function isText({ type, parts, disposition, params }: Part): boolean {
  return !parts && type.toLowerCase() === 'text' && !disposition && !params?.some(([name]) => /^name\b/i.test(name))
}

/** Lets so many do something at a time; the others wait. */
class Turns {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#free = most
  }

  async take<T>(act: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await act()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
