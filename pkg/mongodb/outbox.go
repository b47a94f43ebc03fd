package mongodb

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/contract"
)

// waiting finds the documents whose outbox is not empty, by OutboxIndex.
var waiting = bson.E{Key: "outbox_at", Value: bson.D{{Key: "$gt", Value: int64(0)}}}

// OutboxIndex is for each collection of an [Outbox]. It holds only documents
// whose outbox is not empty. It is sparse rather than partial because FerretDB
// v1 refuses partial indexes.
func OutboxIndex() mongo.IndexModel {
	return mongo.IndexModel{
		Keys:    bson.D{{Key: "outbox_at", Value: 1}},
		Options: options.Index().SetName("outbox_at").SetSparse(true),
	}
}

// Outbox reads the events that wait in the documents of some collections; it
// is a bus.Outbox.
type Outbox struct {
	db          *DB
	collections []string
	lease       *lease

	mu      sync.Mutex
	indexed bool
	found   map[string]place // event id → document, of the last Pending
}

// place is where a document lies.
type place struct{ collection, id string }

// waitingDoc is the part of a document that concerns the outbox.
type waitingDoc struct {
	ID       string `bson:"_id"`
	Rev      int64  `bson:"rev"`
	Outboxed `bson:",inline"`
}

// Outbox returns the outbox over all collections whose documents embed
// [Outboxed]. Use one per process; its first Pending makes the index that it
// needs in each of them.
func (db *DB) Outbox(collections ...string) *Outbox {
	return &Outbox{db: db, collections: collections, lease: outboxLease(db, collections)}
}

// Pending returns the oldest events that are not yet Done: at most limit, and
// about [contract.EventBatchBytes], but at least one if any waits. Within a document they come in the order in which they were added; between
// documents by their time, as far as clocks agree: events of one key are in
// order when one document carries them all.
func (o *Outbox) Pending(ctx context.Context, limit int) ([]contract.Event, error) {
	if err := o.ensureIndexes(ctx); err != nil {
		return nil, err
	}
	var all []Event
	found := make(map[string]place)
	end := int64(math.MaxInt64) // a document that was not read may have entries that are later
	for _, collection := range o.collections {
		docs, cut, err := o.oldest(ctx, collection, limit)
		if err != nil {
			return nil, err
		}
		if cut {
			end = min(end, docs[len(docs)-1].OutboxAt)
		}
		for _, d := range docs {
			all = append(all, d.Outbox...)
			for _, e := range d.Outbox {
				found[e.ID] = place{collection, d.ID}
			}
		}
	}
	// Each document that was read has an entry that is older than any in
	// the documents beyond the limit: the first entries of all are here.
	slices.SortStableFunc(all, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	all = firstOf(all, limit, end)

	o.mu.Lock()
	o.found = found
	o.mu.Unlock()
	events := make([]contract.Event, len(all))
	for i, e := range all {
		events[i] = contract.Event{ID: e.ID, Key: e.Key, Subject: e.Subject, Payload: []byte(e.Payload)}
	}
	return events, nil
}

// read returns documents with their outbox, the longest waiting first.
func (o *Outbox) read(ctx context.Context, collection string, filter bson.D, limit int) ([]waitingDoc, error) {
	cur, err := o.db.Collection(collection).Find(ctx, filter, o.findOptions(limit))
	if err != nil {
		return nil, fmt.Errorf("read outbox of %s: %w", collection, AsFault(err))
	}
	var docs []waitingDoc
	if err := cur.All(ctx, &docs); err != nil {
		return nil, fmt.Errorf("read outbox of %s: %w", collection, AsFault(err))
	}
	return docs, nil
}

func (o *Outbox) findOptions(limit int) *options.FindOptions {
	return options.Find().
		SetSort(bson.D{{Key: "outbox_at", Value: 1}}).
		SetLimit(int64(limit)).
		SetProjection(project(append(slices.Clone(outboxFields), "rev")...))
}

// oldest returns the documents that wait longest, as many as hold about
// [contract.EventBatchBytes] and limit at most; cut says that bytes ended it.
func (o *Outbox) oldest(ctx context.Context, collection string, limit int) (docs []waitingDoc, cut bool, err error) {
	cur, err := o.db.Collection(collection).Find(ctx, bson.D{waiting}, o.findOptions(limit))
	if err != nil {
		return nil, false, fmt.Errorf("read outbox of %s: %w", collection, AsFault(err))
	}
	defer cur.Close(context.WithoutCancel(ctx))
	for size := 0; cur.Next(ctx); {
		if size >= contract.EventBatchBytes {
			return docs, true, nil
		}
		size += len(cur.Current)
		var d waitingDoc
		if err := cur.Decode(&d); err != nil {
			return nil, false, fmt.Errorf("read outbox of %s: %w", collection, err)
		}
		docs = append(docs, d)
	}
	if err := cur.Err(); err != nil {
		return nil, false, fmt.Errorf("read outbox of %s: %w", collection, AsFault(err))
	}
	return docs, false, nil
}

// firstOf returns the first of the sorted events: at most limit, none later
// than end, and about [contract.EventBatchBytes].
func firstOf(all []Event, limit int, end int64) []Event {
	size := 0
	for i, e := range all[:min(len(all), limit)] {
		if e.At > end || size >= contract.EventBatchBytes {
			return all[:i]
		}
		size += len(e.Payload)
	}
	return all[:min(len(all), limit)]
}

func (o *Outbox) ensureIndexes(ctx context.Context) error {
	o.mu.Lock()
	indexed := o.indexed
	o.mu.Unlock()
	if indexed {
		return nil
	}
	for _, collection := range o.collections {
		if err := o.db.EnsureIndexes(ctx, collection, OutboxIndex()); err != nil {
			return err
		}
	}
	o.mu.Lock()
	o.indexed = true
	o.mu.Unlock()
	return nil
}
