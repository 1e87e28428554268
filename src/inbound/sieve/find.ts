/** Longer needles are looked for by a table: the built-in search goes through the text again and again for some of them. */
const SHORT = 32

/** Where a text first has a needle, from `from` on, or -1. Linear time, whatever the two hold. */
export function find(text: string, needle: string, from = 0): number {
  if (needle.length <= SHORT || text.length < needle.length) return text.indexOf(needle, from)
  return findByTable(text, needle, from)
}

/** Knuth, Morris and Pratt: no unit of the text is looked at again behind the furthest one. */
function findByTable(text: string, needle: string, from: number): number {
  const borders = new Int32Array(needle.length)
  for (let at = 1, length = 0; at < needle.length; at++) {
    while (length > 0 && needle.charCodeAt(at) !== needle.charCodeAt(length)) length = borders[length - 1]!
    if (needle.charCodeAt(at) === needle.charCodeAt(length)) length++
    borders[at] = length
  }
  for (let at = from, length = 0; at < text.length; at++) {
    while (length > 0 && text.charCodeAt(at) !== needle.charCodeAt(length)) length = borders[length - 1]!
    if (text.charCodeAt(at) === needle.charCodeAt(length)) length++
    if (length === needle.length) return at - length + 1
  }
  return -1
}
