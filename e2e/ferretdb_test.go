package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"

	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/mongodb/mongotest"
	"github.com/parley-im/parley/services/auth"
	authtest "github.com/parley-im/parley/services/auth/storetest"
	"github.com/parley-im/parley/services/chat"
	chattest "github.com/parley-im/parley/services/chat/storetest"
	"github.com/parley-im/parley/services/social"
	socialtest "github.com/parley-im/parley/services/social/storetest"
)

// TestMongoStores runs the sequential part of each store's suite on FerretDB,
// where no MongoDB is at hand: it speaks the protocol, but its updates are not
// atomic. MONGO_URI has the stores' own tests run all of it on MongoDB.
func TestMongoStores(t *testing.T) {
	server := startFerretDB(t)
	database := func() string { return server + "parley_" + id.New() }
	t.Run("schema", func(t *testing.T) {
		url := database()
		mongotest.Migrations(t, func(t *testing.T) *mongodb.DB { return mongotest.Connect(t, url) })
	})
	t.Run("outbox", func(t *testing.T) { mongotest.Outboxes(t, mongotest.Connect(t, database())) })
	t.Run("auth", func(t *testing.T) {
		authtest.Sequential(t, func(t *testing.T) auth.Store {
			return opened(t, database(), auth.OpenStore)
		})
	})
	t.Run("social", func(t *testing.T) {
		socialtest.Sequential(t, func(t *testing.T) social.Store {
			return opened(t, database(), social.OpenStore)
		})
	})
	t.Run("chat", func(t *testing.T) {
		chattest.Sequential(t, func(t *testing.T) chat.Store {
			return opened(t, database(), chat.OpenStore)
		})
	})
}

func opened[S interface{ Close() error }](t *testing.T, url string, open func(context.Context, string) (S, error)) S {
	t.Helper()
	s, err := open(t.Context(), url)
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

// startFerretDB returns the server's URL, to which a database's name is added.
func startFerretDB(t *testing.T) string {
	t.Helper()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // FerretDB tells of every connection
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().String()
	_ = listener.Close() // FerretDB opens it by itself
	f, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: addr},
		Handler:   "sqlite",
		SQLiteURL: "file:" + filepath.Clean(t.TempDir()) + "/",
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- f.Run(ctx) }() // ended by cancel, joined below
	t.Cleanup(func() {
		cancel()
		select {
		case <-stopped:
		case <-time.After(20 * time.Second):
			t.Error("FerretDB does not stop")
		}
	})
	return fmt.Sprintf("mongodb://%s/", addr)
}
