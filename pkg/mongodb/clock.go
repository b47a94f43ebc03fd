package mongodb

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/bson"
)

// Now returns the time of the primary's machine, which all replicas of a service
// share. It implements clock.Source.
func (db *DB) Now(ctx context.Context) (time.Time, error) {
	var hello struct {
		LocalTime time.Time `bson:"localTime"`
	}
	if err := db.db.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return time.Time{}, fmt.Errorf("ask MongoDB for its time: %w", AsFault(err))
	}
	if hello.LocalTime.IsZero() {
		return time.Time{}, fmt.Errorf("ask MongoDB for its time: hello has no localTime")
	}
	return hello.LocalTime, nil
}
