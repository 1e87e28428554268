import { findContentBreak, scanNotes } from '../protocol/bytes/scan.ts'
import { octetString } from '../protocol/bytes/text.ts'
import type { Budgets } from './budgets.ts'
import type { Oddities } from './oddities.ts'
import type { OpenPart } from './open-part.ts'
import { type HeaderAllowance, type PartHeader, readPartHeader } from './part-header.ts'

const LF = 10
const CR = 13

/** Reads the headers of a message one by one, within the budgets that they share. */
export class HeaderReader {
  /** Octets that may still be read. */
  left: number
  /** Octets above 127, octets 0 were met. */
  eightBit = false
  nul = false
  readonly #budgets: Budgets
  readonly #oddities: Oddities
  readonly #allowance: HeaderAllowance
  readonly #notes = scanNotes()

  constructor(budgets: Budgets, oddities: Oddities) {
    this.left = budgets.headers
    this.#budgets = budgets
    this.#oddities = oddities
    this.#allowance = {
      parameters: { left: budgets.parameters, exceeded: false },
      addresses: { left: budgets.addresses, exceeded: false },
    }
  }

  /** Reads the header of `part`, octets [from, to) of `bytes`, as far as the budget goes. */
  read(part: OpenPart, bytes: Uint8Array, from: number, to: number): PartHeader {
    const text = octetString(bytes, from, Math.min(to, from + this.left))
    this.#noteOctets(part, bytes, from, from + text.length, text)
    const { parameters, addresses } = this.#allowance
    const header = readPartHeader(text, part.isMessage, this.#budgets, this.#allowance)
    if (parameters.exceeded) this.#oddities.note('over-parameters', part.header)
    if (addresses.exceeded) this.#oddities.note('over-addresses', part.header)
    parameters.exceeded = addresses.exceeded = false
    return header
  }

  /** Notes odd octets in [from, to) of `bytes`, which `text` holds. */
  #noteOctets(part: OpenPart, bytes: Uint8Array, from: number, to: number, text: string): void {
    const notes = this.#notes
    notes.high = notes.nul = false
    // Most headers are clean, and the scan tells so quickly: it looks at octets and their neighbours inside the text. It stops
    // at a dot behind a line end, too, which is nothing odd here.
    const bounded = text !== '' && bytes[from] !== LF && bytes[to - 1] === LF
    if (!bounded || findContentBreak(bytes, from, to - 1, notes) < to - 1) this.#noteText(part, text)
    if (notes.high) {
      this.eightBit = true
      this.#oddities.note('8bit-header', part.header)
    }
    if (notes.nul) {
      this.nul = true
      this.#oddities.note('nul-in-header', part.header)
    }
  }

  /** The same where there may be something: octet by octet. */
  #noteText(part: OpenPart, text: string): void {
    let feeds = 0
    let returns = 0
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at)
      if (unit > 127) this.#notes.high = true
      else if (unit === 0) this.#notes.nul = true
      else if (unit === CR && text.charCodeAt(at + 1) !== LF) returns++
      else if (unit === LF && (at === 0 || text.charCodeAt(at - 1) !== CR)) feeds++
    }
    if (feeds > 0) this.#oddities.note('bare-lf-in-header', part.header, feeds)
    if (returns > 0) this.#oddities.note('bare-cr-in-header', part.header, returns)
  }

  /** A header of `length` octets is over; `false`: it went beyond the budget. */
  spend(length: number): boolean {
    const within = length <= this.left
    this.left -= Math.min(length, this.left)
    return within
  }
}
