package mongodb

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/revision"
)

// Replace puts doc in the place of the document that has this id and revision.
// The doc itself carries the same _id and, as field rev, an int64 of rev+1.
// ErrConflict: no such document at that revision, and nothing was written.
//
// When doc embeds [Outboxed], events that still wait in the stored document
// are kept before its own, whether or not it was loaded with them.
func Replace(ctx context.Context, c *mongo.Collection, id string, rev int64, doc any) error {
	fields, err := toFields(doc)
	if err != nil {
		return fmt.Errorf("replace in %s: %w", c.Name(), err)
	}
	if next, ok := field(fields, "rev").(int64); !ok || next != rev+1 {
		return fmt.Errorf("replace in %s: rev of the new document must be the int64 %d", c.Name(), rev+1)
	}
	filter := byRevision(id, rev)
	if o, ok := doc.(embedsOutboxed); ok {
		if fields, err = keepWaiting(ctx, c, filter, fields, o.outboxed()); err != nil {
			return fmt.Errorf("replace in %s: %w", c.Name(), err)
		}
	}
	res, err := c.ReplaceOne(ctx, filter, fields)
	if err != nil {
		return fmt.Errorf("replace in %s: %w", c.Name(), AsFault(err))
	}
	if res.MatchedCount == 0 {
		return revision.ErrConflict
	}
	return nil
}

// keepWaiting returns fields with the outbox that the document shall have:
// what waits in the stored one at this revision, then what is new. As long as
// the revision stands, so does its outbox.
func keepWaiting(ctx context.Context, c *mongo.Collection, filter, fields bson.D, add Outboxed) (bson.D, error) {
	var stored Outboxed
	err := c.FindOne(ctx, filter, options.FindOne().SetProjection(bson.D{{Key: "outbox", Value: 1}, {Key: "outbox_at", Value: 1}})).Decode(&stored)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, revision.ErrConflict
	}
	if err != nil {
		return nil, AsFault(err)
	}
	if err := stored.merge(add.Outbox); err != nil {
		return nil, err
	}
	fields = without(fields, "outbox", "outbox_at")
	if len(stored.Outbox) == 0 {
		return fields, nil
	}
	return append(fields, stored.fields()...), nil
}

func byRevision(id string, rev int64) bson.D {
	return bson.D{{Key: "_id", Value: id}, {Key: "rev", Value: rev}}
}

// toFields is doc as the driver would store it, field by field.
func toFields(doc any) (bson.D, error) {
	raw, err := bson.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("encode document: %w", err)
	}
	var fields bson.D
	if err := bson.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("encode document: %w", err)
	}
	return fields, nil
}

func field(fields bson.D, name string) any {
	for _, e := range fields {
		if e.Key == name {
			return e.Value
		}
	}
	return nil
}

func without(fields bson.D, names ...string) bson.D {
	kept := make(bson.D, 0, len(fields))
next:
	for _, e := range fields {
		for _, name := range names {
			if e.Key == name {
				continue next
			}
		}
		kept = append(kept, e)
	}
	return kept
}
