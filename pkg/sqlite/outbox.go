package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

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

// Pending returns the oldest events that are not yet Done, at most limit, in
// the order in which they were committed.
func (db *DB) Pending(ctx context.Context, limit int) ([]contract.Event, error) {
	rows, err := db.Rows(ctx, `SELECT event_id, key, subject, payload FROM outbox ORDER BY id LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", AsFault(err))
	}
	defer rows.Close()
	var events []contract.Event
	for rows.Next() {
		var e contract.Event
		if err := rows.Scan(&e.ID, &e.Key, &e.Subject, &e.Payload); err != nil {
			return nil, fmt.Errorf("read outbox: %w", err)
		}
		events = append(events, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read outbox: %w", AsFault(err))
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

// Lease lets holder, and nobody else on this file, relay for ttl from now on;
// false means that another holds the lease. The holder renews it by calling
// again, and gives it up with a ttl of zero. All processes on a file share
// the machine's clock, by which it runs out.
func (db *DB) Lease(ctx context.Context, holder string, ttl time.Duration) (bool, error) {
	var held bool
	err := db.Write(ctx, func(tx *sql.Tx) error {
		now := time.Now()
		res, err := tx.ExecContext(ctx, `
			INSERT INTO lease (name, holder, until_ms) VALUES ('outbox', ?1, ?2)
			ON CONFLICT (name) DO UPDATE SET holder = ?1, until_ms = ?2
			WHERE holder = ?1 OR until_ms <= ?3`,
			holder, now.Add(ttl).UnixMilli(), now.UnixMilli())
		if err != nil {
			return fmt.Errorf("take lease: %w", err)
		}
		n, err := res.RowsAffected()
		held = n == 1 && ttl > 0
		return err
	})
	return held && err == nil, err
}

// Post puts events into the outbox that report no change, such as what an
// admin looked at.
func (db *DB) Post(ctx context.Context, events []contract.Event) error {
	return db.Write(ctx, func(tx *sql.Tx) error { return db.AddEvents(ctx, tx, events) })
}
