import { arcSealer, type Dkim, dkim } from '../adapters/mailauth/index.ts'
import { type DkimKeyFile, dkimKeyFiles, makeDkimKeys } from '../adapters/node/dkim-files.ts'
import type { AccountRecords } from '../contracts/accounts.ts'
import type { Sign } from '../contracts/sign.ts'
import type { Observer } from '../observe/events.ts'
import type { Alarm, Clock } from '../protocol/session/clock.ts'
import { isMailError } from '../protocol/session/errors.ts'
import { dkimObserver } from './dkim-events.ts'

/** The folder of the keys among the data. */
const folderOf = (data: string): string => `${data}/dkim`

/** Milliseconds between looks for domains that have come or gone. */
const LOOK = 10_000

/** The keys of all domains, whether they are there or not. */
export async function keysOf(data: string, records: Pick<AccountRecords, 'domains'>): Promise<readonly DkimKeyFile[]> {
  const names: string[] = []
  for await (const page of records.domains()) names.push(...page.map(({ name }) => name))
  return dkimKeyFiles(folderOf(data), names.sort())
}

/** Signs mail for the domains that there are, also those that come while it does. */
export interface ReferenceSigning {
  readonly sign: Sign
  /** Looks for domains no more. */
  close(): Promise<void>
}

/**
 * What signs the mail of the reference server, with keys that are made where there are none yet, also those of a domain that is
 * added later. `undefined` where what signs is not installed, of which the observer hears.
 */
export async function referenceSigning(
  data: string, records: Pick<AccountRecords, 'domains'>, observe: Observer, clock: Clock,
): Promise<ReferenceSigning | undefined> {
  const files = await keysOf(data, records)
  await makeDkimKeys(folderOf(data), files)
  try {
    const signer = await dkim({ keys: keysIn(files), now: () => clock.now(), onEvent: dkimObserver(observe, clock) })
    return new Signing(signer, files, { data, records, observe, clock })
  } catch (error) {
    if (!isMailError(error) || error.code !== 'unavailable') throw error
    observe({ kind: 'failed', at: clock.now(), what: 'sign with DKIM: mail goes out unsigned', error })
    return undefined
  }
}

const keysIn = (files: readonly DkimKeyFile[]) =>
  files.map(({ domain, selector, key }) => ({ domain, selector, key, subdomains: true }))

interface SigningPlaces {
  readonly data: string
  readonly records: Pick<AccountRecords, 'domains'>
  readonly observe: Observer
  readonly clock: Clock
}

class Signing implements ReferenceSigning {
  readonly sign: Sign
  private readonly signer: Dkim
  private readonly places: SigningPlaces
  private known: string
  private alarm: Alarm | undefined
  private looking: Promise<void> = Promise.resolve()
  private isClosed = false

  constructor(signer: Dkim, files: readonly DkimKeyFile[], places: SigningPlaces) {
    this.signer = signer
    this.sign = signer.sign
    this.places = places
    this.known = namesOf(files)
    this.lookLater()
  }

  async close(): Promise<void> {
    this.isClosed = true
    this.alarm?.cancel()
    await this.looking
  }

  private lookLater(): void {
    const { clock } = this.places
    if (this.isClosed) return
    this.alarm = clock.alarm(clock.ticks() + LOOK, () => {
      this.looking = this.look().finally(() => this.lookLater())
    })
  }

  /** Never rejects: what was known signs on. */
  private async look(): Promise<void> {
    const { data, records, observe, clock } = this.places
    try {
      const files = await keysOf(data, records)
      if (namesOf(files) === this.known) return
      await makeDkimKeys(folderOf(data), files)
      await this.signer.reload(keysIn(files))
      this.known = namesOf(files)
    } catch (error) {
      observe({ kind: 'failed', at: clock.now(), what: 'look for domains to sign for', error })
    }
  }
}

const namesOf = (files: readonly DkimKeyFile[]): string => files.map(({ key }) => key).join('\n')

/** What seals mail that is passed on, with the key of a domain that signs, too. */
export async function referenceSeal(data: string, domain: string, authservId: string, clock: Clock): Promise<Sign> {
  const [file] = dkimKeyFiles(folderOf(data), [domain]) as [DkimKeyFile]
  const key = { domain, selector: file.selector, key: file.key }
  return (await arcSealer({ key, authservId, now: () => clock.now() })).seal
}
