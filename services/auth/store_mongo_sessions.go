package auth

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/revision"
)

// sessionDoc is a session.
type sessionDoc struct {
	ID               string `bson:"_id"`
	Rev              int64  `bson:"rev"`
	mongodb.Outboxed `bson:",inline"`
	UserID           string    `bson:"user_id"`
	DeviceName       string    `bson:"device_name"`
	Epoch            int64     `bson:"epoch"`
	Family           []byte    `bson:"family"`
	Current          []byte    `bson:"current"`
	Previous         []byte    `bson:"previous"`
	RotatedAt        time.Time `bson:"rotated_at"`
	CreatedAt        time.Time `bson:"created_at"`
	LastUsedAt       time.Time `bson:"last_used_at"`
	EndedAt          time.Time `bson:"ended_at"` // alive while it lives
	Reason           string    `bson:"reason"`
}

// alive stands where a session has not ended: a time before all ends.
var alive = time.UnixMilli(0).UTC()

func (s *mongoStore) Session(ctx context.Context, id string) (*Session, error) {
	return first(s.findSessions(ctx, bson.D{{Key: "_id", Value: id}}))
}

func (s *mongoStore) OpenSessions(ctx context.Context, userID string) ([]Session, error) {
	return s.findSessions(ctx, bson.D{{Key: "user_id", Value: userID}, {Key: "ended_at", Value: alive}})
}

func (s *mongoStore) Sessions(ctx context.Context, userID, after string, limit int) ([]Session, error) {
	return s.findSessions(ctx, bson.D{{Key: "user_id", Value: userID}, {Key: "_id", Value: bson.D{{Key: "$gt", Value: after}}}},
		options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(int64(limit)))
}

func (s *mongoStore) Ended(ctx context.Context, after EndedPlace, limit int) ([]Session, error) {
	at := time.UnixMilli(max(1, after.At.UnixMilli()))
	return s.findSessions(ctx,
		bson.D{
			{Key: "ended_at", Value: bson.D{{Key: "$gte", Value: at}}}, // the bound of the index
			{Key: "$or", Value: bson.A{
				bson.D{{Key: "ended_at", Value: bson.D{{Key: "$gt", Value: at}}}},
				bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: after.ID}}}},
			}},
		},
		options.Find().SetSort(bson.D{{Key: "ended_at", Value: 1}, {Key: "_id", Value: 1}}).SetLimit(int64(limit)))
}

func (s *mongoStore) findSessions(ctx context.Context, filter bson.D, o ...*options.FindOptions) ([]Session, error) {
	var docs []sessionDoc
	if err := mongodb.Find(ctx, s.sessions, filter, &docs, o...); err != nil {
		return nil, fmt.Errorf("read sessions: %w", err)
	}
	list := make([]Session, len(docs))
	for i, d := range docs {
		v := Session{
			ID: d.ID, UserID: d.UserID, DeviceName: d.DeviceName, Epoch: d.Epoch,
			RotatedAt: contract.NewTime(d.RotatedAt), CreatedAt: contract.NewTime(d.CreatedAt),
			LastUsedAt: contract.NewTime(d.LastUsedAt), Reason: d.Reason, Rev: d.Rev,
		}
		copy(v.Family[:], d.Family)
		copy(v.Current[:], d.Current)
		copy(v.Previous[:], d.Previous)
		if d.EndedAt.After(alive) {
			v.EndedAt = contract.NewTime(d.EndedAt)
		}
		list[i] = v
	}
	return list, nil
}

func (s *mongoStore) SaveSession(ctx context.Context, v Session, events []contract.Event) error {
	doc := sessionDoc{
		ID: v.ID, Rev: v.Rev, UserID: v.UserID, DeviceName: v.DeviceName, Epoch: v.Epoch,
		Family: v.Family[:], Current: v.Current[:], Previous: v.Previous[:],
		RotatedAt: v.RotatedAt.Time, CreatedAt: v.CreatedAt.Time, LastUsedAt: v.LastUsedAt.Time,
		EndedAt: alive, Reason: v.Reason,
	}
	if !v.EndedAt.IsZero() {
		doc.EndedAt = v.EndedAt.Time
	}
	doc.AddEvents(time.Now(), events)
	err := mongodb.Save(ctx, s.sessions, v.ID, v.Rev, doc)
	if mongodb.IsDuplicate(err, "") {
		err = revision.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("save session: %w", err)
	}
	return nil
}

func (s *mongoStore) RemoveSessions(ctx context.Context, ended, used contract.Time, limit int) (int, error) {
	var removed int
	for _, old := range []bson.D{
		{{Key: "ended_at", Value: bson.D{{Key: "$gt", Value: alive}, {Key: "$lt", Value: ended.Time}}}},
		{{Key: "last_used_at", Value: bson.D{{Key: "$lt", Value: used.Time}}}},
	} {
		n, err := s.removeSessions(ctx, old, limit-removed)
		removed += n
		if err != nil || removed >= limit {
			return removed, err
		}
	}
	return removed, nil
}

// removeSessions removes those that the filter finds, each at the revision
// at which no event waited in it.
func (s *mongoStore) removeSessions(ctx context.Context, old bson.D, limit int) (int, error) {
	var docs []sessionDoc
	old = append(old, bson.E{Key: "outbox_at", Value: bson.D{{Key: "$exists", Value: false}}})
	if err := mongodb.Find(ctx, s.sessions, old, &docs, options.Find().SetLimit(int64(limit))); err != nil {
		return 0, fmt.Errorf("find old sessions: %w", err)
	}
	if len(docs) == 0 {
		return 0, nil
	}
	writes := make([]mongo.WriteModel, len(docs))
	for i, d := range docs {
		writes[i] = mongo.NewDeleteOneModel().SetFilter(bson.D{{Key: "_id", Value: d.ID}, {Key: "rev", Value: d.Rev}})
	}
	result, err := s.sessions.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
	if err != nil {
		return 0, fmt.Errorf("remove old sessions: %w", mongodb.AsFault(err))
	}
	return int(result.DeletedCount), nil
}
