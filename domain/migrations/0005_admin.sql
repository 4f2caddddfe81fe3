-- Administration: accounts that are locked, ways to a new password, who is banned from the site, what administrators decided over the
-- configuration, and what they did.

-- Since when nobody is let in to it.
ALTER TABLE accounts ADD COLUMN locked INTEGER;

-- A link by which an account's person sets a new password, once.
CREATE TABLE password_resets (
    person INTEGER PRIMARY KEY REFERENCES accounts (person) ON DELETE CASCADE,
    -- SHA-256 of the code; the code itself is nowhere.
    hash   BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    ends   INTEGER NOT NULL
) STRICT;

-- The number is that of the action.
CREATE TABLE site_bans (
    id       INTEGER PRIMARY KEY,
    -- None: everybody from the networks. A person's ban outlives their row.
    person   INTEGER,
    name     TEXT    NOT NULL,
    -- A JSON array of texts such as `2001:db8::/64`.
    networks TEXT    NOT NULL CHECK (json_valid(networks)),
    at       INTEGER NOT NULL,
    -- None: until it is lifted.
    until    INTEGER,
    reason   TEXT    NOT NULL,
    by_name  TEXT    NOT NULL
) STRICT;

CREATE INDEX site_bans_by_end ON site_bans (until) WHERE until IS NOT NULL;

-- What was decided at run time over what the configuration says.
CREATE TABLE site_settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What administrators and the operator did, in order.
CREATE TABLE site_actions (
    place   INTEGER PRIMARY KEY,
    id      INTEGER NOT NULL UNIQUE,
    at      INTEGER NOT NULL,
    -- None: the operator, on the command line.
    by_id   INTEGER,
    by_name TEXT    NOT NULL,
    act     TEXT    NOT NULL,
    whom    TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    until   INTEGER
) STRICT;

-- The lists that administrators page through.
CREATE INDEX persons_by_created ON persons (created, id);
CREATE INDEX rooms_by_created ON rooms (created, id);
