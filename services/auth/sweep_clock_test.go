package auth

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/clock"
	"github.com/parley-im/parley/pkg/contract"
)

// clocked is a store whose machine has another time.
type clocked struct {
	Store
	behind time.Duration
}

func (c clocked) Now(context.Context) (time.Time, error) { return time.Now().Add(-c.behind), nil }

// TestSweeper_removes_nothing_by_a_clock_that_is_ahead of the store's.
func TestSweeper_removes_nothing_by_a_clock_that_is_ahead(t *testing.T) {
	file, err := OpenStore(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "auth.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	now := contract.NewTime(time.Now())
	live := Session{ID: "s", UserID: "u", Epoch: 1, RotatedAt: now, CreatedAt: now, LastUsedAt: now, Rev: 1}
	if err := file.SaveSession(t.Context(), live, nil); err != nil {
		t.Fatal(err)
	}
	year := 365 * 24 * time.Hour
	ahead := func() time.Time { return time.Now().Add(year) }
	for _, c := range []struct {
		behind time.Duration // the store's time, of the machine that sweeps
		left   bool
	}{{0, true}, {-year, false}} {
		store := clocked{file, c.behind}
		s := &sweeper{store: store, sessions: &sessions{store: store, ttl: time.Hour, now: ahead}, trusted: clock.New(store, ahead).Trusted}
		if err := s.remove(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left, err := file.Session(t.Context(), "s"); err != nil || (left != nil) != c.left {
			t.Fatalf("the store is %v behind: left %v, %v", c.behind, left, err)
		}
	}
}
