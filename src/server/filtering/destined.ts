import type { Account, Destination } from '../../contracts/directory.ts'
import type { Recipient } from '../../contracts/received.ts'

/** An account that a message comes to, and the recipient of the envelope by which it does: the first one, of several. */
export interface Destined {
  readonly account: Account
  readonly recipient: Recipient
}

/** By which recipients a message comes to accounts. `destinations`: where mail for each of the recipients goes. */
export function destinedFor(
  accounts: readonly Account[], recipients: readonly Recipient[], destinations: readonly (readonly Destination[])[],
): Destined[] {
  const first = new Map<string, Recipient>()
  destinations.forEach((each, at) => {
    for (const one of each) if (one.kind === 'account' && !first.has(one.account.id)) first.set(one.account.id, recipients[at]!)
  })
  return accounts.map((account) => ({ account, recipient: first.get(account.id) ?? recipients[0]! }))
}
