import { describe, expect, it } from 'vitest'
import { defer, reject } from '../../../src/inbound/verdict.ts'
import type { Transport } from '../../../src/protocol/session/transport.ts'
import { Stage, to } from './stage.ts'

const encoder = new TextEncoder()

/** A server that says what it is told to, whatever it hears. */
function scripted(stage: Stage, address: string, play: (transport: Transport, said: (text: string) => void) => void): void {
  stage.network.listen(address, 25, (transport) => {
    play(transport, (text) => void transport.write([encoder.encode(text)]))
  })
}

const left = async ({ queue, clock }: Stage): Promise<number> => (await queue.counts(clock.now())).messages

describe('a server that', () => {
  const nothing = (): void => undefined
  const quiet = { received: nothing, ended: nothing, drained: nothing, secured: nothing, closed: nothing }

  it.each<readonly [string, readonly string[], number]>([
    ['greets with 421', ['421 4.3.2 Go away\r\n'], 60],
    ['refuses everybody (554)', ['554 No mail here\r\n'], 60],
    ['says something else', ['HTTP/1.1 400 Bad Request\r\n\r\n'], 60],
    ['says nothing', [], 700],
    ['says too much', Array.from({ length: 300 }, () => `220-${'x'.repeat(400)}\r\n`), 700],
    ['greets, and says no more', ['220 hello\r\n'], 700],
  ])('%s gets the mail later, and the sender no bounce', async (_, lines, seconds) => {
    const stage = new Stage()
    stage.route('evil.test', ['192.0.2.66'])
    scripted(stage, '192.0.2.66', (transport, said) => {
      transport.open(quiet)
      for (const line of lines) said(line)
    })
    await stage.send('me@here.test', ['a@evil.test'])
    await stage.pass(seconds)
    expect(stage.attempts[0]).toMatchObject({ result: 'deferred' })
    expect(stage.reports).toEqual([])
    expect(await left(stage)).toBe(1)
  })

  it('says nothing at any of ten addresses is not waited for all day', async () => {
    const stage = new Stage()
    const addresses = Array.from({ length: 10 }, (_, at) => `192.0.2.${at + 100}`)
    stage.route('mute.test', addresses)
    for (const address of addresses) scripted(stage, address, (transport) => transport.open(quiet))
    await stage.send('me@here.test', ['a@mute.test'])
    await stage.pass(700)
    expect(stage.attempts).toMatchObject([{ result: 'deferred' }])
    expect(stage.network.dialled).toHaveLength(2)
  })

  it('has enough (421 4.7.0) gets fewer connections', async () => {
    const stage = new Stage({ batch: 1, window: { initial: 4, most: 8 }, schedule: [10_000, 10_000, 10_000, 10_000] })
    let open = 0
    let most = 0
    let isBusy = true
    const there = stage.server('busy.test', '192.0.2.1', {
      accepts: async () => {
        most = Math.max(most, ++open)
        await new Promise<void>((resolve) => void stage.clock.alarm(stage.clock.ticks() + 100, () => resolve()))
        open--
        return isBusy ? defer(421, '4.7.0', 'Too much at once') : true
      },
    })
    for (let at = 0; at < 8; at++) stage.route(`d${at}.test`, ['192.0.2.1'], { key: 'busy' })
    await stage.send('me@here.test', Array.from({ length: 8 }, (_, at) => `u@d${at}.test`))
    await stage.pass(9)
    expect(stage.attempts).toHaveLength(8)
    expect(most).toBe(4)
    most = 0
    isBusy = false
    await stage.pass(1.11)
    expect(most).toBe(1)
    await stage.pass(60)
    expect(there.taken).toHaveLength(8)
  })

  it('refuses some takes the others once, and is heard about each', async () => {
    const stage = new Stage()
    const there = stage.server('there.test', '192.0.2.1', {
      accepts: ({ local }) => {
        if (local === 'no') return reject(550, '5.1.1', 'No')
        return local === 'later' ? defer(450, '4.2.0', 'Later') : true
      },
    })
    await stage.send('me@here.test', ['yes@there.test', 'no@there.test', 'later@there.test'])
    await stage.pass(400)
    expect(there.taken.map(({ envelope }) => envelope.recipients.map(({ local }) => local))).toEqual([['yes']])
    expect(stage.results).toEqual([
      'yes@there.test relayed', 'no@there.test failed', 'later@there.test deferred', 'me@here.test delivered',
      'later@there.test deferred',
    ])
  })
})

describe('a site with a rate', () => {
  it('keeps no place while it waits', async () => {
    const stage = new Stage({ connections: 1, rate: { messages: 1, per: 600_000 } })
    const slow = stage.server('slow.test', '192.0.2.1')
    const other = stage.server('other.test', '192.0.2.2')
    for (let at = 0; at < 3; at++) await stage.send('me@here.test', [`u${at}@slow.test`])
    await stage.pass(1)
    await stage.send('me@here.test', ['a@other.test'])
    await stage.pass(1)
    expect([slow.taken.length, other.taken.length]).toEqual([1, 1])
    await stage.pass(600)
    expect(slow.taken).toHaveLength(2)
    await stage.pass(600)
    expect(slow.taken).toHaveLength(3)
    expect(stage.results.every((each) => each.endsWith('relayed'))).toBe(true)
  })

  it('is not waited for when the delivery is stopped', async () => {
    const stage = new Stage({ rate: { messages: 1, per: 3_600_000 } })
    stage.server('slow.test', '192.0.2.1')
    for (let at = 0; at < 3; at++) await stage.send('me@here.test', [`u${at}@slow.test`])
    await stage.pass(1)
    await stage.clock.until(stage.delivery.stop({ within: 60_000 }))
    expect(stage.clock.ticks()).toBe(1_000)
    expect((await stage.queue.counts(stage.clock.now())).leased).toBe(0)
  })
})

describe('what somebody asks for', () => {
  it('as REQUIRETLS goes to nobody who has not proven who he is, servers of our choice neither', async () => {
    const stage = new Stage()
    const there = stage.server('there.test', '192.0.2.1', { startTls: true })
    await stage.send('me@here.test', ['a@there.test'], { requireTls: true })
    await stage.pass(5)
    expect(there.taken).toEqual([])
    expect(stage.attempts[0]).toMatchObject({ result: 'failed', cause: 'tls', code: 550, enhanced: '5.7.10' })
    expect(stage.reports).toHaveLength(1)
  })

  it('as delivery by a time (RFC 2852) is given back when less than a second is left', async () => {
    const stage = new Stage()
    const there = stage.server('there.test', '192.0.2.1')
    stage.network.fault('192.0.2.1', 'refused')
    await stage.send('me@here.test', ['a@there.test'], { deliverBy: { seconds: 300, mode: 'return', trace: false } })
    await stage.pass(299.5)
    stage.network.fault('192.0.2.1', undefined)
    await stage.queue.order({ destination: 'mx:there.test' }, { kind: 'retry' }, stage.clock.now())
    await stage.pass(5)
    expect(there.taken).toEqual([])
    expect(stage.attempts.map(({ result, cause }) => `${result} ${cause}`).slice(0, 2))
      .toEqual(['deferred network', 'failed expired'])
  })

  it('of a thousand domains at once goes to all of them, whatever letters they are written in', async () => {
    const stage = new Stage()
    const servers = Array.from({ length: 20 }, (_, at) => stage.server(`d${at}.test`, `192.0.2.${at + 1}`))
    const recipients = servers.flatMap((_, at) => [`a@d${at}.test`, `A@d${at}.test`])
    for (let at = 0; at < 500; at++) recipients.push(`x@dead${at}.test`)
    for (let at = 0; at < 500; at++) stage.route(`dead${at}.test`, [`198.51.100.${at % 250}`])
    await stage.send('me@here.test', recipients)
    await stage.pass(1)
    expect(servers.map(({ taken }) => taken.flatMap(({ envelope }) => envelope.recipients.map(({ local }) => local)).join()))
      .toEqual(servers.map(() => 'a,A'))
    expect(stage.attempts.filter(({ result }) => result === 'deferred')).toHaveLength(500)
  })
})

it('sends nothing twice, nor asks a server for nobody, where all are given up before', async () => {
  const stage = new Stage({}, { suppressed: async ({ local }) => (local === 'no' ? 'They do not want it' : undefined) })
  const there = stage.server('there.test', '192.0.2.1')
  await stage.send('me@here.test', [to('no@there.test')])
  await stage.send('me@here.test', [to('no@there.test'), to('yes@there.test')])
  await stage.pass(5)
  expect(there.taken.map(({ envelope }) => envelope.recipients.map(({ local }) => local))).toEqual([['yes']])
  expect(stage.results.filter((each) => each === 'no@there.test failed')).toHaveLength(2)
  expect(await left(stage)).toBe(0)
})
