import { describe, expect, it } from 'vitest'
import type { ArcFinding, Authentication, DmarcFinding } from '../../../src/contracts/authentication.ts'
import type { Authenticator } from '../../../src/contracts/authenticator.ts'
import { authentication } from '../../../src/index.ts'
import { isVouchedFor } from '../../../src/inbound/authentication/disposition.ts'
import { world } from '../../../src/testing/index.ts'

const failed: DmarcFinding = {
  result: 'fail', domain: 'example.org', policyDomain: 'example.org', policy: 'reject', disposition: 'reject',
  aligned: { spf: false, dkim: false }, record: new Map(), why: undefined,
}
const said = 'i=2; lists.example; spf=pass smtp.mailfrom=example.org; dmarc=pass header.from=example.org'
const chain: ArcFinding = { result: 'pass', sealers: ['other.example', 'lists.example'], said, why: undefined }
const lists = new Set(['lists.example'])

describe('a trusted sealer', () => {
  it.each<[string, Partial<ArcFinding>, boolean]>([
    ['vouches', {}, true],
    ['does not where the chain is broken', { result: 'fail' }, false],
    ['does not where there is no chain', { result: 'none', sealers: [], said: undefined }, false],
    ['does not where another has sealed since', { sealers: ['lists.example', 'other.example'] }, false],
    ['does not of what had failed', { said: said.replace('dmarc=pass', 'dmarc=fail') }, false],
    ['does not of what he says nothing about', { said: 'i=2; lists.example; spf=pass' }, false],
    ['does not in a comment', { said: 'i=2; lists.example; spf=pass (; dmarc=pass)' }, false],
    ['does not in a quote', { said: 'i=2; lists.example; spf=pass reason="; dmarc=pass"' }, false],
    ['does not by saying both', { said: `${said}; dmarc=fail` }, false],
    ['does not by saying nothing', { said: undefined }, false],
  ])('%s', (_, change, result) => {
    expect(isVouchedFor({ ...chain, ...change }, lists)).toBe(result)
  })
})

/** Finds what it is told to. */
const finding = (found: Partial<Authentication>): Authenticator => ({
  spf: async ({ sender }) => ({
    result: 'none', identity: sender === '' ? 'helo' : 'mailfrom', domain: 'example.org', why: undefined,
  }),
  message: async () => ({ dkim: [], dmarc: failed, arc: chain, bimi: undefined, ...found }),
})

interface Replied {
  readonly reply: string
  readonly header: string
  readonly tags: readonly string[]
}

async function replyTo(found: Partial<Authentication>, trustedSealers?: readonly string[]): Promise<Replied> {
  const policy = authentication({ authenticator: finding(found), ...(trustedSealers ? { trustedSealers } : {}) })
  const w = world({ server: { policies: [policy], connections: false } })
  const { reply } = await w.clock.until(w.connect('203.0.113.9').send({ to: 'b@mx.test' }))
  const [message] = w.delivered
  const tags = (message?.notes ?? []).flatMap((note) => (note.kind === 'tag' ? [note.tag] : []))
  return { reply: reply.slice(0, 3), header: message?.headers.value('authentication-results') ?? '', tags }
}

describe('mail that was passed on', () => {
  it('comes in where somebody who is trusted says that it was sound', async () => {
    const { reply, header, tags } = await replyTo({}, ['Lists.Example'])
    expect(reply).toBe('250')
    expect(tags).toEqual(['arc-override'])
    expect(header).toContain('dmarc=fail (p=reject, overridden by ARC) policy.dmarc=reject header.from=example.org')
    expect(header).toContain('arc=pass (i=2 lists.example) smtp.remote-ip=203.0.113.9')
  })

  it('does not where nobody is trusted, or another', async () => {
    expect((await replyTo({})).reply).toBe('550')
    expect((await replyTo({}, ['other.example'])).reply).toBe('550')
  })

  it('does not where its author cannot be told', async () => {
    expect((await replyTo({ dmarc: { ...failed, result: 'permerror', domain: '' } }, ['lists.example'])).reply).toBe('550')
  })
})

describe('an authenticator that fails', () => {
  it('is no reason to take mail, nor to refuse it for good', async () => {
    const broken: Authenticator = { ...finding({}), message: () => Promise.reject(new Error('boom')) }
    const w = world({ server: { policies: [authentication({ authenticator: broken })], connections: false } })
    expect((await w.clock.until(w.connect('203.0.113.9').send({ to: 'b@mx.test' }))).reply).toMatch(/^451 4\.3\.0/)
  })

  it('that never ends is waited for twenty seconds at MAIL', async () => {
    const signals: AbortSignal[] = []
    const stuck: Authenticator = {
      ...finding({ dmarc: undefined }),
      spf: (_, { signal }) => {
        signals.push(signal)
        return new Promise(() => undefined)
      },
    }
    const w = world({ server: { policies: [authentication({ authenticator: stuck })], connections: false } })
    const client = w.connect('203.0.113.9')
    await client.ask('EHLO client.test')
    expect(await w.clock.until(client.ask('MAIL FROM:<a@example.org>'))).toEqual(['250 2.1.0 Sender ok'])
    expect(w.clock.ticks()).toBe(20_000)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
    await w.clock.until(client.ask('RCPT TO:<b@mx.test>', 'DATA', 'Subject: x\r\n\r\n.'))
    expect(w.delivered[0]!.headers.value('authentication-results')).toContain(
      'spf=temperror (not known after 20 seconds) smtp.mailfrom=example.org; ' +
        'spf=temperror (not known after 20 seconds) smtp.helo=client.test',
    )
  })

  it('that never ends is waited for a minute', async () => {
    const stuck: Authenticator = { ...finding({}), message: () => new Promise(() => undefined) }
    const w = world({ server: { policies: [authentication({ authenticator: stuck })], connections: false } })
    expect((await w.clock.until(w.connect('203.0.113.9').send({ to: 'b@mx.test' }))).reply).toMatch(/^250/)
    expect(w.delivered[0]!.headers.value('authentication-results')).toContain('dmarc=temperror (not known after 60 seconds)')
    expect(w.clock.ticks()).toBe(60_000)
  })
})
