package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/services/chat"
)

func audit(t *testing.T, key string) contract.Event {
	t.Helper()
	e, err := contract.ChatAudit.New(id.New(), key, time.Now(), contract.AuditEvent{By: "root", Action: "look"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// drain relays the outbox as the relay does and returns what was in it.
func drain(t *testing.T, s chat.Store) []contract.Event {
	t.Helper()
	var all []contract.Event
	for {
		events, err := s.Pending(within(t), 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			return all
		}
		if err := s.Done(within(t), events); err != nil {
			t.Fatal(err)
		}
		all = append(all, events...)
	}
}

func postIsRelayed(t *testing.T, s chat.Store) {
	first, second := audit(t, "ann"), audit(t, "ann")
	for _, e := range []contract.Event{first, second} {
		if err := s.Post(within(t), []contract.Event{e}); err != nil {
			t.Fatal(err)
		}
	}
	got := drain(t, s)
	if len(got) != 2 || got[0].ID != first.ID || got[1].ID != second.ID || got[0].Key != "ann" || string(got[1].Payload) != string(second.Payload) {
		t.Fatalf("relayed %+v", got)
	}
	third := audit(t, "ben")
	if err := s.Post(within(t), []contract.Event{third}); err != nil {
		t.Fatal(err)
	}
	if got := drain(t, s); len(got) != 1 || got[0].ID != third.ID {
		t.Fatalf("relayed %+v", got)
	}
}

func mustRead(t *testing.T, s chat.Store, user, room string, seq int64) {
	t.Helper()
	if _, err := s.SetReads(within(t), []chat.Position{{UserID: user, RoomID: room, Seq: seq}}); err != nil {
		t.Fatal(err)
	}
}

func positions(t *testing.T, s chat.Store, user, after string, limit int) []chat.Position {
	t.Helper()
	list, err := s.Positions(within(t), user, after, limit)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Ids that are beginnings of each other must not be taken for each other.
func positionsInOrder(t *testing.T, s chat.Store) {
	for i, room := range []string{"b", "a", "a-1", "ab"} {
		mustRead(t, s, "ann", room, int64(i+1))
	}
	for _, other := range []string{"an", "ann-", "ann0", "anna", "ann_"} {
		mustRead(t, s, other, "a", 9)
	}
	all := []chat.Position{{UserID: "ann", RoomID: "a", Seq: 2}, {UserID: "ann", RoomID: "a-1", Seq: 3}, {UserID: "ann", RoomID: "ab", Seq: 4}, {UserID: "ann", RoomID: "b", Seq: 1}}
	if got := positions(t, s, "ann", "", 10); !slices.Equal(got, all) {
		t.Errorf("got %+v", got)
	}
	if got := positions(t, s, "ann", "a", 2); !slices.Equal(got, all[1:3]) {
		t.Errorf("two after a: %+v", got)
	}
	if got := positions(t, s, "ann", "b", 2); len(got) != 0 {
		t.Errorf("after the last: %+v", got)
	}
}

// conversation is of ann and ben, in turns, 2n messages.
func conversation(t *testing.T, s chat.Store, room string, n int) []chat.Record {
	t.Helper()
	var all []chat.Record
	for i := range n {
		seq := int64(2*i + 1)
		all = append(all, message(room, "ann", fmt.Sprintf("c%03d", seq), seq), message(room, "ben", fmt.Sprintf("c%03d", seq), seq+1))
	}
	mustAppend(t, s, all...)
	awaitRead(t, s, "ann", room, int64(2*n-1))
	awaitRead(t, s, "ben", room, int64(2*n))
	return all
}

// awaitRead waits until a sender's position has followed their message.
func awaitRead(t *testing.T, s chat.Store, user, room string, seq int64) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; {
		if slices.Contains(positions(t, s, user, "", 100), chat.Position{UserID: user, RoomID: room, Seq: seq}) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the position of %s in %s never came to %d", user, room, seq)
		}
	}
}

// written reads all that a user wrote in a room.
func written(t *testing.T, s chat.Store, w chat.Written) (all []chat.Record, parts int) {
	t.Helper()
	for {
		records, next, err := s.Written(within(t), w)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, records...)
		if parts++; next == "" {
			return all, parts
		}
		w.Cursor = next
	}
}

func writtenPartByPart(t *testing.T, s chat.Store) {
	want := conversation(t, s, "room", 5)
	conversation(t, s, "another", 2)
	if _, err := s.Remove(within(t), removal(t, want[2], "ann")); err != nil {
		t.Fatal(err)
	}
	got, parts := written(t, s, chat.Written{UserID: "ann", RoomID: "room", Limit: 2, Bytes: 1 << 20})
	if len(got) != 5 || parts != 3 {
		t.Fatalf("%d messages in %d parts", len(got), parts)
	}
	for i, r := range got {
		if i != 1 {
			same(t, r, want[2*i])
		} else if r.Seq != 3 || r.Type != contract.MessageRemoved {
			t.Errorf("the tombstone is %+v", r)
		}
	}
	if got, parts := written(t, s, chat.Written{UserID: "cem", RoomID: "room", Limit: 2, Bytes: 1 << 20}); len(got) != 0 || parts != 1 {
		t.Errorf("of somebody else: %d messages in %d parts", len(got), parts)
	}
}

func writtenEndsAtBytes(t *testing.T, s chat.Store) {
	conversation(t, s, "room", 3)
	got, parts := written(t, s, chat.Written{UserID: "ann", RoomID: "room", Limit: 100, Bytes: 1})
	if len(got) != 3 || parts < 3 {
		t.Fatalf("%d messages in %d parts", len(got), parts)
	}
}

func erasure(user string, events ...contract.Event) chat.Erasure {
	return chat.Erasure{
		UserID: user, By: contract.RemovedByAdmin, At: contract.NewTime(time.Now()), Limit: 2, Events: events,
		Tell: func(r chat.Removal) (contract.Event, error) {
			return contract.MessageTombstoned.New(id.New(), r.RoomID, r.At.Time, contract.MessageEvent{RoomID: r.RoomID, Seq: r.Seq, By: r.By})
		},
	}
}

// erase goes on until nothing is left, and returns what was removed.
func erase(t *testing.T, s chat.Store, e chat.Erasure) (removed []chat.Place) {
	t.Helper()
	for range 100 {
		done, err := s.Erase(within(t), e)
		if err != nil {
			t.Fatal(err)
		}
		if len(done.Removed) > e.Limit || done.Done && len(done.Removed) > 0 {
			t.Fatalf("one part: %+v", done)
		}
		if removed = append(removed, done.Removed...); done.Done {
			return removed
		}
		e.Events = nil
	}
	t.Fatal("an erasure does not end")
	return nil
}

func erasesPartByPart(t *testing.T, s chat.Store) {
	before := conversation(t, s, "room", 5)
	conversation(t, s, "another", 1)
	mustRead(t, s, "ann", "silent", 3) // where ann never wrote
	if _, err := s.Remove(within(t), removal(t, before[2], "ann")); err != nil {
		t.Fatal(err)
	}
	drain(t, s)

	look := audit(t, "ann")
	e := erasure("ann", look)
	if removed := erase(t, s, e); len(removed) != 5 { // of six one was gone
		t.Errorf("removed %v", removed)
	}
	events := drain(t, s)
	if len(events) != 6 || !slices.ContainsFunc(events, func(got contract.Event) bool { return got.ID == look.ID }) {
		t.Errorf("%d events, want one of the act and one of each removal", len(events))
	}
	for i, got := range log(t, s, "room") {
		want := before[i]
		if want.SenderID == "ann" {
			want.Type, want.Content, want.Hash, want.RemovedAt, want.RemovedBy = contract.MessageRemoved, contract.Content{}, chat.Hash{}, &e.At, contract.RemovedByAdmin
		}
		if i == 2 {
			want.RemovedBy, want.RemovedAt = "ann", got.RemovedAt
		}
		same(t, got, want)
	}
	for _, got := range positions(t, s, "ann", "", 10) { // a room may still be named
		if got.Seq != 0 {
			t.Errorf("a position is left: %+v", got)
		}
	}
	if got := positions(t, s, "ben", "", 10); len(got) != 2 {
		t.Errorf("of ben are left: %+v", got)
	}

	// What comes afterwards is found by another erasure.
	late := message("room", "ann", "a-late", 11) // sorts before the others
	mustAppend(t, s, late)
	awaitRead(t, s, "ann", "room", 11)
	if removed := erase(t, s, erasure("ann")); len(removed) != 1 || removed[0] != place(late) {
		t.Errorf("removed later: %v", removed)
	}
}

func erasesNobody(t *testing.T, s chat.Store) {
	conversation(t, s, "room", 1)
	done, err := s.Erase(within(t), erasure("cem", audit(t, "cem")))
	if err != nil || !done.Done || len(done.Removed) > 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	if events := drain(t, s); len(events) != 0 {
		t.Fatalf("events of nothing: %+v", events)
	}
}
