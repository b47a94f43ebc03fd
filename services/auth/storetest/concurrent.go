package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/services/auth"
)

// writers is how many go at a store at the same time.
const writers = 50

// Concurrent is what a store must do for many callers at once. FerretDB,
// whose updates are not atomic, is no place for it.
func Concurrent(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, auth.Store){
		"SaveUser/50_of_one_account":             oneAccount,
		"SaveUser/50_writers_of_one_revision":    oneUserWriter,
		"SaveSession/50_writers_of_one_revision": oneSessionWriter,
		"SaveSession/50_writers_who_try_again":   allWrite,
		"AddKey/50_replicas_of_one_generation":   oneKeyOfMany,
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

// winners counts the writes that were taken, and fails on any other error
// than the one that losers get.
func winners(t *testing.T, lost error, write func(writer int) error) int64 {
	t.Helper()
	var won atomic.Int64
	atOnce(func(w int) {
		switch err := write(w); {
		case err == nil:
			won.Add(1)
		case !errors.Is(err, lost):
			t.Error(err)
		}
	})
	return won.Load()
}

func oneAccount(t *testing.T, s auth.Store) {
	ctx := within(t)
	account := user().Account
	won := winners(t, auth.ErrAccountTaken, func(int) error {
		u := user()
		u.Account = account
		return s.SaveUser(ctx, u, event(t, u.ID))
	})
	if events := drain(t, s); won != 1 || len(events) != 1 {
		t.Fatalf("%d won, with %d events", won, len(events))
	}
}

func oneUserWriter(t *testing.T, s auth.Store) {
	ctx := within(t)
	u := user()
	saveUser(t, s, u)
	u.Rev++
	won := winners(t, revision.ErrConflict, func(int) error { return s.SaveUser(ctx, u, event(t, u.ID)) })
	if events := drain(t, s); won != 1 || len(events) != 1 {
		t.Fatalf("%d won, with %d events", won, len(events))
	}
}

func oneSessionWriter(t *testing.T, s auth.Store) {
	ctx := within(t)
	v := session(id.New())
	saveSession(t, s, v)
	v.Rev++
	won := winners(t, revision.ErrConflict, func(int) error { return s.SaveSession(ctx, v, event(t, v.UserID)) })
	if events := drain(t, s); won != 1 || len(events) != 1 {
		t.Fatalf("%d won, with %d events", won, len(events))
	}
}

func allWrite(t *testing.T, s auth.Store) {
	ctx := within(t)
	v := session(id.New())
	saveSession(t, s, v)
	atOnce(func(int) {
		for {
			current, err := s.Session(ctx, v.ID)
			if err != nil || current == nil {
				t.Errorf("got %v, %v", current, err)
				return
			}
			current.Rev++
			current.LastUsedAt = contract.NewTime(current.LastUsedAt.Add(time.Second))
			switch err := s.SaveSession(ctx, *current, nil); {
			case err == nil:
				return
			case !errors.Is(err, revision.ErrConflict):
				t.Error(err)
				return
			}
		}
	})
	got := loadSession(t, s, v.ID)
	if used := got.LastUsedAt.Sub(v.LastUsedAt.Time); used != writers*time.Second || got.Rev != writers+1 {
		t.Fatalf("%v of %d writes are there, revision %d", used, writers, got.Rev)
	}
}

func oneKeyOfMany(t *testing.T, s auth.Store) {
	ctx := within(t)
	won := winners(t, revision.ErrConflict, func(int) error { return s.AddKey(ctx, key(2), event(t, "keys")) })
	if events := drain(t, s); won != 1 || len(events) != 1 {
		t.Fatalf("%d keys were kept, with %d events", won, len(events))
	}
}
