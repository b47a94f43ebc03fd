package chat

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/mongodb"
)

// SetReads is one bulk write. It tells how many positions moved; only when
// some did and some did not are they read, to see which stand further.
func (s *mongoStore) SetReads(ctx context.Context, positions []Position) ([]Position, error) {
	written, n, err := s.moveReads(ctx, positions)
	switch n {
	case 0:
		return nil, err
	case len(written):
		return written, err
	}
	ids := make([]string, len(written))
	for i, p := range written {
		ids[i] = readID(p.UserID, p.RoomID)
	}
	stands, readErr := s.readPositions(ctx, ids)
	if readErr != nil {
		return nil, errors.Join(err, readErr)
	}
	var moved []Position
	for i, p := range written {
		if stands[ids[i]] == p.Seq {
			moved = append(moved, p)
		}
	}
	return moved, err
}

// moveReads returns the positions that were written, all without an error, and
// how many of them moved.
func (s *mongoStore) moveReads(ctx context.Context, positions []Position) (written []Position, moved int, _ error) {
	if len(positions) == 0 {
		return nil, 0, nil
	}
	writes := make([]mongo.WriteModel, len(positions))
	for i, p := range positions {
		writes[i] = moveRead(readID(p.UserID, p.RoomID), p.Seq)
	}
	done, err := s.reads.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
	if err != nil {
		written = writtenBeside(err, positions)
		err = fmt.Errorf("move read positions: %w", mongodb.AsFault(err))
	} else {
		written = positions
	}
	if len(written) > 0 {
		moved = int(done.ModifiedCount + done.UpsertedCount)
	}
	return written, moved, err
}

// writtenBeside returns the positions that an unordered bulk write has written
// although others failed; none, where the error does not say so.
func writtenBeside(err error, positions []Position) (written []Position) {
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil {
		return nil
	}
	failed := make(map[int]bool, len(bulk.WriteErrors))
	for _, e := range bulk.WriteErrors {
		failed[e.Index] = true
	}
	for i, p := range positions {
		if !failed[i] {
			written = append(written, p)
		}
	}
	return written
}

// writeReads moves the read positions of senders.
func (s *mongoStore) writeReads(ctx context.Context, positions map[readKey]int64) error {
	list := make([]Position, 0, len(positions))
	for k, seq := range positions {
		list = append(list, Position{UserID: k.userID, RoomID: k.roomID, Seq: seq})
	}
	_, _, err := s.moveReads(ctx, list)
	return err
}

func moveRead(id string, seq int64) mongo.WriteModel {
	return mongo.NewUpdateOneModel().
		SetFilter(bson.D{{Key: "_id", Value: id}}).
		SetUpdate(bson.D{{Key: "$max", Value: bson.D{{Key: "seq", Value: seq}}}}).
		SetUpsert(true)
}

// readPositions returns those that there are, by their readID.
func (s *mongoStore) readPositions(ctx context.Context, ids []string) (map[string]int64, error) {
	cur, err := s.reads.Find(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}})
	var docs []readDoc
	if err == nil {
		err = cur.All(ctx, &docs)
	}
	if err != nil {
		return nil, fmt.Errorf("read positions: %w", mongodb.AsFault(err))
	}
	read := make(map[string]int64, len(docs))
	for _, d := range docs {
		read[d.ID] = d.Seq
	}
	return read, nil
}
