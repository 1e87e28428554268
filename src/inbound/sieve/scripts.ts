import type { KeyValue } from '../../contracts/key-value.ts'
import { sieveKey } from '../../contracts/sieve-keys.ts'
import { encodeUtf8 } from '../../protocol/bytes/text.ts'
import { MailError } from '../../protocol/session/errors.ts'
import { aCountAboveZero, checkOptions, having, type OptionKinds, required } from '../../protocol/session/options.ts'
import { compileSieve } from './check.ts'
import type { SieveError } from './syntax.ts'
import { isScriptName } from './values.ts'

/** Where scripts are kept, and how much. */
export interface SieveScriptsOptions {
  readonly store: KeyValue
  /** Scripts of an account (default 32). */
  readonly most?: number
  /** Octets of a script (default, and most: 65,536). */
  readonly size?: number
}

/** A script in a list. */
export interface SieveScriptEntry {
  readonly name: string
  readonly active: boolean
  /** Octets. */
  readonly size: number
}

/**
 * The scripts of accounts: several each, of which one is active or none. Names have 1 to 128 characters, none of them a control
 * character (RFC 5804 §1.6); others get `misuse`.
 */
export interface SieveScripts {
  /** By name. */
  list(account: string): Promise<readonly SieveScriptEntry[]>
  /** The text of a script. */
  get(account: string, name: string): Promise<string | undefined>
  /** The script that is active. */
  active(account: string): Promise<{ readonly name: string; readonly script: string } | undefined>
  /**
   * Puts a script there, whatever was, if nothing is wrong with it; else its errors. An active one stays so. `quota` where it is
   * larger than may be, or one too many.
   */
  put(account: string, name: string, script: string): Promise<readonly SieveError[]>
  /** Makes a script the active one; `undefined`: none is. Whether there is one of that name. */
  activate(account: string, name: string | undefined): Promise<boolean>
  /** Removes a script that is not active (RFC 5804 §2.10). */
  remove(account: string, name: string): Promise<'removed' | 'missing' | 'active'>
  /** Removes all that an account has. */
  erase(account: string): Promise<void>
}

/** What a key-value store takes. */
const MOST_SIZE = 65_536

/** Scripts are kept for good, so that it does not matter when it is. */
const NOW = 0

const kinds: OptionKinds<SieveScriptsOptions> = {
  store: required(having('a key-value store', 'get', 'set', 'list')),
  most: aCountAboveZero,
  size: {
    takes: `a whole number up to ${MOST_SIZE}`,
    is: (value) => aCountAboveZero.is(value) && (value as number) <= MOST_SIZE,
  },
}

/** Keeps scripts of accounts in a key-value store, under keys that begin with `sieve-script:` and `sieve-active:`. */
export function sieveScripts(options: SieveScriptsOptions): SieveScripts {
  checkOptions('sieveScripts', options, kinds)
  const { store, most = 32, size = MOST_SIZE } = options
  const get = async (account: string, name: string): Promise<string | undefined> => store.get(scriptKey(account, name), NOW)
  const activeName = async (account: string): Promise<string | undefined> => store.get(sieveKey('sieve-active', account), NOW)
  const list = async (account: string): Promise<readonly SieveScriptEntry[]> => {
    const active = await activeName(account)
    const prefix = sieveKey('sieve-script', account)
    const found: SieveScriptEntry[] = []
    for await (const page of store.list(prefix, NOW)) {
      for (const [key, script] of page) {
        const name = key.slice(prefix.length)
        found.push({ name, active: name === active, size: encodeUtf8(script).length })
      }
    }
    return found
  }
  return {
    list,
    get,
    async active(account) {
      const name = await activeName(account)
      const script = name === undefined ? undefined : await get(account, name)
      return name === undefined || script === undefined ? undefined : { name, script }
    },
    async put(account, name, script) {
      const key = scriptKey(account, name)
      if (encodeUtf8(script).length > size) throw new MailError('quota', `the script is larger than ${size} octets`)
      const { errors } = compileSieve(script)
      if (errors.length > 0) return errors
      const others = (await list(account)).filter((entry) => entry.name !== name)
      if (others.length >= most) throw new MailError('quota', `there are ${most} scripts: remove one`)
      await store.set(key, script, { now: NOW })
      return []
    },
    async activate(account, name) {
      if (name === undefined) {
        await store.remove(sieveKey('sieve-active', account), NOW)
        return true
      }
      if ((await get(account, name)) === undefined) return false
      await store.set(sieveKey('sieve-active', account), name, { now: NOW })
      return true
    },
    async remove(account, name) {
      if ((await activeName(account)) === name && (await get(account, name)) !== undefined) return 'active'
      return (await store.remove(scriptKey(account, name), NOW)) ? 'removed' : 'missing'
    },
    async erase(account) {
      await store.remove(sieveKey('sieve-active', account), NOW)
      for (const { name } of await list(account)) await store.remove(scriptKey(account, name), NOW)
    },
  }
}

function scriptKey(account: string, name: string): string {
  if (!isScriptName(name)) {
    throw new MailError('misuse', `${JSON.stringify(name)} is no name of a script: 1 to 128 characters, no control characters.`)
  }
  return sieveKey('sieve-script', account) + name
}
