import type { QuotaFacts } from '../../events.ts'
import { pathOf } from '../../mailbox-name.ts'
import type { Reader } from '../../reader.ts'
import { ask, no, ok, type Run } from '../../run.ts'
import { AUTHENTICATED, type Command, type ImapContext } from '../context.ts'
import { written } from './list.ts'

/** GETQUOTAROOT (RFC 9208 §4.1.2): one root, without a name, holds all that the account has. */
export const getQuotaRoot: Command = {
  name: 'GETQUOTAROOT',
  states: AUTHENTICATED,
  *run(context, reader) {
    reader.space()
    const path = pathOf(reader.astring(), context.nameForm)
    reader.end()
    if (path === undefined) return no('That is no name for a mailbox', 'CANNOT')
    const quota = yield* facts(context)
    context.say(`* QUOTAROOT ${written(context, path)}${quota === null ? '' : ' ""'}`)
    if (quota) context.say(quotaLine(quota))
    return ok('That is what it counts for')
  },
}

/** GETQUOTA (RFC 9208 §4.1.1). */
export const getQuota: Command = {
  name: 'GETQUOTA',
  states: AUTHENTICATED,
  *run(context, reader) {
    reader.space()
    const root = reader.astring()
    reader.end()
    const quota = root === '' ? yield* facts(context) : null
    if (quota === null) return no('There is no such quota root', 'NONEXISTENT')
    context.say(quotaLine(quota))
    return ok('That is how it is')
  },
}

/** SETQUOTA (RFC 9208 §4.1.3): how much an account may hold is for its administrator to say. */
export const setQuota: Command = {
  name: 'SETQUOTA',
  states: AUTHENTICATED,
  *run(_context, reader) {
    readSetQuota(reader)
    return no('Quotas are set by the administrator', 'NOPERM')
  },
}

function readSetQuota(reader: Reader): void {
  reader.space()
  reader.astring()
  reader.space()
  reader.list(() => {
    reader.atom()
    reader.space()
    reader.number64()
  }, true)
  reader.end()
}

/** What counts; nothing where nothing is bounded: a root has one resource at least (RFC 9208 §7). */
function* facts(context: ImapContext): Run<QuotaFacts | null> {
  const found = context.config.abilities.quota ? yield* ask({ kind: 'quota' }) : null
  return found && found.limit.octets === Infinity && found.limit.messages === Infinity ? null : found
}

/** RFC 9208 §5.1: STORAGE in units of 1024 octets. What has no bound is left out: there is no word for it. */
function quotaLine({ used, limit }: QuotaFacts): string {
  const resources: string[] = []
  if (limit.octets !== Infinity) {
    resources.push(`STORAGE ${Math.ceil(used.octets / 1024)} ${Math.floor(limit.octets / 1024)}`)
  }
  if (limit.messages !== Infinity) resources.push(`MESSAGE ${used.messages} ${limit.messages}`)
  return `* QUOTA "" (${resources.join(' ')})`
}
