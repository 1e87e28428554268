/** Characters of a key in a store (see `KeyValue`), and of it what is kept of one that is longer. */
const MOST = 512
const HEAD = 480

/**
 * A key for a store, however long what it is made of: the end of a long one becomes 64 bits that stand for the whole. Two may
 * come to the same; whoever makes them do so shares a count with himself.
 */
export function storeKey(...parts: readonly (string | number)[]): string {
  const key = parts.join(':')
  if (key.length <= MOST) return key
  return `${key.slice(0, HEAD)}#${fnv(key, 0x811c9dc5)}${fnv(key, 0x2f0b4a27)}`
}

/** FNV-1a over code units: eight hexadecimal digits. */
function fnv(text: string, basis: number): string {
  let hash = basis
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
