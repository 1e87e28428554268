import type { AliasRecord, DomainRecord } from '../contracts/accounts.ts'
import { asciiDomain } from '../message/domain.ts'
import { MailError } from '../protocol/session/errors.ts'
import { aSwitch, aText, checkOptions, type OptionKinds, required, texts } from '../protocol/session/options.ts'
import { isDomain } from '../protocol/smtp/path.ts'
import { checkedAddress, destinationKey, findIn, isCaseless, keysOf, MOST_LISTED, ownKey, refuse } from './admin-checks.ts'
import type { AdminParts } from './admin-parts.ts'
import { expand } from './expand.ts'
import { findKey } from './look-ups.ts'

const domainKinds: OptionKinds<DomainRecord> = {
  name: required(aText),
  catchAll: texts,
  separator: aText,
  caseSensitive: aSwitch,
  aliasOf: aText,
  disabled: aSwitch,
}

const aliasKinds: OptionKinds<AliasRecord> = { address: required(aText), to: required(texts), senders: texts, disabled: aSwitch }

/** Domains as an administrator sets them. */
export class AdminOfDomains {
  readonly #with: AdminParts

  constructor(parts: AdminParts) {
    this.#with = parts
  }

  async set(given: DomainRecord): Promise<DomainRecord> {
    checkOptions('domains.set', given, domainKinds)
    const { records, audit } = this.#with
    const name = checkedDomain('name', given.name)
    const { caseSensitive, disabled, separator, catchAll } = given
    if (separator !== undefined && !/^[!#$%&'*+\-/=?^_`{|}~.]{0,8}$/.test(separator)) {
      refuse('separator', separator, "cannot be one. Give a character that addresses may hold and names do not: '+'; or ''.")
    }
    const aliasOf = given.aliasOf === undefined ? undefined : await this.#target(name, given.aliasOf)
    if (aliasOf === undefined && !caseSensitive && (await records.domain(name))?.caseSensitive) {
      const lost = await findIn(records, name, (key) => !isCaseless(key))
      if (lost !== undefined) refuse('caseSensitive', false, `would make ${lost} unreachable. Put it into lower case first.`)
    }
    const record: DomainRecord = {
      name,
      ...(catchAll && { catchAll: await keysOf(records, 'catchAll', catchAll, destinationKey) }),
      ...(separator !== undefined && { separator }),
      ...(caseSensitive !== undefined && { caseSensitive }),
      ...(aliasOf !== undefined && { aliasOf }),
      ...(disabled !== undefined && { disabled }),
    }
    await records.setDomain(record)
    await audit('domain.set', name, { ...record })
    return record
  }

  async remove(given: string): Promise<boolean> {
    const { records, audit } = this.#with
    const name = asciiDomain(given)
    const used = (await findIn(records, name)) ?? (await this.#standingFor(name))
    if (used !== undefined) throw new MailError('permanent', `${name} is needed for ${used}. Remove or change that first.`)
    const removed = await records.removeDomain(name)
    if (removed) await audit('domain.remove', name)
    return removed
  }

  /** The domain that another is to stand for: a real one, so that there are no chains and no circles. */
  async #target(name: string, given: string): Promise<string> {
    const { records } = this.#with
    const aliasOf = checkedDomain('aliasOf', given)
    const target = await records.domain(aliasOf)
    if (!target || aliasOf === name) refuse('aliasOf', given, 'is no other domain of this server. Add it first.')
    if (target.aliasOf !== undefined) refuse('aliasOf', given, `stands for ${target.aliasOf} itself. Give that.`)
    const lost = (await findIn(records, name)) ?? (await this.#standingFor(name))
    if (lost !== undefined) refuse('aliasOf', given, `would make ${lost} unreachable. Remove or change that first.`)
    return aliasOf
  }

  async #standingFor(name: string): Promise<string | undefined> {
    for await (const page of this.#with.records.domains()) {
      const found = page.find(({ aliasOf }) => aliasOf === name)
      if (found) return found.name
    }
    return undefined
  }
}

/** Aliases as an administrator sets them. */
export class AdminOfAliases {
  readonly #with: AdminParts

  constructor(parts: AdminParts) {
    this.#with = parts
  }

  async set(given: AliasRecord): Promise<AliasRecord> {
    checkOptions('aliases.set', given, aliasKinds)
    const { records, audit } = this.#with
    const address = await ownKey(records, 'address', given.address)
    const { disabled } = given
    if (given.to.length === 0) refuse('to', given.to, 'is empty. Give one address at least, or disable the alias.')
    const senders = given.senders && [...new Set(given.senders)]
    for (const id of senders ?? []) {
      if (!(await records.account(id))) refuse('senders', id, 'is the id of no account. find(address) tells whose an address is.')
    }
    const record: AliasRecord = {
      address,
      to: await keysOf(records, 'to', given.to, destinationKey),
      ...(senders && { senders }),
      ...(disabled !== undefined && { disabled }),
    }
    await this.#tryOut(record)
    await records.setAlias(record)
    await audit('alias.set', address, { ...record })
    return record
  }

  async remove(given: string): Promise<boolean> {
    const { records, audit } = this.#with
    const address = await findKey(records, checkedAddress('address', given))
    const removed = await records.removeAlias(address)
    if (removed) await audit('alias.remove', address)
    return removed
  }

  /** Follows the alias as if it were there. One that leads to nobody yet may be meant so; a circle is not. */
  async #tryOut(record: AliasRecord): Promise<void> {
    const { records } = this.#with
    const lookUps = {
      domain: (name: string) => records.domain(name),
      accountNamed: (name: string) => records.accountNamed(name),
      alias: async (address: string) => (address === record.address ? record : records.alias(address)),
    }
    const rules = { postmaster: undefined, most: MOST_LISTED + 1 }
    const found = await expand(lookUps, checkedAddress('address', record.address), rules)
    if (found !== 'broken') return
    refuse('to', record.to, `leads back to ${record.address} alone, or to more than ${MOST_LISTED} addresses.`)
  }
}

function checkedDomain(what: string, given: string): string {
  const name = asciiDomain(given)
  return isDomain(name) ? name : refuse(what, given, 'is no domain. Write it as example.org.')
}
