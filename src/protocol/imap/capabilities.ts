import type { SaslChannel } from '../sasl/channel.ts'
import { type CapabilityFacts, type ImapServerConfig, isOffered } from './config.ts'

/** Before and after log-in. */
const ALWAYS = ['SASL-IR', 'ENABLE', 'ID', 'IDLE', 'NAMESPACE', 'CHILDREN', 'UIDPLUS', 'UNSELECT']

/** After log-in, whatever the host can do. */
const AFTER = [
  'LIST-EXTENDED', 'LIST-STATUS', 'STATUS=SIZE', 'ESEARCH', 'SEARCHRES', 'WITHIN', 'SORT', 'SORT=DISPLAY', 'ESORT',
  'THREAD=ORDEREDSUBJECT', 'THREAD=REFERENCES', 'CONDSTORE', 'QRESYNC', 'BINARY', 'PREVIEW', 'SAVEDATE', 'OBJECTID', 'PARTIAL',
  'UTF8=ACCEPT', 'I18NLEVEL=1',
]

/** The same, behind what hosts differ in. */
const LAST = [
  'CATENATE', 'ACL', 'RIGHTS=texk', 'LIST-MYRIGHTS', 'INPROGRESS', 'MULTISEARCH', 'CONTEXT=SEARCH', 'CONTEXT=SORT',
  'UIDONLY',
]

/** The capabilities that a connection is told of, in a fixed order. */
export function capabilitiesOf(config: ImapServerConfig, facts: CapabilityFacts, channel: SaslChannel): string {
  const all = [...versions(config), ...ALWAYS, ...(facts.account === undefined ? before(config, channel) : after(config, facts))]
  const { hide } = config
  return (hide ? all.filter((capability) => !hide(capability, facts)) : all).join(' ')
}

/** RFC 9051 App. E: IMAP4rev2 has MOVE in it. RFC 7888 §5: one of LITERAL+ and LITERAL-. */
function versions({ abilities, literals }: ImapServerConfig): string[] {
  return ['IMAP4rev1', ...(abilities.move ? ['IMAP4rev2'] : []), `LITERAL${literals}`]
}

function before(config: ImapServerConfig, channel: SaslChannel): string[] {
  const offered: string[] = []
  if (config.startTls && !channel.secure) offered.push('STARTTLS')
  // RFC 9051 §6.2.3, I12.
  if (!channel.secure && !config.authWithoutTls) offered.push('LOGINDISABLED')
  for (const mechanism of config.mechanisms.values()) {
    if (isOffered(config, mechanism, channel)) offered.push(`AUTH=${mechanism.name}`)
  }
  return offered
}

function after({ abilities, limits }: ImapServerConfig, { compressed }: CapabilityFacts): string[] {
  const offered = [...AFTER]
  if (abilities.move) offered.push('MOVE')
  if (abilities.replace) offered.push('REPLACE')
  if (abilities.specialUse) offered.push('SPECIAL-USE', 'CREATE-SPECIAL-USE')
  if (abilities.multiAppend) offered.push('MULTIAPPEND')
  if (abilities.quota) offered.push('QUOTA', 'QUOTA=RES-STORAGE', 'QUOTA=RES-MESSAGE')
  if (abilities.metadata) offered.push('METADATA')
  if (abilities.notify) offered.push('NOTIFY')
  if (abilities.compress && !compressed) offered.push('COMPRESS=DEFLATE')
  offered.push(...LAST)
  // RFC 8437 §4.1: where compression ends in the midst of what the client sends, there is none.
  if (!compressed) offered.push('UNAUTHENTICATE')
  if (limits.messageOctets !== Infinity) offered.push(`APPENDLIMIT=${limits.messageOctets}`)
  return offered
}
