package mongodb_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/mongodb/mongotest"
)

func unique(name string, fields ...string) mongo.IndexModel {
	keys := bson.D{}
	for _, f := range fields {
		keys = append(keys, bson.E{Key: f, Value: 1})
	}
	return mongo.IndexModel{Keys: keys, Options: options.Index().SetName(name).SetUnique(true)}
}

func TestConnect(t *testing.T) {
	t.Run("nobody_there", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := mongodb.Connect(ctx, "mongodb://127.0.0.1:1", "chat")
		if !fault.From(err).Code.Temporary() {
			t.Errorf("got %v, want a temporary fault", err)
		}
	})
	t.Run("not_a_uri", func(t *testing.T) {
		if _, err := mongodb.Connect(t.Context(), "127.0.0.1:27017", "chat"); err == nil {
			t.Error("connected")
		}
	})
	t.Run("database_of_the_path", func(t *testing.T) {
		uri := mongotest.URI(t)
		if db := mongotest.Connect(t, uri); !strings.Contains(uri, "/"+db.Collection("x").Database().Name()) {
			t.Errorf("database is %s", db.Collection("x").Database().Name())
		}
	})
	t.Run("default_database", func(t *testing.T) {
		uri, _, _ := strings.Cut(mongotest.WithDatabase(mongotest.URI(t), "NAME"), "NAME")
		db, err := mongodb.Connect(t.Context(), uri, "chat")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close(context.Background())
		if got := db.Collection("x").Database().Name(); got != "chat" {
			t.Errorf("database is %s, want chat", got)
		}
	})
}

func TestDB_Close(t *testing.T) {
	db, err := mongodb.Connect(t.Context(), mongotest.URI(t), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("open: %v", err)
	}
	if err := db.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("closed: %v", err)
	}
}

func TestDB_EnsureIndexes(t *testing.T) {
	db := mongotest.Open(t)
	models := []mongo.IndexModel{
		unique("room_seq", "room_id", "seq"),
		{Keys: bson.D{{Key: "sender_id", Value: 1}}, Options: options.Index().SetName("sender")},
	}
	if err := db.EnsureIndexes(t.Context(), "messages", models...); err != nil {
		t.Fatal(err)
	}
	if err := db.EnsureIndexes(t.Context(), "messages", models...); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := db.EnsureIndexes(t.Context(), "messages"); err != nil {
		t.Errorf("none: %v", err)
	}
	specs, err := db.Collection("messages").Indexes().ListSpecifications(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(specs) != 3 {
		t.Errorf("%d indexes, want _id_ and two", len(specs))
	}
	if err := db.EnsureIndexes(t.Context(), "messages", unique("room_seq", "seq")); err == nil {
		t.Error("the same name was taken for other keys")
	}
}

func TestDB_EnsureIndexes_concurrent(t *testing.T) {
	db := mongotest.Open(t)
	var wg sync.WaitGroup
	for range 3 { // replicas that start together
		wg.Go(func() {
			if err := db.EnsureIndexes(t.Context(), "messages", unique("room_seq", "room_id", "seq")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
