package auth

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/bson"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/revision"
)

// keyDoc is the signing key of a generation.
type keyDoc struct {
	Name             string `bson:"_id"` // keyName
	Rev              int64  `bson:"rev"`
	mongodb.Outboxed `bson:",inline"`
	ID               string    `bson:"kid"`
	Sealed           []byte    `bson:"sealed"`
	CreatedAt        time.Time `bson:"created_at"`
	SignsFrom        time.Time `bson:"signs_from,omitempty"`
}

// dateKeys says of a key that was made when there was one only from when on it
// signs: from now, so that its successor is due when all replicas know of such.
func dateKeys(ctx context.Context, db *mongodb.DB) error {
	_, err := db.Collection("signing_keys").UpdateMany(ctx,
		bson.D{{Key: "signs_from", Value: bson.D{{Key: "$exists", Value: false}}}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "signs_from", Value: time.Now()}}}})
	return err
}

func (s *mongoStore) Keys(ctx context.Context) ([]SealedKey, error) {
	var docs []keyDoc
	if err := mongodb.Find(ctx, s.keys, bson.D{}, &docs); err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	var list []SealedKey
	for _, d := range docs {
		if len(d.Sealed) == 0 {
			continue // forgotten; there is one document a month
		}
		generation, err := keyGeneration(d.Name)
		if err != nil {
			return nil, fmt.Errorf("read signing keys: %w", err)
		}
		list = append(list, SealedKey{
			Generation: generation, ID: d.ID, Sealed: d.Sealed, CreatedAt: contract.NewTime(d.CreatedAt), SignsFrom: fromDate(d.SignsFrom),
		})
	}
	return inOrder(list), nil
}

func (s *mongoStore) AddKey(ctx context.Context, k SealedKey, events []contract.Event) error {
	doc := keyDoc{Name: keyName(k.Generation), Rev: 1, ID: k.ID, Sealed: k.Sealed, CreatedAt: k.CreatedAt.Time, SignsFrom: k.SignsFrom.Time}
	doc.AddEvents(time.Now(), events)
	_, err := s.keys.InsertOne(ctx, doc)
	if mongodb.IsDuplicate(err, "") {
		err = revision.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("add signing key: %w", mongodb.AsFault(err))
	}
	return nil
}

// ForgetKey leaves alone what concerns the outbox, and the revision with it.
func (s *mongoStore) ForgetKey(ctx context.Context, generation int64) error {
	_, err := s.keys.UpdateOne(ctx, bson.D{{Key: "_id", Value: keyName(generation)}},
		bson.D{{Key: "$set", Value: bson.D{{Key: "sealed", Value: []byte{}}}}})
	if err != nil {
		return fmt.Errorf("forget signing key: %w", mongodb.AsFault(err))
	}
	return nil
}
