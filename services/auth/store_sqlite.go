package auth

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/pkg/sqlite"
)

// Times are milliseconds since the Unix epoch; ended_at is 0 while a session
// lives.
const sqliteTables = `
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

CREATE TABLE IF NOT EXISTS signing_keys (
	name       TEXT PRIMARY KEY,
	id         TEXT NOT NULL,
	sealed     BLOB NOT NULL,
	created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`

// sqliteStanding adds who may not log in and who was erased, and that there may
// be several keys. The one that there is signs from now on, so that its
// successor is due when all replicas know of such.
const sqliteStanding = `
ALTER TABLE users ADD COLUMN epoch_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN disabled_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN erased_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE signing_keys ADD COLUMN signs_from INTEGER NOT NULL DEFAULT 0;
UPDATE signing_keys SET signs_from = CAST(unixepoch('subsec') * 1000 AS INTEGER);
`

// sqliteEndedByID makes way for the index by which ended sessions are paged.
const sqliteEndedByID = `DROP INDEX IF EXISTS sessions_ended;`

func sqliteSchema() sqlite.Schema {
	return sqlite.Schema{
		Steps: []sqlite.Step{
			{Name: "tables", SQL: sqliteTables},
			{Name: "disabled and erased users, many signing keys", SQL: sqliteStanding},
			{Name: "pages of ended sessions", SQL: sqliteEndedByID},
		},
		Indexes: []sqlite.Index{
			{Name: "users_international", On: "users (id) WHERE " + international},
			{Name: "users_ending", On: "users (id) WHERE ending = 1"},
			{Name: "sessions_user", On: "sessions (user_id, ended_at)"},
			{Name: "sessions_ended_id", On: "sessions (ended_at, id)"},
			{Name: "sessions_used", On: "sessions (last_used_at)"},
		},
	}
}

// sqliteStore is a Store for one machine.
type sqliteStore struct{ *sqlite.DB }

func openSQLite(ctx context.Context, path string) (*sqliteStore, error) {
	db, err := sqlite.Open(ctx, path, sqliteSchema())
	if err != nil {
		return nil, fmt.Errorf("open auth store: %w", err)
	}
	return &sqliteStore{db}, nil
}

const sqlUsers = `SELECT id, account, email, password, nickname, sex, avatar_url, created_at,
	epoch, valid_from, kept, epoch_reason, ending, disabled_at, erased_at, rev FROM users WHERE `

func (s *sqliteStore) User(ctx context.Context, id string) (*User, error) {
	return first(s.users(ctx, `id = ?`, id))
}

func (s *sqliteStore) UserByAccount(ctx context.Context, account string) (*User, error) {
	return first(s.users(ctx, `account = ?`, account))
}

func (s *sqliteStore) UserByEmail(ctx context.Context, email string) (*User, error) {
	return first(s.users(ctx, `email = ?`, email))
}

func (s *sqliteStore) Users(ctx context.Context, ids []string) ([]User, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	return s.users(ctx, `id IN (SELECT value FROM json_each(?))`, string(list))
}

func (s *sqliteStore) InternationalUsers(ctx context.Context, after string, limit int) ([]User, error) {
	return s.users(ctx, international+` AND id > ? ORDER BY id LIMIT ?`, after, limit)
}

// international is true of a user whose e-mail is not ASCII.
const international = `email GLOB '*[^ -~]*'`

func (s *sqliteStore) EndingUsers(ctx context.Context, after string, limit int) ([]User, error) {
	return s.users(ctx, `ending = 1 AND id > ? ORDER BY id LIMIT ?`, after, limit)
}

func (s *sqliteStore) users(ctx context.Context, where string, args ...any) ([]User, error) {
	var list []User
	err := s.Query(ctx, sqlUsers+where, args, func(rows *sql.Rows) error {
		var u User
		var created, validFrom, disabled, erased int64
		err := rows.Scan(&u.ID, &u.Account, &u.Email, &u.Password, &u.Nickname, &u.Sex, &u.AvatarURL, &created,
			&u.Epoch, &validFrom, &u.Kept, &u.EpochReason, &u.Ending, &disabled, &erased, &u.Rev)
		if err != nil {
			return err
		}
		u.CreatedAt, u.ValidFrom = contract.FromMilli(created), contract.FromMilli(validFrom)
		u.DisabledAt, u.ErasedAt = fromMilli(disabled), fromMilli(erased)
		list = append(list, u)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	return list, nil
}

func (s *sqliteStore) SaveUser(ctx context.Context, u User, events []contract.Event) error {
	err := s.Write(ctx, func(tx *sql.Tx) error {
		var result sql.Result
		var err error
		if u.Rev == 1 {
			result, err = tx.ExecContext(ctx, `INSERT INTO users
				(id, account, email, password, nickname, sex, avatar_url, created_at,
				epoch, valid_from, kept, epoch_reason, ending, disabled_at, erased_at, rev)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				u.ID, u.Account, u.Email, u.Password, u.Nickname, u.Sex, u.AvatarURL, u.CreatedAt.UnixMilli(),
				u.Epoch, u.ValidFrom.UnixMilli(), u.Kept, u.EpochReason, u.Ending, milli(u.DisabledAt), milli(u.ErasedAt), u.Rev)
		} else {
			result, err = tx.ExecContext(ctx, `UPDATE users SET account = ?, email = ?, password = ?, nickname = ?, sex = ?, avatar_url = ?,
				epoch = ?, valid_from = ?, kept = ?, epoch_reason = ?, ending = ?, disabled_at = ?, erased_at = ?, rev = ?
				WHERE id = ? AND rev = ?`,
				u.Account, u.Email, u.Password, u.Nickname, u.Sex, u.AvatarURL,
				u.Epoch, u.ValidFrom.UnixMilli(), u.Kept, u.EpochReason, u.Ending, milli(u.DisabledAt), milli(u.ErasedAt), u.Rev, u.ID, u.Rev-1)
		}
		if err := sqlite.OneRow(result, err); err != nil {
			return err
		}
		return s.AddEvents(ctx, tx, events)
	})
	switch {
	case err == nil:
		return nil
	case sqlite.IsUnique(err, "users.account"):
		err = ErrAccountTaken
	case sqlite.IsUnique(err, "users.email"):
		err = ErrEmailTaken
	case sqlite.IsUnique(err, "users.id"):
		err = revision.ErrConflict
	}
	return fmt.Errorf("save user: %w", err)
}

// milli is a time as it is stored: 0 stands for none.
func milli(t contract.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMilli(ms int64) contract.Time {
	if ms == 0 {
		return contract.Time{}
	}
	return contract.FromMilli(ms)
}

// first is the only one of a list, or nil.
func first[T any](list []T, err error) (*T, error) {
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

const sqlSessions = `SELECT id, user_id, device_name, epoch, family, current, previous, rotated_at, created_at, last_used_at, ended_at, reason, rev FROM sessions WHERE `

func (s *sqliteStore) Session(ctx context.Context, id string) (*Session, error) {
	return first(s.sessions(ctx, `id = ?`, id))
}

func (s *sqliteStore) OpenSessions(ctx context.Context, userID string) ([]Session, error) {
	return s.sessions(ctx, `user_id = ? AND ended_at = 0`, userID)
}

func (s *sqliteStore) Sessions(ctx context.Context, userID, after string, limit int) ([]Session, error) {
	return s.sessions(ctx, `user_id = ? AND id > ? ORDER BY id LIMIT ?`, userID, after, limit)
}

func (s *sqliteStore) Ended(ctx context.Context, after EndedPlace, limit int) ([]Session, error) {
	return s.sessions(ctx, `(ended_at, id) > (?, ?) ORDER BY ended_at, id LIMIT ?`, max(1, after.At.UnixMilli()), after.ID, limit)
}

func (s *sqliteStore) sessions(ctx context.Context, where string, args ...any) ([]Session, error) {
	var list []Session
	err := s.Query(ctx, sqlSessions+where, args, func(rows *sql.Rows) error {
		var v Session
		var family, current, previous []byte
		var rotated, created, used, ended int64
		err := rows.Scan(&v.ID, &v.UserID, &v.DeviceName, &v.Epoch, &family, &current, &previous, &rotated, &created, &used, &ended, &v.Reason, &v.Rev)
		if err != nil {
			return err
		}
		copy(v.Family[:], family)
		copy(v.Current[:], current)
		copy(v.Previous[:], previous)
		v.RotatedAt, v.CreatedAt, v.LastUsedAt = contract.FromMilli(rotated), contract.FromMilli(created), contract.FromMilli(used)
		v.EndedAt = fromMilli(ended)
		list = append(list, v)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	return list, nil
}

func (s *sqliteStore) SaveSession(ctx context.Context, v Session, events []contract.Event) error {
	return s.Write(ctx, func(tx *sql.Tx) error {
		var result sql.Result
		var err error
		if v.Rev == 1 {
			result, err = tx.ExecContext(ctx, `INSERT INTO sessions
				(id, user_id, device_name, epoch, family, current, previous, rotated_at, created_at, last_used_at, ended_at, reason, rev)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				v.ID, v.UserID, v.DeviceName, v.Epoch, v.Family[:], v.Current[:], v.Previous[:],
				v.RotatedAt.UnixMilli(), v.CreatedAt.UnixMilli(), v.LastUsedAt.UnixMilli(), milli(v.EndedAt), v.Reason, v.Rev)
		} else {
			result, err = tx.ExecContext(ctx, `UPDATE sessions SET device_name = ?, current = ?, previous = ?, rotated_at = ?,
				last_used_at = ?, ended_at = ?, reason = ?, rev = ? WHERE id = ? AND rev = ?`,
				v.DeviceName, v.Current[:], v.Previous[:], v.RotatedAt.UnixMilli(),
				v.LastUsedAt.UnixMilli(), milli(v.EndedAt), v.Reason, v.Rev, v.ID, v.Rev-1)
		}
		if err := sqlite.OneRow(result, err); err != nil {
			return fmt.Errorf("save session: %w", err)
		}
		return s.AddEvents(ctx, tx, events)
	})
}

// RemoveSessions need not look for events: here they wait in a table of
// their own.
func (s *sqliteStore) RemoveSessions(ctx context.Context, ended, used contract.Time, limit int) (int, error) {
	var removed int64
	err := s.Write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE id IN (
			SELECT id FROM sessions WHERE ended_at > 0 AND ended_at < ?1
			UNION SELECT id FROM sessions WHERE last_used_at < ?2 LIMIT ?3)`,
			ended.UnixMilli(), used.UnixMilli(), limit)
		if err != nil {
			return fmt.Errorf("remove sessions: %w", err)
		}
		removed, err = result.RowsAffected()
		return err
	})
	return int(removed), err
}
