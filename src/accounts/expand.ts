import type { AccountRecord, DomainRecord } from '../contracts/accounts.ts'
import { type Address, splitTag } from '../message/address.ts'
import { asciiDomain } from '../message/domain.ts'
import { encodeMailbox } from '../protocol/smtp/path.ts'
import { readAddress } from './address.ts'
import { type FoundDomain, findDomain, keyIn, type LookUps } from './look-ups.ts'

/** A place that mail for an address reaches. */
export type Reached =
  | { readonly kind: 'account'; readonly record: AccountRecord; readonly tag: string | undefined }
  | { readonly kind: 'outside'; readonly address: Address }

/** Where mail for an address goes, each place once; or why it goes nowhere. */
export type Expanded = readonly Reached[] | 'unknown' | 'disabled' | 'elsewhere' | 'broken'

/** What goes with every expansion. */
export interface ExpansionRules {
  /** Where mail for the postmaster of a domain goes that has none of its own. */
  readonly postmaster: Address | undefined
  /** Addresses that are looked at for one; above, the aliases lead to too many. */
  readonly most: number
}

/** An address to be looked at. */
interface Step {
  readonly address: Address
  /** The tag of the alias that led here. */
  readonly tag: string | undefined
  /** The key of that alias: an alias that names itself means the account of this address. */
  readonly parent: string | undefined
}

/** What one address is. `via` names an alias, a catch-all, a postmaster: what is opened once. */
type Found =
  | { readonly to: readonly Step[]; readonly via: string }
  | { readonly record: AccountRecord; readonly tag: string | undefined }
  | 'unknown' | 'disabled' | 'elsewhere' | 'broken'

/**
 * Follows an address to where its mail goes. In this order: the address as it stands; without its tag; postmaster (RFC 5321
 * §4.5.1: every domain has one); the catch-all. At each, an alias comes before an account. What an alias names and is nobody's,
 * or disabled, is left out as long as others remain.
 */
export async function expand(lookUps: LookUps, address: Address, rules: ExpansionRules): Promise<Expanded> {
  return new Expansion(lookUps, rules).run(address)
}

class Expansion {
  readonly #lookUps: LookUps
  readonly #rules: ExpansionRules
  readonly #domains = new Map<string, Promise<FoundDomain>>()
  readonly #opened = new Set<string>()
  readonly #reached = new Map<string, Reached>()
  #nowhere: 'unknown' | 'disabled' | 'broken' = 'unknown'

  constructor(lookUps: LookUps, rules: ExpansionRules) {
    this.#lookUps = lookUps
    this.#rules = rules
  }

  /** Level by level, so that the look-ups of one level run side by side; no recursion, whatever the records say. */
  async run(address: Address): Promise<Expanded> {
    let level: readonly Step[] = [{ address, tag: undefined, parent: undefined }]
    let looked = 0
    for (let first = true; level.length > 0; first = false) {
      looked += level.length
      if (looked > this.#rules.most) return 'broken'
      const found = await Promise.all(level.map((step) => this.#look(step)))
      if (first && found[0] === 'elsewhere') return 'elsewhere'
      level = found.flatMap((one, at) => this.#take(one, level[at]!))
    }
    return this.#reached.size > 0 ? [...this.#reached.values()] : this.#nowhere
  }

  /** Notes what was found. Gives what is to be looked at next. */
  #take(found: Found, { address }: Step): readonly Step[] {
    if (typeof found === 'string') {
      if (found === 'elsewhere') this.#add(`to ${encodeMailbox(address)}`, { kind: 'outside', address })
      else if (found !== 'unknown' && this.#nowhere !== 'disabled') this.#nowhere = found
    } else if ('record' in found) {
      const { record, tag } = found
      if (record.disabled) this.#nowhere = 'disabled'
      else this.#add(`of ${record.id}`, { kind: 'account', record, tag })
    } else if (this.#opened.has(found.via)) {
      // Two ways to one list, or a circle. If nobody is found on any way, it was a circle.
      if (this.#nowhere === 'unknown') this.#nowhere = 'broken'
    } else {
      this.#opened.add(found.via)
      return found.to
    }
    return []
  }

  #add(place: string, reached: Reached): void {
    if (!this.#reached.has(place)) this.#reached.set(place, reached)
  }

  async #look({ address, tag, parent }: Step): Promise<Found> {
    const domain = await this.#domain(asciiDomain(address.domain))
    if (typeof domain === 'string') return domain
    const key = keyIn(domain, address.local)
    const exact = await this.#at(key, parent, tag)
    if (exact) return exact
    const tagged = splitTag(address.local, domain.separator ?? '+')
    if (tagged.tag !== undefined) {
      const base = await this.#at(keyIn(domain, tagged.local), parent, tagged.tag)
      if (base) return base
    }
    return this.#last(domain, tagged.local)
  }

  /** The account or alias that has the key. */
  async #at(key: string, parent: string | undefined, tag: string | undefined): Promise<Found | undefined> {
    const [alias, named] = await Promise.all([
      key === parent ? undefined : this.#lookUps.alias(key),
      this.#lookUps.accountNamed(key),
    ])
    if (alias && !alias.disabled) return { to: this.#steps(alias.to, tag, key), via: key }
    // Logins are names too, and no addresses.
    if (named?.addresses.includes(key)) return { record: named, tag }
    return alias && 'disabled'
  }

  /** What there is for an address that is nobody's. */
  #last(domain: DomainRecord, local: string): Found {
    const { postmaster } = this.#rules
    if (postmaster && local.toLowerCase() === 'postmaster') {
      return { to: [{ address: postmaster, tag: undefined, parent: undefined }], via: `postmaster of ${domain.name}` }
    }
    if (!domain.catchAll || domain.catchAll.length === 0) return 'unknown'
    return { to: this.#steps(domain.catchAll, undefined, undefined), via: `all of ${domain.name}` }
  }

  #steps(to: readonly string[], tag: string | undefined, parent: string | undefined): readonly Step[] {
    const steps: Step[] = []
    // A list that is too long is not read to its end: the bound says the same of it.
    for (const text of to.slice(0, this.#rules.most + 1)) {
      const address = readAddress(text)
      if (address) steps.push({ address, tag, parent })
    }
    return steps
  }

  #domain(name: string): Promise<FoundDomain> {
    let found = this.#domains.get(name)
    if (!found) {
      found = findDomain(this.#lookUps, name)
      this.#domains.set(name, found)
    }
    return found
  }
}
