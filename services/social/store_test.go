package social_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/mongodb/mongotest"
	"github.com/parley-im/parley/services/social"
	"github.com/parley-im/parley/services/social/storetest"
)

func TestStore_SQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) social.Store { return open(t, "sqlite:"+filepath.Join(t.TempDir(), "social.db")) })
}

// Two stores on one file stand for two processes.
func TestStore_SQLite_two_on_one_file(t *testing.T) {
	storetest.Concurrent(t, func(t *testing.T) social.Store {
		url := "sqlite:" + filepath.Join(t.TempDir(), "social.db")
		return &either{Store: open(t, url), other: open(t, url)}
	})
}

func TestStore_MongoDB(t *testing.T) {
	mongotest.URI(t) // skips all of it, once
	storetest.Run(t, func(t *testing.T) social.Store { return open(t, mongotest.URI(t)) })
}

// either saves through one store and the other in turn.
type either struct {
	social.Store
	other social.Store
	turn  atomic.Int64
}

func (e *either) next() social.Store {
	if e.turn.Add(1)%2 == 0 {
		return e.other
	}
	return e.Store
}

func (e *either) SaveRoom(ctx context.Context, r social.Room, events []contract.Event) error {
	return e.next().SaveRoom(ctx, r, events)
}

func (e *either) SaveFriendship(ctx context.Context, f social.Friendship, events []contract.Event) error {
	return e.next().SaveFriendship(ctx, f, events)
}

func (e *either) Room(ctx context.Context, id string) (*social.Room, error) {
	return e.next().Room(ctx, id)
}

func open(t *testing.T, url string) social.Store {
	t.Helper()
	s, err := social.OpenStore(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
