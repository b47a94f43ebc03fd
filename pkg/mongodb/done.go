package mongodb

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/contract"
)

// doneTries is how often Done goes for documents that change under it.
const doneTries = 5

// Done takes relayed events out of their documents. The documents keep their
// revision: it counts changes of state. Events that wait nowhere are passed over. A document that keeps
// changing meanwhile may keep its events: they come up as pending again, and
// are relayed again under the same id.
func (o *Outbox) Done(ctx context.Context, events []contract.Event) error {
	done := make(map[string]bool, len(events))
	for _, e := range events {
		done[e.ID] = true
	}
	lost := make([]string, 0, len(events)) // ids that the last Pending did not return
	known := make(map[string][]string)     // collection → documents
	o.mu.Lock()
	for _, e := range events {
		if p, ok := o.found[e.ID]; ok {
			known[p.collection] = append(known[p.collection], p.id)
		} else {
			lost = append(lost, e.ID)
		}
	}
	o.mu.Unlock()
	for _, collection := range o.collections {
		if ids := known[collection]; len(ids) > 0 {
			byID := bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}}
			if err := o.clear(ctx, collection, byID, done); err != nil {
				return err
			}
		}
		if len(lost) > 0 {
			byEvent := bson.D{waiting, {Key: "outbox.id", Value: bson.D{{Key: "$in", Value: lost}}}}
			if err := o.clear(ctx, collection, byEvent, done); err != nil {
				return err
			}
		}
	}
	return nil
}

// clear takes the done events out of the documents that filter finds, each
// as it was read: at its revision, and with no event taken out since.
func (o *Outbox) clear(ctx context.Context, collection string, filter bson.D, done map[string]bool) error {
	for range doneTries {
		docs, err := o.read(ctx, collection, filter, 0)
		if err != nil {
			return err
		}
		var writes []mongo.WriteModel
		for _, d := range docs {
			if w, ok := removal(d, done); ok {
				writes = append(writes, w)
			}
		}
		if len(writes) == 0 {
			return nil
		}
		res, err := o.db.Collection(collection).BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
		if err != nil {
			return fmt.Errorf("clear outbox of %s: %w", collection, AsFault(err))
		}
		if int(res.MatchedCount) == len(writes) {
			return nil
		}
	}
	return nil
}

// removal is the update that takes the done events out of d; false when none
// of them is in it.
func removal(d waitingDoc, done map[string]bool) (mongo.WriteModel, bool) {
	if !d.remove(done) {
		return nil, false
	}
	filter := d.guard(byRevision(d.ID, d.Rev))
	d.OutboxRev++
	update := bson.D{{Key: "$set", Value: d.fields()}}
	if len(d.Outbox) == 0 {
		update = append(update, bson.E{Key: "$unset", Value: bson.D{{Key: "outbox", Value: ""}, {Key: "outbox_at", Value: ""}}})
	}
	return mongo.NewUpdateOneModel().SetFilter(filter).SetUpdate(update), true
}
