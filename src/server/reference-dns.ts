import { publicKeyHash, publishedKey } from '../adapters/node/dkim-files.ts'
import { nodeCrypto } from '../adapters/node/index.ts'
import { sqlite } from '../adapters/sqlite/index.ts'
import {
  domainRecords,
  hostRecords,
  type PublishedKey,
  stsPolicyText,
  type ZoneLine,
  zoneLines,
} from '../outbound/domain-records.ts'
import { octets } from '../protocol/bytes/text.ts'
import { MailError } from '../protocol/session/errors.ts'
import { keysOf } from './reference-dkim.ts'
import type { ReferenceSettings } from './reference.ts'

/**
 * What is to be published in the DNS for the domains of a data folder, as lines of a zone file. Reads only: it works beside a
 * server that runs.
 *
 * @throws MailError `config` where the folder is none of a server, or a key or certificate in it cannot be read
 */
export async function referenceRecords(settings: ReferenceSettings): Promise<readonly string[]> {
  const { data, hostname, tls, ports } = settings
  const lines: ZoneLine[] = []
  if (!hostname.includes('.')) {
    lines.push({ comment: `The hostname is ${hostname}, by which nobody finds this server: set another` })
  }
  for (const [domain, keys] of await domainsOf(data)) {
    const policy = stsPolicyText(hostname, 'testing')
    const id = Buffer.from(nodeCrypto.hash('SHA-256', octets(policy))).toString('hex').slice(0, 16)
    const common = { domain, hostname, keys: settings.dkim ? keys : 'none', sts: { id, policy } } as const
    lines.push(...domainRecords({ ...common, imaps: known(ports.imaps), submissions: known(ports.smtps) }))
  }
  const spki = await publicKeyHash(tls?.cert ?? `${data}/tls/self-signed.crt`)
  if (spki !== undefined) lines.push(...hostRecords(hostname, spki))
  return zoneLines(lines)
}

/** Domains, with their keys that are there. */
async function domainsOf(data: string): Promise<ReadonlyMap<string, readonly PublishedKey[]>> {
  const db = opened(data)
  const found = new Map<string, PublishedKey[]>()
  try {
    for (const file of await keysOf(data, db.accounts)) {
      const publicKey = await publishedKey(file)
      const keys = found.get(file.domain) ?? []
      found.set(file.domain, keys)
      if (publicKey !== undefined) keys.push({ selector: file.selector, type: file.type, publicKey })
    }
  } finally {
    await db.close()
  }
  return found
}

function opened(data: string): ReturnType<typeof sqlite> {
  try {
    return sqlite({ path: `${data}/mail.db`, readonly: true })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new MailError('config', `${data} holds no domains (${why}). Give --data the folder of the server`, { cause })
  }
}

/** A port that is the same tomorrow. */
function known(port: number | null): number | undefined {
  return port === null || port === 0 ? undefined : port
}
