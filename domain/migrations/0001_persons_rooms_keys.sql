-- Persons, their rooms, the rooms' stream keys, and what was broadcast.
-- Times are milliseconds since 1970 (UTC). Identifiers are 63 random bits.

CREATE TABLE persons (
    id      INTEGER PRIMARY KEY,
    name    TEXT    NOT NULL,
    created INTEGER NOT NULL
) STRICT;

-- A person without a row here is a guest.
CREATE TABLE accounts (
    person   INTEGER PRIMARY KEY REFERENCES persons (id) ON DELETE CASCADE,
    -- NFKC, without case.
    login    TEXT    NOT NULL UNIQUE,
    -- argon2id, as a PHC string.
    password TEXT    NOT NULL,
    admin    INTEGER NOT NULL CHECK (admin IN (0, 1))
) STRICT;

CREATE TABLE rooms (
    id          INTEGER PRIMARY KEY,
    owner       INTEGER NOT NULL REFERENCES persons (id) ON DELETE RESTRICT,
    slug        TEXT    NOT NULL COLLATE NOCASE UNIQUE,
    title       TEXT    NOT NULL,
    description TEXT    NOT NULL,
    category    TEXT    NOT NULL,
    -- A JSON array of texts.
    tags        TEXT    NOT NULL CHECK (json_valid(tags)),
    language    TEXT    NOT NULL,
    visibility  TEXT    NOT NULL CHECK (visibility IN ('public', 'unlisted')),
    created     INTEGER NOT NULL,
    -- The end of the last broadcast; its start while it runs.
    last_live   INTEGER
) STRICT;

CREATE INDEX rooms_by_owner ON rooms (owner, created);
-- The directory's order, so that it reads only the rows it shows.
CREATE INDEX rooms_by_last_live ON rooms (visibility, last_live, created);

CREATE TABLE stream_keys (
    id           INTEGER PRIMARY KEY,
    room         INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    -- SHA-256 of the key; the key itself is nowhere.
    hash         BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    created      INTEGER NOT NULL,
    used         INTEGER,
    used_from    TEXT    NOT NULL DEFAULT '',
    used_encoder TEXT    NOT NULL DEFAULT '',
    revoked      INTEGER
) STRICT;

CREATE INDEX stream_keys_by_room ON stream_keys (room, revoked, created);

CREATE TABLE broadcasts (
    id      INTEGER PRIMARY KEY,
    room    INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    key     INTEGER REFERENCES stream_keys (id) ON DELETE SET NULL,
    started INTEGER NOT NULL,
    -- When it was last known to run; a crash ends it here.
    seen    INTEGER NOT NULL,
    ended   INTEGER,
    encoder TEXT    NOT NULL
) STRICT;

CREATE INDEX broadcasts_by_room ON broadcasts (room, started);
CREATE INDEX broadcasts_by_key ON broadcasts (key);
-- A room has one broadcast at a time.
CREATE UNIQUE INDEX broadcasts_open ON broadcasts (room) WHERE ended IS NULL;
