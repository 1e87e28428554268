import { annotationKeys } from '../contracts/annotations.ts'
import type { KeyValue } from '../contracts/key-value.ts'

/** Removes all that an account has noted (RFC 5464). */
export async function forgetAnnotations(keyValue: KeyValue, account: string, now: number): Promise<void> {
  for await (const page of keyValue.list(annotationKeys(account), now)) {
    for (const [key] of page) await keyValue.remove(key, now)
  }
}
