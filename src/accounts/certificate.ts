import type { AccountRecord } from '../contracts/accounts.ts'
import type { ClientCertificate } from '../protocol/session/tls.ts'
import { findLogin, type LookUps } from './look-ups.ts'

/** Names of one certificate that are looked at. */
const MOST_NAMES = 20

/**
 * The account that a certificate belongs to: the one that lists its fingerprint, or, `byAddress`, the one whose addresses are
 * among its names. A username chooses among several of the latter, and is never anybody else's (RFC 4422 appendix A: an
 * authorization identity that the certificate does not stand for is refused). Two accounts and no username: nobody's.
 */
export async function findCertificate(
  lookUps: LookUps,
  { authorized, fingerprint, names }: ClientCertificate,
  username: string,
  byAddress: boolean,
): Promise<AccountRecord | undefined> {
  if (!authorized) return undefined
  const owners = new Map<string, AccountRecord>()
  const listed = fingerprint === '' ? undefined : await lookUps.accountNamed(fingerprint)
  // Compared once more: nobody gets in for having chosen 64 digits as a login.
  if (listed?.certificates?.includes(fingerprint)) owners.set(listed.id, listed)
  if (owners.size === 0 && byAddress) {
    for (const name of names.slice(0, MOST_NAMES)) {
      const owner = name.includes('@') ? await findLogin(lookUps, name) : undefined
      if (owner) owners.set(owner.id, owner)
    }
  }
  if (username === '') return owners.size === 1 ? [...owners.values()][0] : undefined
  const wanted = await findLogin(lookUps, username)
  return wanted && owners.get(wanted.id)
}
