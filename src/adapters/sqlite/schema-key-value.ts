import type { Migration } from './migration.ts'

/** Small facts that may time out. */
export const schemaKeyValue: Migration = {
  name: 'keys and values',
  sql: `
-- Keys and values are blobs, so that no driver cuts them at a NUL and they come in the order of UTF-16 code units (octetsOf in
-- key-value-text.ts): CAST(key AS TEXT) shows nearly all of them as they are.
CREATE TABLE key_values (
  key BLOB PRIMARY KEY,
  value BLOB NOT NULL,
  until REAL                      -- milliseconds since the Unix epoch, not there from then on; NULL: for good
) STRICT, WITHOUT ROWID;

-- For the sweep. Adding to a counter leaves it alone.
CREATE INDEX key_values_by_until ON key_values (until) WHERE until IS NOT NULL;
`,
}
