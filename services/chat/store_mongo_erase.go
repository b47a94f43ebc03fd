package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/revision"
)

const (
	// erasureRooms bounds the rooms of one call of Erase in which it finds
	// nothing to remove.
	erasureRooms = 20
	// erasureScan is how many messages are looked at for each that may be
	// removed: most may be tombstones already.
	erasureScan = 10
	// erasureAge is how long a walk that was cut off can be continued. An older
	// one begins again: the user may have written in rooms that it has passed.
	erasureAge = 10 * time.Minute
)

// erasureDoc is how far an erasure has walked through the rooms of a user, so
// that one that was cut off is continued. It is deleted at the end.
type erasureDoc struct {
	UserID   string    `bson:"_id"`
	Rev      int64     `bson:"rev"`
	RoomID   string    `bson:"room_id"`   // that was walked through, or is, if Inside
	Inside   bool      `bson:"inside"`    // not to the end
	ClientID string    `bson:"client_id"` // the last that was looked at, if Inside
	Removed  bool      `bson:"removed"`   // this walk removed something
	At       time.Time `bson:"at"`
}

// Erase walks through all rooms in which the user has written, in the order of
// client ids, and again and again until a whole walk finds nothing to remove:
// so a message that came meanwhile is found, too. Each removal and its event are
// one write, as ever; e.Events come before, on the notice board.
func (s *mongoStore) Erase(ctx context.Context, e Erasure) (Erased, error) {
	walk, err := s.openErasure(ctx, e)
	if err != nil {
		return Erased{}, err
	}
	rev := walk.Rev
	found, ended, err := s.nextWritten(ctx, &walk, e.Limit)
	if err != nil {
		return Erased{}, err
	}
	if ended && !walk.Removed {
		done, err := s.endErasure(ctx, walk)
		if err != nil || done {
			return Erased{Done: done}, err
		}
		walk.Removed = true // there were read positions: look again
	}
	if len(e.Events) > 0 {
		if err := s.Post(ctx, e.Events); err != nil {
			return Erased{}, err
		}
	}
	done, err := s.bury(ctx, e, found)
	if err != nil {
		return Erased{}, fmt.Errorf("erase messages: %w", mongodb.AsFault(err))
	}
	if walk.Removed = walk.Removed || len(done.Removed) > 0; ended {
		walk = erasureDoc{UserID: e.UserID, At: e.At.Time}
	}
	walk.Rev = rev + 1
	err = mongodb.Save(ctx, s.erasures, e.UserID, walk.Rev, walk)
	if err != nil && !errors.Is(err, revision.ErrConflict) && !mongodb.IsDuplicate(err, "") { // another erasure goes on
		return Erased{}, fmt.Errorf("save erasure: %w", err)
	}
	return done, nil
}

// openErasure reads how far the walk has come; Rev 0: it has not begun.
func (s *mongoStore) openErasure(ctx context.Context, e Erasure) (walk erasureDoc, err error) {
	err = s.erasures.FindOne(ctx, bson.D{{Key: "_id", Value: e.UserID}}).Decode(&walk)
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		return walk, fmt.Errorf("read erasure: %w", mongodb.AsFault(err))
	}
	if e.At.Sub(walk.At).Abs() > erasureAge {
		walk = erasureDoc{Rev: walk.Rev}
	}
	walk.UserID, walk.At = e.UserID, e.At.Time
	return walk, nil
}

// nextWritten moves the walk on to the next messages that are not removed, at
// most limit. It ended when there is no further room.
func (s *mongoStore) nextWritten(ctx context.Context, walk *erasureDoc, limit int) (found []Record, ended bool, err error) {
	for range erasureRooms {
		if !walk.Inside {
			rooms, err := s.writers.rooms(ctx, walk.UserID, walk.RoomID, 1)
			if err != nil || len(rooms) == 0 {
				return nil, err == nil, err
			}
			walk.RoomID, walk.Inside, walk.ClientID = rooms[0], true, ""
		}
		looked := 0
		err = s.find(ctx, writtenAfter(walk.RoomID, walk.UserID, walk.ClientID), byClientID(erasureScan*limit), func(r Record) bool {
			looked++
			walk.ClientID = r.ClientID
			if r.RemovedAt == nil {
				found = append(found, r)
			}
			return len(found) < limit
		})
		if err != nil {
			return nil, false, err
		}
		walk.Inside = looked == erasureScan*limit || len(found) == limit
		if len(found) > 0 {
			break
		}
	}
	return found, false, nil
}

// endErasure forgets how far the user has read, and that there was a walk. It
// is not done if there was something to forget.
func (s *mongoStore) endErasure(ctx context.Context, walk erasureDoc) (done bool, err error) {
	gone, err := s.reads.DeleteMany(ctx, ofUser(walk.UserID, ""))
	if err == nil && gone.DeletedCount == 0 {
		done = true
		if walk.Rev > 0 {
			_, err = s.erasures.DeleteOne(ctx, bson.D{{Key: "_id", Value: walk.UserID}, {Key: "rev", Value: walk.Rev}})
		}
	}
	if err != nil {
		return false, fmt.Errorf("forget read positions: %w", mongodb.AsFault(err))
	}
	return done, nil
}

// bury removes those that are not removed yet.
func (s *mongoStore) bury(ctx context.Context, e Erasure, found []Record) (done Erased, err error) {
	var writes []mongo.WriteModel
	for _, m := range found {
		r, err := e.removal(Place{RoomID: m.RoomID, Seq: m.Seq})
		if err != nil {
			return Erased{}, err
		}
		filter, update := tombstone(r)
		writes = append(writes, mongo.NewUpdateOneModel().SetFilter(filter).SetUpdate(update))
		done.Removed = append(done.Removed, r.Place)
	}
	if len(writes) > 0 {
		_, err = s.messages.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
	}
	return done, err
}
