package chat_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/schema"
	"github.com/parley-im/parley/services/chat"
	"github.com/parley-im/parley/services/chat/storetest"
)

func TestStore_SQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) chat.Store { return openStore(t, newFile(t)) })
}

// Each call goes to the other of two stores that share nothing but the file,
// as those of two processes.
func TestStore_SQLite_two_on_one_file(t *testing.T) {
	storetest.Run(t, func(t *testing.T) chat.Store {
		file := newFile(t)
		return &turns{stores: []chat.Store{openStore(t, file), openStore(t, file)}}
	})
}

func TestStore_MongoDB(t *testing.T) {
	storetest.Run(t, func(t *testing.T) chat.Store { return openStore(t, newDatabase(t)) })
}

func TestStore_MongoDB_two_on_one_database(t *testing.T) {
	storetest.Run(t, func(t *testing.T) chat.Store {
		database := newDatabase(t)
		return &turns{stores: []chat.Store{openStore(t, database), openStore(t, database)}}
	})
}

func newFile(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "chat.db") }

// newDatabase names a new database on the server of MONGO_URI.
func newDatabase(t *testing.T) string {
	t.Helper()
	server := os.Getenv("MONGO_URI")
	if server == "" {
		t.Skip("MONGO_URI is not set; e2e runs the sequential part on FerretDB")
	}
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal("MONGO_URI is not a URL")
	}
	u.Path = "/chat_test_" + id.New()
	return u.String()
}

func openStore(t testing.TB, name string) chat.Store {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := chat.OpenStore(ctx, name)
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

// turns hands each call to the next of its stores.
type turns struct {
	stores []chat.Store
	calls  atomic.Uint64
}

func (s *turns) next() chat.Store { return s.stores[s.calls.Add(1)%uint64(len(s.stores))] }

func (s *turns) Append(ctx context.Context, r []chat.Record) (int, error) {
	return s.next().Append(ctx, r)
}
func (s *turns) Tails(ctx context.Context, rooms []string) (map[string]int64, error) {
	return s.next().Tails(ctx, rooms)
}
func (s *turns) ByClientID(ctx context.Context, keys []chat.Key) (map[chat.Key]chat.Record, error) {
	return s.next().ByClientID(ctx, keys)
}
func (s *turns) Page(ctx context.Context, r chat.Range) ([]chat.Record, error) {
	return s.next().Page(ctx, r)
}
func (s *turns) Messages(ctx context.Context, at []chat.Place) (map[string]chat.Record, error) {
	return s.next().Messages(ctx, at)
}
func (s *turns) Remove(ctx context.Context, r chat.Removal) (bool, error) {
	return s.next().Remove(ctx, r)
}
func (s *turns) Positions(ctx context.Context, user, after string, limit int) ([]chat.Position, error) {
	return s.next().Positions(ctx, user, after, limit)
}
func (s *turns) Written(ctx context.Context, w chat.Written) ([]chat.Record, string, error) {
	return s.next().Written(ctx, w)
}
func (s *turns) Erase(ctx context.Context, e chat.Erasure) (chat.Erased, error) {
	return s.next().Erase(ctx, e)
}
func (s *turns) Rooms(ctx context.Context, after string, limit int) ([]string, error) {
	return s.next().Rooms(ctx, after, limit)
}
func (s *turns) Expire(ctx context.Context, e chat.Expiry) (chat.Expired, error) {
	return s.next().Expire(ctx, e)
}
func (s *turns) Post(ctx context.Context, events []contract.Event) error {
	return s.next().Post(ctx, events)
}
func (s *turns) SetReads(ctx context.Context, positions []chat.Position) ([]chat.Position, error) {
	return s.next().SetReads(ctx, positions)
}
func (s *turns) Heads(ctx context.Context, of ...chat.UserRooms) ([]map[string]chat.Head, error) {
	return s.next().Heads(ctx, of...)
}
func (s *turns) Pending(ctx context.Context, limit int) ([]contract.Event, error) {
	return s.next().Pending(ctx, limit)
}
func (s *turns) Done(ctx context.Context, events []contract.Event) error {
	return s.next().Done(ctx, events)
}
func (s *turns) Lease(ctx context.Context, holder string, ttl time.Duration) (bool, error) {
	return s.next().Lease(ctx, holder, ttl)
}
func (s *turns) Schema(ctx context.Context) (schema.State, error) { return s.next().Schema(ctx) }

func (s *turns) Now(ctx context.Context) (time.Time, error) { return s.next().Now(ctx) }

func (s *turns) Ping(ctx context.Context) error { return s.next().Ping(ctx) }

// Close leaves closing to the tests that opened the stores.
func (s *turns) Close() error { return nil }
