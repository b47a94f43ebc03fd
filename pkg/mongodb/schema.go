package mongodb

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/pkg/schema"
)

const (
	// schemaLease is how long a replica that died in the middle of a step
	// keeps the others from taking it.
	schemaLease = 15 * time.Second
	// schemaPause is how often those who wait look again.
	schemaPause = 200 * time.Millisecond
)

// Schema is the layout of a store's database. Package schema says what
// programs of different versions may expect of each other.
type Schema struct {
	// Steps bring a database from nothing to this program's layout. A step that
	// was released is never changed, moved or taken out: new ones follow. Most
	// changes need none: documents may have fields that others lack.
	Steps []Step
	// Indexes, by collection, stand apart, since each start makes those that
	// are missing, [OutboxIndex] among them. Each has a name, which is never
	// used again for another.
	Indexes map[string][]mongo.IndexModel
}

// Step changes what is stored.
type Step struct {
	Name string // in a few words, for errors
	// Run may run again after it was cut off anywhere, and beside programs
	// that read and write. One replica at a time runs it, as far as it gets
	// CPU time; nil: nothing is to be done, the step only counts.
	Run func(ctx context.Context, db *DB) error
	// Breaks says that programs that don't know this step can't use the
	// database any more.
	Breaks bool
}

// versionDoc is the one document of the collection schema_version.
type versionDoc struct {
	ID    string `bson:"_id"`
	Rev   int64  `bson:"rev"`
	Steps int    `bson:"steps"`
	Floor int    `bson:"floor"`
}

const versionID = "schema"

// errTakenOver ends a step whose lease ran out before it was done.
var errTakenOver = errors.New("another replica has taken over")

// Migrate takes the steps that the database lacks, one replica at a time, and
// makes the indexes that it lacks, which MongoDB builds while others read and
// write. It returns when both are done: the replica is not ready before, and
// those that run go on meanwhile. A database that a newer program has made
// unusable for this one is an error, as is one that can't be written. The error
// wraps schema.ErrNotNow if another try may succeed.
func (db *DB) Migrate(ctx context.Context, s Schema) error {
	return opening(ctx, db.migrate(ctx, s))
}

func (db *DB) migrate(ctx context.Context, s Schema) error {
	db.schema = s
	known := len(s.Steps)
	lock, holder := &lease{db: db, id: versionID}, id.New()
	for {
		now, err := db.version(ctx)
		if err != nil {
			return err
		}
		if err := now.version().Admit(known); err != nil {
			return fmt.Errorf("open database: %w", err)
		}
		switch {
		case now.version().Newer(known):
			return db.probe(ctx)
		case now.Steps == known:
			if err := db.makeIndexes(ctx); err != nil {
				return err
			}
			return db.probe(ctx)
		}
		held, err := lock.take(ctx, holder, schemaLease)
		switch {
		case err != nil:
		case held:
			err = db.step(ctx, lock, holder)
		default:
			err = pause(ctx)
		}
		if err != nil && !errors.Is(err, errTakenOver) {
			return err
		}
	}
}

// step takes the next step, if there still is one, and gives the lease back.
func (db *DB) step(ctx context.Context, lock *lease, holder string) (err error) {
	defer func() {
		_, lost := lock.take(context.WithoutCancel(ctx), holder, 0)
		err = errors.Join(err, lost)
	}()
	now, err := db.version(ctx) // again: another may have been here before the lease
	if err != nil || now.Steps >= len(db.schema.Steps) {
		return err
	}
	step := db.schema.Steps[now.Steps]
	next := now.version().After(now.Steps+1, step.Breaks)
	if step.Breaks && now.Floor != next.Floor { // before it begins, so that no older program starts meanwhile
		if now, err = db.setVersion(ctx, now, schema.Version{Steps: now.Steps, Floor: next.Floor}); err != nil {
			return err
		}
	}
	if step.Run != nil {
		if err := db.runStep(ctx, step, lock, holder); err != nil {
			return fmt.Errorf("schema step %d, %s: %w", next.Steps, step.Name, AsFault(err))
		}
	}
	_, err = db.setVersion(ctx, now, next)
	return err
}

// runStep renews the lease while the step runs, and ends it when the lease is
// lost.
func (db *DB) runStep(ctx context.Context, step Step, lock *lease, holder string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	renewed := make(chan struct{})
	// Ends with ctx, and is joined below.
	go func() {
		defer close(renewed)
		tick := time.NewTicker(schemaLease / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if held, err := lock.take(ctx, holder, schemaLease); err == nil && !held {
				cancel(errTakenOver)
			}
		}
	}()
	err := step.Run(ctx, db)
	if errors.Is(context.Cause(ctx), errTakenOver) {
		err = errTakenOver
	}
	cancel(nil)
	<-renewed
	return err
}

func (d versionDoc) version() schema.Version { return schema.Version{Steps: d.Steps, Floor: d.Floor} }

func (db *DB) version(ctx context.Context) (versionDoc, error) {
	d := versionDoc{ID: versionID}
	err := db.Collection("schema_version").FindOne(ctx, bson.D{{Key: "_id", Value: versionID}}).Decode(&d)
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return d, fmt.Errorf("read schema version: %w", AsFault(err))
	}
	return d, nil
}

// setVersion puts v in the place of the version that was read.
func (db *DB) setVersion(ctx context.Context, now versionDoc, v schema.Version) (versionDoc, error) {
	next := versionDoc{ID: versionID, Rev: now.Rev + 1, Steps: v.Steps, Floor: v.Floor}
	err := Save(ctx, db.Collection("schema_version"), next.ID, next.Rev, next)
	switch {
	case errors.Is(err, revision.ErrConflict), IsDuplicate(err, ""):
		return now, errTakenOver
	case err != nil:
		return now, fmt.Errorf("save schema version: %w", err)
	}
	return next, nil
}

func (db *DB) makeIndexes(ctx context.Context) error {
	for _, collection := range slices.Sorted(maps.Keys(db.schema.Indexes)) {
		if err := db.EnsureIndexes(ctx, collection, db.schema.Indexes[collection]...); err != nil {
			return err
		}
	}
	return nil
}

// Schema reads what the database has of the layout of Migrate now.
func (db *DB) Schema(ctx context.Context) (schema.State, error) {
	state := schema.State{Known: len(db.schema.Steps)}
	now, err := db.version(ctx)
	if err != nil {
		return state, err
	}
	if state.Version = now.version(); state.Newer(state.Known) {
		return state, nil
	}
	for _, collection := range slices.Sorted(maps.Keys(db.schema.Indexes)) {
		specs, err := db.Collection(collection).Indexes().ListSpecifications(ctx)
		if err != nil {
			return state, fmt.Errorf("read indexes of %s: %w", collection, AsFault(err))
		}
		there := map[string]bool{}
		for _, s := range specs {
			there[s.Name] = true
		}
		for _, m := range db.schema.Indexes[collection] {
			if name := *m.Options.Name; !there[name] {
				state.Missing = append(state.Missing, collection+"."+name)
			}
		}
	}
	return state, nil
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(schemaPause):
		return nil
	}
}
