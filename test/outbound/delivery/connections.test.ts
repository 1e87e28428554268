import { describe, expect, it } from 'vitest'
import { type Says, scripted } from './scripted.ts'
import { Stage } from './stage.ts'

const CLOSING: Says = { text: '421 4.3.2 Closing\r\n', close: true }
const isMail = (line: string): boolean => line.startsWith('MAIL')

async function sendTen(stage: Stage): Promise<void> {
  for (let at = 0; at < 10; at++) await stage.send('me@here.test', [`u${at}@there.test`])
}

describe('a server that greets, and takes leave', () => {
  it.each<readonly [string, (line: string) => Says | undefined]>([
    ['instead of answering to MAIL (421)', (line) => (isMail(line) ? CLOSING : undefined)],
    ['by 451 4.3.2 to MAIL', (line) => (isMail(line) ? { text: '451 4.3.2 Not now\r\n' } : undefined)],
    ['by closing at MAIL', (line) => (isMail(line) ? { text: '', close: true } : undefined)],
    ['behind its answer to EHLO', (line) => (line.startsWith('EHLO') ? { text: '250 ok\r\n', close: true } : undefined)],
    ['by 421 behind its answer to EHLO', (line) => {
      return line.startsWith('EHLO') ? { text: '250 ok\r\n421 4.3.2 Closing\r\n', close: true } : undefined
    }],
  ])('%s is not connected to again and again', async (_, answer) => {
    const stage = new Stage({ window: { initial: 1, most: 1 } })
    stage.route('there.test', ['192.0.2.1'])
    const seen = scripted(stage, '192.0.2.1', answer)
    await sendTen(stage)
    await stage.pass(30)
    expect(seen.connections).toBe(3)
    expect(stage.sites).toMatchObject([{ state: 'open' }])
    expect(stage.results).toHaveLength(10)
    expect(stage.results.every((each) => each.endsWith('deferred'))).toBe(true)
    await stage.pass(600)
    expect(seen.connections).toBeLessThan(10)
    expect(stage.faults).toEqual([])
  })

  it('is back with the first message that it answers to, not with its greeting', async () => {
    let isClosing = true
    const stage = new Stage({ schedule: Array.from({ length: 99 }, () => 60_000), window: { initial: 5, most: 20 }, batch: 1 })
    stage.route('there.test', ['192.0.2.1'])
    const seen = scripted(stage, '192.0.2.1', (line) => (isMail(line) && isClosing ? CLOSING : undefined))
    await sendTen(stage)
    await stage.pass(59)
    const before = seen.connections
    await stage.pass(62)
    expect(seen.connections - before).toBe(1)
    expect(stage.sites.map(({ state }) => state)).toEqual(['open', 'open'])
    isClosing = false
    await stage.pass(300)
    expect(stage.sites.map(({ state }) => state)).toEqual(['open', 'open', 'closed'])
    expect(stage.results.filter((each) => each.endsWith('relayed'))).toHaveLength(10)
  })
})

describe('a connection that takes no more', () => {
  it.each<readonly [string, Says]>([
    ['421', CLOSING],
    ['nothing, but closes it', { text: '', close: true }],
  ])('makes nothing wait, where the server says %s', async (_, says) => {
    const stage = new Stage({ window: { initial: 1, most: 1 } })
    stage.route('there.test', ['192.0.2.1'])
    const seen = scripted(stage, '192.0.2.1', (line, said) => {
      return isMail(line) && said.filter(isMail).length > 3 ? says : undefined
    })
    await sendTen(stage)
    await stage.pass(5)
    expect(stage.results).toEqual(Array.from({ length: 10 }, (_, at) => `u${at}@there.test relayed`))
    expect(seen.connections).toBe(4)
    expect(stage.sites).toEqual([])
  })

  it('is told from a server that takes no more', async () => {
    const stage = new Stage({ window: { initial: 1, most: 1 } })
    stage.route('there.test', ['192.0.2.1'])
    let taken = 0
    const seen = scripted(stage, '192.0.2.1', (line) => (isMail(line) && ++taken > 3 ? CLOSING : undefined))
    await sendTen(stage)
    await stage.pass(5)
    expect(stage.results.filter((each) => each.endsWith('relayed'))).toHaveLength(3)
    expect(stage.results).toHaveLength(10)
    expect(seen.connections).toBe(4)
  })

  it('is told by the domains that it has taken mail for (RFC 9422)', async () => {
    const stage = new Stage({ window: { initial: 1, most: 1 } })
    const names = ['a.test', 'b.test', 'c.test', 'd.test']
    for (const name of names) stage.route(name, ['192.0.2.1'], { key: 'shared' })
    const seen = scripted(stage, '192.0.2.1', (line) => {
      return line.startsWith('EHLO') ? '250-x\r\n250 LIMITS RCPTDOMAINMAX=1\r\n' : undefined
    })
    await stage.send('me@here.test', names.map((name) => `u@${name}`))
    await stage.pass(30)
    expect(stage.results.sort()).toEqual(names.map((name) => `u@${name} relayed`))
    expect(seen.connections).toBe(4)
  })
})

describe('the order to try', () => {
  const down = (): Stage => {
    const stage = new Stage({ window: { initial: 2, most: 2 } })
    for (const name of ['there.test', 'other.test', 'third.test']) stage.route(name, ['192.0.2.1'], { key: 'shared' })
    return stage
  }

  it('has effect while a site is given up', async () => {
    const stage = down()
    await sendTen(stage)
    for (let at = 0; at < 4; at++) await stage.send('me@here.test', [`late${at}@there.test`])
    await stage.pass(20)
    const dialled = stage.network.dialled.length
    await stage.send('me@here.test', ['new@other.test'])
    await stage.pass(1)
    expect(stage.network.dialled).toHaveLength(dialled)
    await stage.queue.order({ recipient: 'u7@' }, { kind: 'retry' }, stage.clock.now())
    await stage.pass(1)
    expect(stage.network.dialled).toHaveLength(dialled + 1)
    expect(stage.results.at(-1)).toBe('u7@there.test deferred')
    expect(stage.sites.map(({ state, until }) => [state, until === undefined])).toEqual([
      ['open', false], ['open', true], ['open', false],
    ])
  })

  it('brings all of what was ordered, when the site is back', async () => {
    const stage = down()
    for (const name of ['there.test', 'other.test', 'third.test']) {
      for (let at = 0; at < 5; at++) await stage.send('me@here.test', [`u${at}@${name}`])
    }
    await stage.pass(20)
    expect(stage.sites).toMatchObject([{ state: 'open' }])
    const there = stage.server('there.test', '192.0.2.1', { target: { key: 'shared' } })
    await stage.queue.order({}, { kind: 'retry' }, stage.clock.now())
    await stage.pass(1)
    expect(there.taken).toHaveLength(15)
    expect(stage.sites.at(-1)).toMatchObject({ state: 'closed' })
  })

  it('does so once', async () => {
    const stage = down()
    await sendTen(stage)
    await stage.pass(20)
    await stage.queue.order({}, { kind: 'retry' }, stage.clock.now())
    await stage.pass(1)
    const dialled = stage.network.dialled.length
    await stage.pass(100)
    expect(stage.network.dialled).toHaveLength(dialled)
  })
})
