import { readSettingsFile } from '../adapters/node/settings-file.ts'
import { referenceRecords } from '../server/reference-dns.ts'
import { readSettings } from './settings.ts'
import type { Terminal } from './terminal.ts'

/** What `posthorn dns` is told. */
export interface DnsOptions {
  /** The settings that `posthorn serve` is given. */
  readonly config?: string
  /** The data folder, where it is another one. */
  readonly data?: string
}

/** Prints what is to be published in the DNS, as a zone file. Throws a `config` MailError where settings or data are no good. */
export async function printRecords({ config, data }: DnsOptions, terminal: Terminal): Promise<void> {
  const file = config === undefined ? undefined : { path: config, content: await readSettingsFile(config) }
  const { reference } = readSettings(terminal.environment, file)
  const lines = await referenceRecords(data === undefined ? reference : { ...reference, data })
  for (const line of lines) if (!(await terminal.outPiece(`${line}\n`))) return
}
