package chat

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/mongodb"
)

// writers is the collection that says who has written in which room: one
// document for each pair, under "<user>.<room>". It is stored by a majority
// before the pair's first message is inserted, and is never deleted: so an
// export and an erasure find every room in which a user may have a message,
// whichever process died at whichever moment.
type writers struct {
	docs *mongo.Collection

	mu    sync.Mutex
	known knownReads // pairs that are stored, at seq 1
}

// writersKnown bounds the pairs that are remembered, about 150 bytes each. Of
// others the next message costs a write.
const writersKnown = 100_000

// writersPart bounds the pairs of one write.
const writersPart = 1000

func newWriters(db *mongodb.DB) *writers {
	return &writers{docs: db.Collection("writers"), known: knownReads{limit: writersKnown}}
}

// writerDoc says that a user has written in a room, or was about to.
type writerDoc struct {
	ID string `bson:"_id"`
}

// note stores the senders of the records that are not known to be stored. It
// asks nothing when all are known.
func (w *writers) note(ctx context.Context, records []Record) error {
	fresh := w.unknown(records)
	for len(fresh) > 0 {
		part := fresh[:min(len(fresh), writersPart)]
		if err := w.store(ctx, part); err != nil {
			return fmt.Errorf("note writers: %w", mongodb.AsFault(err))
		}
		w.remember(part)
		fresh = fresh[len(part):]
	}
	return nil
}

func (w *writers) unknown(records []Record) (fresh []readKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var seen map[readKey]bool
	for i := range records {
		key := readKey{userID: records[i].SenderID, roomID: records[i].RoomID}
		if w.known.reached(key) > 0 || seen[key] {
			continue
		}
		if seen == nil {
			seen = make(map[readKey]bool)
		}
		seen[key] = true
		fresh = append(fresh, key)
	}
	return fresh
}

func (w *writers) remember(pairs []readKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range pairs {
		w.known.note(key, 1)
	}
}

// store is an upsert, which waits for the majority also where the document is
// there already. Of two that insert the same pair at once one may be refused:
// the second attempt finds what the other has stored.
func (w *writers) store(ctx context.Context, pairs []readKey) error {
	writes := make([]mongo.WriteModel, len(pairs))
	for i, p := range pairs {
		writes[i] = mongo.NewUpdateOneModel().
			SetFilter(bson.D{{Key: "_id", Value: readID(p.userID, p.roomID)}}).
			SetUpdate(bson.D{{Key: "$setOnInsert", Value: bson.D{{Key: "room_id", Value: p.roomID}}}}).
			SetUpsert(true)
	}
	_, err := w.docs.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
	if mongodb.IsDuplicate(err, "") {
		_, err = w.docs.BulkWrite(ctx, writes, options.BulkWrite().SetOrdered(false))
	}
	return err
}

// rooms returns rooms in which the user may have written, after one, in the
// order of their ids.
func (w *writers) rooms(ctx context.Context, userID, after string, limit int) ([]string, error) {
	var docs []writerDoc
	err := mongodb.Find(ctx, w.docs, ofUser(userID, after), &docs, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(int64(limit)))
	if err != nil {
		return nil, fmt.Errorf("read writers: %w", err)
	}
	rooms := make([]string, len(docs))
	for i, d := range docs {
		rooms[i] = roomOfID(userID, d.ID)
	}
	return rooms, nil
}

// ofUser finds what is stored under "<user>.<room>", for rooms after one. It
// walks the primary key: of the characters of an id only "-" sorts before the
// dot behind a user's, and "/" comes right after it.
func ofUser(userID, after string) bson.D {
	return bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: readID(userID, after)}, {Key: "$lt", Value: userID + "/"}}}}
}

func roomOfID(userID, id string) string { return strings.TrimPrefix(id, readID(userID, "")) }

// carryWriters is the schema step that notes who has written before writers
// were noted, room by room.
func carryWriters(ctx context.Context, db *mongodb.DB) error {
	s := &mongoStore{messages: db.Collection("messages")}
	w := newWriters(db)
	for after := ""; ; {
		rooms, err := s.Rooms(ctx, after, expiryRooms)
		if err != nil || len(rooms) == 0 {
			return err
		}
		for _, room := range rooms {
			senders, err := s.messages.Distinct(ctx, "sender_id", inRoom(room))
			if err != nil {
				return fmt.Errorf("read senders: %w", err)
			}
			records := make([]Record, len(senders))
			for i, sender := range senders {
				records[i].SenderID, _ = sender.(string)
				records[i].RoomID = room
			}
			if err := w.note(ctx, records); err != nil {
				return err
			}
		}
		after = rooms[len(rooms)-1]
	}
}
