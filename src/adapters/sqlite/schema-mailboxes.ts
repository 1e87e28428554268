import type { Migration } from './migration.ts'

/** What mailboxes count, flags that change, what was expunged, and messages that are kept once. */
export const schemaMailboxes: Migration = {
  name: 'counters, flag blocks, expunged, shares',
  sql: `
-- Its work is done by those who remove entries, for many at a time.
DROP TRIGGER entry_removed;

-- No REFERENCES: the entries of a removed mailbox go little by little. octets: those of the message, to be read without it.
CREATE TABLE places (
  mailbox INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  message INTEGER NOT NULL,
  received INTEGER NOT NULL,      -- milliseconds since the Unix epoch
  flags TEXT NOT NULL,            -- separated by spaces; as appended
  saved INTEGER NOT NULL,         -- milliseconds since the Unix epoch
  octets INTEGER NOT NULL,
  PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
INSERT INTO places SELECT e.mailbox, e.uid, e.mod_seq, e.message, e.received, e.flags, e.received, m.octets
  FROM entries AS e CROSS JOIN messages AS m ON m.id = e.message ORDER BY e.mailbox, e.uid;
DROP TABLE entries;
ALTER TABLE places RENAME TO entries;

-- What is counted is written with each transaction, a row a mailbox. uid_next and mod_seq are what they say from now on.
-- recent_from: from this UID on nobody has claimed. forgotten: expunges up to this mod-sequence may be unknown.
ALTER TABLE mailboxes ADD COLUMN messages INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailboxes ADD COLUMN unseen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailboxes ADD COLUMN deleted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailboxes ADD COLUMN octets INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailboxes ADD COLUMN recent_from INTEGER NOT NULL DEFAULT 1;
ALTER TABLE mailboxes ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailboxes ADD COLUMN use TEXT;
UPDATE mailboxes SET (uid_next, mod_seq, messages, unseen, deleted, octets) = (
  SELECT max(mailboxes.uid_next, ifnull(max(uid) + 1, 0)), max(mailboxes.mod_seq, ifnull(max(mod_seq), 0)), count(*),
    count(*) FILTER (WHERE ' ' || flags || ' ' NOT LIKE '% \\Seen %'),
    count(*) FILTER (WHERE ' ' || flags || ' ' LIKE '% \\Deleted %'), ifnull(sum(octets), 0)
  FROM entries WHERE mailbox = mailboxes.id);
UPDATE mailboxes SET forgotten = mod_seq WHERE messages < uid_next - 1;
CREATE UNIQUE INDEX mailboxes_by_use ON mailboxes (account, use) WHERE use IS NOT NULL;

-- Flags that were changed after the append, of 256 UIDs a row (block: uid >> 8); the format is that of flag-block.ts.
-- mod_seq: the highest in it.
CREATE TABLE flag_blocks (
  mailbox INTEGER NOT NULL,
  block INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (mailbox, block)
) STRICT, WITHOUT ROWID;
CREATE INDEX flag_blocks_by_mod_seq ON flag_blocks (mailbox, mod_seq);

-- UIDs that were expunged, a row an expunge; the format is that of uid-set.ts. The oldest are put together.
CREATE TABLE expunged (
  mailbox INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  uids BLOB NOT NULL,
  PRIMARY KEY (mailbox, mod_seq)
) STRICT, WITHOUT ROWID;

-- How many entries name a message beyond the one that every message has: no row for 0. A narrow table of its own, so that a
-- copy of a thousand touches a page or two. At -1 nobody names it, and its rows and its file are collected.
-- messages.refs is 1 from now on.
CREATE TABLE shares (
  message INTEGER PRIMARY KEY,
  extra INTEGER NOT NULL
) STRICT;
CREATE INDEX shares_unneeded ON shares (message) WHERE extra <= 0;
INSERT INTO shares SELECT id, refs - 1 FROM messages WHERE refs > 1;
UPDATE messages SET refs = 1 WHERE refs > 1;

-- SHA-256 of a large body and its facts.
ALTER TABLE messages ADD COLUMN hash BLOB;
CREATE INDEX messages_by_hash ON messages (hash) WHERE hash IS NOT NULL;

-- Mailboxes that are gone and whose entries are yet to be collected.
CREATE TABLE removed (
  mailbox INTEGER PRIMARY KEY
) STRICT;

-- The highest UIDVALIDITY that was seen under a path that now has no mailbox, or another one.
CREATE TABLE former_paths (
  account TEXT NOT NULL,
  path TEXT NOT NULL,
  uid_validity INTEGER NOT NULL,
  PRIMARY KEY (account, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscriptions (
  account TEXT NOT NULL,
  path TEXT NOT NULL,             -- a JSON array of names
  PRIMARY KEY (account, path)
) STRICT, WITHOUT ROWID;
`,
}
