/** Counts how far built-ins walk through strings and bytes while `run` runs: a measure of work that no clock disturbs. */
export function countSteps(run: () => void): number {
  let steps = 0
  const strings = String.prototype
  const { charCodeAt, indexOf, includes, slice } = strings
  const bytesIndexOf = Uint8Array.prototype.indexOf
  /** What an `indexOf` that began at `from` looked at. */
  const walked = (found: number, from: number, length: number): void => {
    steps += 1 + (found < 0 ? Math.max(0, length - from) : found - from)
  }
  strings.charCodeAt = function (this: string, at: number) {
    steps++
    return charCodeAt.call(this, at)
  }
  strings.indexOf = function (this: string, mark: string, from = 0) {
    const found = indexOf.call(this, mark, from)
    walked(found, from, this.length)
    return found
  }
  strings.includes = function (this: string, mark: string, from = 0) {
    walked(indexOf.call(this, mark, from), from, this.length)
    return includes.call(this, mark, from)
  }
  strings.slice = function (this: string, from?: number, to?: number) {
    const piece = slice.call(this, from, to)
    steps += 1 + piece.length
    return piece
  }
  Uint8Array.prototype.indexOf = function (this: Uint8Array, mark: number, from = 0) {
    const found = bytesIndexOf.call(this, mark, from)
    walked(found, from, this.length)
    return found
  }
  try {
    run()
  } finally {
    Object.assign(strings, { charCodeAt, indexOf, includes, slice })
    Uint8Array.prototype.indexOf = bytesIndexOf
  }
  return steps
}
