package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
)

func event(i int) contract.Event {
	return contract.Event{
		ID:      fmt.Sprintf("event-%03d", i),
		Key:     fmt.Sprintf("room-%d", i%3),
		Subject: "im.evt.social.group.renamed",
		Payload: fmt.Appendf(nil, `{"n":%d}`, i),
	}
}

func add(t *testing.T, db *DB, events ...contract.Event) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *sql.Tx) error { return db.AddEvents(t.Context(), tx, events) })
	if err != nil {
		t.Fatal(err)
	}
}

func pending(t *testing.T, db *DB, limit int) []contract.Event {
	t.Helper()
	events, err := db.Pending(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestDB_Pending(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	a, b := open(t, path), open(t, path)
	if got := pending(t, a, 10); len(got) != 0 {
		t.Fatalf("an empty outbox has %v", got)
	}
	// The ids count down: order is that of the commits, not of ids.
	add(t, a, event(9), event(8))
	add(t, b, event(7))
	add(t, a, event(6))

	undone := errors.New("undone")
	err := a.Write(t.Context(), func(tx *sql.Tx) error {
		return errors.Join(a.AddEvents(t.Context(), tx, []contract.Event{event(1)}), undone)
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	want := []contract.Event{event(9), event(8), event(7), event(6)}
	if got := pending(t, b, 10); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := pending(t, b, 3); !reflect.DeepEqual(got, want[:3]) {
		t.Errorf("limit 3: got %v, want %v", got, want[:3])
	}

	if err := b.Done(t.Context(), []contract.Event{event(9), event(7), event(404)}); err != nil {
		t.Fatal(err)
	}
	if err := b.Done(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	want = []contract.Event{event(8), event(6)}
	if got := pending(t, a, 10); !reflect.DeepEqual(got, want) {
		t.Errorf("after Done: got %v, want %v", got, want)
	}
}

func TestDB_AddEvents_same_id_twice(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	add(t, db, event(1))
	err := db.Write(t.Context(), func(tx *sql.Tx) error {
		return db.AddEvents(t.Context(), tx, []contract.Event{event(1)})
	})
	if !IsUnique(err, "outbox.event_id") {
		t.Errorf("got %v", err)
	}
}

func TestDB_Lease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	a, b := open(t, path), open(t, path)
	lease := func(db *DB, holder string, ttl time.Duration) bool {
		t.Helper()
		ok, err := db.Lease(t.Context(), holder, ttl)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if !lease(a, "a", time.Minute) || !lease(a, "a", time.Minute) {
		t.Fatal("a was not given the free lease, or may not renew it")
	}
	if lease(b, "b", time.Minute) {
		t.Fatal("b took a living lease")
	}
	if lease(b, "b", 0) || lease(b, "b", time.Minute) {
		t.Fatal("b gave up a's lease")
	}
	if lease(a, "a", 0) {
		t.Error("a holds what it gave up")
	}
	if !lease(b, "b", 20*time.Millisecond) {
		t.Fatal("b was not given the lease that a gave up")
	}
	for deadline := time.Now().Add(time.Minute); !lease(a, "a", time.Minute); {
		if time.Now().After(deadline) {
			t.Fatal("b's lease never ran out")
		}
	}
}

func TestDB_Lease_of_a_clock_that_was_ahead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	dead, alive := open(t, path), open(t, path)
	if ok, err := dead.Lease(t.Context(), "dead", time.Hour); err != nil || !ok { // as stored by a clock an hour ahead
		t.Fatal(ok, err)
	}
	for deadline := time.Now().Add(time.Minute); ; {
		ok, err := alive.Lease(t.Context(), "alive", 50*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the dead holder keeps the lease for longer than its ttl")
		}
	}
}

func TestDB_Pending_is_bound_by_bytes(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "x.db"))
	const each, all = 512 << 10, 40 // five times the bound
	for i := range all {
		if err := db.Post(t.Context(), []contract.Event{{ID: fmt.Sprint(i), Key: "k", Subject: "im.evt.x", Payload: make([]byte, each)}}); err != nil {
			t.Fatal(err)
		}
	}
	for got := 0; got < all; {
		events, err := db.Pending(t.Context(), 256)
		if err != nil || len(events) == 0 || len(events) > contract.EventBatchBytes/each {
			t.Fatalf("%d events at once, %v", len(events), err)
		}
		for _, e := range events {
			if e.ID != fmt.Sprint(got) {
				t.Fatalf("event %s in the place of %d", e.ID, got)
			}
			got++
		}
		if err := db.Done(t.Context(), events); err != nil {
			t.Fatal(err)
		}
	}
}
