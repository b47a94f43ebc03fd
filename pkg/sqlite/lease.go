package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"
)

// leaseWatch is what this process has seen of another holder's lease.
type leaseWatch struct {
	mu     sync.Mutex
	holder string
	until  int64     // as it is stored
	since  time.Time // when this process saw it first, by the monotonic clock
}

// Lease lets holder, and nobody else on this file, relay for ttl from now on;
// false means that another holds the lease. The holder renews it by calling
// again, and gives it up with a ttl of zero.
//
// A lease ends at its stored time, by the clock that all processes on a file
// share. That clock may have been ahead when the time was stored: a lease also
// ends once this process has seen it unchanged for ttl.
func (db *DB) Lease(ctx context.Context, holder string, ttl time.Duration) (bool, error) {
	var held bool
	err := db.Write(ctx, func(tx *sql.Tx) error {
		held = false
		var who string
		var until int64
		now := time.Now()
		err := tx.QueryRowContext(ctx, `SELECT holder, until_ms FROM lease WHERE name = 'outbox'`).Scan(&who, &until)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return fmt.Errorf("read lease: %w", err)
		case who != holder && until > now.UnixMilli() && !db.lease.ranOut(who, until, ttl):
			return nil
		}
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO lease (name, holder, until_ms) VALUES ('outbox', ?1, ?2)
			ON CONFLICT (name) DO UPDATE SET holder = ?1, until_ms = ?2`, holder, now.Add(ttl).UnixMilli()); err != nil {
			return fmt.Errorf("take lease: %w", err)
		}
		held = ttl > 0
		return nil
	})
	return held && err == nil, err
}

// ranOut reports whether another's lease has been seen unchanged for ttl; a
// caller with a ttl of zero does not ask for the lease.
func (w *leaseWatch) ranOut(holder string, until int64, ttl time.Duration) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.holder != holder || w.until != until {
		w.holder, w.until, w.since = holder, until, time.Now()
	}
	return ttl > 0 && time.Since(w.since) >= ttl
}
