import type { Migration } from './migration.ts'

/** Accounts, domains and aliases, as JSON beside the keys they are found by. */
export const schemaAccounts: Migration = {
  name: 'accounts, domains, aliases',
  sql: `
CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  record TEXT NOT NULL            -- JSON
) STRICT;

-- Addresses, logins and certificates: whatever finds an account, and nobody else's.
CREATE TABLE account_names (
  name TEXT PRIMARY KEY,
  account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX account_names_by_account ON account_names (account);

CREATE TABLE domains (
  name TEXT PRIMARY KEY,
  record TEXT NOT NULL
) STRICT;

CREATE TABLE aliases (
  address TEXT PRIMARY KEY,
  record TEXT NOT NULL
) STRICT;
`,
}
