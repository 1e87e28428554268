import { ContentReader, type LineEnds } from '../../content.ts'
import type { ContentQuestion, MessageQuestion } from '../../events.ts'
import { HeaderWatch } from '../../header-watch.ts'
import type { Reply } from '../../reply.ts'
import { type Command, type Content, refuses, type ServerContext, type Transaction, wireOf } from '../context.ts'
import { replies } from '../replies.ts'

/** Why content cannot come now, or nothing. */
export function contentRefusal(context: ServerContext): string | undefined {
  const { transaction } = context
  if (!transaction) return replies.mailFirst
  if (transaction.accepted > 0) return undefined
  // RFC 2033 §4.2 asks for 503; elsewhere 554 tells a client that pipelined why there is no 354 (S13).
  return transaction.refused && !context.config.lmtp ? replies.noRecipients : replies.rcptFirst
}

/** DATA (RFC 5321 §4.1.1.4). */
export const data: Command = (context, argument) => {
  if (argument !== '') return void context.complain(replies.noArgument)
  const refusal = contentRefusal(context)
  if (refusal !== undefined) return void context.complain(refusal)
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
    began: context.now,
  })
}

/** The answer to a `content` question. */
export function settleContent(context: ServerContext, _question: ContentQuestion, answer: Reply | undefined): string {
  const transaction = context.transaction as Transaction
  // BDAT asks while its chunk is waiting: that has content already, and its chunk is answered when it has passed.
  if (transaction.content) {
    if (refuses(answer)) transaction.content.refusal = wireOf(answer, '')
    context.expect('chunk')
    return ''
  }
  if (refuses(answer)) return wireOf(answer, '')
  beginContent(context, transaction, false)
  context.expect('content')
  return replies.sendContent
}

/** Takes a piece of content: the event it makes, or nothing when it is not wanted. */
export function takePiece(context: ServerContext, content: Content, piece: Uint8Array): void {
  if (content.refusal !== undefined) return
  if (!content.header.done) content.header.feed(piece)
  const refusal = pieceRefusal(context, content)
  if (refusal === undefined) return context.emit({ kind: 'body', bytes: piece })
  content.refusal = refusal
  context.emit({ kind: 'abandoned', why: 'refused' })
}

function pieceRefusal(context: ServerContext, { reader, header }: Content): string | undefined {
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
  const late = content.refusal === undefined ? pieceRefusal(context, content) : undefined
  if (late !== undefined) {
    content.refusal = late
    context.emit({ kind: 'abandoned', why: 'refused' })
  }
  if (content.refusal !== undefined) {
    context.transaction = undefined
    // RFC 2033 §4.2: LMTP owes a reply for each recipient.
    for (let left = context.config.lmtp ? transaction.accepted : 1; left > 0; left--) context.say(content.refusal)
    return
  }
  const { reader, header } = content
  const question: MessageQuestion = {
    kind: 'message',
    id: context.id(),
    recipients: transaction.accepted,
    facts: {
      octets: reader.octets,
      eightBit: reader.notes.high,
      nul: reader.notes.nul,
      longestLine: reader.notes.longest,
      bareLineEnds: reader.bareLineEnds,
      loneDots: reader.loneDots,
      hops: header.hops,
    },
  }
  context.emit(context.ask(question, context.config.timeouts.message))
}

/** The answer to a `message` question: one reply, or over LMTP one for each accepted recipient in their order. */
export function settleMessage(context: ServerContext, question: MessageQuestion, answer: Reply | readonly Reply[] | undefined): string {
  const single = answer === undefined || isReply(answer)
  const answers: readonly (Reply | undefined)[] = single ? [answer] : answer
  const owed = context.config.lmtp ? question.recipients : 1
  let wire = ''
  for (let at = 0; at < owed; at++) wire += wireOf(single ? answers[0] : answers[Math.min(at, answers.length - 1)], replies.accepted)
  context.transaction = undefined
  return wire
}

const isReply = (answer: Reply | readonly Reply[]): answer is Reply => 'code' in answer
