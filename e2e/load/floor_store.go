package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/sqlite"
)

// floorBatch is how many messages one commit of the batches holds.
const floorBatch = 100

// floorSchema is what chat keeps a message in.
const floorSchema = `
CREATE TABLE messages (
	room_id TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, sender_id TEXT NOT NULL, client_id TEXT NOT NULL,
	type TEXT NOT NULL, text TEXT NOT NULL, hash BLOB NOT NULL, sent_at INTEGER NOT NULL,
	PRIMARY KEY (room_id, seq)
) WITHOUT ROWID, STRICT;
CREATE UNIQUE INDEX messages_by_client_id ON messages (client_id, sender_id, room_id);`

// storeFloor is what the store can do alone, asked by one program that waits
// for each commit: messages a second of one commit each and in batches, and how
// long a single commit takes.
type storeFloor struct {
	db   *sqlite.DB
	text string
	seq  int64
}

// measureStore returns figInserts, figBatchInserts and figCommitP50.
func measureStore(ctx context.Context, s *stage) (figures map[string]float64, err error) {
	dir, err := os.MkdirTemp("", "parley-load-")
	if err != nil {
		return nil, fmt.Errorf("measure store: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	db, err := sqlite.Open(ctx, filepath.Join(dir, "floor.db"), sqlite.Schema{Steps: []sqlite.Step{{Name: "table", SQL: floorSchema}}})
	if err != nil {
		return nil, fmt.Errorf("measure store: %w", err)
	}
	defer func() { _ = db.Close() }()
	f := &storeFloor{db: db, text: newRun(s.text).text}
	length := min(s.duration, floorTime) / 2
	single, commits, err := f.fill(ctx, 1, length)
	if err != nil {
		return nil, err
	}
	batched, _, err := f.fill(ctx, floorBatch, length)
	if err != nil {
		return nil, err
	}
	return map[string]float64{figInserts: single, figBatchInserts: batched, figCommitP50: commits.P50}, nil
}

// fill inserts for a while and returns messages a second.
func (f *storeFloor) fill(ctx context.Context, batch int, length time.Duration) (float64, *latency, error) {
	took := newHistogram()
	began, first := time.Now(), f.seq
	for time.Since(began) < length && ctx.Err() == nil {
		start := time.Now()
		if err := f.db.Write(ctx, func(tx *sql.Tx) error { return f.insert(ctx, tx, batch) }); err != nil {
			return 0, nil, fmt.Errorf("measure store: %w", err)
		}
		_ = took.RecordValue(min(time.Since(start).Microseconds(), longestLatency)) // in its range
	}
	return float64(f.seq-first) / time.Since(began).Seconds(), latencyOf(took), ctx.Err()
}

func (f *storeFloor) insert(ctx context.Context, tx *sql.Tx, n int) error {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	var hash [32]byte
	for range n {
		f.seq++
		_, err := insert.ExecContext(ctx, floorRoom, f.seq, id.New(), floorRoom, id.New(), "text", f.text, hash[:], time.Now().UnixMilli())
		if err != nil {
			return err
		}
	}
	return nil
}

// persistFloor is nats.go and the store, each alone.
func persistFloor(ctx context.Context, s *stage) (*floor, error) {
	sends, err := natsFloor(ctx, s)
	if err != nil {
		return nil, err
	}
	figures, err := measureStore(ctx, s)
	if err != nil {
		return nil, err
	}
	figures[figNATSSends] = sends
	return &floor{What: "bare nats.go, bare SQLite", Figures: figures}, nil
}

// commitFloor is the store alone.
func commitFloor(ctx context.Context, s *stage) (*floor, error) {
	figures, err := measureStore(ctx, s)
	if err != nil {
		return nil, err
	}
	return &floor{What: "bare SQLite", Figures: figures}, nil
}
