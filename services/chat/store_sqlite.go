package chat

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/sqlite"
)

// sqliteTables keeps the messages of a room side by side and in order, so
// that a page is one walk along the primary key however long the room is.
const sqliteTables = `
CREATE TABLE IF NOT EXISTS messages (
	room_id    TEXT    NOT NULL,
	seq        INTEGER NOT NULL,
	id         TEXT    NOT NULL,
	sender_id  TEXT    NOT NULL,
	client_id  TEXT    NOT NULL,
	type       TEXT    NOT NULL,
	text       TEXT    NOT NULL,
	hash       BLOB    NOT NULL, -- empty once the message is removed
	sent_at    INTEGER NOT NULL, -- milliseconds, as removed_at
	removed_at INTEGER NOT NULL DEFAULT 0,
	removed_by TEXT    NOT NULL DEFAULT '',
	PRIMARY KEY (room_id, seq)
) WITHOUT ROWID, STRICT;
DROP INDEX IF EXISTS messages_client; -- by room first, of files made before
CREATE TABLE IF NOT EXISTS read_positions (
	user_id TEXT    NOT NULL,
	room_id TEXT    NOT NULL,
	seq     INTEGER NOT NULL,
	PRIMARY KEY (user_id, room_id)
) WITHOUT ROWID, STRICT;`

// sqliteSchema is the layout. The index of client_ids begins with these. Ids
// that are made later sort later (ULID, UUIDv7) then fall on its last pages,
// those of an insert together, where any other order has each fall on a page of
// its own: an insert of 50 costs half of the CPU time. Random ids cost what they
// did.
func sqliteSchema() sqlite.Schema {
	return sqlite.Schema{
		Steps: []sqlite.Step{{Name: "tables", SQL: sqliteTables}, {Name: "how far rooms have expired", SQL: sqliteExpired},
			{Name: "no hashes of what was removed", SQL: `UPDATE messages SET hash = x'' WHERE removed_at <> 0`, Breaks: true}}, // older programs would refuse retries
		Indexes: []sqlite.Index{{Name: "messages_by_client_id", On: "messages (client_id, sender_id, room_id)", Unique: true}},
	}
}

// The columns in the order of scanRecord, and the statements. Lists of ids
// come as one JSON parameter.
const (
	sqlColumns = `m.room_id, m.seq, m.id, m.sender_id, m.client_id, m.type, m.text, m.hash, m.sent_at, m.removed_at, m.removed_by`

	sqlInsert = `INSERT INTO messages (room_id, seq, id, sender_id, client_id, type, text, hash, sent_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	sqlTails = `SELECT r.value, (SELECT max(seq) FROM messages WHERE room_id = r.value) FROM json_each(?) AS r`
	sqlByKey = `SELECT ` + sqlColumns + ` FROM json_each(?) AS k CROSS JOIN messages AS m
		ON m.room_id = k.value ->> 0 AND m.sender_id = k.value ->> 1 AND m.client_id = k.value ->> 2`
	sqlPage       = `SELECT ` + sqlColumns + ` FROM messages AS m WHERE m.room_id = ? AND m.seq BETWEEN ? AND ? ORDER BY m.seq LIMIT ?`
	sqlPageNewest = `SELECT ` + sqlColumns + ` FROM messages AS m WHERE m.room_id = ? AND m.seq BETWEEN ? AND ? ORDER BY m.seq DESC LIMIT ?`
	sqlByPlace    = `SELECT ` + sqlColumns + ` FROM json_each(?) AS p CROSS JOIN messages AS m
		ON m.room_id = p.value ->> 0 AND m.seq = p.value ->> 1`
	sqlRemove = `UPDATE messages SET type = ?, text = '', hash = x'', removed_at = ?, removed_by = ?
		WHERE room_id = ? AND seq = ? AND removed_at = 0`
	sqlRead = `INSERT INTO read_positions (user_id, room_id, seq) VALUES (?, ?, ?)
		ON CONFLICT (user_id, room_id) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq`
	sqlReads = `INSERT INTO read_positions (user_id, room_id, seq)
		SELECT p.value ->> 0, p.value ->> 1, p.value ->> 2 FROM json_each(?) AS p WHERE true
		ON CONFLICT (user_id, room_id) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > seq
		RETURNING user_id, room_id, seq`
	// The heads of one user's rooms; and in two parts, those of several users',
	// whose read positions lie side by side.
	sqlHeads = `SELECT r.value, m.seq, m.sent_at, p.seq FROM json_each(?2) AS r
		LEFT JOIN messages AS m ON m.room_id = r.value AND m.seq = (SELECT max(seq) FROM messages WHERE room_id = r.value)
		LEFT JOIN read_positions AS p ON p.user_id = ?1 AND p.room_id = r.value`
	sqlEnds = `SELECT r.value, m.seq, m.sent_at FROM json_each(?) AS r
		CROSS JOIN messages AS m ON m.room_id = r.value AND m.seq = (SELECT max(seq) FROM messages WHERE room_id = r.value)`
	sqlPositions = `SELECT u.key, p.room_id, p.seq FROM json_each(?) AS u CROSS JOIN read_positions AS p ON p.user_id = u.value`
)

// sqliteStore is a Store in one file, for one machine.
type sqliteStore struct {
	*sqlite.DB
	insert, read *sql.Stmt // of Append
	reads        *sql.Stmt // of SetReads
}

// openSQLite opens or makes the file.
func openSQLite(ctx context.Context, path string) (*sqliteStore, error) {
	db, err := sqlite.Open(ctx, path, sqliteSchema())
	if err != nil {
		return nil, fmt.Errorf("open chat store: %w", err)
	}
	s := &sqliteStore{DB: db}
	var errs [3]error
	s.insert, errs[0] = db.Prepare(ctx, sqlInsert)
	s.read, errs[1] = db.Prepare(ctx, sqlRead)
	s.reads, errs[2] = db.Prepare(ctx, sqlReads)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(fmt.Errorf("open chat store: %w", err), db.Close())
	}
	return s, nil
}

// Append is one transaction: what it inserts before a collision is kept, and
// the senders' read positions move in it.
func (s *sqliteStore) Append(ctx context.Context, records []Record) (stored int, err error) {
	var refused error
	err = s.Write(ctx, func(tx *sql.Tx) error {
		stored, refused = insertAll(ctx, tx.StmtContext(ctx, s.insert), records)
		if refused != nil && !errors.Is(refused, ErrSeqTaken) && !errors.Is(refused, ErrClientIDTaken) {
			return refused
		}
		return moveSenders(ctx, tx.StmtContext(ctx, s.read), records[:stored])
	})
	if err != nil {
		return 0, fmt.Errorf("append messages: %w", err)
	}
	return stored, refused
}

func insertAll(ctx context.Context, insert *sql.Stmt, records []Record) (stored int, err error) {
	for i, r := range records {
		_, err := insert.ExecContext(ctx, r.RoomID, r.Seq, r.ID, r.SenderID, r.ClientID,
			string(r.Type), r.Content.Text, r.Hash[:], r.SentAt.UnixMilli())
		switch {
		case err == nil:
		case sqlite.IsUnique(err, "messages.room_id, messages.seq"):
			return i, ErrSeqTaken
		case sqlite.IsUnique(err, "messages.client_id, messages.sender_id, messages.room_id"):
			return i, ErrClientIDTaken
		default:
			return i, fmt.Errorf("insert message: %w", err)
		}
	}
	return len(records), nil
}

// moveSenders writes each sender's read position once, however many messages
// of theirs there are.
func moveSenders(ctx context.Context, read *sql.Stmt, records []Record) error {
	last := make(map[Key]int64, len(records))
	for _, r := range records {
		last[Key{RoomID: r.RoomID, SenderID: r.SenderID}] = r.Seq
	}
	for k, seq := range last {
		if _, err := read.ExecContext(ctx, k.SenderID, k.RoomID, seq); err != nil {
			return fmt.Errorf("move sender's read position: %w", err)
		}
	}
	return nil
}

func (s *sqliteStore) Tails(ctx context.Context, roomIDs []string) (map[string]int64, error) {
	tails := make(map[string]int64, len(roomIDs))
	err := s.query(ctx, func(rows *sql.Rows) error {
		var room string
		var seq sql.NullInt64
		if err := rows.Scan(&room, &seq); err != nil {
			return err
		}
		if seq.Valid {
			tails[room] = seq.Int64
		}
		return nil
	}, sqlTails, jsonList[string](roomIDs))
	if err != nil {
		return nil, fmt.Errorf("read tails: %w", err)
	}
	return tails, nil
}

func (s *sqliteStore) ByClientID(ctx context.Context, keys []Key) (map[Key]Record, error) {
	params := make(jsonList[[3]string], len(keys))
	for i, k := range keys {
		params[i] = [3]string{k.RoomID, k.SenderID, k.ClientID}
	}
	found := make(map[Key]Record)
	err := s.records(ctx, func(r Record) bool {
		found[r.Key()] = r
		return true
	}, sqlByKey, params)
	if err != nil {
		return nil, fmt.Errorf("find client ids: %w", err)
	}
	return found, nil
}

func (s *sqliteStore) Page(ctx context.Context, r Range) ([]Record, error) {
	query := sqlPage
	if r.Newest {
		query = sqlPageNewest
	}
	p := page{left: r.Bytes}
	if err := s.records(ctx, p.take, query, r.RoomID, r.From, r.To, r.Limit); err != nil {
		return nil, fmt.Errorf("read page: %w", err)
	}
	return p.records, nil
}

func (s *sqliteStore) Messages(ctx context.Context, at []Place) (map[string]Record, error) {
	params := make(jsonList[[2]any], len(at))
	for i, p := range at {
		params[i] = [2]any{p.RoomID, p.Seq}
	}
	found := make(map[string]Record, len(at))
	err := s.records(ctx, func(r Record) bool {
		found[r.RoomID] = r
		return true
	}, sqlByPlace, params)
	if err != nil {
		return nil, fmt.Errorf("read messages: %w", err)
	}
	return found, nil
}

func (s *sqliteStore) Remove(ctx context.Context, r Removal) (removed bool, err error) {
	err = s.Write(ctx, func(tx *sql.Tx) error {
		removed, err = s.remove(ctx, tx, r)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("remove message: %w", err)
	}
	return removed, nil
}

func (s *sqliteStore) remove(ctx context.Context, tx *sql.Tx, r Removal) (bool, error) {
	done, err := tx.ExecContext(ctx, sqlRemove, string(contract.MessageRemoved), r.At.UnixMilli(), r.By, r.RoomID, r.Seq)
	if err != nil {
		return false, err
	}
	removed, err := touched(done)
	if err != nil || !removed {
		return false, err
	}
	return true, s.AddEvents(ctx, tx, r.Events)
}

// SetReads is one statement, which returns the rows that it touched.
func (s *sqliteStore) SetReads(ctx context.Context, positions []Position) (moved []Position, err error) {
	params := make(jsonList[[3]any], len(positions))
	for i, p := range positions {
		params[i] = [3]any{p.UserID, p.RoomID, p.Seq}
	}
	err = s.Write(ctx, func(tx *sql.Tx) error {
		moved, err = setReads(ctx, tx.StmtContext(ctx, s.reads), params)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("set read positions: %w", err)
	}
	return moved, nil
}

func setReads(ctx context.Context, stmt *sql.Stmt, positions jsonList[[3]any]) (moved []Position, err error) {
	rows, err := stmt.QueryContext(ctx, positions)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p Position
		if err := rows.Scan(&p.UserID, &p.RoomID, &p.Seq); err != nil {
			return nil, err
		}
		moved = append(moved, p)
	}
	return moved, rows.Err()
}

// records hands each row to take, until it returns false.
func (s *sqliteStore) records(ctx context.Context, take func(Record) bool, query string, args ...any) error {
	return s.query(ctx, func(rows *sql.Rows) error {
		r, err := scanRecord(rows)
		if err == nil && !take(r) {
			err = errEnough
		}
		return err
	}, query, args...)
}

// errEnough ends a query before its last row.
var errEnough = errors.New("enough")

func (s *sqliteStore) query(ctx context.Context, row func(*sql.Rows) error, query string, args ...any) error {
	rows, err := s.Rows(ctx, query, args...)
	if err != nil {
		return s.AsFault(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); errors.Is(err, errEnough) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return s.AsFault(rows.Err())
}

func scanRecord(rows *sql.Rows) (Record, error) {
	var r Record
	var hash []byte
	var sent, removed int64
	err := rows.Scan(&r.RoomID, &r.Seq, &r.ID, &r.SenderID, &r.ClientID, &r.Type, &r.Content.Text, &hash, &sent, &removed, &r.RemovedBy)
	if err != nil {
		return Record{}, fmt.Errorf("scan message: %w: %w", ErrUnreadable, err)
	}
	copy(r.Hash[:], hash)
	r.SentAt = contract.FromMilli(sent)
	if removed != 0 {
		at := contract.FromMilli(removed)
		r.RemovedAt = &at
	}
	return r, nil
}

func touched(done sql.Result) (bool, error) {
	n, err := done.RowsAffected()
	return n > 0, err
}

// jsonList is a JSON array as a parameter for json_each.
type jsonList[T any] []T

// Value implements driver.Valuer.
func (l jsonList[T]) Value() (driver.Value, error) {
	if len(l) == 0 {
		return "[]", nil
	}
	data, err := json.Marshal([]T(l))
	return string(data), err
}
