// Package storetest is what any chat.Store must do.
package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/services/chat"
)

// Open returns an empty store and has the test close it.
type Open func(t *testing.T) chat.Store

// Run is the whole suite.
func Run(t *testing.T, open Open) {
	t.Run("Sequential", func(t *testing.T) { Sequential(t, open) })
	t.Run("Concurrent", func(t *testing.T) { Concurrent(t, open) })
}

// limit bounds each test's use of the store.
const limit = 60 * time.Second

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// message is a record as a Log makes it.
func message(room, sender, clientID string, seq int64) chat.Record {
	text := fmt.Sprintf("%s says %s", sender, clientID)
	sum := sha256.Sum256([]byte(text))
	return chat.Record{
		Message: contract.Message{
			ID: id.New(), RoomID: room, Seq: seq, ClientID: clientID, SenderID: sender,
			Type: contract.MessageText, Content: contract.Content{Text: text},
			SentAt: contract.NewTime(time.Now()),
		},
		Hash: chat.Hash(sum[:16]),
	}
}

// messages are n records of one room and sender, from seq first on.
func messages(room, sender string, first int64, n int) []chat.Record {
	records := make([]chat.Record, n)
	for i := range records {
		seq := first + int64(i)
		records[i] = message(room, sender, fmt.Sprintf("%s-%d", sender, seq), seq)
	}
	return records
}

// mustAppend stores all of the records.
func mustAppend(t *testing.T, s chat.Store, records ...chat.Record) {
	t.Helper()
	stored, err := s.Append(within(t), records)
	if err != nil || stored != len(records) {
		t.Fatalf("Append stored %d of %d: %v", stored, len(records), err)
	}
}

// log reads all of a room's messages, and fails on a hole.
func log(t *testing.T, s chat.Store, room string) []chat.Record {
	t.Helper()
	var all []chat.Record
	for {
		page, err := s.Page(within(t), chat.Range{RoomID: room, From: int64(len(all)) + 1, To: 1 << 60, Limit: 200, Bytes: 1 << 30})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return all
		}
		for _, m := range page {
			if m.Seq != int64(len(all))+1 {
				t.Fatalf("room %s has seq %d where %d should be", room, m.Seq, len(all)+1)
			}
			all = append(all, m)
		}
	}
}

// tail is a room's last seq.
func tail(t *testing.T, s chat.Store, room string) int64 {
	t.Helper()
	tails, err := s.Tails(within(t), []string{room})
	if err != nil {
		t.Fatal(err)
	}
	return tails[room]
}

// place is a message's.
func place(r chat.Record) chat.Place { return chat.Place{RoomID: r.RoomID, Seq: r.Seq} }

// removal of a message, with an event.
func removal(t *testing.T, r chat.Record, by string) chat.Removal {
	t.Helper()
	at := time.Now()
	e, err := contract.MessageTombstoned.New(id.New(), r.RoomID, at, contract.MessageEvent{RoomID: r.RoomID, Seq: r.Seq, By: by})
	if err != nil {
		t.Fatal(err)
	}
	return chat.Removal{Place: place(r), By: by, At: contract.NewTime(at), Events: []contract.Event{e}}
}

// same fails unless both are the same message.
func same(t *testing.T, got, want chat.Record) {
	t.Helper()
	if got.RemovedAt == nil && want.RemovedAt == nil && got == want {
		return
	}
	a, b := got, want
	a.RemovedAt, b.RemovedAt = nil, nil
	if a != b || got.RemovedAt == nil || want.RemovedAt == nil || !got.RemovedAt.Equal(want.RemovedAt.Time) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
}
