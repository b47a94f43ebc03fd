package chat

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/clock"
	"github.com/parley-im/parley/pkg/mongodb"
)

// expiredDoc notes how far a room has expired.
type expiredDoc struct {
	RoomID string `bson:"_id"`
	Seq    int64  `bson:"seq"`
}

// Rooms takes one step along indexSeq a room, however long they are.
func (s *mongoStore) Rooms(ctx context.Context, after string, limit int) (rooms []string, err error) {
	next := options.FindOne().SetSort(bson.D{{Key: "room_id", Value: 1}, {Key: "seq", Value: -1}}).SetProjection(bson.D{{Key: "room_id", Value: 1}})
	for len(rooms) < limit {
		var d lastDoc
		err := s.messages.FindOne(ctx, bson.D{{Key: "room_id", Value: bson.D{{Key: "$gt", Value: after}}}}, next).Decode(&d)
		if errors.Is(err, mongo.ErrNoDocuments) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read rooms: %w", mongodb.AsFault(err))
		}
		after = d.RoomID
		rooms = append(rooms, after)
	}
	return rooms, nil
}

// Expire removes all of a part but its last message, and that one together
// with the event: whoever dies in between leaves one that brings the next here.
func (s *mongoStore) Expire(ctx context.Context, e Expiry) (done Expired, err error) {
	found, more, err := s.oldest(ctx, e)
	if err != nil || len(found) == 0 {
		return Expired{}, err
	}
	done.More = more
	var last *Record // that is not removed
	for i := range found {
		if found[i].RemovedAt == nil {
			last = &found[i]
		}
	}
	if last != nil {
		done.Removed, err = s.expire(ctx, e, found[0].Seq, last.Seq)
	}
	if err == nil {
		through := bson.D{{Key: "$max", Value: bson.D{{Key: "seq", Value: found[len(found)-1].Seq}}}}
		_, err = s.expired.UpdateOne(ctx, bson.D{{Key: "_id", Value: e.RoomID}}, through, options.Update().SetUpsert(true))
	}
	if err != nil {
		return Expired{}, fmt.Errorf("expire messages: %w", mongodb.AsFault(err))
	}
	return done, nil
}

// oldest are messages of age, behind those that have expired, and whether there
// may be more.
func (s *mongoStore) oldest(ctx context.Context, e Expiry) (found []Record, more bool, err error) {
	old := 0
	var mark expiredDoc
	err = s.expired.FindOne(ctx, bson.D{{Key: "_id", Value: e.RoomID}}).Decode(&mark)
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return nil, false, fmt.Errorf("read what has expired: %w", mongodb.AsFault(err))
	}
	filter := append(inRoom(e.RoomID), bson.E{Key: "seq", Value: bson.D{{Key: "$gt", Value: mark.Seq}}})
	err = s.find(ctx, filter, options.Find().SetSort(bson.D{{Key: "seq", Value: 1}}).SetLimit(int64(e.Limit)), func(r Record) bool {
		believed := clock.Believable(r.SentAt.Time, e.At.Time)
		if believed && !r.SentAt.Before(e.Before.Time) {
			return false
		}
		found = append(found, r)
		if believed {
			old = len(found) // and those before it, whatever their clock said
		}
		return true
	})
	more = len(found) == e.Limit
	if err != nil || !more || old > 0 {
		return found[:old], more, err
	}
	// No time of the part can be believed: the next that can tells its age.
	filter = append(inRoom(e.RoomID),
		bson.E{Key: "seq", Value: bson.D{{Key: "$gt", Value: found[len(found)-1].Seq}}},
		bson.E{Key: "sent_at", Value: bson.D{{Key: "$lte", Value: e.At.Add(clock.MaxSkew)}}})
	err = s.find(ctx, filter, options.Find().SetSort(bson.D{{Key: "seq", Value: 1}}).SetLimit(1), func(r Record) bool {
		if r.SentAt.Before(e.Before.Time) {
			old = len(found)
		}
		return false
	})
	return found[:old], more, err
}

func (s *mongoStore) expire(ctx context.Context, e Expiry, first, last int64) (removed int, err error) {
	r, err := e.removal(last)
	if err != nil {
		return 0, err
	}
	_, silent := tombstone(Removal{By: e.By, At: e.At})
	before := append(inRoom(e.RoomID), bson.E{Key: "seq", Value: bson.D{{Key: "$gte", Value: first}, {Key: "$lt", Value: last}}}, bson.E{Key: "rev", Value: int64(1)})
	all, err := s.messages.UpdateMany(ctx, before, silent)
	if err != nil {
		return 0, err
	}
	filter, update := tombstone(r)
	one, err := s.messages.UpdateOne(ctx, filter, update)
	if err != nil {
		return 0, err
	}
	if one.MatchedCount == 0 && all.MatchedCount > 0 { // somebody removed the last meanwhile
		err = s.Post(ctx, r.Events)
	}
	return int(all.MatchedCount + one.MatchedCount), err
}
