package mongodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/revision"
)

// NoticeBoard is a collection with one document, which is nothing but an
// outbox: for events that report no change of a document, such as what an
// admin looked at. Name it in [DB.Outbox].
const NoticeBoard = "notices"

// Post puts events on the notice board. They are relayed in the order of
// posting.
func (db *DB) Post(ctx context.Context, events []contract.Event) error {
	type board struct {
		ID       string `bson:"_id"`
		Rev      int64  `bson:"rev"`
		Outboxed `bson:",inline"`
	}
	c := db.Collection(NoticeBoard)
	err := revision.Retry(ctx, func() error {
		now := board{ID: "board"}
		err := c.FindOne(ctx, bson.D{{Key: "_id", Value: now.ID}}).Decode(&now)
		if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
			return AsFault(err)
		}
		now.Rev++
		now.AddEvents(time.Now(), events)
		err = Save(ctx, c, now.ID, now.Rev, now)
		if IsDuplicate(err, "") {
			return revision.ErrConflict // another was the first
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("post events: %w", err)
	}
	return nil
}
