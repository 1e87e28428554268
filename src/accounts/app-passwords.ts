import type { AccountRecord, AppPassword } from '../contracts/accounts.ts'

/** 32 characters that nobody takes for each other (Crockford's base 32), five bits each. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const GROUP = 4
/** Groups of a password: the first is its id, the others are 100 secret bits. */
const GROUPS = 6

/** A new app password: its id, as it is typed (`4kfx-9z2m-…`), and as it is hashed. `random` gives octets nobody can guess. */
export function newAppPassword(random: (octets: number) => Uint8Array): { id: string; shown: string; hashed: string } {
  let hashed = ''
  for (const octet of random(GROUP * GROUPS)) hashed += ALPHABET[octet & 31]!
  const groups = Array.from({ length: GROUPS }, (_, at) => hashed.slice(at * GROUP, (at + 1) * GROUP))
  return { id: groups[0]!, shown: groups.join('-'), hashed }
}

/**
 * The one app password of an account that a typed password can be, with what is to be checked against its hash. One: whatever a
 * stranger types, the same number of hashes is computed, however many app passwords an account has.
 */
export function appPasswordOf(record: AccountRecord, typed: string): { app: AppPassword; hashed: string } | undefined {
  if (!record.appPasswords || record.appPasswords.length === 0) return undefined
  const hashed = hashedForm(typed)
  const app = hashed === undefined ? undefined : record.appPasswords.find(({ id }) => id === hashed.slice(0, GROUP))
  return app && { app, hashed: hashed! }
}

/** In whatever case and grouping it was typed; `o` for 0, `i` and `l` for 1. `undefined`: it has not the shape. */
function hashedForm(typed: string): string | undefined {
  let form = ''
  for (const character of typed.toLowerCase()) {
    if (character === '-' || character === ' ') continue
    const meant = character === 'o' ? '0' : character === 'i' || character === 'l' ? '1' : character
    if (!ALPHABET.includes(meant) || form.length === GROUP * GROUPS) return undefined
    form += meant
  }
  return form.length === GROUP * GROUPS ? form : undefined
}
