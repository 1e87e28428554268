import type { AccountRecord, KeptScramKeys } from '../contracts/accounts.ts'
import type { ScramKeys } from '../contracts/directory.ts'
import { decodeBase64, encodeBase64 } from '../protocol/bytes/base64.ts'
import type { SaslCrypto, ScramHash } from '../protocol/sasl/crypto.ts'
import { scramDefaults, scramKeysOf } from '../protocol/sasl/scram-keys.ts'

/** That SCRAM is wanted, and how its keys are made. */
export interface ScramSettings {
  /** The cryptography of the host: `nodeCrypto` of `posthorn/node`. */
  readonly crypto: SaslCrypto
  /** Default: both. */
  readonly hashes?: readonly ScramHash[]
  /** Rounds; 4096 at least (RFC 7677 §4). Keys of fewer are made anew at the next log-in. Default 10 000. */
  readonly iterations?: number
}

/** The hashes for which a record lacks keys, or has weaker ones than are wanted. */
export function lackingScram(record: AccountRecord, settings: ScramSettings): readonly ScramHash[] {
  const { hashes = ['SHA-1', 'SHA-256'], iterations = scramDefaults.iterations } = settings
  return hashes.filter((hash) => (record.scram?.[hash]?.iterations ?? 0) < iterations)
}

/** Keys of a password, to be kept. One after the other: each takes a thread for some milliseconds. */
export async function makeScram(password: string, settings: ScramSettings): Promise<NonNullable<AccountRecord['scram']>> {
  const { iterations = scramDefaults.iterations, hashes = ['SHA-1', 'SHA-256'] } = settings
  const made: Partial<Record<ScramHash, KeptScramKeys>> = {}
  for (const hash of hashes) {
    const { salt, storedKey, serverKey, iterations: rounds } = await scramKeysOf(settings.crypto, hash, password, { iterations })
    made[hash] = {
      salt: encodeBase64(salt),
      iterations: rounds,
      storedKey: encodeBase64(storedKey),
      serverKey: encodeBase64(serverKey),
    }
  }
  return made
}

/** Keys as a mechanism takes them; `undefined` where there are none, or none that can be read. */
export function keptScram(record: AccountRecord | undefined, hash: ScramHash): ScramKeys | undefined {
  const kept = record?.scram?.[hash]
  if (!kept) return undefined
  const [salt, storedKey, serverKey] = [kept.salt, kept.storedKey, kept.serverKey].map(decodeBase64)
  return salt && storedKey && serverKey ? { salt, iterations: kept.iterations, storedKey, serverKey } : undefined
}
