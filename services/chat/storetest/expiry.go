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

func roomsInOrder(t *testing.T, s chat.Store) {
	for _, room := range []string{"b", "a", "c"} {
		mustAppend(t, s, messages(room, "ann", 1, 3)...)
	}
	for _, c := range []struct {
		after string
		limit int
		want  []string
	}{{"", 2, []string{"a", "b"}}, {"b", 2, []string{"c"}}, {"c", 2, nil}, {"", 9, []string{"a", "b", "c"}}} {
		got, err := s.Rooms(within(t), c.after, c.limit)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%d rooms after %q: %q, %v; want %q", c.limit, c.after, got, err, c.want)
		}
	}
}

func expiry(room string, before time.Time) chat.Expiry {
	return chat.Expiry{
		RoomID: room, Before: contract.NewTime(before), By: contract.RemovedByRetention, At: contract.NewTime(time.Now()), Limit: 4,
		Tell: func(r chat.Removal) (contract.Event, error) {
			return contract.MessagesExpired.New(id.New(), r.RoomID, r.At.Time, contract.MessageEvent{RoomID: r.RoomID, Seq: r.Seq, By: r.By})
		},
	}
}

// expire goes on to the end of what is old.
func expire(t *testing.T, s chat.Store, e chat.Expiry) (removed int) {
	t.Helper()
	for range 100 {
		done, err := s.Expire(within(t), e)
		if err != nil {
			t.Fatal(err)
		}
		if removed += done.Removed; !done.More {
			return removed
		}
	}
	t.Fatal("expiry does not end")
	return 0
}

func expiresPartByPart(t *testing.T, s chat.Store) {
	old := time.Now().Add(-48 * time.Hour)
	var all []chat.Record
	for i := range 12 {
		m := message("room", "ann", fmt.Sprint("c", i), int64(i+1))
		m.SentAt = contract.NewTime(old.Add(time.Duration(i) * time.Hour))
		all = append(all, m)
	}
	mustAppend(t, s, all...)
	mustAppend(t, s, message("another", "ann", "c", 1))
	for _, i := range []int{1, 7} { // 7 would be the last of its part
		if _, err := s.Remove(within(t), removal(t, all[i], "ann")); err != nil {
			t.Fatal(err)
		}
	}
	drain(t, s)

	e := expiry("room", all[9].SentAt.Time) // which is not older than itself
	if n := expire(t, s, e); n != 7 {
		t.Errorf("%d expired, want 7 of 9", n)
	}
	var told []int64
	for _, event := range drain(t, s) {
		body, err := contract.MessagesExpired.Decode(event.Payload)
		if err != nil || event.Key != "room" || body.Data.RoomID != "room" || body.Data.By != contract.RemovedByRetention {
			t.Fatalf("told %+v, %v", event, err)
		}
		told = append(told, body.Data.Seq)
	}
	if len(told) != 3 || !slices.IsSorted(told) || told[2] != 9 {
		t.Errorf("told of %v", told)
	}
	for i, got := range log(t, s, "room") {
		want := all[i]
		if i < 9 {
			want.Type, want.Content, want.Hash, want.RemovedAt, want.RemovedBy = contract.MessageRemoved, contract.Content{}, chat.Hash{}, &e.At, contract.RemovedByRetention
		}
		if i == 1 || i == 7 {
			want.RemovedBy, want.RemovedAt = "ann", got.RemovedAt
		}
		same(t, got, want)
	}
	if got := log(t, s, "another"); got[0].RemovedAt != nil {
		t.Errorf("a young message: %+v", got[0])
	}

	if n := expire(t, s, e); n != 0 || len(drain(t, s)) != 0 {
		t.Errorf("%d expired twice", n)
	}
	if n := expire(t, s, expiry("room", time.Now())); n != 3 {
		t.Errorf("%d expired later, want 3", n)
	}
	// The key stays taken, for ever.
	if _, err := s.Append(within(t), []chat.Record{message("room", "ann", "c0", 13)}); err != chat.ErrClientIDTaken { //nolint:errorlint // the store's own
		t.Errorf("a client_id that expired: %v", err)
	}
	mustAppend(t, s, message("room", "ann", "new", 13))
	if n := expire(t, s, expiry("room", old)); n != 0 {
		t.Errorf("%d young ones expired", n)
	}
	if n := expire(t, s, expiry("empty", time.Now())); n != 0 {
		t.Errorf("%d of no room expired", n)
	}
}

// A clock that was ahead does not stop a room's retention.
func expiresOverTheFuture(t *testing.T, s chat.Store) {
	const old, ahead, young = -48 * time.Hour, 9000 * time.Hour, time.Duration(0)
	for room, c := range map[string]struct {
		ages []time.Duration
		want int
	}{
		"between": {[]time.Duration{old, ahead, old, ahead, young}, 3},
		// More in a row than one part has.
		"a part":         {[]time.Duration{ahead, ahead, ahead, ahead, old, young}, 5},
		"parts":          {[]time.Duration{old, ahead, ahead, ahead, ahead, ahead, ahead, ahead, ahead, ahead, old, ahead}, 11},
		"before a young": {[]time.Duration{ahead, ahead, ahead, ahead, ahead, young, old}, 0},
		"to the end":     {[]time.Duration{ahead, ahead, ahead, ahead, ahead}, 0},
	} {
		t.Run(room, func(t *testing.T) {
			all := messages(room, "ann", 1, len(c.ages))
			for i, age := range c.ages {
				all[i].SentAt = contract.NewTime(time.Now().Add(age))
			}
			mustAppend(t, s, all...)
			if n := expire(t, s, expiry(room, time.Now().Add(-time.Hour))); n != c.want {
				t.Errorf("%d expired, want %d", n, c.want)
			}
			for i, got := range log(t, s, room) {
				if (got.RemovedAt != nil) != (i < c.want) {
					t.Errorf("message %d: removed at %v", i+1, got.RemovedAt)
				}
			}
		})
	}
}
