// What has nothing to do with how mail is kept: UIDs, flags, paths, octets.
import { MailError } from 'posthorn'

export const everyUid = [{ first: 1, last: 2 ** 32 - 1 }]

/** The entries whose UIDs are in the set, in ascending order if they are. */
export function among(entries, uids) {
  return entries.filter(({ uid }) => uids.some(({ first, last }) => first <= uid && uid <= last))
}

/** The UIDs of entries in ascending order as ranges that do not touch. */
export function ranges(entries) {
  const set = []
  for (const { uid } of entries) {
    if (set.at(-1)?.last === uid - 1) set.at(-1).last = uid
    else set.push({ first: uid, last: uid })
  }
  return set
}

// RFC 9051 §2.3.2. What begins with a backslash has no case; keywords are compared octet by octet.
const system = new Map(['\\Answered', '\\Deleted', '\\Draft', '\\Flagged', '\\Seen'].map((flag) => [flag.toLowerCase(), flag]))
const keyOf = (flag) => (flag.startsWith('\\') ? flag.toLowerCase() : flag)
const byKey = (flags) => new Map(flags.map((flag) => [keyOf(flag), system.get(keyOf(flag)) ?? flag]))

/** The flags, each once, system flags as they are spelt. */
export const spelt = (flags) => [...byKey(flags).values()]

/** The flags after a change, or `undefined` where they are the same. */
export function changedFlags(before, { kind, flags }) {
  const [old, given] = [byKey(before), byKey(flags)]
  const kept = kind === 'replace' ? [] : [...old].filter(([key]) => kind === 'add' || !given.has(key))
  const after = new Map(kind === 'remove' ? kept : [...given, ...kept])
  const same = after.size === old.size && [...after.keys()].every((key) => old.has(key))
  return same ? undefined : [...after.values()]
}

export const startsWith = (path, start) => start.every((name, index) => path[index] === name)

/** Parents before children. */
export function comparePaths(a, b) {
  const at = a.findIndex((name, index) => name !== b[index])
  if (at < 0 || at >= b.length) return a.length - b.length
  return a[at] < b[at] ? -1 : 1
}

export async function octetsOf(body) {
  const chunks = []
  for await (const chunk of body.read()) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  if (bytes.length !== body.size) throw new MailError('misuse', `body: says ${body.size} octets, has ${bytes.length}`)
  return bytes
}
