import { expect, it } from 'vitest'
import { defer, discard, type Policy, reject, type ServerEvent } from '../../src/index.ts'
import { memoryBodies } from '../../src/adapters/memory/index.ts'
import {
  deaf,
  finishAt,
  garbage,
  garbled,
  type Hostility,
  resetAt,
  slow,
  type TestClient,
  world,
  type World,
} from '../../src/testing/index.ts'

/*
 * Many clients at once, polite and hostile, against a server whose policies and deliveries are slow, refuse, break and never
 * answer, all drawn from a seed. Whatever happens, what is said of the server's promises in the end has to hold.
 */

const words = [
  'EHLO x.test',
  'HELO x.test',
  'MAIL FROM:<a@s.test>',
  'MAIL FROM:<> SIZE=10',
  'RCPT TO:<a@mx.test>',
  'RCPT TO:<slow@mx.test>',
  'RCPT TO:<no@mx.test>',
  'RCPT TO:<drop@mx.test>',
  'DATA',
  'Subject: x',
  '',
  'text',
  '..',
  '.',
  'RSET',
  'NOOP',
  'VRFY a',
  'QUIT',
  'FOO',
  'BDAT 6 LAST\r\na: b\r\n',
  'BDAT 3\r\nabc',
  'BDAT 9999',
  'MAIL FROM:<a@s.test>\r\nRCPT TO:<slow@mx.test>\r\nRCPT TO:<a@mx.test>\r\nDATA',
]

/** Draws one. */
const draw = <T>(w: World, list: readonly T[]): T => list[w.random.below(list.length)]!

function hostilityOf(w: World): Hostility | undefined {
  return draw(w, [
    undefined,
    undefined,
    undefined,
    deaf,
    resetAt(w.random.below(300)),
    finishAt(w.random.below(300)),
    slow({ octetsPerSecond: 1 + w.random.below(200), clock: w.clock }),
    garbled({ random: w.random, every: 30 }),
  ])
}

/** Sends mail as it should, or says something every now and then, whether it has been answered or not. */
async function live(w: World, client: TestClient): Promise<void> {
  const wait = (most: number): Promise<void> =>
    new Promise((resolve) => w.clock.alarm(w.clock.ticks() + w.random.below(most), resolve))
  await wait(5000)
  const isPolite = w.random.below(2) === 0
  if (!isPolite && w.random.below(2) === 0) client.write('EHLO x.test\r\n')
  for (let turn = w.random.below(isPolite ? 8 : 40); turn > 0 && !client.isClosed; turn--) {
    await wait(w.random.below(20) === 0 ? 100_000 : 1000)
    const content = `Subject: x\r\n\r\n${'0123456789\r\n'.repeat(w.random.below(200))}`
    const to = ['a@mx.test', 'slow@mx.test', 'drop@mx.test', 'no@mx.test'].slice(w.random.below(4)).reverse()
    if (isPolite) await client.send({ to, content }).catch(() => undefined)
    else if (w.random.below(15) === 0) client.write(garbage(w.random, 100))
    else if (w.random.below(4) === 0)
      client.write('MAIL FROM:<a@s.test>\r\nRCPT TO:<a@mx.test>\r\nRCPT TO:<slow@mx.test>\r\nDATA\r\n')
    else if (w.random.below(4) === 0) client.write(`${content}.\r\n`)
    else client.write(`${draw(w, words)}\r\n`)
  }
  if (w.random.below(2) === 0) client.finish()
  else if (w.random.below(3) === 0) client.reset()
}

function made(seed: number): { w: World; left: () => Promise<number>; delivered: string[] } {
  const bodies = memoryBodies()
  const delivered: string[] = []
  const pause = (most: number): Promise<void> =>
    new Promise((resolve) => w.clock.alarm(w.clock.ticks() + w.random.below(most), resolve))
  const moody = async (): Promise<ReturnType<typeof reject> | undefined> => {
    if (w.random.below(3) === 0) await pause(20_000)
    return draw(w, [
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      reject('No'),
      defer('Later'),
      discard('junk'),
    ])
  }
  const policies: Policy[] = [
    { name: 'moody', sender: moody, recipient: moody, message: moody },
    { name: 'broken', recipient: () => (w.random.below(20) === 0 ? Promise.reject(new Error('db')) : undefined) },
  ]
  const w: World = world({
    seed,
    link: { chunk: 1 + (seed % 100) },
    server: {
      policies,
      bodies,
      inMemory: 500,
      profile: seed % 3 === 0 ? 'test' : 'mx',
      accepts: async (to) => {
        if (to.local === 'slow') await pause(90_000)
        return to.local === 'drop' ? discard('trap') : to.local !== 'no'
      },
      deliver: async (message, { signal }) => {
        let octets = 0
        for await (const piece of message.raw()) octets += piece.length
        expect(octets).toBe(message.octets)
        expect(message.facts.octets).toBe(message.octets)
        expect(message.envelope.recipients.length).toBeGreaterThan(0)
        await pause(draw(w, [10, 1000, 400_000]))
        if (w.random.below(10) === 0) throw new Error('db')
        const verdict = draw(w, [undefined, undefined, reject('No'), defer('Later')])
        if (verdict === undefined && !signal.aborted) delivered.push(message.id)
        return verdict
      },
    },
  })
  const left = async (): Promise<number> => {
    let count = 0
    for await (const _ of bodies.list()) count++
    return count
  }
  return { w, left, delivered }
}

async function run(seed: number): Promise<{ w: World; clients: TestClient[]; left: number; delivered: string[] }> {
  const { w, left, delivered } = made(seed)
  const clients: TestClient[] = []
  const lives: Promise<void>[] = []
  for (let count = 0; count < 6; count++) {
    const through = hostilityOf(w)
    const client = w.connect(`203.0.113.${count}`, through ? { through } : {})
    clients.push(client)
    lives.push(live(w, client))
  }
  await w.clock.until(Promise.all(lives))
  const stopped = w.random.below(2) === 0 ? w.stop({ within: 60_000 }) : Promise.resolve()
  await w.clock.advance(4_000_000)
  await stopped
  return { w, clients, left: await left(), delivered }
}

const seeds = Array.from({ length: 120 }, (_, seed) => seed)

it.each(seeds)('keeps its promises in world %i', async (seed) => {
  const { w, clients, left, delivered } = await run(seed)

  // Nothing is left: no connection, no alarm, no body.
  expect([w.connections, w.clock.pending, left]).toEqual([0, 0, 0])

  // Nothing fails but what was made to.
  const failures = w.events.filter((event): event is Extract<ServerEvent, { kind: 'failed' }> => event.kind === 'failed')
  expect(
    failures
      .map(({ error }) => (error as Error).message)
      .filter((message) => message !== 'db' && !message.startsWith('There was no answer')),
  ).toEqual([])

  // 250 means taken over: by deliver, or on purpose by nobody. Each message once.
  const dropped = w.events.flatMap((event) => (event.kind === 'accepted' && event.discarded ? [event.message] : []))
  const promised = clients.flatMap(({ replies }) => replies.flatMap((reply) => /^250 2\.0\.0 Ok (\S+)$/.exec(reply)?.[1] ?? []))
  expect(promised.filter((id) => !delivered.includes(id) && !dropped.includes(id))).toEqual([])
  expect(new Set(delivered).size).toBe(delivered.length)
  expect(new Set(promised).size).toBe(promised.length)

  // Every reply is one, and every connection that was begun is told to have ended.
  for (const { replies } of clients) for (const reply of replies) expect(reply).toMatch(/^[2-5]\d\d[ -]/)
  expect(w.events.filter(({ kind }) => kind === 'closed')).toHaveLength(
    w.events.filter(({ kind }) => kind === 'connected').length,
  )
})

it('is the same world again for the same seed', async () => {
  const told = async (): Promise<string> => {
    const { w, clients } = await run(11)
    return JSON.stringify([w.events, clients.map(({ transcript }) => transcript)])
  }
  expect(await told()).toBe(await told())
})
