package chat

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/mongodb"
)

// Positions implements Store. A room in which the user has written is among
// them also if the write of the position was lost.
func (s *mongoStore) Positions(ctx context.Context, userID, after string, limit int) ([]Position, error) {
	var docs []readDoc
	byID := options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(int64(limit))
	if err := mongodb.Find(ctx, s.reads, ofUser(userID, after), &docs, byID); err != nil {
		return nil, fmt.Errorf("read positions: %w", err)
	}
	rooms, err := s.writers.rooms(ctx, userID, after, limit)
	if err != nil {
		return nil, err
	}
	list := make([]Position, 0, len(docs)+len(rooms))
	for _, d := range docs {
		list = append(list, Position{UserID: userID, RoomID: roomOfID(userID, d.ID), Seq: d.Seq})
	}
	for _, room := range rooms {
		list = append(list, Position{UserID: userID, RoomID: room})
	}
	slices.SortStableFunc(list, func(a, b Position) int { return strings.Compare(a.RoomID, b.RoomID) })
	list = slices.CompactFunc(list, func(a, b Position) bool { return a.RoomID == b.RoomID }) // the first has the seq
	return list[:min(limit, len(list))], nil
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
