import { MailError } from '../../../session/errors.ts'
import type { AnswerTo } from '../../../session/session.ts'
import { ContentReader, type LineEnds } from '../../content.ts'
import type { ContentFacts, ContentQuestion, MessageQuestion } from '../../events.ts'
import { HeaderWatch } from '../../header-watch.ts'
import type { Reply } from '../../reply.ts'
import { type Command, type Content, outOfOrder, refuses, type ServerContext, type Transaction, wireOf } from '../context.ts'
import { replies } from '../replies.ts'

/** Why content cannot come now, or nothing. */
export function contentRefusal(context: ServerContext): string | undefined {
  const { transaction } = context
  if (!transaction) return replies.mailFirst
  if (transaction.accepted > 0) return undefined
  // RFC 2033 §4.2 asks for 503; elsewhere 554 tells a client that pipelined why there is no 354 (S13).
  return transaction.refused && !context.config.lmtp ? replies.noRecipients : replies.rcptFirst
}

/** Whether a client that pipelines may ask for what `contentRefusal` refuses (RFC 2920 §3.1). */
export const pipelinedInVain = ({ transaction, senderRefused }: ServerContext): boolean =>
  transaction ? transaction.refused : senderRefused

/** DATA (RFC 5321 §4.1.1.4). */
export const data: Command = (context, argument) => {
  context.dataRefused = true
  if (argument !== '') return void context.complain(replies.noArgument)
  const refusal = contentRefusal(context)
  if (refusal !== undefined) return void outOfOrder(context, refusal, pipelinedInVain(context))
  const transaction = context.transaction as Transaction
  if (transaction.content) return void context.complain(replies.dataAfterBdat)
  // RFC 3030 §3: binary content has no line that could end it (S33).
  if (transaction.parameters.body === 'BINARYMIME') return void context.complain(replies.binaryNeedsBdat)
  const question: ContentQuestion = { kind: 'content', id: context.id() }
  return context.ask(question)
}

/** Content that begins now. */
export function beginContent(context: ServerContext, transaction: Transaction, chunked: boolean): Content {
  const lineEnds: LineEnds = transaction.parameters.body === 'BINARYMIME' ? 'pass' : context.config.rules.bareLineEnds
  return (transaction.content = {
    reader: new ContentReader(!chunked, lineEnds),
    header: new HeaderWatch(),
    chunked,
    remaining: 0,
    last: false,
    refusal: undefined,
    refusedByHost: false,
    began: context.now,
    paused: 0,
  })
}

/** The answer to a `content` question. */
export function settleContent(context: ServerContext, _question: ContentQuestion, answer: Reply | undefined): string {
  const transaction = context.transaction as Transaction
  const wire = wireOf(answer, '')
  const { content } = transaction
  // BDAT asks while its chunk is waiting: that has content already, and its chunk is answered when it has passed.
  if (content) {
    if (refuses(answer)) refuseContent(context, content, wire, true)
    content.began = context.now
    context.expect('chunk')
    return ''
  }
  if (refuses(answer)) return wire
  context.dataRefused = false
  beginContent(context, transaction, false)
  context.expect('content')
  return replies.sendContent
}

/** Nothing will come of the content: the host learns of it now, the peer when all of it has passed. */
export function refuseContent(context: ServerContext, content: Content, wire: string, byHost = false): void {
  const transaction = context.transaction as Transaction
  content.refusal = wire
  content.refusedByHost = byHost
  if (!transaction.void) context.emit({ kind: 'abandoned', why: 'refused' })
  transaction.void = true
}

/** Takes a piece of content: a `body` event, unless nothing will come of it. */
export function takePiece(context: ServerContext, content: Content, piece: Uint8Array): void {
  if (!content.header.done) content.header.feed(piece)
  const fault = faultOf(context, content)
  if (fault === undefined && content.refusal === undefined) context.emit({ kind: 'body', bytes: piece })
  else if (fault !== undefined && !content.refusedByHost) refuseContent(context, content, fault)
}

/** What is wrong with the content so far. The order counts: of several faults the same is told however the input was cut. */
function faultOf(context: ServerContext, { reader, header }: Content): string | undefined {
  const { limits, rules } = context.config
  if (reader.octets > limits.messageOctets) return replies.tooLarge
  if (header.octets > limits.headerOctets || header.longestField > limits.headerFieldOctets) return replies.headerTooLarge
  if (header.hops > limits.hops) return replies.loop
  if (reader.bareLineEnds > 0 && rules.bareLineEnds === 'reject') return replies.bareLineEnds
  if (rules.longLines === 'reject' && reader.notes.longest > limits.textLineOctets) return replies.textLineTooLong
  return undefined
}

/** The content is complete: the question it leads to, or the refusal said to each who waits for a reply. */
export function endContent(context: ServerContext, content: Content): void {
  const transaction = context.transaction as Transaction
  // A bare line end in the very last piece has not been looked at yet.
  const late = content.refusal === undefined ? faultOf(context, content) : undefined
  if (late !== undefined) refuseContent(context, content, late)
  // From here on it is the question's: the host learns of its end through that.
  context.transaction = undefined
  const { refusal, reader } = content
  if (refusal !== undefined) {
    // RFC 2033 §4.2: LMTP owes a reply for each recipient.
    for (let left = context.config.lmtp ? transaction.accepted : 1; left > 0; left--) context.say(refusal)
    if (refusal.startsWith('421')) context.close('refused')
    return
  }
  const question: MessageQuestion = {
    kind: 'message',
    id: context.id(),
    recipients: transaction.accepted,
    facts: factsOf(reader, content.header.hops, transaction.parameters.body === 'BINARYMIME'),
  }
  context.emit(context.ask(question, context.config.timeouts.message))
}

function factsOf(reader: ContentReader, hops: number, binary: boolean): ContentFacts {
  const { notes } = reader
  const longest = Math.max(notes.longest, notes.open)
  return {
    octets: reader.octets,
    eightBit: notes.high || binary,
    nul: notes.nul || binary,
    longestLine: longest < 64 ? 0 : longest,
    bareLineEnds: reader.bareLineEnds,
    loneDots: reader.loneDots,
    hops,
  }
}

/** The answer to a `message` question: one reply, or over LMTP one for each accepted recipient in their order. */
export function settleMessage(context: ServerContext, question: MessageQuestion, answer?: AnswerTo<MessageQuestion>): string {
  const owed = context.config.lmtp ? question.recipients : 1
  let wire = ''
  if (answer === undefined || isReply(answer)) {
    const each = wireOf(answer, replies.accepted)
    for (let at = 0; at < owed; at++) wire += each
    if (!refuses(answer)) context.commands = 0
    return wire
  }
  if (answer.length !== owed) throw new MailError('misuse', `${answer.length} replies answer a message that is owed ${owed}.`)
  for (const reply of answer) wire += wireOf(reply, '')
  if (answer.some((reply) => !refuses(reply))) context.commands = 0
  return wire
}

const isReply = (answer: Reply | readonly Reply[]): answer is Reply => 'code' in answer
