-- A database as posthorn 0.1.0 leaves it: version 1 of the schema, with something of everything. Never edited.
PRAGMA application_id = 1886352244;
CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied INTEGER NOT NULL) STRICT;
CREATE TABLE counters (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE mailboxes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  path TEXT NOT NULL,
  uid_validity INTEGER NOT NULL,
  uid_next INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  UNIQUE (account, path)
) STRICT;
CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  octets INTEGER NOT NULL,
  refs INTEGER NOT NULL,
  file TEXT,
  facts TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX messages_by_file ON messages (file) WHERE file IS NOT NULL;
CREATE TABLE bodies (
  id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
  data BLOB NOT NULL
) STRICT;
CREATE TABLE entries (
  mailbox INTEGER NOT NULL REFERENCES mailboxes (id),
  uid INTEGER NOT NULL,
  mod_seq INTEGER NOT NULL,
  message INTEGER NOT NULL,
  received INTEGER NOT NULL,
  flags TEXT NOT NULL,
  PRIMARY KEY (mailbox, uid)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER entry_removed AFTER DELETE ON entries BEGIN
  UPDATE mailboxes SET uid_next = max(uid_next, OLD.uid + 1), mod_seq = max(mod_seq, OLD.mod_seq) WHERE id = OLD.mailbox;
  UPDATE messages SET refs = refs - 1 WHERE id = OLD.message;
  DELETE FROM messages WHERE id = OLD.message AND refs = 0;
END;
INSERT INTO migrations VALUES (1, 'mailboxes, messages, bodies, entries', 1800000000000);
INSERT INTO counters VALUES ('next_message', 2001), ('uid_validity', 1800000001);
INSERT INTO mailboxes VALUES
  (1, 'alice@example.test', '["INBOX"]', 1800000000, 1, 0),
  (3, 'alice@example.test', '["Archive","2026"]', 1800000001, 8, 12);
INSERT INTO messages VALUES
  (5, 19, 2, NULL, '{"octets":19,"subject":"one"}'),
  (1007, 26, 1, '0189aaaa-0000-4000-8000-000000000007', '{"octets":26,"subject":"two"}');
INSERT INTO bodies VALUES (5, CAST('Subject: one' || char(13, 10, 13, 10) || 'a' || char(13, 10) AS BLOB));
INSERT INTO entries VALUES
  (1, 2, 2, 5, 1800000000123, '\Seen $Junk'),
  (1, 4, 5, 1007, 1800000000456, ''),
  (3, 7, 9, 5, 1800000000123, '');
PRAGMA user_version = 1;
