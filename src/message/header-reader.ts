import { octetString } from '../protocol/bytes/text.ts'
import type { Budgets } from './budgets.ts'
import { asciiString } from './octet-string.ts'
import type { Oddities } from './oddities.ts'
import type { OpenPart } from './open-part.ts'
import { type HeaderAllowance, type PartHeader, readPartHeader } from './part-header.ts'

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
    const end = Math.min(to, from + this.left)
    const ascii = asciiString(bytes, from, end)
    if (ascii === undefined) {
      this.eightBit = true
      this.#oddities.note('8bit-header', part.header)
    }
    const text = ascii ?? octetString(bytes, from, end)
    if (text.includes('\0')) {
      this.nul = true
      this.#oddities.note('nul-in-header', part.header)
    }
    const { parameters, addresses } = this.#allowance
    const header = readPartHeader(text, part.isMessage, this.#budgets, this.#allowance)
    if (parameters.exceeded) this.#oddities.note('over-parameters', part.header)
    if (addresses.exceeded) this.#oddities.note('over-addresses', part.header)
    parameters.exceeded = addresses.exceeded = false
    return header
  }

  /** A header of `length` octets is over; `false`: it went beyond the budget. */
  spend(length: number): boolean {
    const within = length <= this.left
    this.left -= Math.min(length, this.left)
    return within
  }
}
