import type { Migration } from './migration.ts'

/** Which accounts have other names of mailboxes, or other subscriptions, than before; and mod-sequences from 1 on. */
export const schemaNames: Migration = {
  name: 'changes of names',
  sql: `
-- change: a number that grows with each, so that other processes find those that are new to them.
CREATE TABLE name_changes (
  account TEXT PRIMARY KEY,
  change INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX name_changes_by_change ON name_changes (change);
INSERT INTO counters VALUES ('name_change', 0);

-- RFC 7162 §7: a mod-sequence is positive, that of an empty mailbox too.
UPDATE mailboxes SET mod_seq = 1 WHERE mod_seq = 0;
`,
}
