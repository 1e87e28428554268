import { kernel } from './kernel.ts'

/**
 * Scans that no built-in finds, at memory speed: WebAssembly where the platform has it, the same in JavaScript elsewhere
 * and for short ranges. Both are exact about where they stop, so that any split of the input notes the same.
 */

const CR = 13
const LF = 10
const DOT = 46
const DASH = 45

/** What a scan notes on its way. One object per message; the scans keep it up to date from call to call. */
export interface ScanNotes {
  /** An octet above 127 was seen. */
  high: boolean
  /** An octet 0 was seen. */
  nul: boolean
  /** Octets of the longest line that ended, its line end included; 63 where none has more: the scans look no closer. */
  longest: number
  /** Octets since the last LF. */
  open: number
  /** LFs seen by `findDashes`. */
  lines: number
}

/** Notes to begin with. */
export const scanNotes = (): ScanNotes => ({ high: false, nul: false, longest: 63, open: 0, lines: 0 })

/**
 * The first `i` in [from, to) where CR and LF do not stand together (a bare CR at `i`, or a bare LF at `i + 1`) or where a dot
 * follows an LF at `i`; `to` when there is none. Octets up to and including the result are noted, each once if the next
 * call goes on behind it. `bytes[to]` must exist.
 */
export function findContentBreak(bytes: Uint8Array, from: number, to: number, notes: ScanNotes): number {
  return scan(CONTENT, bytes, from, to, notes)
}

/**
 * The first `i` in [from, to) where octet `i` is LF and two dashes follow; `to` when there is none. Counts LFs up to and
 * including the result in `notes.lines`. `bytes[to + 1]` must exist.
 */
export function findDashes(bytes: Uint8Array, from: number, to: number, notes: ScanNotes): number {
  return scan(DASHES, bytes, from, to, notes)
}

type Kind = 0 | 1
const CONTENT: Kind = 0
const DASHES: Kind = 1

/** Below this, copying into the kernel's memory costs more than it saves. */
const SHORT = 160
/** Octets copied at a time: they and the code stay in the first-level cache. */
const WINDOW = 16_384
/** Where the window begins in the kernel's memory; the words before it are notes. */
const BASE = 64

interface Kernel {
  readonly memory: { readonly buffer: ArrayBuffer }
  content(at: number, to: number): number
  dashes(at: number, to: number): number
}

function load(): Kernel | undefined {
  // Some platforms forbid compiling from bytes, some lack SIMD: JavaScript serves there.
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(kernel as Uint8Array<ArrayBuffer>)).exports as unknown as Kernel
  } catch {
    return undefined
  }
}

const native = load()
const memory = native ? new Uint8Array(native.memory.buffer) : new Uint8Array(0)
const words = native ? new Int32Array(native.memory.buffer, 0, 5) : new Int32Array(5)

/** The bytes whose window [windowFrom, windowTo) is in memory, so that going on in the same window copies nothing. */
let held: Uint8Array | undefined
let windowFrom = 0
let windowTo = 0

function scan(kind: Kind, bytes: Uint8Array, from: number, to: number, notes: ScanNotes): number {
  if (!native || to - from < SHORT) {
    return kind === CONTENT ? contentInScript(bytes, from, to, notes) : dashesInScript(bytes, from, to, notes)
  }
  let at = from
  while (at < to) {
    const end = scanWindow(native, kind, bytes, at, to, notes)
    if (end >= 0) return end
    at = ~end
  }
  return to
}

/** The position found, or the complement of where the window ended without one. */
function scanWindow(kernel: Kernel, kind: Kind, bytes: Uint8Array, at: number, to: number, notes: ScanNotes): number {
  if (held !== bytes || at < windowFrom || at + SHORT > windowTo) hold(bytes, at)
  // The last two octets of the window serve only as neighbours, unless the bytes end there.
  const stop = Math.min(to, windowTo === bytes.length ? to : windowTo - 2)
  const shift = BASE - windowFrom
  words[0] = words[1] = 0
  words[2] = notes.longest
  // Where the open line would have begun; a word holds no more than 2 GiB, and no line longer than 1 GiB is told from that.
  words[3] = at + shift - 1 - Math.min(notes.open, 0x40000000)
  words[4] = notes.lines
  const found = (kind === CONTENT ? kernel.content(at + shift, stop + shift) : kernel.dashes(at + shift, stop + shift)) - shift
  if (kind === DASHES) {
    notes.lines = words[4]!
  } else {
    if (words[0] !== 0) notes.high = true
    if (words[1] !== 0) notes.nul = true
    notes.longest = words[2]!
    notes.open = (found < stop ? found : stop - 1) + shift - words[3]!
  }
  return found < stop ? found : ~stop
}

function hold(bytes: Uint8Array, at: number): void {
  held = bytes
  windowFrom = at
  windowTo = Math.min(bytes.length, at + WINDOW)
  memory.set(bytes.subarray(windowFrom, windowTo), BASE)
}

/** {@link findContentBreak} in JavaScript. */
export function contentInScript(bytes: Uint8Array, from: number, to: number, notes: ScanNotes): number {
  let open = notes.open
  let any = 0
  let at = from
  let now = bytes[at]!
  for (; at < to; at++) {
    const next = bytes[at + 1]!
    any |= now
    if (now === 0) notes.nul = true
    open++
    if (now === LF) {
      if (open > notes.longest) notes.longest = open
      open = 0
      if (next === DOT || next === LF) break
    } else if ((now === CR) !== (next === LF)) break
    now = next
  }
  notes.open = open
  if (any > 127) notes.high = true
  return at
}

/** {@link findDashes} in JavaScript. */
export function dashesInScript(bytes: Uint8Array, from: number, to: number, notes: ScanNotes): number {
  let at = from
  for (; at < to; at++) {
    if (bytes[at] !== LF) continue
    notes.lines++
    if (bytes[at + 1] === DASH && bytes[at + 2] === DASH) break
  }
  return at
}
