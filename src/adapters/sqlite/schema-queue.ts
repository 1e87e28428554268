import type { Migration } from './migration.ts'

/** Mail that is owed: jobs, and with the first job of each message what the message is. */
export const schemaQueue: Migration = {
  name: 'mail queue',
  sql: `
INSERT INTO counters VALUES ('next_job', 1);

-- A row a job. That of a message's first job (id = message) says what the message is, so that one with one destination is one
-- row: written, leased and removed. A job that is done stays, without a destination, while others of its message are left.
-- due and token are as long at any time, so that a lease is written over the row in its place.
CREATE TABLE queue (
  id INTEGER PRIMARY KEY,         -- ascends in the order they came; never given again (counters)
  message INTEGER NOT NULL,       -- the row of its first job
  destination TEXT,               -- a JSON string; NULL: done
  rank INTEGER NOT NULL,          -- lower goes first: the priority, negated
  due INTEGER NOT NULL,           -- milliseconds since the Unix epoch; of a leased job when its lease runs out
  token INTEGER NOT NULL,         -- of its last lease; negative: that was settled, or there was none
  began INTEGER NOT NULL,         -- milliseconds since the Unix epoch
  tries INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0, -- -1: none, and its next lease is one that was ordered
  again INTEGER,                  -- when it is due once more, however its lease ends
  held TEXT,                      -- a JSON string: why
  doomed TEXT,                    -- a JSON string: why
  recipients TEXT,                -- JSON, see queue-rows.ts; NULL: it is about the message as a whole
  about TEXT,                     -- JSON: envelope, account, when it was received
  octets INTEGER,
  content INTEGER,                -- the row in messages that has facts and body, where they are not in this one
  facts TEXT,
  data BLOB                       -- last, so that nobody reads past it
) STRICT;

-- Who is next: nothing else is looked for often. held goes first, so that the row need not be read to see that it is NULL.
CREATE INDEX queue_by_due ON queue (held, destination, rank, due) WHERE destination IS NOT NULL;

-- Further jobs. Most messages have none, and cost nothing here.
CREATE INDEX queue_by_message ON queue (message, destination) WHERE id <> message;
`,
}
