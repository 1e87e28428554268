import { patience, turn } from '../../adapters/node/event-loop.ts'
import type { MailStore } from '../../contracts/store.ts'
import { equal, holds } from './checks.ts'
import { fill, inbox, type MailStoreContractOptions, needing, setOf, uidsOf } from './sample-mail.ts'

/** What `watch` tells. */
export function watching(options: MailStoreContractOptions): void {
  const it = needing(options, 'watch', 'watch')

  it('tells of changes sooner or later, until it is ended', async (store) => {
    const { id } = await inbox(store)
    const told: string[] = []
    const end = store.watch((mailbox) => void told.push(mailbox))
    // A hint may be lost, so there are some; that none of them comes through is no hint at all.
    for (let i = 0; i < TRIES && told.length === 0; i++) {
      await fill(store, id, [])
      await soon(() => told.length > 0)
    }
    equal([...new Set(told)], [id], `what was told of ${TRIES} messages`)
    end()
    end()
    const before = told.length
    await fill(store, id, [], [])
    for (let i = 0; i < 10; i++) await turn()
    equal(told.length, before, 'number of hints after the end')
  })

  it('tells each who asks, of what each method does', async (store) => {
    const { id } = await inbox(store)
    const other = await store.create('alice', ['a'])
    const uids = uidsOf(await fill(store, id, ...Array.from({ length: TRIES }, () => [])))
    const acts: readonly (readonly [string, (uid: number) => Promise<unknown>])[] = [
      ['append', () => fill(store, id, [])],
      ['flag', (uid) => store.flag(id, setOf([uid]), { kind: 'add', flags: ['$A'] })],
      ['copy', (uid) => store.copy(id, setOf([uid]), other.id)],
      ['expunge', (uid) => store.expunge(id, setOf([uid]))],
    ]
    for (const [what, act] of acts) {
      const heard = [0, 0]
      const ends = heard.map((_, index) => store.watch(() => void (heard[index] as number)++))
      const isTold = (): boolean => heard.every((times) => times > 0)
      for (let i = 0; i < TRIES && !isTold(); i++) {
        await act(uids[i] as number)
        await soon(isTold)
      }
      for (const end of ends) end()
      holds(isTold(), `${what} was told to ${heard.filter((times) => times > 0).length} of 2`)
    }
  })
}

/** What `watchAccount` tells. */
export function watchingAccounts(options: MailStoreContractOptions): void {
  const it = needing(options, 'watchAccount', 'watchAccount')

  it('tells of changes in the account sooner or later, until it is ended, and of no other account', async (store) => {
    // Before there is anything of it.
    let told = 0
    const end = store.watchAccount('alice', () => void told++)
    const { id } = await inbox(store)
    const { id: other } = await inbox(store, 'bob')
    await until(store, id, () => told > 0)
    holds(told > 0, `nothing was told of ${TRIES} messages`)
    await quiet(() => told)
    const before = told
    for (let i = 0; i < TRIES; i++) await fill(store, other, [])
    await quiet(() => told)
    equal(told, before, 'number of hints, after messages of another account')
    end()
    end()
    const last = told
    await fill(store, id, [], [])
    for (let i = 0; i < 10; i++) await turn()
    equal(told, last, 'number of hints after the end')
  })

  it('tells each who asks, of what each method does', async (store) => {
    const { id } = await inbox(store)
    const uids = uidsOf(await fill(store, id, ...Array.from({ length: TRIES }, () => [])))
    const boxes: string[] = []
    for (let i = 0; i < TRIES; i++) boxes.push((await store.create('alice', [`b${i}`])).id)
    const acts: readonly (readonly [string, (at: number) => Promise<unknown>])[] = [
      ['append', () => fill(store, id, [])],
      ['flag', (at) => store.flag(id, setOf([uids[at]!]), { kind: 'add', flags: ['\\Seen'] })],
      ['expunge', (at) => store.expunge(id, setOf([uids[at]!]))],
      ['create', (at) => store.create('alice', [`c${at}`])],
      ['rename', (at) => store.rename(boxes[at]!, [`d${at}`])],
      ['remove', (at) => store.remove(boxes[at]!)],
    ]
    const { subscribe } = store
    const subscribing = async (at: number): Promise<unknown> => subscribe?.call(store, 'alice', [`s${at}`], true)
    const all = subscribe === undefined ? acts : [...acts, ['subscribe', subscribing] as const]
    for (const [what, act] of all) {
      const heard = [0, 0]
      const ends = heard.map((_, index) => store.watchAccount('alice', () => void (heard[index] as number)++))
      await quiet(() => heard.length)
      const isTold = (): boolean => heard.every((times) => times > 0)
      for (let i = 0; i < TRIES && !isTold(); i++) {
        await act(i)
        await soon(isTold)
      }
      for (const end of ends) end()
      holds(isTold(), `${what} was told to ${heard.filter((times) => times > 0).length} of 2`)
    }
  })
}

/** Appends messages until it holds, some at most. */
async function until(store: MailStore, mailbox: string, holding: () => boolean): Promise<void> {
  for (let i = 0; i < TRIES && !holding(); i++) {
    await fill(store, mailbox, [])
    await soon(holding)
  }
}

/** Waits until nothing more is counted for some turns. */
async function quiet(count: () => number): Promise<void> {
  for (let last = -1, turns = 0; turns < 10; turns++) {
    if (count() !== last) turns = 0
    last = count()
    await turn()
  }
}

const TRIES = 10

/** Waits until it holds, for a tenth of a second at most. */
async function soon(holding: () => boolean): Promise<void> {
  let late = false
  const waiting = patience(100, () => void (late = true))
  while (!late && !holding()) await turn()
  waiting.cancel()
}
