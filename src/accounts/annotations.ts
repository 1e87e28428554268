import type { KeyValue } from '../contracts/key-value.ts'

/** What the keys begin with under which a server keeps what an account has noted (RFC 5464). */
export const annotationKeys = (account: string): string => `annotations:${encodeURIComponent(account)}:`

/** Removes all that an account has noted. */
export async function forgetAnnotations(keyValue: KeyValue, account: string, now: number): Promise<void> {
  for await (const page of keyValue.list(annotationKeys(account), now)) {
    for (const [key] of page) await keyValue.remove(key, now)
  }
}
