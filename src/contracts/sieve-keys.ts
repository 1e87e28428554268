/*
 * Under which keys a key-value store keeps what belongs to the Sieve scripts of an account: the scripts, the name of the active
 * one, and what they remember.
 */

const kinds = ['sieve-script', 'sieve-active', 'sieve-seen', 'sieve-vacation'] as const

/** What all keys of a kind begin with that are of an account. */
export const sieveKey = (kind: (typeof kinds)[number], account: string): string => `${kind}:${encodeURIComponent(account)}:`

/** What the keys of an account begin with, of all kinds. */
export const sieveKeys = (account: string): readonly string[] => kinds.map((kind) => sieveKey(kind, account))
