package auth_test

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/mongodb/mongotest"
	"github.com/parley-im/parley/services/auth"
	"github.com/parley-im/parley/services/auth/storetest"
)

func TestStore_SQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) auth.Store { return openStore(t, newFile(t)) })
}

// Two stores on one file stand for two processes.
func TestStore_SQLite_two_on_one_file(t *testing.T) {
	storetest.Concurrent(t, func(t *testing.T) auth.Store {
		file := newFile(t)
		return &either{Store: openStore(t, file), other: openStore(t, file)}
	})
}

func TestStore_MongoDB(t *testing.T) {
	mongotest.URI(t) // skips all of it, once
	storetest.Run(t, func(t *testing.T) auth.Store { return openStore(t, mongotest.URI(t)) })
}

func newFile(t *testing.T) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "auth.db")
}

func openStore(t *testing.T, url string) auth.Store {
	t.Helper()
	s, err := auth.OpenStore(t.Context(), url)
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

// either saves through one store and the other in turn.
type either struct {
	auth.Store
	other auth.Store
	turn  atomic.Int64
}

func (e *either) next() auth.Store {
	if e.turn.Add(1)%2 == 0 {
		return e.other
	}
	return e.Store
}

func (e *either) SaveUser(ctx context.Context, u auth.User, events []contract.Event) error {
	return e.next().SaveUser(ctx, u, events)
}

func (e *either) Session(ctx context.Context, id string) (*auth.Session, error) {
	return e.next().Session(ctx, id)
}

func (e *either) SaveSession(ctx context.Context, s auth.Session, events []contract.Event) error {
	return e.next().SaveSession(ctx, s, events)
}

func (e *either) AddKey(ctx context.Context, k auth.SealedKey, events []contract.Event) error {
	return e.next().AddKey(ctx, k, events)
}
