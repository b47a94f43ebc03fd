package mongodb_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/mongodb/mongotest"
)

// waitingRoom is a room with events added at the given milliseconds.
func waitingRoom(id string, at int64, events ...contract.Event) room {
	r := room{ID: id, Rev: 1}
	r.AddEvents(time.UnixMilli(at), events)
	return r
}

func pending(t *testing.T, o *mongodb.Outbox, limit int) []contract.Event {
	t.Helper()
	events, err := o.Pending(t.Context(), limit)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func done(t *testing.T, o *mongodb.Outbox, events ...contract.Event) {
	t.Helper()
	if err := o.Done(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

func ids(events []contract.Event) string {
	s := make([]string, len(events))
	for i, e := range events {
		s[i] = e.ID
	}
	return strings.Join(s, " ")
}

func TestOutbox_is_bound_by_bytes(t *testing.T) { mongotest.Outboxes(t, mongotest.Open(t)) }

func TestOutbox(t *testing.T) {
	db := mongotest.Open(t)
	rooms, users := db.Collection("rooms"), db.Collection("users")
	o := db.Outbox("rooms", "users")
	if got := pending(t, o, 10); len(got) != 0 {
		t.Fatalf("empty collections have %v", got)
	}

	// z1 before a1 in one document: order is that of adding, not of ids.
	late := waitingRoom("a", 100, event("z1"), event("a1"))
	late.AddEvents(time.UnixMilli(400), []contract.Event{event("late")})
	insert(t, rooms, room{ID: "idle", Rev: 1}, waitingRoom("b", 300, event("b1")), late)
	insert(t, users, waitingRoom("u", 200, event("u1"), event("u2")))

	if got := pending(t, o, 10); ids(got) != "z1 a1 u1 u2 b1 late" {
		t.Errorf("pending: %s", ids(got))
	} else if !reflect.DeepEqual(got[0], event("z1")) {
		t.Errorf("read %+v, want %+v", got[0], event("z1"))
	}
	for limit, want := range []string{0: "", 1: "z1", 2: "z1 a1", 3: "z1 a1 u1"} {
		if limit == 0 {
			continue
		}
		if got := ids(pending(t, o, limit)); got != want {
			t.Errorf("limit %d: %s, want %s", limit, got, want)
		}
	}

	done(t, o, event("z1"), event("u1"), event("u2"), event("nowhere"))
	if got := ids(pending(t, o, 10)); got != "a1 b1 late" {
		t.Errorf("after Done: %s", got)
	}
	if r := load(t, rooms, "a"); r.Rev != 1 || r.OutboxAt != 100 {
		t.Errorf("a room with events left: %+v", r)
	}
	if r := load(t, users, "u"); r.Rev != 1 || r.OutboxAt != 0 || r.Outbox != nil {
		t.Errorf("a user without: %+v", r)
	}
	if r := load(t, rooms, "idle"); r.Rev != 1 {
		t.Errorf("a room without events was written: %+v", r)
	}

	t.Run("not_seen_by_this_outbox", func(t *testing.T) {
		done(t, db.Outbox("rooms", "users"), event("b1"))
		if got := ids(pending(t, o, 10)); got != "a1 late" {
			t.Errorf("pending: %s", got)
		}
	})
	t.Run("changed_in_between", func(t *testing.T) {
		r := load(t, rooms, "a")
		r.Rev, r.Name = r.Rev+1, "changed"
		r.AddEvents(time.UnixMilli(500), []contract.Event{event("new")})
		if err := mongodb.Replace(t.Context(), rooms, "a", r.Rev-1, r); err != nil {
			t.Fatal(err)
		}
		done(t, o, event("a1"), event("late"))
		if got := ids(pending(t, o, 10)); got != "new" {
			t.Errorf("pending: %s", got)
		}
		if r := load(t, rooms, "a"); r.Name != "changed" || r.Rev != 2 || r.OutboxAt != 500 {
			t.Errorf("stored: %+v", r)
		}
		done(t, o)
		done(t, o, event("new"))
		if got := pending(t, o, 10); len(got) != 0 {
			t.Errorf("pending: %s", ids(got))
		}
	})
}

func TestOutbox_many_documents(t *testing.T) {
	db := mongotest.Open(t)
	o := db.Outbox("rooms")
	var want []string
	for i := range 25 {
		e := event(fmt.Sprintf("e%02d", i))
		want = append(want, e.ID)
		insert(t, db.Collection("rooms"), waitingRoom("room-"+e.ID, int64(1000+i), e))
	}
	var got []string
	for batch := pending(t, o, 10); len(batch) > 0; batch = pending(t, o, 10) {
		for _, e := range batch {
			got = append(got, e.ID)
		}
		done(t, o, batch...)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

// Fifty writers add events while a relay takes them out: each comes up at
// least once, in order, and at last none is left.
func TestOutbox_concurrent(t *testing.T) {
	db := mongotest.Open(t)
	rooms := db.Collection("rooms")
	insert(t, rooms, room{ID: "r", Rev: 1})
	const writers = 50
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for {
				var r room
				if err := rooms.FindOne(t.Context(), bson.D{{Key: "_id", Value: "r"}}).Decode(&r); err != nil {
					t.Error(err)
					return
				}
				next := room{ID: "r", Rev: r.Rev + 1, Count: r.Count + 1}
				next.AddEvents(time.Now(), []contract.Event{event(fmt.Sprintf("%03d-%02d", next.Count, i))})
				if mongodb.Replace(t.Context(), rooms, "r", r.Rev, next) == nil {
					return
				}
			}
		})
	}
	o := db.Outbox("rooms")
	var order []string
	seen := make(map[string]bool)
	for deadline := time.Now().Add(time.Minute); len(seen) < writers; {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d events came up", len(seen), writers)
		}
		events := pending(t, o, 10)
		for _, e := range events {
			if !seen[e.ID] {
				order = append(order, e.ID[:3])
			}
			seen[e.ID] = true
		}
		done(t, o, events...)
	}
	wg.Wait()
	for i, n := range order {
		if n != fmt.Sprintf("%03d", i+1) {
			t.Fatalf("event %d is %s: %v", i+1, n, order)
		}
	}
	for deadline := time.Now().Add(time.Minute); ; {
		events := pending(t, o, 10)
		if len(events) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("left: %s", ids(events))
		}
		done(t, o, events...)
	}
	if r := load(t, rooms, "r"); r.Count != writers {
		t.Errorf("%d writes counted, want %d", r.Count, writers)
	}
}

// Reading the outbox must not read the rooms that wait for nothing.
func TestOutbox_reads_by_index(t *testing.T) {
	db := mongotest.Open(t)
	insert(t, db.Collection("rooms"), waitingRoom("r", 100, event("1")))
	pending(t, db.Outbox("rooms"), 10)
	server := db.Collection("rooms").Database()
	plan, err := server.RunCommand(t.Context(), bson.D{
		{Key: "explain", Value: bson.D{
			{Key: "find", Value: "rooms"},
			{Key: "filter", Value: bson.D{{Key: "outbox_at", Value: bson.D{{Key: "$gt", Value: int64(0)}}}}},
			{Key: "sort", Value: bson.D{{Key: "outbox_at", Value: 1}}},
			{Key: "limit", Value: 10},
		}},
		{Key: "verbosity", Value: "queryPlanner"},
	}).Raw()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plan.String(), "ferretdbVersion") {
		return // FerretDB v1 reads everything but primary keys by scanning
	}
	winner := plan.Lookup("queryPlanner", "winningPlan").String()
	if !strings.Contains(winner, `"IXSCAN"`) || strings.Contains(winner, `"SORT"`) {
		t.Errorf("the plan does not read and sort by the index: %s", winner)
	}
}
