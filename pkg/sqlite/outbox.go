package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/parley-im/parley/pkg/contract"
)

// ownSchema is in every database. outbox.id is never reused and grows in the
// order of commits, since only one transaction writes at a time.
const ownSchema = `
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
CREATE TABLE IF NOT EXISTS write_probe (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	n   INTEGER NOT NULL
) STRICT;
`

// AddEvents puts events into the outbox within the transaction of the change
// that they report. Kick the relay once Write has returned.
func (db *DB) AddEvents(ctx context.Context, tx *sql.Tx, events []contract.Event) error {
	for _, e := range events {
		_, err := tx.ExecContext(ctx, `INSERT INTO outbox (event_id, key, subject, payload) VALUES (?, ?, ?, ?)`,
			e.ID, e.Key, e.Subject, e.Payload)
		if err != nil {
			return fmt.Errorf("add event %s: %w", e.ID, err)
		}
	}
	return nil
}

// Pending returns the oldest events that are not yet Done, in the order in which
// they were committed: at most limit, and about [contract.EventBatchBytes], but
// at least one if any waits.
func (db *DB) Pending(ctx context.Context, limit int) ([]contract.Event, error) {
	rows, err := db.Rows(ctx, `SELECT event_id, key, subject, payload FROM outbox ORDER BY id LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", db.AsFault(err))
	}
	defer rows.Close()
	var events []contract.Event
	for size := 0; size < contract.EventBatchBytes && rows.Next(); {
		var e contract.Event
		if err := rows.Scan(&e.ID, &e.Key, &e.Subject, &e.Payload); err != nil {
			return nil, fmt.Errorf("read outbox: %w", err)
		}
		events = append(events, e)
		size += len(e.Payload)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read outbox: %w", db.AsFault(err))
	}
	return events, nil
}

// Done removes relayed events from the outbox. Those that are not in it are
// passed over.
func (db *DB) Done(ctx context.Context, events []contract.Event) error {
	if len(events) == 0 {
		return nil
	}
	return db.Write(ctx, func(tx *sql.Tx) error {
		stmt, err := tx.PrepareContext(ctx, `DELETE FROM outbox WHERE event_id = ?`)
		if err != nil {
			return fmt.Errorf("clear outbox: %w", err)
		}
		defer stmt.Close()
		for _, e := range events {
			if _, err := stmt.ExecContext(ctx, e.ID); err != nil {
				return fmt.Errorf("clear outbox: %w", err)
			}
		}
		return nil
	})
}

// Post puts events into the outbox that report no change, such as what an
// admin looked at.
func (db *DB) Post(ctx context.Context, events []contract.Event) error {
	return db.Write(ctx, func(tx *sql.Tx) error { return db.AddEvents(ctx, tx, events) })
}
