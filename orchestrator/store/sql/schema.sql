-- A journal file, format 3. Run once, on a file of its own that gets its name when it is complete, or to upgrade an older format.

-- What a scope's log must look like: its last row and that row's seal, so that a log cut off at the end shows it.
-- `epoch` grows by one with each new writer; a writer of an older epoch can't append any more.
CREATE TABLE scopes (
    scope TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    seal INTEGER NOT NULL
) WITHOUT ROWID;

-- Scopes and rollouts by number: said once here, and not in each row.
CREATE TABLE names (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- One row, one decision. `at` is microseconds since 1970 in UTC. `seal` is a CRC32 over the row and the seal before it, with the
-- names of scope and rollout and not with their numbers.
CREATE TABLE events (
    scope INTEGER NOT NULL REFERENCES names (id),
    seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    rollout INTEGER NOT NULL REFERENCES names (id),
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
    UNIQUE (scope, id)
);

-- The inbox is asked every second or so; its cost must not grow with the letters of years.
CREATE INDEX inbox_waiting ON inbox (scope, arrival) WHERE taken_by IS NULL;

-- Large texts that decisions refer to by digest, such as reviewed plans. `body` is a zlib stream, which has a checksum of its own.
CREATE TABLE documents (
    digest TEXT PRIMARY KEY,
    body BLOB NOT NULL
) WITHOUT ROWID;

-- The state after row `seq`, so that a start needn't read what is before it. Only ever a shortcut: one of another `form`, whose
-- `seal` isn't that row's, or whose `digest` doesn't fit, is passed over.
CREATE TABLE snapshots (
    scope TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    seal INTEGER NOT NULL,
    form INTEGER NOT NULL,
    digest TEXT NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;

-- A row in a file says that it is a copy, of which journal and when (microseconds since 1970 in UTC): it doesn't know what was begun since.
CREATE TABLE copied (
    of TEXT NOT NULL,
    at INTEGER NOT NULL
);

-- Rows `first` to `last` are in an archive; `seal` is that of `last`, so that the chain goes on, and `check` a CRC32 over the gap and the seal
-- before it. In an archive: where the rows are that it doesn't have.
CREATE TABLE gaps (
    scope INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    seal INTEGER NOT NULL,
    "check" INTEGER NOT NULL,
    PRIMARY KEY (scope, first)
) WITHOUT ROWID;

-- A row in a file says that it is an archive, of which journal and when it was made: it is only looked at.
CREATE TABLE archive_of (
    of TEXT NOT NULL,
    at INTEGER NOT NULL
);
