package mongotest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/schema"
)

// release is the schema of a program's n-th release: each step counts its runs,
// and the third breaks.
func release(n int) mongodb.Schema {
	step := func(id string, breaks bool) mongodb.Step {
		return mongodb.Step{Name: id, Breaks: breaks, Run: func(ctx context.Context, db *mongodb.DB) error {
			_, err := db.Collection("runs").UpdateOne(ctx, bson.D{{Key: "_id", Value: id}},
				bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: 1}}}}, options.Update().SetUpsert(true))
			return err
		}}
	}
	return mongodb.Schema{
		Steps: []mongodb.Step{{Name: "collections"}, step("second", false), step("third", true)}[:n],
		Indexes: map[string][]mongo.IndexModel{"notes": {
			{Keys: bson.D{{Key: "text", Value: 1}}, Options: options.Index().SetName("text")}, mongodb.OutboxIndex(),
		}},
	}
}

// Migrations is what [mongodb.DB.Migrate] must do on any server, one replica
// after the other. Each call of connect opens the same database.
func Migrations(t *testing.T, connect func(t *testing.T) *mongodb.DB) {
	t.Helper()
	db := connect(t)
	migrate(t, db, release(1))
	wantState(t, db, schema.State{Version: schema.Version{Steps: 1}, Known: 1})
	wantProbed(t, db, 1) // at start
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	wantProbed(t, db, 2) // and by readiness, which does not write again at once
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	wantProbed(t, db, 2)

	broken := release(2)
	broken.Steps[1].Run = func(context.Context, *mongodb.DB) error { return errors.New("cut off") }
	if err := db.Migrate(t.Context(), broken); err == nil || !strings.Contains(err.Error(), "schema step 2, second: cut off") {
		t.Errorf("a step that fails: %v", err)
	}
	next := connect(t)
	migrate(t, next, release(2))
	migrate(t, next, release(2))
	wantState(t, next, schema.State{Version: schema.Version{Steps: 2}, Known: 2})
	wantRuns(t, next, "second", 1)

	if _, err := next.Collection("notes").Indexes().DropOne(t.Context(), "text"); err != nil {
		t.Fatal(err)
	}
	wantState(t, next, schema.State{Version: schema.Version{Steps: 2}, Known: 2, Missing: []string{"notes.text"}})
	old := connect(t)
	migrate(t, old, release(1)) // goes on, and leaves the layout alone
	wantState(t, old, schema.State{Version: schema.Version{Steps: 2}, Known: 1})
	wantState(t, next, schema.State{Version: schema.Version{Steps: 2}, Known: 2, Missing: []string{"notes.text"}})
	migrate(t, next, release(2))
	wantState(t, next, schema.State{Version: schema.Version{Steps: 2}, Known: 2})

	migrate(t, next, release(3))
	wantState(t, next, schema.State{Version: schema.Version{Steps: 3, Floor: 3}, Known: 3})
	if err := old.Migrate(t.Context(), release(2)); err == nil || !strings.Contains(err.Error(), "of schema version 3") {
		t.Errorf("an incompatible program: %v", err)
	}
}

func migrate(t *testing.T, db *mongodb.DB, s mongodb.Schema) {
	t.Helper()
	if err := db.Migrate(t.Context(), s); err != nil {
		t.Fatal(err)
	}
}

func wantState(t *testing.T, db *mongodb.DB, want schema.State) {
	t.Helper()
	got, err := db.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Version != want.Version || got.Known != want.Known || !slices.Equal(got.Missing, want.Missing) {
		t.Errorf("the database is at %+v, want %+v", got, want)
	}
}

func wantRuns(t *testing.T, db *mongodb.DB, step string, want int) {
	t.Helper()
	var run struct {
		N int `bson:"n"`
	}
	if err := db.Collection("runs").FindOne(t.Context(), bson.D{{Key: "_id", Value: step}}).Decode(&run); err != nil {
		t.Fatal(err)
	}
	if run.N != want {
		t.Errorf("step %s ran %d times, want %d", step, run.N, want)
	}
}

// wantProbed checks how often a write to the database has been tried.
func wantProbed(t *testing.T, db *mongodb.DB, want int64) {
	t.Helper()
	var probe struct {
		N int64 `bson:"n"`
	}
	if err := db.Collection("write_probe").FindOne(t.Context(), bson.D{}).Decode(&probe); err != nil || probe.N != want {
		t.Errorf("writing was tried %d times, %v; want %d", probe.N, err, want)
	}
}

// MigrationsAtOnce has replicas of two releases start together on the database
// that connect opens.
func MigrationsAtOnce(t *testing.T, connect func(t *testing.T) *mongodb.DB) {
	t.Helper()
	started := make(chan error)
	for i := range 6 {
		db, s := connect(t), release(1+i%2)
		go func() { started <- db.Migrate(t.Context(), s) }() // ends with its start, joined below
	}
	for range 6 {
		if err := <-started; err != nil {
			t.Error(err)
		}
	}
	db := connect(t)
	migrate(t, db, release(2))
	wantState(t, db, schema.State{Version: schema.Version{Steps: 2}, Known: 2})
	wantRuns(t, db, "second", 1)
}
