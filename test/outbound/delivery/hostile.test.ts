import { describe, expect, it } from 'vitest'
import { defer, reject } from '../../../src/inbound/verdict.ts'
import { scripted } from './scripted.ts'
import { Stage, to } from './stage.ts'

const left = async ({ queue, clock }: Stage): Promise<number> => (await queue.counts(clock.now())).messages

describe('an envelope that no server can be told', () => {
  it.each([
    ['a name too long for the DNS', to(`x@${'\u00fc'.repeat(60)}.test`)],
    ['an original recipient of no type', to('x@there.test', { originalRecipient: { type: 'a b', address: 'x' } })],
  ])('is held, and keeps nobody waiting: %s', async (_, recipient) => {
    const stage = new Stage({ window: { initial: 1, most: 1 } })
    const there = stage.server('there.test', '192.0.2.1', { smtp: { extensions: { dsn: true } } })
    stage.route(recipient.domain, ['192.0.2.1'], { key: 'there.test' })
    await stage.send('me@here.test', [recipient])
    await stage.send('me@here.test', ['a@there.test'])
    await stage.pass(10)
    expect(there.taken).toHaveLength(1)
    expect(stage.results).toContain('a@there.test relayed')
    const { jobs } = await stage.queue.jobs({ state: 'held', limit: 9, now: stage.clock.now() })
    expect(jobs).toMatchObject([{ held: expect.stringMatching(/^ours: 554 /) as string }])
  })

  it('is not that of somebody without a local part', async () => {
    const stage = new Stage()
    const there = stage.server('there.test', '192.0.2.1')
    await stage.send('@here.test', ['x@there.test'])
    await stage.pass(1)
    expect(there.taken.map(({ envelope }) => envelope.sender)).toEqual([{ local: '', domain: 'here.test' }])
  })
})

describe('a server that', () => {
  it('takes a message and closes the connection has it once', async () => {
    const stage = new Stage({ window: { initial: 1, most: 1 } })
    stage.route('there.test', ['192.0.2.1'])
    let taken = 0
    scripted(stage, '192.0.2.1', (line) => {
      if (line.startsWith('EHLO')) return '250-x\r\n250 PIPELINING\r\n'
      return line === '.' ? { text: `250 taken ${++taken}\r\n`, close: true } : undefined
    })
    for (let at = 0; at < 5; at++) await stage.send('me@here.test', [`u${at}@there.test`])
    await stage.pass(5)
    expect(stage.results).toEqual([0, 1, 2, 3, 4].map((at) => `u${at}@there.test relayed`))
    expect(taken).toBe(5)
  })

  it('says 250 to DATA is not sent a message', async () => {
    const stage = new Stage()
    stage.route('there.test', ['192.0.2.1'])
    const seen = scripted(stage, '192.0.2.1', (line) => (line === 'DATA' ? { text: '250 thanks\r\n', close: true } : undefined))
    await stage.send('me@here.test', ['a@there.test'])
    await stage.pass(5)
    expect(stage.attempts).toMatchObject([{ result: 'deferred', cause: 'protocol' }])
    expect(seen.lines).not.toContain('Subject: hi')
  })

  it.each([
    ['an octet a minute, as its greeting', '', 400],
    ['an octet a minute, to MAIL', 'MAIL', 400],
    ['an octet a minute, at the end', '.', 700],
  ])('says %s keeps nobody waiting for ever, and gets it again', async (_, when, seconds) => {
    const stage = new Stage()
    stage.route('slow.test', ['192.0.2.1'])
    const other = stage.server('other.test', '192.0.2.2')
    stage.network.listen('192.0.2.1', 25, (transport) => {
      const encoder = new TextEncoder()
      const drip = (): void => {
        transport.write([encoder.encode('2')])
        stage.clock.alarm(stage.clock.ticks() + 60_000, drip)
      }
      let input = ''
      let isContent = false
      const say = (text: string): void => void transport.write([encoder.encode(text)])
      transport.open({
        received: (bytes) => {
          input += new TextDecoder().decode(bytes)
          for (let end = input.indexOf('\r\n'); end >= 0; end = input.indexOf('\r\n')) {
            const line = input.slice(0, end)
            input = input.slice(end + 2)
            if (isContent && line !== '.') continue
            isContent = line === 'DATA'
            if (when !== '' && line.startsWith(when)) drip()
            else say(line === 'DATA' ? '354 go\r\n' : '250 ok\r\n')
          }
        },
        ended: () => undefined, drained: () => undefined, secured: () => undefined, closed: () => undefined,
      })
      if (when === '') drip()
      else say('220 hi\r\n')
    })
    await stage.send('me@here.test', ['a@slow.test', 'b@other.test'])
    await stage.pass(1)
    expect(other.taken).toHaveLength(1)
    await stage.pass(seconds)
    expect(stage.attempts.filter(({ recipient }) => recipient === 'a@slow.test')).toMatchObject([
      { result: 'deferred', cause: 'timeout' },
    ])
  })

  it('takes some of what it has accepted, over LMTP, is heard about each', async () => {
    const stage = new Stage()
    stage.route('there.test', ['192.0.2.1'], { protocol: 'lmtp' })
    scripted(stage, '192.0.2.1', (line) => (line === '.' ? '250 2.0.0 a\r\n550 5.2.1 b\r\n451 4.2.0 c\r\n' : undefined))
    await stage.send('me@here.test', ['a@there.test', 'b@there.test', 'c@there.test'])
    await stage.pass(1)
    expect(stage.results.slice(0, 3)).toEqual(['a@there.test delivered', 'b@there.test failed', 'c@there.test deferred'])
    await stage.pass(10)
    expect(stage.reports).toMatchObject([{ report: 'failed', recipients: ['b@there.test'] }])
  })

  it('answers to fewer than it has accepted, over LMTP, gets those again of whom it said nothing', async () => {
    const stage = new Stage()
    stage.route('there.test', ['192.0.2.1'], { protocol: 'lmtp' })
    scripted(stage, '192.0.2.1', (line) => (line === '.' ? { text: '250 2.0.0 a\r\n', close: true } : undefined))
    await stage.send('me@here.test', ['a@there.test', 'b@there.test'])
    await stage.pass(1)
    expect(stage.results).toEqual(['a@there.test delivered', 'b@there.test deferred'])
  })

  it('offers something else over TLS is believed there', async () => {
    const stage = new Stage()
    const there = stage.server('there.test', '192.0.2.1', { startTls: true, smtp: { extensions: { dsn: true } } })
    await stage.send('me@here.test', [to('a@there.test', { notify: ['SUCCESS'] })], { envid: 'E' })
    await stage.pass(1)
    expect(there.taken[0]?.envelope).toMatchObject({ envid: 'E', recipients: [{ notify: ['SUCCESS'] }] })
  })

  it('says a line of ten megabytes is not listened to', async () => {
    const stage = new Stage()
    stage.route('loud.test', ['192.0.2.1'])
    scripted(stage, '192.0.2.1', (line) => (line.startsWith('RCPT') ? `250 ${'x'.repeat(10_000_000)}\r\n` : undefined))
    await stage.send('me@here.test', ['a@loud.test'])
    await stage.pass(5)
    expect(stage.attempts).toMatchObject([{ result: 'deferred', cause: 'protocol' }])
    expect(stage.attempts[0]!.text.length).toBeLessThan(1000)
  })

  it('says something long to each of many recipients is quoted briefly', async () => {
    const stage = new Stage()
    stage.route('wordy.test', ['192.0.2.1'])
    const wordy = Array.from({ length: 30 }, () => `550-5.1.1 ${'x'.repeat(1900)}\r\n`).join('')
    scripted(stage, '192.0.2.1', (line) => (line.startsWith('RCPT') ? `${wordy}550 5.1.1 no\r\n` : undefined))
    const recipients = Array.from({ length: 100 }, (_, at) => `u${at}@wordy.test`)
    await stage.send('me@here.test', recipients)
    await stage.pass(5)
    expect(stage.results.filter((each) => each.endsWith('failed'))).toHaveLength(100)
    expect(Math.max(...stage.attempts.map(({ text }) => text.length))).toBeLessThanOrEqual(1000)
    expect(await left(stage)).toBe(0)
  })
})

const replies = [
  '650 6.1.1 x', '599 9.9.9 x', '550 4.1.1 x', '250 5.1.1 x', '550', '550 5.1.999999 x', '550 \u00e4\u0085 x', '421', '999 x',
  '100 x', '000 x', '550 5.1.1\tx', '550-a\r\n550 b', '550-5.1.1 a\r\n450 4.1.1 b', '299 9.9.9 x', '551 5.1.6 <a@b>', '',
]
it.each(replies)('what says %j ends, and its sender hears how', async (text) => {
  for (const at of ['MAIL', 'RCPT', '.']) {
    const stage = new Stage({ schedule: [1_000] })
    stage.route('odd.test', ['192.0.2.1'])
    scripted(stage, '192.0.2.1', (line) => (line.startsWith(at) ? `${text}\r\n` : undefined))
    await stage.send('me@here.test', ['a@odd.test'])
    await stage.pass(3600)
    expect([await left(stage), stage.faults]).toEqual([0, []])
    const isTaken = stage.results.includes('a@odd.test relayed')
    expect(stage.reports.map(({ report }) => report)).toEqual(isTaken ? [] : ['failed'])
  }
})

it('who greets and then says nothing leaves places for those that answer', async () => {
  const stage = new Stage({ connections: 8 })
  const known = stage.server('known.test', '192.0.2.200')
  await stage.send('me@here.test', ['a@known.test'])
  await stage.pass(10)
  for (let at = 0; at < 20; at++) {
    stage.route(`mute${at}.test`, [`192.0.2.${at}`])
    scripted(stage, `192.0.2.${at}`, (line) => (line.startsWith('MAIL') ? '' : undefined))
    await stage.send('me@here.test', [`a@mute${at}.test`])
  }
  await stage.pass(10)
  await stage.send('me@here.test', ['b@known.test'])
  await stage.pass(1)
  expect(known.taken).toHaveLength(2)
})

describe('a message to many destinations', () => {
  it('that fail one after the other is reported on a few times, about each of them once', async () => {
    let seed = 1
    const chance = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647
    const stage = new Stage({ delayAfter: Infinity }, { chance })
    const names = Array.from({ length: 50 }, (_, at) => `d${at}.test`)
    for (const [at, name] of names.entries()) {
      const from = stage.clock.now() + at * 2_400_000
      const accepts = () => (stage.clock.now() < from ? defer(450, '4.2.0', 'Later') : reject(550, '5.1.1', 'No'))
      stage.server(name, `198.18.0.${at}`, { accepts })
    }
    await stage.send('me@here.test', names.map((name) => `u@${name}`))
    await stage.pass(1)
    await stage.pass(4 * 24 * 3600)
    const told = stage.reports.flatMap(({ recipients }) => recipients)
    expect(told.sort()).toEqual(names.map((name) => `u@${name}`).sort())
    expect(stage.reports.length).toBeLessThan(15)
    expect(await left(stage)).toBe(0)
  })

  it('reaches all of them', async () => {
    const stage = new Stage()
    const names = Array.from({ length: 300 }, (_, at) => `d${at}.test`)
    const servers = names.map((name, at) => stage.server(name, `198.18.${at >> 8}.${at & 255}`))
    await stage.send('me@here.test', names.map((name) => `u@${name}`))
    await stage.pass(10)
    expect(servers.map(({ taken }) => taken.length)).toEqual(names.map(() => 1))
    expect(await left(stage)).toBe(0)
  })
})
