import type { Note } from '../contracts/note.ts'
import type { Decision, PolicyStage, Verdict } from '../contracts/policy.ts'
import type { Recipient } from '../contracts/received.ts'
import { noteFate } from '../inbound/pipeline.ts'
import { combine, type Judged, pass, reject, verdictOf } from '../inbound/verdict.ts'
import type { Whence } from '../observe/events.ts'
import { shown } from '../observe/shown.ts'
import type { Conversation, Host } from '../protocol/session/drive.ts'
import type { AbandonedEvent } from '../protocol/session/session.ts'
import { MailError } from '../protocol/session/errors.ts'
import type {
  AuthAnswer,
  AuthQuestion,
  BodyEvent,
  ClosedEvent,
  ConnectQuestion,
  HelloQuestion,
  LineEvent,
  MessageQuestion,
  RecipientQuestion,
  RefusalEvent,
  Reply,
  SecretAnswer,
  SecretQuestion,
  SenderQuestion,
  SmtpServerEvent,
  XclientQuestion,
  XforwardEvent,
} from '../protocol/smtp/index.ts'
import { after, isPromise } from './after.ts'
import { clientOf, judge, type Judgement, refused } from './authentication.ts'
import { Collector } from './collector.ts'
import type { LiveConnection } from './connection.ts'
import { answerMessage } from './delivery.ts'
import { envelopeOf, recipientOf } from './envelope.ts'
import { explain, refusedOutcome } from './explaining.ts'
import { type ClaimContext, type Claimed, type Reception, refusalOf } from './reception.ts'
import { QuestionStage } from './stage.ts'
import { traceField } from './trace.ts'
import { Transaction } from './transaction.ts'
import { connected, refusalFacts, whence } from './whence.ts'

const unclaimed = reject(550, '5.1.1', 'No such recipient here')

/** What a claim means. Only `true` and verdicts say yes: an empty text, a row, a 0 are somebody's mistakes. */
function verdictOnClaim(claimed: Claimed): Verdict {
  if (claimed === true) return pass()
  // A look-up that found nothing may say so by null.
  if (claimed === false || claimed === undefined || claimed === null) return unclaimed
  return verdictOf(claimed, 'accepts')
}

/**
 * The host of one connection: answers its session's questions out of policies, claims and the delivery, and takes the
 * content in.
 */
export class Arrivals implements Host<SmtpServerEvent> {
  readonly connection: LiveConnection
  private readonly reception: Reception
  private notes: Note[] | undefined
  private transaction: Transaction | undefined
  private messages = 0
  private discarding = false
  /** For how long a failure is held back of the exchange whose secret was looked up last; in milliseconds. */
  private delay: number | undefined
  /** The message that is being delivered, or was last. */
  private answering: { readonly question: number; readonly transaction: Transaction } | undefined

  constructor(reception: Reception, connection: LiveConnection) {
    this.reception = reception
    this.connection = connection
  }

  connect(question: ConnectQuestion, conversation: Conversation): Reply | undefined | Promise<Reply | undefined> {
    const { reception } = this
    this.arrived()
    if (!reception.pipeline.has('connect')) return undefined
    return this.judge('connect', reception.pipeline.connect(this.facts(question, conversation), (this.notes ??= [])))
  }

  hello(question: HelloQuestion, conversation: Conversation): Reply | undefined | Promise<Reply | undefined> {
    const { pipeline } = this.reception
    this.connection.hello = { verb: question.verb, name: question.name }
    if (!pipeline.has('hello')) return undefined
    return this.judge('hello', pipeline.hello(question.name, this.facts(question, conversation), (this.notes ??= [])))
  }

  auth(question: AuthQuestion, conversation: Conversation): AuthAnswer | undefined | Promise<AuthAnswer | undefined> {
    const { authenticate } = this.reception
    if (!authenticate) return undefined
    const now = this.reception.clock.now()
    const judgement = judge(authenticate, question.credentials, this.connection, { now, delay: this.delay })
    return after(judgement, (found) => this.authenticated(question, conversation, found))
  }

  async secret({ lookUp }: SecretQuestion): Promise<SecretAnswer | undefined> {
    const { authenticate, clock } = this.reception
    // Whoever judges passwords alone offers nothing that looks secrets up.
    if (!authenticate || typeof authenticate === 'function') return undefined
    const result = await authenticate.secret(lookUp, clientOf(this.connection, clock.now()))
    if (result.kind === 'secret') {
      this.delay = result.delay
      return result.secret
    }
    const judgement = refused(result)
    this.denied(lookUp, judgement)
    return judgement.refusal
  }

  sender(question: SenderQuestion, conversation: Conversation): Reply | undefined | Promise<Reply | undefined> {
    const { pipeline } = this.reception
    const id = `${this.connection.id}.${++this.messages}`
    const notes = this.notes ? [...this.notes] : []
    const transaction = new Transaction(id, envelopeOf(question.sender, question.parameters), notes, this.discarding)
    this.transaction = transaction
    if (!pipeline.has('sender')) return undefined
    const decision = pipeline.sender(
      transaction.envelope.sender,
      this.facts(question, conversation, transaction),
      transaction.notes,
    )
    return this.judge('sender', decision, transaction)
  }

  recipient(question: RecipientQuestion, conversation: Conversation): Reply | undefined | Promise<Reply | undefined> {
    const { accepts, hostname } = this.reception
    const transaction = this.transaction!
    const to = recipientOf(question, hostname)
    transaction.name(question.id)
    const stage = new QuestionStage(this.reception, this.connection, transaction.envelope, question, conversation)
    const claimed = accepts(to, stage as ClaimContext)
    return isPromise(claimed)
      ? claimed.then((value) => this.claimed(stage, transaction, to, value))
      : this.claimed(stage, transaction, to, claimed)
  }

  content(): undefined {
    const { reception, connection } = this
    const transaction = this.transaction!
    const collector = new Collector(reception.spillAt, reception.bodies)
    if (reception.trace) collector.begin(traceField(reception, connection, transaction))
    transaction.collector = collector
  }

  body({ bytes }: BodyEvent): void | Promise<void> {
    return this.transaction!.collector!.write(bytes)
  }

  message(
    question: MessageQuestion,
    conversation: Conversation,
  ): Reply | readonly Reply[] | undefined | Promise<Reply | readonly Reply[] | undefined> {
    const transaction = this.transaction!
    this.transaction = undefined
    this.answering = { question: question.id, transaction }
    return answerMessage(this.reception, this.connection, transaction, this.facts(question, conversation, transaction))
  }

  abandoned(event: AbandonedEvent): void | Promise<void> {
    if (event.question !== undefined) return this.withdrawn(event.question, event.why)
    const collector = this.transaction?.collector
    if (event.why !== 'refused') this.transaction = undefined
    return collector?.discard()
  }

  /**
   * A single question is void. The driver tells the handler through its signal; whoever does not listen has no effect any
   * more.
   */
  private withdrawn(question: number, why: AbandonedEvent['why']): undefined {
    const { reception, answering } = this
    const isMessage = answering?.question === question
    if (isMessage) answering.transaction.withdrawn = true
    else this.transaction?.withdraw(question)
    if (why !== 'timeout') return
    const error = new MailError('temporary', 'There was no answer within its time; the client was told to come again.')
    const what = isMessage ? 'deliver' : 'answer'
    reception.observe?.({ kind: 'failed', ...this.whence(), what, error })
  }

  /** What the session refuses of its own accord. */
  refusal({ code, enhanced, text, limit }: RefusalEvent): void {
    const { observe } = this.reception
    if (limit !== undefined) observe?.({ kind: 'limited', ...this.whence(), limit, code, enhanced, text })
    else observe?.({ kind: 'refused', ...this.whence(), stage: 'protocol', policy: undefined, code, enhanced, text })
  }

  line({ verb, octets }: LineEvent): void {
    this.reception.observe?.({ kind: 'command', ...this.whence(), verb, octets })
  }

  xclient(question: XclientQuestion): undefined {
    const { reception, connection } = this
    const proxy = connection.peer.proxy ?? connection.peer.address
    reception.pipeline.closed(connection)
    connection.speakFor(question.attributes)
    reception.observe?.({ kind: 'proxied', ...this.whence(), by: 'XCLIENT', proxy, client: connection.peer.address })
    this.notes = undefined
    this.discarding = false
  }

  xforward(event: XforwardEvent): void {
    const { reception, connection } = this
    const client = event.attributes.get('ADDR')
    connection.forwarded = new Map([...(connection.forwarded ?? []), ...event.attributes])
    reception.observe?.({ kind: 'proxied', ...this.whence(), by: 'XFORWARD', proxy: connection.peer.address, client })
  }

  closed(event: ClosedEvent): void {
    const { reception, connection } = this
    const lasted = reception.clock.now() - connection.began
    reception.observe?.({ kind: 'closed', ...this.whence(), why: event.why, lasted })
  }

  startTls(): void {
    this.connection.securing = true
  }

  left(): void {
    this.reception.pipeline.closed(this.connection)
  }

  /** Where an event of this connection comes from. */
  whence(): Whence {
    return whence(this.connection, this.reception.clock.now())
  }

  /** The greeting after XCLIENT is not that of a new connection. */
  private arrived(): void {
    const { reception, connection } = this
    if (connection.session === 1) connected(reception.observe, connection, reception.clock.now())
  }

  private authenticated(
    question: AuthQuestion,
    conversation: Conversation,
    judgement: Judgement,
  ): AuthAnswer | undefined | Promise<AuthAnswer | undefined> {
    const { reception, connection } = this
    const { username, mechanism } = question.credentials
    const { account } = judgement
    if (account === undefined) this.denied(question.credentials, judgement)
    const answer = (): AuthAnswer | undefined => {
      if (account === undefined) return judgement.refusal
      connection.account = account
      reception.observe?.({ kind: 'authenticated', ...this.whence(), account, mechanism, username })
      return { account }
    }
    if (!reception.pipeline.has('auth')) return answer()
    const decision = reception.pipeline.auth(
      { username, mechanism, account },
      this.facts(question, conversation),
      (this.notes ??= []),
    )
    return after(this.judge('auth', decision), (reply) => reply ?? answer())
  }

  private denied(attempt: { readonly mechanism: string; readonly username: string }, { refusal, error }: Judgement): void {
    const { observe } = this.reception
    const { mechanism, username } = attempt
    observe?.({ kind: 'denied', ...this.whence(), mechanism, username, code: refusal?.code ?? 535 })
    if (error !== undefined) observe?.({ kind: 'failed', ...this.whence(), what: 'auth', error })
  }

  private claimed(
    stage: QuestionStage,
    transaction: Transaction,
    to: Recipient,
    claimed: Claimed,
  ): Reply | undefined | Promise<Reply | undefined> {
    const { pipeline } = this.reception
    const verdict = verdictOnClaim(claimed)
    noteFate(verdict, 'accepts', transaction.notes)
    if (refusalOf(verdict) || !pipeline.has('recipient')) return this.settleRecipient(stage.question.id, transaction, to, verdict)
    return after(pipeline.recipient(to, stage, transaction.notes), (decision) =>
      this.settleRecipient(stage.question.id, transaction, to, combine([verdict, decision ?? pass()])),
    )
  }

  private settleRecipient(question: number, transaction: Transaction, to: Recipient, verdict: Verdict): Reply | undefined {
    const refusal = refusalOf(verdict)
    if (refusal) {
      const { policy = 'accepts' } = verdict as Judged
      if (transaction.settle(question, to, 'refused')) this.refused('recipient', policy, refusal, transaction, to)
      return refusal
    }
    transaction.settle(question, to, verdict.kind === 'discard' ? 'dropped' : 'kept')
    return undefined
  }

  /** The reply that a stage's verdict means. */
  private judge(
    stage: PolicyStage,
    decision: Decision,
    transaction?: Transaction,
  ): Reply | undefined | Promise<Reply | undefined> {
    return after(decision, (verdict) => {
      const refusal = refusalOf(verdict)
      if (refusal) this.refused(stage, (verdict as Judged).policy, refusal, transaction)
      else if (verdict?.kind === 'discard') {
        if (transaction) transaction.discarding = true
        else this.discarding = true
      }
      return refusal
    })
  }

  private refused(stage: PolicyStage, policy: string | undefined, reply: Reply, mail?: Transaction, to?: Recipient): void {
    const { reception, connection } = this
    const { observe } = reception
    observe?.({ kind: 'refused', ...this.whence(), ...refusalFacts(stage, policy, reply, mail?.envelope, to) })
    const about = mail ?? { id: connection.id, envelope: undefined, notes: this.notes ?? [] }
    explain(reception, connection, about, refusedOutcome(stage, reply, policy, to && shown(to)))
  }

  private facts(question: { readonly id: number }, conversation: Conversation, transaction?: Transaction): QuestionStage {
    return new QuestionStage(this.reception, this.connection, transaction?.envelope, question, conversation)
  }
}
