// Package mongodb opens the database of a service that runs on many machines
// and holds what its stores have in common: replacing a document under its
// revision, telling which unique index refused a write, and an outbox inside
// the documents that change.
//
// What is asked of the server stays simple: inserts under unique indexes,
// reads by index, and replacing under {_id, rev}. Every write is acknowledged
// by a majority that has it in its journal; every read is from the primary and
// sees only what no failover takes back.
package mongodb

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/mongo/readconcern"
	"go.mongodb.org/mongo-driver/mongo/readpref"
	"go.mongodb.org/mongo-driver/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/x/mongo/driver/connstring"

	"github.com/parley-im/parley/pkg/probe"
)

const (
	// selectTimeout is how long an operation waits for a primary: longer
	// than an election usually takes, no longer than a request lives.
	selectTimeout = 5 * time.Second
	// connectTimeout bounds one TCP and TLS handshake.
	connectTimeout = 5 * time.Second
)

// DB is one database of a MongoDB server or cluster.
type DB struct {
	client *mongo.Client
	db     *mongo.Database
	schema Schema // of Migrate
	writes probe.Writes
}

// Connect opens the database that the URI's path names, else defaultDatabase,
// and returns once a primary answers. Write concern, read concern and read
// preference are fixed and override the URI. The error wraps schema.ErrNotNow
// if another try may succeed. The caller closes the DB.
func Connect(ctx context.Context, uri, defaultDatabase string) (*DB, error) {
	parsed, err := connstring.ParseAndValidate(uri)
	if err != nil {
		return nil, fmt.Errorf("read MongoDB URI: %w", err)
	}
	name := parsed.Database
	if name == "" {
		name = defaultDatabase
	}
	client, err := mongo.Connect(ctx, clientOptions(uri))
	if err != nil {
		return nil, fmt.Errorf("connect to MongoDB: %w", err)
	}
	db := &DB{client: client, db: client.Database(name)}
	if err := db.ping(ctx); err != nil {
		_ = db.Close(context.WithoutCancel(ctx))
		return nil, opening(ctx, err)
	}
	return db, nil
}

// clientOptions reads the URI and then sets what Parley's promises rest on.
func clientOptions(uri string) *options.ClientOptions {
	journaled := true
	safe := writeconcern.Majority()
	safe.Journal = &journaled
	return options.Client().
		SetServerSelectionTimeout(selectTimeout).
		SetConnectTimeout(connectTimeout).
		ApplyURI(uri).
		SetWriteConcern(safe).
		SetReadConcern(readconcern.Majority()).
		SetReadPreference(readpref.Primary())
}

// Collection is one collection of the database, with the concerns of Connect.
func (db *DB) Collection(name string) *mongo.Collection { return db.db.Collection(name) }

// EnsureIndexes makes the indexes that are missing; it may run on every start
// and on several replicas at once. An index of the same name with other keys
// or options is an error. Give every index a name: IsDuplicate asks for it.
func (db *DB) EnsureIndexes(ctx context.Context, collection string, models ...mongo.IndexModel) error {
	for _, m := range models { // one by one: FerretDB v1 panics over several that exist
		if _, err := db.Collection(collection).Indexes().CreateOne(ctx, m); err != nil {
			return fmt.Errorf("make indexes of %s: %w", collection, AsFault(err))
		}
	}
	return nil
}

// Ping asks the primary for a sign of life and, at most every [probe.Every],
// writes to the database.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.ping(ctx); err != nil {
		return err
	}
	return db.writes.Check(ctx, db.probe)
}

// probe changes a document that nothing else uses.
func (db *DB) probe(ctx context.Context) error {
	_, err := db.Collection("write_probe").UpdateOne(ctx, bson.D{{Key: "_id", Value: "probe"}},
		bson.D{{Key: "$inc", Value: bson.D{{Key: "n", Value: int64(1)}}}}, options.Update().SetUpsert(true))
	if err != nil && !IsDuplicate(err, "") { // another replica made it first, so writing works
		return fmt.Errorf("write to database %s: %w", db.db.Name(), AsFault(err))
	}
	return nil
}

func (db *DB) ping(ctx context.Context) error {
	if err := db.client.Ping(ctx, readpref.Primary()); err != nil {
		return fmt.Errorf("ping MongoDB: %w", AsFault(err))
	}
	return nil
}

// Drop deletes the whole database. It is there for tests.
func (db *DB) Drop(ctx context.Context) error {
	if err := db.db.Drop(ctx); err != nil {
		return fmt.Errorf("drop database %s: %w", db.db.Name(), AsFault(err))
	}
	return nil
}

// Close ends all connections; operations in hand have until ctx ends.
func (db *DB) Close(ctx context.Context) error {
	if err := db.client.Disconnect(ctx); err != nil {
		return fmt.Errorf("disconnect from MongoDB: %w", err)
	}
	return nil
}
