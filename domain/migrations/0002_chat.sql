-- The rooms' chats: what was said, by whom, who may not write, and what moderators did.

-- A room's log and what is asked of its writers. Entries are counted from 1 without a gap.
CREATE TABLE chat_rooms (
    room          INTEGER PRIMARY KEY REFERENCES rooms (id) ON DELETE CASCADE,
    epoch         INTEGER NOT NULL,
    -- The newest entry; 0 for none.
    last          INTEGER NOT NULL DEFAULT 0,
    -- The oldest entry that is kept.
    oldest        INTEGER NOT NULL DEFAULT 1,
    slow_s        INTEGER NOT NULL DEFAULT 0,
    accounts_only INTEGER NOT NULL DEFAULT 0 CHECK (accounts_only IN (0, 1)),
    links         INTEGER NOT NULL DEFAULT 1 CHECK (links IN (0, 1)),
    nothing_twice INTEGER NOT NULL DEFAULT 0 CHECK (nothing_twice IN (0, 1)),
    closed        INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1)),
    -- A JSON array of texts.
    filter        TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(filter))
) STRICT;

CREATE TABLE chat_entries (
    room       INTEGER NOT NULL REFERENCES chat_rooms (room) ON DELETE CASCADE,
    seq        INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('say', 'delete', 'restore', 'system')),
    -- Of a message: who wrote it, as they were shown then.
    person     INTEGER,
    name       TEXT    NOT NULL DEFAULT '',
    tag        TEXT    NOT NULL DEFAULT '',
    role       TEXT    NOT NULL DEFAULT 'viewer',
    -- A message's text; otherwise JSON: the entries that are meant, or the system line.
    body       TEXT    NOT NULL,
    reply      INTEGER,
    reply_name TEXT    NOT NULL DEFAULT '',
    reply_text TEXT    NOT NULL DEFAULT '',
    client     TEXT    NOT NULL DEFAULT '',
    -- The action that deleted it, and when.
    deleted    INTEGER,
    deleted_at INTEGER,
    PRIMARY KEY (room, seq)
) STRICT, WITHOUT ROWID;

CREATE INDEX chat_entries_by_person ON chat_entries (room, person, seq) WHERE person IS NOT NULL;
-- A message that is sent again is found by the id that its sender gave it.
CREATE INDEX chat_entries_by_client ON chat_entries (room, person, client) WHERE client <> '';
CREATE INDEX chat_entries_by_deletion ON chat_entries (room, deleted) WHERE deleted IS NOT NULL;

-- Who has written in a room.
CREATE TABLE chat_persons (
    room   INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    person INTEGER NOT NULL,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    name   TEXT    NOT NULL,
    -- Without case, to be found by.
    folded TEXT    NOT NULL,
    tag    TEXT    NOT NULL,
    -- Where the last message came from, as bans see it: `192.0.2.1/32`.
    prefix TEXT    NOT NULL,
    PRIMARY KEY (room, person)
) STRICT, WITHOUT ROWID;

CREATE INDEX chat_persons_by_name ON chat_persons (room, folded, last);

CREATE TABLE chat_moderators (
    room   INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    person INTEGER NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
    since  INTEGER NOT NULL,
    PRIMARY KEY (room, person)
) STRICT, WITHOUT ROWID;

CREATE INDEX chat_moderators_by_person ON chat_moderators (person);

-- Bans and timeouts. The number is that of the action.
CREATE TABLE chat_bans (
    id       INTEGER PRIMARY KEY,
    room     INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    person   INTEGER NOT NULL,
    name     TEXT    NOT NULL,
    tag      TEXT    NOT NULL,
    banned   INTEGER NOT NULL CHECK (banned IN (0, 1)),
    at       INTEGER NOT NULL,
    -- None: until it is lifted.
    until    INTEGER,
    reason   TEXT    NOT NULL,
    by_name  TEXT    NOT NULL,
    -- A JSON array of texts such as `2001:db8::/64`.
    prefixes TEXT    NOT NULL CHECK (json_valid(prefixes)),
    -- The action that lifted it, and when.
    lifted    INTEGER,
    lifted_at INTEGER
) STRICT;

CREATE INDEX chat_bans_by_room ON chat_bans (room, lifted, person);
-- Those that are over are forgotten along these.
CREATE INDEX chat_bans_by_end ON chat_bans (room, until) WHERE until IS NOT NULL;
CREATE INDEX chat_bans_by_lifting ON chat_bans (room, lifted_at) WHERE lifted_at IS NOT NULL;

-- What moderators did, in order.
CREATE TABLE chat_actions (
    place   INTEGER PRIMARY KEY,
    id      INTEGER NOT NULL UNIQUE,
    room    INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    by_id   INTEGER NOT NULL,
    by_name TEXT    NOT NULL,
    act     TEXT    NOT NULL,
    whom    INTEGER,
    whom_name TEXT  NOT NULL,
    reason  TEXT    NOT NULL,
    message TEXT    NOT NULL,
    until   INTEGER,
    undone  INTEGER NOT NULL DEFAULT 0 CHECK (undone IN (0, 1)),
    -- What stood before, as JSON, to undo it by.
    before  TEXT    NOT NULL
) STRICT;

CREATE INDEX chat_actions_by_room ON chat_actions (room, place);
CREATE INDEX chat_actions_by_whom ON chat_actions (room, whom, place) WHERE whom IS NOT NULL;

-- What persons were called before.
CREATE TABLE person_names (
    place  INTEGER PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES persons (id) ON DELETE CASCADE,
    name   TEXT    NOT NULL,
    until  INTEGER NOT NULL
) STRICT;

CREATE INDEX person_names_by_person ON person_names (person, place);

-- What accounts' logins look like (Unicode TR39), to find look-alikes by. Filled by the program, which knows the tables.
CREATE TABLE login_looks (
    look   TEXT    NOT NULL,
    person INTEGER NOT NULL REFERENCES accounts (person) ON DELETE CASCADE,
    PRIMARY KEY (look, person)
) STRICT, WITHOUT ROWID;

CREATE INDEX login_looks_by_person ON login_looks (person);
