import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { linkedTransports } from '../../../../src/adapters/memory/index.ts'
import { nodeCrypto } from '../../../../src/adapters/node/index.ts'
import { plain, scram, scramDefaults, scramKeysOf } from '../../../../src/protocol/sasl/index.ts'
import { drive, type Host } from '../../../../src/protocol/session/drive.ts'
import {
  type ClientMessage,
  type Path,
  type Reply,
  smtpClientConfig,
  type SmtpClientEvent,
  type SmtpClientOptions,
  smtpClientSession,
  smtpServerConfig,
  type SmtpServerEvent,
  type SmtpServerOptions,
  smtpServerSession,
} from '../../../../src/protocol/smtp/index.ts'
import { virtualClock } from '../../../../src/testing/index.ts'
import { messageTo, octetsOf } from './talk.ts'

interface Taken {
  readonly from: string
  readonly to: readonly string[]
  readonly content: string
  readonly parameters: Record<string, unknown>
}

/** A host that takes mail, refuses what is named `nobody`, defers what is named `later`, and over LMTP `full` at the end. */
function inbox(taken: Taken[], lmtp: boolean): Host<SmtpServerEvent> {
  let sender: Extract<SmtpServerEvent, { kind: 'sender' }> | undefined
  let to: Path[] = []
  let content = ''
  const final = (local: string): Reply =>
    local === 'full' ? { code: 452, enhanced: '4.2.2', text: 'Mailbox full' } : { code: 250, enhanced: '2.0.0', text: 'Taken' }
  return {
    sender: (question) => {
      sender = question
      to = []
      content = ''
    },
    recipient: ({ recipient }) => {
      if (recipient.local === 'nobody') return { code: 550, enhanced: '5.1.1', text: 'No such user' }
      if (recipient.local === 'later') return { code: 450, enhanced: '4.2.0', text: 'Later' }
      to.push(recipient)
      return undefined
    },
    body: ({ bytes }) => {
      content += Buffer.from(bytes).toString('latin1')
    },
    message: () => {
      const { size, body, smtpUtf8, envid, ret } = sender!.parameters
      const whole = { from: sender!.sender?.wire ?? '', to: to.map(({ wire }) => wire), content }
      taken.push({ ...whole, parameters: { size, body, smtpUtf8, envid, ret } })
      return lmtp ? to.map(({ local }) => final(local)) : { code: 250, enhanced: '2.0.0', text: 'Taken' }
    },
    auth: ({ credentials }) =>
      credentials.kind === 'proven' || (credentials.kind === 'password' && credentials.password === 'secret')
        ? { account: credentials.username }
        : undefined,
    secret: async ({ lookUp }) =>
      lookUp.kind === 'scramKeys'
        ? { keys: await scramKeysOf(nodeCrypto, lookUp.hash, 'secret', scramDefaults) }
        : { password: 'secret' },
  }
}

interface Sent {
  readonly taken: readonly Taken[]
  readonly outcomes: readonly string[]
  readonly events: readonly SmtpClientEvent[]
}

interface Plan {
  readonly server: Partial<SmtpServerOptions>
  readonly client?: Partial<SmtpClientOptions>
  readonly messages: readonly ClientMessage[]
  readonly content?: string
  /** Octets that the link delivers, and that the host gives, at a time. */
  readonly chunk?: number
  readonly give?: number
}

/** Sends messages from our client to our server, both driven, over a link in memory. */
async function send(plan: Plan): Promise<Sent> {
  const { server, client = {}, messages, content = 'Subject: x\r\n\r\nText\r\n', chunk = 65_536, give = 65_536 } = plan
  const clock = virtualClock()
  const link = linkedTransports({ chunk, highWaterMark: 4096, peer: { address: '192.0.2.1' } })
  const taken: Taken[] = []
  const events: SmtpClientEvent[] = []
  const lmtp = server.profile === 'lmtp'
  const host = inbox(taken, lmtp)
  const failed = (error: unknown): void => {
    throw error
  }
  const config = smtpServerConfig({ hostname: 'mx.example.org', ...server })
  drive(smtpServerSession(config, {}, 0), link.server, host, { clock, failed })
  const left = [...messages]
  const at = new Map<number, number>()
  const octets = octetsOf(content)
  const keep = (event: SmtpClientEvent): void => void events.push(event)
  await new Promise<void>((resolve) => {
    const options = smtpClientConfig({ hello: 'client.example', protocol: lmtp ? 'lmtp' : 'smtp', ...client })
    drive(smtpClientSession(options, {}, 0), link.client, {
      ready: (event) => {
        keep(event)
        return left.shift()
      },
      convert: () => ({ encoding: '7bit' as const }),
      content: ({ message }) => {
        const from = at.get(message) ?? 0
        at.set(message, from + give)
        const chunk = { bytes: octets.subarray(from, from + give), last: from + give >= octets.length }
        return give % 2 === 0 ? chunk : Promise.resolve(chunk)
      },
      derive: ({ hash, password, salt, iterations }) => nodeCrypto.pbkdf2(hash, password, salt, iterations),
      outcome: keep,
      done: keep,
      failed: keep,
      closed: keep,
    }, { clock, failed, closed: () => resolve() })
  })
  const outcomes = events.flatMap((event) =>
    event.kind === 'outcome' ? [`${event.result} ${event.phase} ${event.code} ${event.status}`] : [])
  return { taken, outcomes, events }
}

const profiles = ['mx', 'submission', 'lmtp', 'test'] as const

describe('our client and our server', () => {
  it.each(profiles)('%s: each recipient hears what is due', async (profile) => {
    const four = messageTo(['b@example.org', 'nobody@example.org', 'later@example.org', 'full@example.org'])
    const messages = [four, messageTo(['nobody@example.org']), messageTo(['c@example.org'])]
    const { taken, outcomes, events } = await send({ server: { profile }, messages })
    const full = profile === 'lmtp' ? 'temporary content 452 4.2.2' : 'accepted content 250 2.0.0'
    expect(outcomes).toEqual([
      'permanent recipient 550 5.1.1', 'temporary recipient 450 4.2.0', 'accepted content 250 2.0.0', full,
      'permanent recipient 550 5.1.1', 'accepted content 250 2.0.0',
    ])
    expect(taken.map(({ to }) => to)).toEqual([['b@example.org', 'full@example.org'], ['c@example.org']])
    expect(events.at(-1)).toEqual({ kind: 'closed', why: 'quit' })
  })

  it.each(profiles)('%s: content arrives as it was, however it is cut and framed', async (profile) => {
    const parts = fc.array(fc.constantFrom('\r\n', '.', '..\r\n', 'text', '\r\n.\r\n', 'x'.repeat(300)), { maxLength: 20 })
    const framing = fc.constantFrom<Partial<SmtpClientOptions>>({}, { chunking: 'always', limits: { chunkOctets: 100 } })
    const piece = fc.integer({ min: 1, max: 50 })
    await fc.assert(fc.asyncProperty(parts, framing, piece, piece, async (texts, client, chunk, give) => {
      const content = `Subject: x\r\n\r\n${texts.join('')}\r\n`
      const messages = [messageTo(['b@example.org'])]
      const { taken } = await send({ server: { profile }, client, messages, content, chunk, give })
      expect(taken.map((one) => one.content)).toEqual([content])
    }), { numRuns: 20 })
  })

  it('octets of any kind arrive by BDAT', async () => {
    const content = String.fromCharCode(...Array.from({ length: 4096 }, (_, at) => (at * 7) & 255))
    const message = messageTo(['b@example.org'], { content: { encoding: 'binary', size: content.length } })
    const client = { limits: { chunkOctets: 1000 } }
    const { taken } = await send({ server: {}, client, messages: [message], content, give: 77 })
    expect(taken).toMatchObject([{ content, parameters: { body: 'BINARYMIME', size: 4096 } }])
  })

  it('bare line ends and dots in content begin no second message', async () => {
    const content = 'Subject: x\r\n\r\na\n.\nMAIL FROM:<evil@example.org>\r.\r\n.\nb'
    const { taken } = await send({ server: {}, messages: [messageTo(['b@example.org'])], content })
    const whole = 'Subject: x\r\n\r\na\r\n.\r\nMAIL FROM:<evil@example.org>\r\n.\r\n.\r\nb\r\n'
    expect(taken.map((one) => one.content)).toEqual([whole])
  })

  it('STARTTLS and AUTH, by a mechanism that does not tell the password', async () => {
    const secret = new Uint8Array(32)
    const auth = { mechanisms: [scram({ hash: 'SHA-256', crypto: nodeCrypto, secret }), plain], required: true }
    const login = { identity: { username: 'ann', password: 'secret' }, crypto: nodeCrypto }
    const plan: Plan = {
      server: { profile: 'submission', startTls: true, tlsRequired: true, auth, timeouts: { authDelay: 0 } },
      client: { tls: 'required', auth: login },
      messages: [messageTo(['b@example.org'])],
    }
    const { taken, events } = await send(plan)
    expect(taken).toHaveLength(1)
    expect(events[0]).toMatchObject({ kind: 'ready', secure: true, mechanism: 'SCRAM-SHA-256', tls: { protocol: 'TLSv1.3' } })
    const identity = { username: 'ann', password: 'wrong' }
    const wrong = await send({ ...plan, client: { tls: 'required', auth: { ...login, identity } } })
    expect(wrong.taken).toEqual([])
    expect(wrong.events).toMatchObject([{ kind: 'failed', phase: 'auth', reason: 'refused', code: 535 }, { kind: 'closed' }])
  })

  it('DSN parameters, UTF-8 and all that is offered goes along', async () => {
    const futureRelease = { seconds: 1000, until: '2030-01-01T00:00:00Z' }
    const extensions = { dsn: true, priority: true, deliverBy: true, futureRelease }
    const originalRecipient = { type: 'utf-8', address: 'ü@bücher.example' }
    const message: ClientMessage = {
      sender: { local: 'a"b', domain: 'client.example' },
      recipients: [{ local: 'ü', domain: 'bücher.example', notify: ['SUCCESS'], originalRecipient }],
      content: { encoding: '8bit', utf8: true, size: 100 },
      envid: 'a+b=c',
      ret: 'HDRS',
      priority: -3,
      deliverBy: { seconds: 100, mode: 'notify', trace: true },
      hold: { seconds: 10 },
    }
    const { taken, outcomes } = await send({ server: { extensions }, messages: [message] })
    expect(outcomes).toEqual(['accepted content 250 2.0.0'])
    const parameters = { size: 100, body: '8BITMIME', smtpUtf8: true, envid: 'a+b=c', ret: 'HDRS' }
    expect(taken).toMatchObject([{ from: '"a\\"b"@client.example', to: ['ü@xn--bcher-kva.example'], parameters }])
  })
})

it('hears why content is refused while the server takes no more of it', async () => {
  const clock = virtualClock()
  const link = linkedTransports({ highWaterMark: 4096 })
  const events: SmtpClientEvent[] = []
  const replies = ['250 mx\r\n', '250 ok\r\n', '250 ok\r\n', '354 go\r\n']
  link.server.open({
    received: () => {
      const reply = replies.shift()
      link.server.write([reply ?? '552 5.3.4 too large\r\n'])
      if (reply === undefined) link.server.pause()
    },
    ended: () => link.server.end(),
    drained: () => {},
    secured: () => {},
    closed: () => {},
  })
  link.server.write(['220 hi\r\n'])
  const message = messageTo(['b@example.org'])
  await new Promise<void>((resolve) => {
    drive(smtpClientSession(smtpClientConfig({ hello: 'client.example' }), {}, 0), link.client, {
      ready: () => message,
      content: () => ({ bytes: new Uint8Array(10_000), last: false }),
      outcome: (event) => void events.push(event),
      failed: () => resolve(),
    }, { clock })
  })
  expect(events).toMatchObject([{ result: 'permanent', phase: 'content', code: 552, status: '5.3.4' }])
})
