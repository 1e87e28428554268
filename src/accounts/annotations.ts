import { annotationKeys } from '../contracts/annotations.ts'
import type { KeyValue } from '../contracts/key-value.ts'
import { sieveKeys } from '../contracts/sieve-keys.ts'

/** Removes all that an account has noted (RFC 5464), its scripts and what they remember. */
export async function forgetAnnotations(keyValue: KeyValue, account: string, now: number): Promise<void> {
  for (const prefix of [annotationKeys(account), ...sieveKeys(account)]) {
    for await (const page of keyValue.list(prefix, now)) {
      for (const [key] of page) await keyValue.remove(key, now)
    }
  }
}
