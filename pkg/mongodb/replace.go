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
	o, ok := doc.(embedsOutboxed)
	if !ok {
		return replaceOne(ctx, c, filter, fields)
	}
	// The relay may take events out between the read and the write: that is no
	// conflict for the caller, whose revision is still the stored one.
	for range doneTries {
		stored, err := storedOutbox(ctx, c, filter)
		if err != nil {
			return err
		}
		guarded := stored.guard(filter)
		if err := stored.merge(o.outboxed().Outbox); err != nil {
			return fmt.Errorf("replace in %s: %w", c.Name(), err)
		}
		err = replaceOne(ctx, c, guarded, append(without(fields, outboxFields...), stored.fields()...))
		if !errors.Is(err, revision.ErrConflict) {
			return err
		}
	}
	return revision.ErrConflict
}

// replaceOne puts fields in the place of the document that filter finds.
// ErrConflict: there is none.
func replaceOne(ctx context.Context, c *mongo.Collection, filter, fields bson.D) error {
	res, err := c.ReplaceOne(ctx, filter, fields)
	if err != nil {
		return fmt.Errorf("replace in %s: %w", c.Name(), AsFault(err))
	}
	if res.MatchedCount == 0 {
		return revision.ErrConflict
	}
	return nil
}

// storedOutbox returns the outbox of the document that filter finds.
// ErrConflict: there is none.
func storedOutbox(ctx context.Context, c *mongo.Collection, filter bson.D) (Outboxed, error) {
	var stored Outboxed
	err := c.FindOne(ctx, filter, options.FindOne().SetProjection(project(outboxFields...))).Decode(&stored)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return stored, revision.ErrConflict
	case err != nil:
		return stored, fmt.Errorf("replace in %s: read the outbox: %w", c.Name(), AsFault(err))
	}
	return stored, nil
}

func project(names ...string) bson.D {
	fields := make(bson.D, len(names))
	for i, name := range names {
		fields[i] = bson.E{Key: name, Value: 1}
	}
	return fields
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
