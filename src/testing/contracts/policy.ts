import { turn } from '../../adapters/node/event-loop.ts'
import { held } from '../../adapters/node/garbage.ts'
import { print } from '../../adapters/node/print.ts'
import type { Policy, PolicyStage } from '../../contracts/policy.ts'
import type { Envelope } from '../../contracts/received.ts'
import { checkPolicy } from '../../inbound/policy-check.ts'
import { policyStages } from '../../inbound/waits.ts'
import type { Address } from '../../message/address.ts'
import { defaultTimeouts } from '../../protocol/smtp/index.ts'
import { equal, holds, type Runner } from './checks.ts'
import { type Answered, type Asked, PolicyUnderTest } from './policy-stage.ts'
import { addresses, clients, envelopeFrom, messageOf, messages, recipientAt, SeenConnection } from './policy-subjects.ts'

/** What {@link policyContract} takes. */
export interface PolicyContractOptions extends Runner {
  /** Makes the policy, anew for each check. */
  readonly open: () => Policy
  /** It goes out (DNS, a scanner, a database) by means that look at the machine's clock: that is not held against it. */
  readonly goesOut?: boolean
  /** Milliseconds of real time for an answer (default 10,000). Waits on the server's clock take none. */
  readonly within?: number
}

type Suite = PolicyContractOptions & { readonly leaveOut: (why: string) => void }

/** What every policy has to do, whatever it looks at. */
export function policyContract(options: PolicyContractOptions): void {
  const tell = options.skipped ?? print
  const suite: Suite = { ...options, leaveOut: (why) => tell(`policyContract skips ${why}`) }
  const { sender, recipient, message } = options.open()
  const { describe } = options
  describe('the policy', () => shape(suite))
  describe('any client', () => anyClient(suite))
  if (sender || recipient) describe('any address', () => anyAddress(suite))
  else suite.leaveOut('addresses: there is no such stage')
  if (message) describe('any message', () => anyMessage(suite))
  else suite.leaveOut('messages: there is no such stage')
  describe('waiting', () => waiting(suite))
  describe('many connections', () => connections(suite))
  // Without a check in it a topic is an error to some runners.
  if (options.goesOut === true) suite.leaveOut('whether it looks at the clock of the machine: it goes out')
  else describe('time', () => time(suite))
}

const usual: Address = { local: 'alice', domain: 'a.test' }

const opened = ({ open, within = 10_000 }: Suite, trapped = false): PolicyUnderTest =>
  new PolicyUnderTest(open(), within, trapped)

/** What a client has a policy asked at each stage. */
function questions(connection: SeenConnection, envelope: Envelope, to: Address, content: Uint8Array): Record<PolicyStage, Asked> {
  const whole = Object.freeze({ ...envelope, recipients: Object.freeze([recipientAt(to)]) })
  const hello = connection.greet(true).hello?.name ?? ''
  const attempt = Object.freeze({ username: 'alice', mechanism: 'PLAIN', account: connection.account })
  const connect: Asked['ask'] = (pipeline, facts, notes) => {
    connection.greet(false)
    const decision = pipeline.connect(facts, notes)
    connection.greet(true)
    return decision
  }
  return {
    connect: { connection, ask: connect },
    hello: { connection, ask: (pipeline, facts, notes) => pipeline.hello(hello, facts, notes) },
    auth: { connection, ask: (pipeline, facts, notes) => pipeline.auth(attempt, facts, notes) },
    sender: { connection, envelope, ask: (pipeline, facts, notes) => pipeline.sender(envelope.sender, facts, notes) },
    recipient: { connection, envelope, ask: (pipeline, facts, notes) => pipeline.recipient(recipientAt(to), facts, notes) },
    message: {
      connection,
      envelope: whole,
      ask: (pipeline, facts, notes) => pipeline.message(messageOf(content, connection, whole, facts.now), facts, notes),
    },
  }
}

const usualQuestions = (connection: SeenConnection): Record<PolicyStage, Asked> =>
  questions(connection, envelopeFrom(usual), usual, messages[0]![1])

/** Goes through a whole conversation, whatever the policy says to it; the answers, by stage. */
async function converse(policy: PolicyUnderTest, asked: Record<PolicyStage, Asked>): Promise<Map<PolicyStage, Answered>> {
  const answers = new Map<PolicyStage, Answered>()
  for (const stage of policyStages) if (policy.has(stage)) answers.set(stage, await policy.ask(asked[stage]))
  await policy.closed(asked.connect.connection)
  return answers
}

function shape({ it, open }: Suite): void {
  it('has a name, and stages that there are', async () => {
    checkPolicy(open())
  })
}

function anyClient(suite: Suite): void {
  for (const [what, facts] of clients) {
    suite.it(`is answered by a verdict: ${what}`, async () => {
      await converse(opened(suite), usualQuestions(new SeenConnection(facts)))
    })
  }
}

function anyAddress(suite: Suite): void {
  const mail = async (sender: Address | null, to: Address): Promise<void> => {
    await converse(opened(suite), questions(new SeenConnection(), envelopeFrom(sender), to, messages[0]![1]))
  }
  suite.it('is answered by a verdict: the null sender', () => mail(null, usual))
  for (const [what, address] of addresses) {
    suite.it(`is answered by a verdict: ${what}`, async () => {
      await mail(address, usual)
      await mail(usual, address)
    })
  }
}

function anyMessage(suite: Suite): void {
  for (const [what, content] of messages) {
    suite.it(`is answered by a verdict: ${what}`, async () => {
      await converse(opened(suite), questions(new SeenConnection(), envelopeFrom(usual), usual, content))
    })
  }
}

/** The stages that the policy has, each with a check of its own. */
function eachStage(suite: Suite, name: (stage: PolicyStage) => string, run: (stage: PolicyStage) => Promise<void>): void {
  const policy = suite.open()
  for (const stage of policyStages) if (policy[stage] !== undefined) suite.it(name(stage), () => run(stage))
}

function waiting(suite: Suite): void {
  eachStage(suite, (stage) => `takes no longer than it says, at ${stage}`, async (stage) => {
    const policy = opened(suite)
    const answers = await converse(policy, usualQuestions(new SeenConnection()))
    const { took } = answers.get(stage)!
    const says = policy.policy.waits?.[stage]
    // Who says nothing has as long as servers give by default.
    const most = says ?? defaultTimeouts[stage === 'message' ? 'message' : 'answer'] - 1
    holds(took <= most, `it kept the client waiting for ${took} ms, and waits.${stage} is ${says ?? 'not there'}`)
  })

  eachStage(suite, (stage) => `lets go when the answer is not wanted any more, at ${stage}`, async (stage) => {
    for (const before of [true, false]) {
      const policy = opened(suite)
      const alarms = policy.clock.pending
      const controller = new AbortController()
      if (before) controller.abort()
      const { answer, abort } = policy.open(usualQuestions(new SeenConnection())[stage], controller)
      await turn()
      abort()
      // No time passes on the server's clock.
      await policy.inTime(answer)
      equal(policy.clock.pending, alarms, 'alarms that are left')
    }
  })

  eachStage(suite, (stage) => `may be asked again before it has answered, at ${stage}`, async (stage) => {
    const policy = opened(suite)
    const asked = usualQuestions(new SeenConnection())[stage]
    const open = Array.from({ length: 20 }, () => policy.open(asked).answer)
    await policy.inTime(policy.clock.until(Promise.all(open)))
    equal(policy.clock.pending, 0, 'alarms that are left')
  })
}

/** Connections that come and go. */
const MANY = 300
const WEEK = 7 * 86_400_000

const ranks = ['pass', 'accept', 'quarantine', 'discard', 'defer', 'reject']

function connections(suite: Suite): void {
  suite.it('end without trouble: one that nobody has heard of, and the same one twice', async () => {
    const policy = opened(suite)
    const connection = new SeenConnection()
    await policy.closed(connection)
    await converse(policy, usualQuestions(connection))
    await policy.closed(connection)
  })

  suite.it(`are forgotten: after ${MANY} of them, and a week, it is no stricter than at first`, async () => {
    const policy = opened(suite)
    const first = await converse(policy, usualQuestions(new SeenConnection()))
    for (let at = 0; at < MANY; at++) {
      const peer = { address: `10.0.${at >> 8}.${at & 255}`, port: 1, localAddress: '192.0.2.1', localPort: 25 }
      const asked = usualQuestions(new SeenConnection({ peer }))
      if (policy.has('connect')) await policy.clock.until(policy.open(asked.connect).answer)
      if (policy.has('sender')) await policy.clock.until(policy.open(asked.sender).answer)
      await policy.closed(asked.connect.connection)
    }
    await policy.clock.advance(WEEK)
    const last = await converse(policy, usualQuestions(new SeenConnection()))
    for (const [stage, { verdict }] of last) {
      const before = first.get(stage)!.verdict
      const stricter = ranks.indexOf(verdict.kind) > ranks.indexOf(before.kind)
      holds(!stricter, `${stage} is answered by ${verdict.kind} now, and was by ${before.kind}`)
    }
  })

  const seen = held()
  if (seen === undefined) return suite.leaveOut('whether connections are let go of: run it by node --expose-gc')
  suite.it('are let go of', async () => {
    const policy = opened(suite)
    for (let at = 0; at < 100; at++) {
      const connection = new SeenConnection()
      seen.watch(connection)
      await converse(policy, usualQuestions(connection))
    }
    await turn()
    const left = seen.left()
    // The last one may still lie about on the stack.
    holds(left <= 5, `${left} of 100 connections are still held after their end`)
  })
}

function time(suite: Suite): void {
  suite.it('is that of the stage, not of the machine', async () => {
    const policy = opened(suite, true)
    for (let day = 0; day < 3; day++) {
      await converse(policy, usualQuestions(new SeenConnection()))
      await policy.clock.advance(86_400_000)
    }
  })
}
