-- Who gets into rooms that ask for more than their address.

-- What such a room asks for. Its `visibility` is 'unlisted': whatever finds rooms by that column alone never finds it.
ALTER TABLE rooms ADD COLUMN asks TEXT CHECK (asks IS NULL OR asks IN ('password', 'invitation') AND visibility = 'unlisted');

-- A room's password. It stays here while the room asks for nothing.
CREATE TABLE room_passwords (
    room   INTEGER PRIMARY KEY REFERENCES rooms (id) ON DELETE CASCADE,
    -- Another one with each new password: who was let in by an earlier one is not let in any more.
    id     INTEGER NOT NULL,
    -- argon2id, as a PHC string.
    digest TEXT    NOT NULL,
    since  INTEGER NOT NULL
) STRICT;

-- Links by which people are let into a room.
CREATE TABLE room_links (
    id      INTEGER PRIMARY KEY,
    room    INTEGER NOT NULL REFERENCES rooms (id) ON DELETE CASCADE,
    name    TEXT    NOT NULL,
    -- SHA-256 of the code; the code itself is nowhere.
    hash    BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    created INTEGER NOT NULL,
    ends    INTEGER NOT NULL,
    -- How many may come in by it, and how many have. None: any number.
    uses    INTEGER,
    used    INTEGER NOT NULL DEFAULT 0,
    revoked INTEGER
) STRICT;

CREATE INDEX room_links_by_room ON room_links (room, created);
