import type { AuditRecord } from '../accounts/admin-parts.ts'
import { appendLine } from '../adapters/node/append-line.ts'

/** Something that was done to an account: what the administration tells of, and what is done to its mail from outside. */
export type Audited = Omit<AuditRecord, 'action'> & { readonly action: string }

/** It, as a line of JSON. */
export function auditLine({ at, action, subject, details }: Audited): string {
  return JSON.stringify({ event: action, at: new Date(at).toISOString(), subject, ...details })
}

/**
 * Where the reference server keeps what was done to its accounts: in the file `audit.log` of the data folder, a line each. What
 * cannot be written down there fails.
 */
export function auditFile(data: string): (record: Audited) => Promise<void> {
  return (record) => appendLine(`${data}/audit.log`, auditLine(record))
}
