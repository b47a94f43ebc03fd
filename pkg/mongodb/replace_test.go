package mongodb_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/mongodb/mongotest"
	"github.com/parley-im/parley/pkg/revision"
)

// room is a document as a store has it.
type room struct {
	ID               string `bson:"_id"`
	Rev              int64  `bson:"rev"`
	Name             string `bson:"name"`
	Count            int    `bson:"count"`
	mongodb.Outboxed `bson:",inline"`
}

func event(id string) contract.Event {
	return contract.Event{ID: id, Key: "key-of-" + id, Subject: "im.evt.social.group.renamed", Payload: []byte(`{"id":"` + id + `"}`)}
}

func insert(t *testing.T, c *mongo.Collection, docs ...any) {
	t.Helper()
	for _, d := range docs {
		if _, err := c.InsertOne(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
}

func load(t *testing.T, c *mongo.Collection, id string) room {
	t.Helper()
	var r room
	if err := c.FindOne(t.Context(), bson.D{{Key: "_id", Value: id}}).Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReplace(t *testing.T) {
	ctx := t.Context()
	db := mongotest.Open(t)
	c := db.Collection("rooms")
	insert(t, c, room{ID: "r", Rev: 1, Name: "old", Count: 3})

	if err := mongodb.Replace(ctx, c, "r", 1, room{ID: "r", Rev: 2, Name: "new"}); err != nil {
		t.Fatal(err)
	}
	if got := load(t, c, "r"); got.Rev != 2 || got.Name != "new" || got.Count != 0 {
		t.Errorf("stored: %+v", got)
	}
	t.Run("other_revision", func(t *testing.T) {
		for _, rev := range []int64{1, 3} {
			err := mongodb.Replace(ctx, c, "r", rev, room{ID: "r", Rev: rev + 1, Name: "lost"})
			if !errors.Is(err, revision.ErrConflict) {
				t.Errorf("at %d: %v", rev, err)
			}
			err = mongodb.Replace(ctx, c, "r", rev, bson.D{{Key: "_id", Value: "r"}, {Key: "rev", Value: rev + 1}})
			if !errors.Is(err, revision.ErrConflict) {
				t.Errorf("a document without outbox, at %d: %v", rev, err)
			}
		}
	})
	t.Run("no_such_document", func(t *testing.T) {
		if err := mongodb.Replace(ctx, c, "q", 1, room{ID: "q", Rev: 2}); !errors.Is(err, revision.ErrConflict) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("revision_not_raised", func(t *testing.T) {
		for _, doc := range []any{
			room{ID: "r", Rev: 2},
			bson.D{{Key: "_id", Value: "r"}},
			bson.D{{Key: "_id", Value: "r"}, {Key: "rev", Value: int32(3)}},
		} {
			if err := mongodb.Replace(ctx, c, "r", 2, doc); err == nil || errors.Is(err, revision.ErrConflict) {
				t.Errorf("%v: %v", doc, err)
			}
		}
	})
	if got := load(t, c, "r"); got.Rev != 2 || got.Name != "new" {
		t.Errorf("stored: %+v", got)
	}
}

func TestReplace_keeps_waiting_events(t *testing.T) {
	c := mongotest.Open(t).Collection("rooms")
	first := room{ID: "r", Rev: 1}
	first.AddEvents(time.UnixMilli(100), []contract.Event{event("1"), event("2")})
	insert(t, c, first)

	// A record that went through the service without its outbox.
	second := room{ID: "r", Rev: 2, Name: "second"}
	second.AddEvents(time.UnixMilli(200), []contract.Event{event("3")})
	if err := mongodb.Replace(t.Context(), c, "r", 1, second); err != nil {
		t.Fatal(err)
	}
	// One that was loaded with it.
	third := load(t, c, "r")
	third.Rev, third.Name = 3, "third"
	third.AddEvents(time.UnixMilli(300), []contract.Event{event("4")})
	if err := mongodb.Replace(t.Context(), c, "r", 2, &third); err != nil {
		t.Fatal(err)
	}
	// One without events of its own.
	if err := mongodb.Replace(t.Context(), c, "r", 3, room{ID: "r", Rev: 4, Name: "fourth"}); err != nil {
		t.Fatal(err)
	}
	got := load(t, c, "r")
	var ids string
	for _, e := range got.Outbox {
		ids += e.ID
	}
	if ids != "1234" || got.OutboxAt != 100 || got.Rev != 4 || got.Name != "fourth" {
		t.Errorf("stored: %+v", got)
	}
}

func TestReplace_concurrent(t *testing.T) {
	c := mongotest.Open(t).Collection("rooms")
	insert(t, c, room{ID: "r", Rev: 1})
	const writers = 50
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for {
				var r room
				if err := c.FindOne(t.Context(), bson.D{{Key: "_id", Value: "r"}}).Decode(&r); err != nil {
					t.Error(err)
					return
				}
				r.Count++
				r.Rev++
				err := mongodb.Replace(t.Context(), c, "r", r.Rev-1, r)
				if err == nil {
					return
				}
				if !errors.Is(err, revision.ErrConflict) {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if got := load(t, c, "r"); got.Count != writers || got.Rev != writers+1 {
		t.Errorf("stored: %+v, want %d writes", got, writers)
	}
}

func TestIsDuplicate_from_the_server(t *testing.T) {
	ctx := t.Context()
	db := mongotest.Open(t)
	c := db.Collection("users")
	if err := db.EnsureIndexes(ctx, "users", unique("account", "account")); err != nil {
		t.Fatal(err)
	}
	user := func(id, account string) bson.D {
		return bson.D{{Key: "_id", Value: id}, {Key: "rev", Value: int64(2)}, {Key: "account", Value: account}}
	}
	insert(t, c, user("1", "ann"), user("2", "bob"))

	for name, act := range map[string]func(context.Context) error{
		"insert_one": func(ctx context.Context) error {
			_, err := c.InsertOne(ctx, user("3", "ann"))
			return err
		},
		"insert_many": func(ctx context.Context) error {
			_, err := c.InsertMany(ctx, []any{user("4", "cy"), user("5", "ann"), user("6", "di")})
			return err
		},
		"unordered": func(ctx context.Context) error {
			_, err := c.InsertMany(ctx, []any{user("7", "ann"), user("8", "eve")}, options.InsertMany().SetOrdered(false))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := act(ctx); !mongodb.IsDuplicate(err, "account") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("primary_key", func(t *testing.T) {
		if _, err := c.InsertOne(ctx, user("1", "zoe")); !mongodb.IsDuplicate(err, "_id_") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("replace", func(t *testing.T) {
		doc := user("2", "ann")
		doc[1].Value = int64(3)
		if err := mongodb.Replace(ctx, c, "2", 2, doc); !mongodb.IsDuplicate(err, "account") {
			t.Errorf("got %v", err)
		}
	})
}
