import { kernel } from './kernel.ts'
import { contentInScript, dashesInScript, type ScanNotes } from './scan-script.ts'

export type { ScanNotes }

/**
 * Scans that no built-in finds, at memory speed: WebAssembly where the platform has it, the same in JavaScript elsewhere
 * and for short ranges. Both are exact about where they stop, so that any split of the input notes the same.
 */

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
 * The first `i` in [from, to) where octet `i` is LF and two dashes follow; `to` when there is none. Octets up to and
 * including the result are noted, LFs counted in `notes.lines`; lengths of lines are not. `bytes[to + 1]` must exist.
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
  if (words[0] !== 0) notes.high = true
  if (words[1] !== 0) notes.nul = true
  if (kind === DASHES) {
    notes.lines = words[4]!
  } else {
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
