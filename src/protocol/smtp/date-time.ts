/**
 * A date-time of RFC 3339, such as `2026-11-20T10:00:00Z`, fraction and offset allowed, in milliseconds since the Unix epoch;
 * `undefined` where it has not that shape.
 */
export function dateTimeOf(text: string): number | undefined {
  const shape = '0000-00-00T00:00:00'
  if (text.length < shape.length + 1 || text.length > 40) return undefined
  for (let at = 0; at < shape.length; at++) {
    const wanted = shape.charAt(at)
    const given = text.charAt(at).toUpperCase()
    if (wanted === '0' ? !isDigit(given) : given !== wanted) return undefined
  }
  let end = shape.length
  if (text.charAt(end) === '.') {
    do end++
    while (isDigit(text.charAt(end)))
  }
  if (end === shape.length + 1) return undefined
  const offset = offsetOf(text.slice(end))
  if (offset === undefined) return undefined
  const number = (from: number, to: number): number => Number(text.slice(from, to))
  const midnight = Date.UTC(number(0, 4), number(5, 7) - 1, number(8, 10))
  const minutes = number(11, 13) * 60 + number(14, 16) - offset
  const fraction = end > shape.length ? number(shape.length, end) : 0
  return midnight + minutes * 60_000 + number(17, 19) * 1000 + Math.floor(fraction * 1000)
}

/** `Z`, or `+05:30`: minutes before UTC. */
function offsetOf(zone: string): number | undefined {
  if (zone.toUpperCase() === 'Z') return 0
  const [sign, h1, h2, colon, m1, m2] = zone
  if (zone.length !== 6 || colon !== ':' || ![h1, h2, m1, m2].every((each) => isDigit(each!))) return undefined
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))
  return sign === '+' ? minutes : sign === '-' ? -minutes : undefined
}

const isDigit = (character: string): boolean => character >= '0' && character <= '9' && character.length === 1
