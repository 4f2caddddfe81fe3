-- Accounts in browsers: sessions, the places accounts are used from, and invitations to register.

-- A browser that is logged in. What it shows is nowhere: only its SHA-256.
CREATE TABLE sessions (
    id     INTEGER PRIMARY KEY,
    hash   BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    person INTEGER NOT NULL REFERENCES accounts (person) ON DELETE CASCADE,
    since  INTEGER NOT NULL,
    used   INTEGER NOT NULL,
    -- The address it logged in from, and what it calls itself.
    origin TEXT    NOT NULL,
    agent  TEXT    NOT NULL
) STRICT;

CREATE INDEX sessions_by_person ON sessions (person, used);
CREATE INDEX sessions_by_used ON sessions (used);

-- Where an account was logged in to with the right password, as limits see it (`192.0.2.1/32`): wrong passwords from elsewhere do not
-- keep its owner out there.
CREATE TABLE account_places (
    person INTEGER NOT NULL REFERENCES accounts (person) ON DELETE CASCADE,
    place  TEXT    NOT NULL,
    last   INTEGER NOT NULL,
    PRIMARY KEY (person, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitations (
    id      INTEGER PRIMARY KEY,
    -- SHA-256 of the code; the code itself is nowhere.
    hash    BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    created INTEGER NOT NULL,
    ends    INTEGER NOT NULL,
    -- How many may register by it, and how many have.
    uses    INTEGER NOT NULL,
    used    INTEGER NOT NULL DEFAULT 0,
    revoked INTEGER
) STRICT;

CREATE INDEX invitations_by_end ON invitations (ends);

CREATE INDEX accounts_admin ON accounts (person) WHERE admin = 1;
-- Somebody's messages, wherever they are.
CREATE INDEX chat_persons_by_person ON chat_persons (person);
