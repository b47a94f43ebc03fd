package chat

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

// record is a message as the handler makes it.
func record(room, sender, clientID string) Record {
	return newRecord(contract.SendRequest{
		Caller: contract.Caller{UserID: sender}, RoomID: room, ClientID: clientID,
		Type: contract.MessageText, Content: contract.Content{Text: "text of " + clientID},
	})
}

func newFile(t testing.TB) string { return filepath.Join(t.TempDir(), "chat.db") }

func newStore(t testing.TB) Store { return openFile(t, newFile(t)) }

func openFile(t testing.TB, path string) Store {
	t.Helper()
	s, err := openSQLite(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// fill makes a room of so many messages.
func fill(t testing.TB, store Store, room string, length int64) {
	t.Helper()
	var batch []Record
	for seq := int64(1); seq <= length; seq++ {
		r := record(room, "ann", fmt.Sprint(seq))
		r.Seq, r.SentAt = seq, contract.NewTime(time.Now())
		if batch = append(batch, r); len(batch) == 500 || seq == length {
			if _, err := store.Append(context.Background(), batch); err != nil {
				t.Fatal(err)
			}
			batch = nil
		}
	}
}

// wantLog reads a room and fails unless it holds n messages without a hole.
func wantLog(t *testing.T, s Store, room string, n int) []Record {
	t.Helper()
	var all []Record
	for {
		page, err := s.Page(within(t), Range{RoomID: room, From: int64(len(all)) + 1, To: 1 << 60, Limit: 1000, Bytes: 1 << 30})
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		all = append(all, page...)
	}
	for i, m := range all {
		if m.Seq != int64(i)+1 {
			t.Fatalf("%s has seq %d where %d should be", room, m.Seq, i+1)
		}
	}
	if n >= 0 && len(all) != n {
		t.Fatalf("%s has %d messages, want %d", room, len(all), n)
	}
	return all
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
