package chat

import (
	"context"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/mongodb"
)

// Positions implements Store.
func (s *mongoStore) Positions(ctx context.Context, userID, after string, limit int) ([]Position, error) {
	docs, err := s.readDocs(ctx, userID, after, limit)
	list := make([]Position, len(docs))
	for i, d := range docs {
		list[i] = d.position(userID)
	}
	return list, err
}

func (d readDoc) position(userID string) Position {
	return Position{UserID: userID, RoomID: strings.TrimPrefix(d.ID, readID(userID, "")), Seq: d.Seq}
}

// readDocs walks the primary key: of the characters of an id only "-" sorts
// before the dot behind a user's, and "/" comes right after it.
func (s *mongoStore) readDocs(ctx context.Context, userID, after string, limit int) ([]readDoc, error) {
	filter := bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: readID(userID, after)}, {Key: "$lt", Value: userID + "/"}}}}
	var docs []readDoc
	err := mongodb.Find(ctx, s.reads, filter, &docs, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(int64(limit)))
	if err != nil {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	return docs, nil
}

// Written walks indexClientID; the cursor is the last client_id.
func (s *mongoStore) Written(ctx context.Context, w Written) (records []Record, next string, err error) {
	p, full := page{left: w.Bytes}, false
	err = s.find(ctx, writtenAfter(w.RoomID, w.UserID, w.Cursor), byClientID(w.Limit), func(r Record) bool {
		if !p.take(r) {
			full = true
			return false
		}
		return true
	})
	if err != nil {
		return nil, "", err
	}
	if full || len(p.records) == w.Limit {
		next = p.records[len(p.records)-1].ClientID
	}
	return p.records, next, nil
}

func writtenAfter(roomID, userID, clientID string) bson.D {
	return append(inRoom(roomID), bson.E{Key: "sender_id", Value: userID}, bson.E{Key: "client_id", Value: bson.D{{Key: "$gt", Value: clientID}}})
}

func byClientID(limit int) *options.FindOptions {
	return options.Find().SetSort(bson.D{{Key: "client_id", Value: 1}}).SetLimit(int64(limit))
}

// Erase goes along what the user wrote in a room, and notes in the read
// position how far it has come, so that an erasure that was cut off goes on
// where it was. The position goes when nothing is left. Each removal and the event that
// tells it are one write, as ever; e.Events come before, on the notice board.
func (s *mongoStore) Erase(ctx context.Context, e Erasure) (Erased, error) {
	docs, err := s.readDocs(ctx, e.UserID, "", 1)
	if err != nil || len(docs) == 0 {
		return Erased{Done: err == nil}, err
	}
	at, roomID := docs[0], docs[0].position(e.UserID).RoomID
	var found []Record
	err = s.find(ctx, writtenAfter(roomID, e.UserID, at.Erased), byClientID(e.Limit), func(r Record) bool {
		found = append(found, r)
		return true
	})
	if err != nil {
		return Erased{}, err
	}
	if len(e.Events) > 0 {
		if err := s.Post(ctx, e.Events); err != nil {
			return Erased{}, err
		}
	}
	done, err := s.bury(ctx, e, found)
	if err == nil && len(found) == e.Limit {
		_, err = s.reads.UpdateOne(ctx, bson.D{{Key: "_id", Value: at.ID}}, bson.D{{Key: "$set", Value: bson.D{{Key: "erased", Value: found[e.Limit-1].ClientID}}}})
	} else if err == nil {
		err = s.forgetRead(ctx, at)
	}
	if err != nil {
		return Erased{}, fmt.Errorf("erase messages: %w", mongodb.AsFault(err))
	}
	return done, nil
}

// bury removes those that are not removed yet.
func (s *mongoStore) bury(ctx context.Context, e Erasure, found []Record) (done Erased, err error) {
	var writes []mongo.WriteModel
	for _, m := range found {
		if m.RemovedAt != nil {
			continue
		}
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

// forgetRead begins anew with a room whose position has moved meanwhile: a
// message may have come behind those that were looked at.
func (s *mongoStore) forgetRead(ctx context.Context, at readDoc) error {
	gone, err := s.reads.DeleteOne(ctx, bson.D{{Key: "_id", Value: at.ID}, {Key: "seq", Value: at.Seq}})
	if err != nil || gone.DeletedCount > 0 {
		return err
	}
	_, err = s.reads.UpdateOne(ctx, bson.D{{Key: "_id", Value: at.ID}}, bson.D{{Key: "$unset", Value: bson.D{{Key: "erased", Value: ""}}}})
	return err
}
