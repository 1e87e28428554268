/** Lines that are kept to be shown. */
const KEPT = 2000

/** What happened in a run, line by line. Two runs with one seed have one transcript. */
export class Transcript {
  /** The last lines. */
  readonly lines: string[] = []
  /** All there were. */
  count = 0
  private readonly ticks: () => number
  private low = 0x811c9dc5
  private high = 0x1b873593

  /** `ticks`: virtual milliseconds since the beginning. */
  constructor(ticks: () => number) {
    this.ticks = ticks
  }

  note(what: string): void {
    const line = `${stamp(this.ticks())} ${what}`
    this.count++
    for (let at = 0; at < line.length; at++) {
      const code = line.charCodeAt(at)
      this.low = Math.imul(this.low ^ code, 0x01000193)
      this.high = Math.imul(this.high + code, 0x85ebca6b) ^ (this.high >>> 13)
    }
    this.lines.push(line)
    if (this.lines.length >= 2 * KEPT) this.lines.splice(0, KEPT)
  }

  /** A number for all lines so far: 16 hexadecimal digits. */
  get hash(): string {
    return [this.high, this.low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')
  }
}

/** `2d03:04:05.006`. */
function stamp(ticks: number): string {
  const padded = (value: number, digits: number): string => String(Math.floor(value)).padStart(digits, '0')
  const hours = padded((ticks / 3_600_000) % 24, 2)
  return `${padded(ticks / 86_400_000, 1)}d${hours}:${padded((ticks / 60_000) % 60, 2)}:${padded((ticks / 1000) % 60, 2)}`
    + `.${padded(ticks % 1000, 3)}`
}
