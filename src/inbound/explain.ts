import type { Authentication } from '../contracts/authentication.ts'
import type { ExplainedAuthentication, ExplainedStep, Explanation } from '../contracts/explanation.ts'
import type { Note } from '../contracts/note.ts'
import type { Connection, Envelope } from '../contracts/received.ts'
import type { PolicyReply, Verdict } from '../contracts/verdict.ts'
import { encodeMailbox } from '../protocol/smtp/index.ts'
import { WOULD } from './compose.ts'

/** What an explanation is about. */
export interface ExplainedMail {
  /** Of the message; before MAIL, of the connection. */
  readonly id: string
  /** Milliseconds since the Unix epoch. */
  readonly at: number
  readonly connection: Connection
  /** Absent before MAIL. */
  readonly envelope: Envelope | undefined
  readonly outcome: Explanation['outcome']
}

type Kind<K extends Note['kind']> = Extract<Note, { readonly kind: K }>

/** Why something became of a message, from what was noted on its way. Pure. */
export function explanationOf({ id, at, connection, envelope, outcome }: ExplainedMail, notes: readonly Note[]): Explanation {
  const of = <K extends Note['kind']>(kind: K): Kind<K>[] => notes.filter((note): note is Kind<K> => note.kind === kind)
  const scores = of('score').map(({ policy, score, why }) => ({ policy, score, why }))
  const authentication = of('authentication').at(-1)?.authentication
  return {
    id,
    at,
    client: {
      address: connection.peer.address,
      name: connection.hello?.name,
      account: connection.account,
      tls: connection.tls?.protocol,
    },
    ...(envelope ? { sender: envelope.sender ? encodeMailbox(envelope.sender) : '<>' } : {}),
    recipients: envelope?.recipients.map((to) => encodeMailbox(to)) ?? [],
    outcome: { ...deciderOf(outcome, notes), ...outcome },
    steps: stepsOf(notes),
    score: scores.reduce((sum, { score }) => sum + score, 0),
    scores,
    tags: of('tag').map(({ policy, tag }) => ({ policy, tag })),
    fields: of('header').map(({ policy, name, value }) => ({ policy, name, value })),
    ...(authentication ? { authentication: withoutRecord(authentication) } : {}),
  }
}

/** What was decided, in order; and what would have been, which a policy notes before it decides otherwise. */
function stepsOf(notes: readonly Note[]): ExplainedStep[] {
  const steps: ExplainedStep[] = []
  const would = new Map<string, string>()
  for (const note of notes) {
    const { kind, policy } = note
    if (kind === 'tag' && note.tag.startsWith(WOULD)) {
      if (!would.has(policy)) would.set(policy, note.tag.slice(WOULD.length))
    } else if (kind === 'decision') {
      steps.push(stepOf(note, would.get(policy)))
      would.delete(policy)
    }
  }
  return steps
}

function stepOf({ policy, stage, verdict, took }: Kind<'decision'>, would: string | undefined): ExplainedStep {
  const why = whyOf(verdict)
  return {
    stage,
    policy,
    verdict: verdict.kind,
    ...(why === undefined ? {} : { why }),
    ...(would === undefined ? {} : { would }),
    took,
  }
}

function whyOf(verdict: Verdict): string | undefined {
  if (verdict.kind === 'reject' || verdict.kind === 'defer') return replyText(verdict.reply)
  return 'why' in verdict ? verdict.why : undefined
}

/** A reply in one line. */
export function replyText({ code, enhanced, text }: PolicyReply): string {
  return enhanced === undefined ? `${code} ${text}` : `${code} ${enhanced} ${text}`
}

/** Whoever had a message set apart or dropped, the first of them. */
function deciderOf({ kind }: Explanation['outcome'], notes: readonly Note[]): { readonly policy?: string } {
  if (kind === 'quarantined') {
    const note = notes.find((one) => one.kind === 'quarantine')
    return note ? { policy: note.policy } : {}
  }
  const dropping = notes.find((one) => one.kind === 'decision' && one.verdict.kind === 'discard')
  return kind === 'discarded' && dropping ? { policy: dropping.policy } : {}
}

function withoutRecord({ dmarc, ...others }: Authentication): ExplainedAuthentication {
  if (dmarc === undefined) return { ...others, dmarc }
  const { record: _, ...rest } = dmarc
  return { ...others, dmarc: rest }
}
