-- A journal file, format 1. Run once, on a file of its own that gets its name when it is complete.

-- What a scope's log must look like: its last row and that row's seal, so that a log cut off at the end shows it.
-- `epoch` grows by one with each new writer; a writer of an older epoch can't append any more.
CREATE TABLE scopes (
    scope TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    seal INTEGER NOT NULL
) WITHOUT ROWID;

-- One row, one decision. `at` is microseconds since 1970 in UTC. `seal` is a CRC32 over the row and the seal before it.
CREATE TABLE events (
    scope TEXT NOT NULL REFERENCES scopes (scope),
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    rollout TEXT NOT NULL,
    at INTEGER NOT NULL,
    body BLOB NOT NULL,
    seal INTEGER NOT NULL,
    PRIMARY KEY (scope, seq)
) WITHOUT ROWID;

-- Commands from other processes, the only table that a process without the lock may insert into.
-- `arrival` orders them whatever their senders' clocks say; `taken_by` is the decision that answered one.
CREATE TABLE inbox (
    arrival INTEGER PRIMARY KEY AUTOINCREMENT,
    scope TEXT NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    command BLOB NOT NULL,
    taken_by INTEGER,
    UNIQUE (scope, id),
    FOREIGN KEY (scope, taken_by) REFERENCES events (scope, seq)
);

-- The inbox is asked every second or so; its cost must not grow with the letters of years.
CREATE INDEX inbox_waiting ON inbox (scope, arrival) WHERE taken_by IS NULL;

-- Large texts that decisions refer to by digest, such as reviewed plans. `body` is a zlib stream, which has a checksum of its own.
CREATE TABLE documents (
    digest TEXT PRIMARY KEY,
    body BLOB NOT NULL
) WITHOUT ROWID;
