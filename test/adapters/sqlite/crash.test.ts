import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { StoredMessage } from '../../../src/contracts/store.ts'
import { octetsOf } from '../../../src/testing/contracts/checks.ts'
import { drivers } from './drivers.ts'
import { freshFolder, openMail } from './folders.ts'
import { faultsIn, listed, numbered, numberOf } from './mail.ts'
import { program, run } from './program.ts'

/** More rounds for a long night: `POSTHORN_CRASH_ROUNDS=100 npx vitest run test/adapters/sqlite/crash.test.ts`. */
const rounds = Number(process.env['POSTHORN_CRASH_ROUNDS'] ?? 5)

const threshold = 16_384

/**
 * Another writer that makes messages go through all there is: appended to one mailbox with a copy, flagged, moved to another one,
 * the copy expunged. Each that has arrived is printed.
 *
 * Ten writers that append messages of all sizes to three mailboxes without end, each other one to two at once. Each is printed,
 * with where it is, as soon as it is acknowledged.
 */
const main = `
import { writeSync } from 'node:fs'
const [path, round] = process.argv.slice(2)
const numbered = ${numbered.toString()}
const { store } = sqlite({ path, bodyThreshold: ${threshold} })
const boxes = []
for (const account of ['a', 'b', 'c']) boxes.push((await store.create(account, ['INBOX'])).id)
let next = Number(round) * 1_000_000
async function write(seed) {
  for (let i = 0; ; i++) {
    const number = next++
    const size = [10, 3000, 12_000, 20_000, 150_000][(number * 7 + seed) % 5]
    const message = numbered(number, size, number % 3 === 0)
    const to = number % 2 ? [boxes[i % 3]] : [boxes[i % 3], boxes[(i + 1) % 3]]
    await Promise.all(to.map(async (box) => {
      const { mailbox, uid, modSeq } = await store.append(box, message)
      writeSync(1, number + ' ' + mailbox + ' ' + uid + ' ' + modSeq + ' ' + size + '\\n')
    }))
  }
}
const [d, e] = [(await store.create('d', ['INBOX'])).id, (await store.create('d', ['e'])).id]
async function churn() {
  for (;;) {
    const number = next++
    const { uid } = await store.append(d, numbered(number, [10, 20_000][number % 2]))
    const at = [{ first: uid, last: uid }]
    const [copy] = await store.copy(d, at, d)
    await store.flag(d, at, { kind: 'add', flags: ['$n' + number] })
    const [there] = await store.move(d, at, e)
    await store.expunge(d, [{ first: copy.to, last: copy.to }])
    writeSync(1, 'moved ' + number + ' ' + there.to + '\\n')
  }
}
for (let seed = 0; seed < 10; seed++) write(seed)
for (let seed = 0; seed < 3; seed++) churn()
console.log('ready')
`

describe('a SQLite store whose process is killed', () => {
  it('has every message that was acknowledged, once, and nothing by halves', async () => {
    const path = join(freshFolder(), 'mail.db')
    const child = program(main)
    const driver = drivers[0]?.[1]
    if (!driver) throw new Error('no driver')
    const acknowledged: string[] = []
    const seen = new Map<string, number>()
    for (let round = 1; round <= rounds; round++) {
      const load = run(child, path, String(round))
      await load.until('ready\n')
      // Somewhere in the first moments of load: wherever it hits, what was printed until then counts.
      await load.until(`${round}${String(Math.floor(Math.random() * 150)).padStart(6, '0')} `)
      await load.kill()
      // The line that the kill may have cut was not acknowledged.
      acknowledged.push(...load.printed().split('\n').slice(0, -1).filter((line) => line !== 'ready'))
      const { store, close } = openMail({ path, driver, bodyThreshold: threshold })
      const there: string[] = []
      for (const account of ['a', 'b', 'c']) {
        const [box] = await store.mailboxes(account)
        if (!box) continue
        expect(seen.get(`${account} validity`) ?? box.uidValidity).toBe(box.uidValidity)
        seen.set(`${account} validity`, box.uidValidity)
        const messages = await listed(store, box.id)
        expect(new Set(messages.map(numberOf)).size).toBe(messages.length)
        messages.reduce((last, { uid }) => (expect(uid).toBeGreaterThan(last), uid), 0)
        expect(box.uidNext).toBeGreaterThan(messages.at(-1)?.uid ?? 0)
        there.push(...messages.map(line))
        for (const message of messages.slice(-10)) await expectBody(store, message)
        // A UID that anyone has seen is not given out again in a later round.
        const since = messages.filter(({ uid }) => uid > (seen.get(account) ?? 0))
        for (const message of since) expect(Math.floor(numberOf(message) / 1_000_000)).toBe(round)
        seen.set(account, box.uidNext - 1)
      }
      const present = new Set(there)
      expect(acknowledged.filter((one) => !one.startsWith('moved ') && !present.has(one))).toEqual([])
      await expectMoved(store, acknowledged.filter((one) => one.startsWith('moved ')))
      for (const account of ['a', 'b', 'c', 'd']) {
        const before = await store.mailboxes(account)
        await store.recount(account)
        expect(await store.mailboxes(account)).toEqual(before)
      }
      await close()
      expect(faultsIn(driver, path)).toEqual([])
    }
    expect(acknowledged.length).toBeGreaterThan(rounds)
    expect(acknowledged.some((one) => one.startsWith('moved '))).toBe(true)
  }, 30_000 + rounds * 5000)
})

/** What has arrived has its flag, once; nothing is in both places, and what is under way has its copy. */
async function expectMoved(store: ReturnType<typeof openMail>['store'], moved: readonly string[]): Promise<void> {
  const [from = [], to = []] = await Promise.all((await store.mailboxes('d')).map(async ({ id }) => listed(store, id)))
  const there = new Map(to.map((message) => [numberOf(message), message]))
  expect(there.size).toBe(to.length)
  for (const message of to) expect(message.flags).toEqual([`$n${numberOf(message)}`])
  for (const one of moved) {
    const [, number, uid] = one.split(' ')
    expect(there.get(Number(number))?.uid).toBe(Number(uid))
  }
  const flagged = from.filter(({ flags }) => flags.length > 0).map(numberOf)
  expect(flagged.filter((number) => there.has(number))).toEqual([])
}

function line(message: StoredMessage): string {
  return [numberOf(message), message.mailbox, message.uid, message.modSeq, message.octets].join(' ')
}

async function expectBody(store: ReturnType<typeof openMail>['store'], message: StoredMessage): Promise<void> {
  const body = await store.body(message.id)
  const octets = await octetsOf(body as NonNullable<typeof body>)
  expect(Buffer.compare(octets, numbered(numberOf(message), message.octets).body.bytes as Uint8Array)).toBe(0)
}
