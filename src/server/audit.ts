import type { AuditRecord } from '../accounts/admin-parts.ts'
import { appendLine } from '../adapters/node/append-line.ts'

/** A record of what was done to accounts, as a line of JSON. */
export function auditLine({ at, action, subject, details }: AuditRecord): string {
  return JSON.stringify({ event: action, at: new Date(at).toISOString(), subject, ...details })
}

/**
 * Where the reference server keeps what was done to its accounts: in the file `audit.log` of the data folder, a line each. What
 * cannot be written down there fails.
 */
export function auditFile(data: string): (record: AuditRecord) => Promise<void> {
  return (record) => appendLine(`${data}/audit.log`, auditLine(record))
}
