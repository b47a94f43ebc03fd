// Package storetest is what any social.Store must do.
package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/services/social"
)

// Open returns an empty store and has the test close it.
type Open func(t *testing.T) social.Store

// Run is the whole suite.
func Run(t *testing.T, open Open) {
	t.Run("Sequential", func(t *testing.T) { Sequential(t, open) })
	t.Run("Concurrent", func(t *testing.T) { Concurrent(t, open) })
}

// now is a time that survives a store unchanged.
var now = contract.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC))

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func friendship(a, b string) social.Friendship {
	a, b = id.Sort(a, b)
	return social.Friendship{ID: id.Pair(a, b), A: a, B: b, State: social.StateFriends, Since: now, CreatedAt: now, Rev: 1}
}

// group is a first revision with the members given, the first of them owner.
func group(members ...string) social.Room {
	r := social.Room{ID: id.New(), Name: "group", History: contract.HistoryJoined, CreatedBy: members[0], CreatedAt: now, Rev: 1}
	for i, m := range members {
		role := contract.RoleMember
		if i == 0 {
			role = contract.RoleOwner
		}
		r.Members = append(r.Members, social.Member{UserID: m, Role: role, FirstSeq: int64(i + 1), JoinedAt: now})
	}
	return r
}

func event(t *testing.T, roomID string, rev int64) []contract.Event {
	t.Helper()
	e, err := contract.GroupRenamed.New(id.New(), roomID, now.Time, contract.RoomEvent{RoomID: roomID, Rev: rev})
	if err != nil {
		t.Fatal(err)
	}
	return []contract.Event{e}
}

func saveFriendship(t *testing.T, s social.Store, f social.Friendship) {
	t.Helper()
	if err := s.SaveFriendship(within(t), f, event(t, f.ID, f.Rev)); err != nil {
		t.Fatal(err)
	}
}

func saveRoom(t *testing.T, s social.Store, r social.Room) {
	t.Helper()
	if err := s.SaveRoom(within(t), r, event(t, r.ID, r.Rev)); err != nil {
		t.Fatal(err)
	}
}

func room(t *testing.T, s social.Store, roomID string) *social.Room {
	t.Helper()
	r, err := s.Room(within(t), roomID)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// drain relays the outbox as the relay does and returns what was in it.
func drain(t *testing.T, s social.Store) []contract.Event {
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

func wantConflict(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, revision.ErrConflict) {
		t.Fatalf("got %v, want ErrConflict", err)
	}
}

func sameMembers(a, b []social.Member) bool {
	return slices.EqualFunc(a, b, func(x, y social.Member) bool {
		return x.UserID == y.UserID && x.Role == y.Role && x.FirstSeq == y.FirstSeq && x.JoinedAt.Equal(y.JoinedAt.Time)
	})
}
