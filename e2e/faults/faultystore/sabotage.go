package faultystore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/parley-im/parley/services/chat"
)

// The sabotages that a fault run must find.
const (
	AckBeforeStore = "ack-before-store"
	NoUniqueKey    = "no-unique-key"
)

// ackLag is how long after its acknowledgement a message is stored.
const ackLag = 500 * time.Millisecond

// ackFirst says that messages are stored before they are.
type ackFirst struct {
	chat.Store
	queue   chan batch
	stopped chan struct{}
}

type batch struct {
	due     time.Time
	records []chat.Record
}

// AckFirst sabotages a store: it acknowledges first and stores later, so that
// a crash loses what is acknowledged.
func AckFirst(store chat.Store) chat.Store {
	s := &ackFirst{Store: store, queue: make(chan batch, 10_000), stopped: make(chan struct{})}
	go s.run() // ended by Close; what waits is bounded by the queue
	return s
}

func (s *ackFirst) run() {
	defer close(s.stopped)
	for b := range s.queue {
		<-time.After(time.Until(b.due))
		_, _ = s.Store.Append(context.Background(), b.records) // it was promised, so nobody asks
	}
}

// Append implements chat.Store, badly.
func (s *ackFirst) Append(ctx context.Context, records []chat.Record) (int, error) {
	select {
	case s.queue <- batch{time.Now().Add(ackLag), append([]chat.Record(nil), records...)}:
		return len(records), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Close stores what was acknowledged.
func (s *ackFirst) Close() error {
	close(s.queue)
	<-s.stopped
	return s.Store.Close()
}

// dropUniqueKey puts an index in the place of the one that keeps a client_id
// from being stored twice: of the same name, so that the store does not make
// it anew at its next start.
const dropUniqueKey = `
DROP INDEX IF EXISTS messages_by_client_id;
CREATE INDEX messages_by_client_id ON messages (room_id, sender_id, client_id);`

// DropUniqueKey sabotages the store at the URL, a SQLite file that exists.
func DropUniqueKey(ctx context.Context, url string) error {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok {
		return fmt.Errorf("drop the unique key: only SQLite stores can be sabotaged")
	}
	// Opened past pkg/sqlite, which refuses a schema that it does not know; chat has its driver.
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return fmt.Errorf("drop the unique key: %w", err)
	}
	_, err = db.ExecContext(ctx, dropUniqueKey)
	return errors.Join(err, db.Close())
}
