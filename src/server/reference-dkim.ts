import { dkim } from '../adapters/mailauth/index.ts'
import { type DkimKeyFile, dkimKeyFiles, makeDkimKeys } from '../adapters/node/dkim-files.ts'
import type { AccountRecords } from '../contracts/accounts.ts'
import type { Sign } from '../contracts/sign.ts'
import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { isMailError } from '../protocol/session/errors.ts'
import { dkimObserver } from './dkim-events.ts'

/** The folder of the keys among the data. */
const folderOf = (data: string): string => `${data}/dkim`

/** The keys of all domains, whether they are there or not. */
export async function keysOf(data: string, records: Pick<AccountRecords, 'domains'>): Promise<readonly DkimKeyFile[]> {
  const names: string[] = []
  for await (const page of records.domains()) names.push(...page.map(({ name }) => name))
  return dkimKeyFiles(folderOf(data), names.sort())
}

/**
 * What signs the mail of the reference server, with keys that are made where there are none yet. `undefined` where what signs is
 * not installed, of which the observer hears.
 */
export async function referenceSign(
  data: string, records: Pick<AccountRecords, 'domains'>, observe: Observer, clock: Clock,
): Promise<Sign | undefined> {
  const files = await keysOf(data, records)
  await makeDkimKeys(folderOf(data), files)
  const keys = files.map(({ domain, selector, key }) => ({ domain, selector, key, subdomains: true }))
  try {
    return (await dkim({ keys, now: () => clock.now(), onEvent: dkimObserver(observe, clock) })).sign
  } catch (error) {
    if (!isMailError(error) || error.code !== 'unavailable') throw error
    observe({ kind: 'failed', at: clock.now(), what: 'sign with DKIM: mail goes out unsigned', error })
    return undefined
  }
}
