package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/parley-im/parley/services/social"

	"github.com/parley-im/parley/pkg/revision"
)

// writers is how many go at a store at the same time.
const writers = 50

// Concurrent is what a store must do for many callers at once. FerretDB,
// whose updates are not atomic, is no place for it.
func Concurrent(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, social.Store){
		"SaveRoom/50_writers_of_one_revision":       oneWinner,
		"SaveRoom/50_writers_who_try_again":         allWrite,
		"SaveRoom/50_times_one_client_id":           oneRoom,
		"SaveFriendship/50_writers_of_one_revision": oneFriendship,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// atOnce runs f in writers goroutines and waits for all.
func atOnce(f func(writer int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for w := range writers {
		wg.Go(func() {
			<-start
			f(w)
		})
	}
	close(start)
	wg.Wait()
}

// winners counts the writes that were taken, and fails on anything but
// revision.ErrConflict for the others.
func winners(t *testing.T, write func(writer int) error) int64 {
	t.Helper()
	var won atomic.Int64
	atOnce(func(w int) {
		switch err := write(w); {
		case err == nil:
			won.Add(1)
		case !errors.Is(err, revision.ErrConflict):
			t.Error(err)
		}
	})
	return won.Load()
}

func oneWinner(t *testing.T, s social.Store) {
	r := group("u1")
	saveRoom(t, s, r)
	drain(t, s)
	r = *room(t, s, r.ID)
	ctx := within(t)
	won := winners(t, func(w int) error {
		next := r
		next.Rev, next.Name = r.Rev+1, fmt.Sprint(w)
		return s.SaveRoom(ctx, next, event(t, r.ID, next.Rev))
	})
	if events := drain(t, s); won != 1 || len(events) != 1 {
		t.Fatalf("%d won, with %d events", won, len(events))
	}
}

func allWrite(t *testing.T, s social.Store) {
	r := group("u1")
	saveRoom(t, s, r)
	ctx := within(t)
	atOnce(func(w int) {
		for {
			seen, err := s.Room(ctx, r.ID)
			if err != nil {
				t.Error(err)
				return
			}
			next := *seen
			next.Rev++
			next.Members = append(next.Members, social.Member{UserID: fmt.Sprint("w", w), Role: "member", FirstSeq: 1, JoinedAt: now})
			err = s.SaveRoom(ctx, next, event(t, r.ID, next.Rev))
			if err == nil {
				return
			}
			if !errors.Is(err, revision.ErrConflict) {
				t.Error(err)
				return
			}
		}
	})
	if got := room(t, s, r.ID); len(got.Members) != writers+1 || got.Rev < writers+1 {
		t.Fatalf("%d members at revision %d", len(got.Members), got.Rev)
	}
	if events := drain(t, s); len(events) != writers+1 {
		t.Fatalf("%d events", len(events))
	}
}

func oneRoom(t *testing.T, s social.Store) {
	ctx := within(t)
	won := winners(t, func(int) error {
		r := group("u1")
		r.ClientID = "c1"
		return s.SaveRoom(ctx, r, event(t, r.ID, 1))
	})
	all, err := s.Memberships(ctx, "u1")
	if err != nil || won != 1 || len(all[0]) != 1 {
		t.Fatalf("%d won, %d rooms, %v", won, len(all), err)
	}
}

func oneFriendship(t *testing.T, s social.Store) {
	ctx := within(t)
	f := friendship("u1", "u2")
	won := winners(t, func(int) error { return s.SaveFriendship(ctx, f, event(t, f.ID, 1)) })
	if events := drain(t, s); won != 1 || len(events) != 1 {
		t.Fatalf("%d won, with %d events", won, len(events))
	}
}
