import { clamd, rspamd, spamd } from '../adapters/scanners/index.ts'
import type { KeyValue } from '../contracts/key-value.ts'
import type { Policy } from '../contracts/policy.ts'
import type { Scanner } from '../contracts/scanner.ts'
import { isOurs } from '../inbound/authentication/policy.ts'
import { dnsbl } from '../inbound/checks/dnsbl.ts'
import { greylist } from '../inbound/checks/greylist.ts'
import { scan } from '../inbound/checks/scan.ts'
import { inOrder } from '../inbound/compose.ts'
import type { Observer } from '../observe/events.ts'
import type { Clock } from '../protocol/session/clock.ts'
import { isMailError } from '../protocol/session/errors.ts'
import { authentication } from './trust.ts'

/** A check of mail that comes in. */
export type ReferenceCheck =
  | { readonly kind: 'spf' | 'dkim' | 'dmarc' }
  | { readonly kind: 'dnsbl'; readonly zone: string }
  /** Milliseconds. */
  | { readonly kind: 'greylist'; readonly wait: number }
  | { readonly kind: 'clamd' | 'spamd'; readonly host: string; readonly port: number }
  | { readonly kind: 'rspamd'; readonly url: string }

/** What the reference server is told of mail that comes in. */
export interface ReferenceCheckSettings {
  readonly hostname: string
  readonly checks: readonly ReferenceCheck[]
  /** Somebody has named them, or the resolver: what cannot be done is an error, and this machine is checked like any other. */
  readonly isExplicit: boolean
}

/** What checks take. */
export interface ReferenceCheckPlaces {
  readonly keyValue: KeyValue
  readonly observe: Observer
  readonly clock: Clock
}

/** The checks of mail that comes in, and how to let go of what they take. */
export interface ReferenceChecks {
  readonly policies: readonly Policy[]
  readonly close: () => Promise<void>
}

/** @throws MailError `unavailable`, which names the command that installs what is missing */
export function referenceChecks(settings: ReferenceCheckSettings, places: ReferenceCheckPlaces): ReferenceChecks {
  const { checks } = settings
  const scanners = checks.flatMap((check) => scannerFor(check, settings.hostname) ?? [])
  const lists = checks.flatMap((check) => (check.kind === 'dnsbl' ? [check.zone] : []))
  const who = authenticationFor(settings, places)
  const greylists = checks.flatMap((check) => {
    return check.kind === 'greylist' ? [greylist({ store: places.keyValue, wait: check.wait })] : []
  })
  const policies = [
    ...(lists.length > 0 ? [dnsbl({ zones: lists })] : []),
    // Who is known by SPF need not wait, so that comes first.
    ...(who && greylists.length > 0 ? [inOrder(who, ...greylists)] : [...(who ? [who] : []), ...greylists]),
    // A virus does not come in unseen; spam does rather than that mail waits.
    ...scanners.map((scanner) => scan(scanner, { onError: scanner.name === 'clamd' ? 'defer' : 'pass' })),
  ]
  return {
    policies,
    close: async () => {
      for (const scanner of scanners) await scanner.close?.()
    },
  }
}

function authenticationFor({ checks, isExplicit }: ReferenceCheckSettings, places: ReferenceCheckPlaces): Policy | undefined {
  const wanted = (...kinds: ReferenceCheck['kind'][]): boolean => checks.some(({ kind }) => kinds.includes(kind))
  if (!wanted('spf', 'dkim', 'dmarc')) return undefined
  const [dkim, dmarc] = [wanted('dkim', 'dmarc'), wanted('dmarc')]
  const { observe, clock } = places
  try {
    return authentication({
      spf: wanted('spf', 'dmarc'), dkim, dmarc, arc: dkim, iprev: false,
      exempt: isExplicit ? ({ account }) => account !== undefined : isOurs,
    })
  } catch (error) {
    if (isExplicit || !isMailError(error) || error.code !== 'unavailable') throw error
    observe({ kind: 'failed', at: clock.now(), what: 'look who sent mail that comes in: it is taken as it is', error })
    return undefined
  }
}

function scannerFor(check: ReferenceCheck, hostname: string): Scanner | undefined {
  switch (check.kind) {
    case 'clamd':
      return clamd({ host: check.host, port: check.port })
    case 'spamd':
      return spamd({ host: check.host, port: check.port })
    case 'rspamd':
      return rspamd({ url: check.url, hostname })
    default:
      return undefined
  }
}
