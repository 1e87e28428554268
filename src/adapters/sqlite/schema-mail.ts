import type { Migration } from './migration.ts'

/** Mailboxes, messages, bodies and the places of messages in mailboxes. */
export const schemaMail: Migration = {
  name: 'mailboxes, messages, bodies, entries',
  sql: `
-- Numbers that only grow and outlive what they numbered. next_message: no message has this id or a higher one.
-- uid_validity: the last one given out.
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('next_message', 1), ('uid_validity', 0);

-- AUTOINCREMENT: the id of a removed mailbox is never given to another one.
-- uid_next and mod_seq are lower bounds: the last row in entries says more, and an append need not write here.
CREATE TABLE mailboxes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  path TEXT NOT NULL,             -- a JSON array of names
  uid_validity INTEGER NOT NULL,
  uid_next INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  UNIQUE (account, path)
) STRICT;

-- What a message says, once, in however many mailboxes it is.
CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  octets INTEGER NOT NULL,
  refs INTEGER NOT NULL,          -- how many entries name it
  file TEXT,                      -- the name of its file, where the body is too large for a row
  facts TEXT NOT NULL             -- JSON
) STRICT;
CREATE UNIQUE INDEX messages_by_file ON messages (file) WHERE file IS NOT NULL;

-- Apart from messages, so that listing them never reads a page of text.
CREATE TABLE bodies (
  id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
  data BLOB NOT NULL
) STRICT;

-- A message's place in a mailbox. No rowid: the rows of one mailbox lie together, in the order of UIDs. mod_seq is that of the
-- append and ascends with uid, so that it needs no index; a later change of an entry has to be kept apart from it.
CREATE TABLE entries (
  mailbox INTEGER NOT NULL REFERENCES mailboxes (id),
  uid INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  message INTEGER NOT NULL,       -- no REFERENCES: removing a message would search all entries
  received INTEGER NOT NULL,      -- milliseconds since the Unix epoch
  flags TEXT NOT NULL,            -- separated by spaces
  PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;

-- Whoever removes an entry: its UID and mod-sequence stay used, and the last to name a message takes it along.
CREATE TRIGGER entry_removed AFTER DELETE ON entries BEGIN
  UPDATE mailboxes SET uid_next = max(uid_next, OLD.uid + 1), mod_seq = max(mod_seq, OLD.mod_seq) WHERE id = OLD.mailbox;
  UPDATE messages SET refs = refs - 1 WHERE id = OLD.message;
  DELETE FROM messages WHERE id = OLD.message AND refs = 0;
END;
`,
}
