package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// Save inserts the first revision of a document, and puts each later one in
// the place of the one before. The doc carries its id and rev, as Replace
// wants them. revision.ErrConflict: another stands there, or a unique index
// refused it; nothing was written.
func Save(ctx context.Context, c *mongo.Collection, id string, rev int64, doc any) error {
	if rev > 1 {
		return Replace(ctx, c, id, rev-1, doc)
	}
	_, err := c.InsertOne(ctx, doc)
	return AsFault(err)
}

// Find reads all documents that the filter finds into the slice that into
// points to.
func Find(ctx context.Context, c *mongo.Collection, filter bson.D, into any, o ...*options.FindOptions) error {
	cur, err := c.Find(ctx, filter, o...)
	if err != nil {
		return AsFault(err)
	}
	return AsFault(cur.All(ctx, into))
}
