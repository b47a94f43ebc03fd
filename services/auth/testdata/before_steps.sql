-- The tables of a database that was made before schemas had versions.
CREATE TABLE IF NOT EXISTS users (
	id         TEXT PRIMARY KEY,
	account    TEXT NOT NULL UNIQUE,
	email      TEXT NOT NULL UNIQUE,
	password   TEXT NOT NULL,
	nickname   TEXT NOT NULL,
	sex        INTEGER NOT NULL,
	avatar_url TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	epoch      INTEGER NOT NULL,
	valid_from INTEGER NOT NULL,
	kept       TEXT NOT NULL,
	ending     INTEGER NOT NULL,
	rev        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS users_ending ON users (id) WHERE ending = 1;

CREATE TABLE IF NOT EXISTS sessions (
	id           TEXT PRIMARY KEY,
	user_id      TEXT NOT NULL,
	device_name  TEXT NOT NULL,
	epoch        INTEGER NOT NULL,
	family       BLOB NOT NULL,
	current      BLOB NOT NULL,
	previous     BLOB NOT NULL,
	rotated_at   INTEGER NOT NULL,
	created_at   INTEGER NOT NULL,
	last_used_at INTEGER NOT NULL,
	ended_at     INTEGER NOT NULL,
	reason       TEXT NOT NULL,
	rev          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_user ON sessions (user_id, ended_at);
CREATE INDEX IF NOT EXISTS sessions_ended ON sessions (ended_at);
CREATE INDEX IF NOT EXISTS sessions_used ON sessions (last_used_at);

CREATE TABLE IF NOT EXISTS signing_keys (
	name       TEXT PRIMARY KEY,
	id         TEXT NOT NULL,
	sealed     BLOB NOT NULL,
	created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	event_id TEXT NOT NULL UNIQUE,
	key      TEXT NOT NULL,
	subject  TEXT NOT NULL,
	payload  BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS lease (
	name     TEXT PRIMARY KEY,
	holder   TEXT NOT NULL,
	until_ms INTEGER NOT NULL
) STRICT;
