package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"golang.org/x/sync/errgroup"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/schema"
)

// The unique indexes, both possible under the shard key {room_id}. The second
// descends, so that the newest of each of many rooms are found by a
// DISTINCT_SCAN: https://www.mongodb.com/docs/manual/reference/operator/aggregation/group/#optimization-to-return-the-first-or-last-document-of-each-group
const (
	indexClientID = "room_sender_client"
	indexSeq      = "room_seq"
)

func mongoSchema() mongodb.Schema {
	unique := func(name string, keys bson.D) mongo.IndexModel {
		return mongo.IndexModel{Keys: keys, Options: options.Index().SetName(name).SetUnique(true)}
	}
	steps := []mongodb.Step{
		{Name: "collections"},
		{Name: "who has written in which room", Run: carryWriters, Breaks: true}, // older programs note nobody
		{Name: "no hashes of what was removed", Run: clearHashes, Breaks: true},  // older programs would refuse retries
	}
	return mongodb.Schema{Steps: steps, Indexes: map[string][]mongo.IndexModel{
		"messages": {
			unique(indexClientID, bson.D{{Key: "room_id", Value: 1}, {Key: "sender_id", Value: 1}, {Key: "client_id", Value: 1}}),
			unique(indexSeq, bson.D{{Key: "room_id", Value: 1}, {Key: "seq", Value: -1}}),
			mongodb.OutboxIndex(),
		},
		mongodb.NoticeBoard: {mongodb.OutboxIndex()},
	}}
}

// mongoStore is a Store for many machines. All of it is written with
// w:majority, j:true and read with readConcern majority from the primary.
type mongoStore struct {
	db       *mongodb.DB
	messages *mongo.Collection
	reads    *mongo.Collection
	expired  *mongo.Collection
	erasures *mongo.Collection
	writers  *writers
	own      *ownReads
	*mongodb.Outbox
}

// openMongo connects and makes the indexes that are missing.
func openMongo(ctx context.Context, uri string) (*mongoStore, error) {
	db, err := mongodb.Connect(ctx, uri, "chat")
	if err != nil {
		return nil, fmt.Errorf("open chat store: %w", err)
	}
	if err := db.Migrate(ctx, mongoSchema()); err != nil {
		return nil, errors.Join(fmt.Errorf("open chat store: %w", err), db.Close(ctx))
	}
	s := &mongoStore{
		db:       db,
		messages: db.Collection("messages"),
		reads:    db.Collection("read_positions"),
		expired:  db.Collection("expired"),
		erasures: db.Collection("erasures"),
		writers:  newWriters(db),
		Outbox:   db.Outbox("messages", mongodb.NoticeBoard),
	}
	s.own = startOwnReads(s.writeReads)
	return s, nil
}

func (s *mongoStore) Schema(ctx context.Context) (schema.State, error) { return s.db.Schema(ctx) }

// Now implements clock.Source.
func (s *mongoStore) Now(ctx context.Context) (time.Time, error) { return s.db.Now(ctx) }

func (s *mongoStore) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

// Post implements Store.
func (s *mongoStore) Post(ctx context.Context, events []contract.Event) error {
	return s.db.Post(ctx, events)
}

// Close writes the read positions that are still to be written, and
// disconnects.
func (s *mongoStore) Close() error {
	s.own.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return s.db.Close(ctx)
}

// Append is one ordered insert, after senders that are new in a room are noted.
// The senders' read positions follow outside of it (see ownReads).
func (s *mongoStore) Append(ctx context.Context, records []Record) (stored int, err error) {
	if err := s.writers.note(ctx, records); err != nil {
		return 0, err
	}
	docs := make([]any, len(records))
	for i, r := range records {
		docs[i] = messageDoc{
			ID: r.ID, Rev: 1, RoomID: r.RoomID, Seq: r.Seq, SenderID: r.SenderID, ClientID: r.ClientID,
			Type: string(r.Type), Text: r.Content.Text, Hash: r.Hash[:], SentAt: r.SentAt.Time,
		}
	}
	stored = len(records)
	_, err = s.messages.InsertMany(ctx, docs, options.InsertMany().SetOrdered(true))
	if err != nil {
		stored, err = s.judge(ctx, records, err)
	}
	for _, r := range records[:stored] {
		s.own.sent(r.SenderID, r.RoomID, r.Seq)
	}
	return stored, err
}

// judge tells a collision, after which it is known what is stored, from an
// error after which it is not. With a write concern error even documents
// before a failed one may be rolled back.
func (s *mongoStore) judge(ctx context.Context, records []Record, err error) (stored int, _ error) {
	var bulk mongo.BulkWriteException
	if !errors.As(err, &bulk) || bulk.WriteConcernError != nil || len(bulk.WriteErrors) != 1 || !mongodb.IsDuplicate(err, "") {
		return 0, fmt.Errorf("append messages: %w", mongodb.AsFault(err))
	}
	stored = bulk.WriteErrors[0].Index
	bySeq, byClientID := mongodb.IsDuplicate(err, indexSeq), mongodb.IsDuplicate(err, indexClientID)
	if bySeq && byClientID { // a server that does not name the index
		key := records[stored].Key()
		found, err := s.ByClientID(ctx, []Key{key})
		if err != nil {
			return 0, err
		}
		_, byClientID = found[key]
	}
	if bySeq && !byClientID {
		return stored, ErrSeqTaken
	}
	return stored, ErrClientIDTaken // or our own _id, from an attempt that was not confirmed
}

func (s *mongoStore) Tails(ctx context.Context, roomIDs []string) (map[string]int64, error) {
	last, err := s.last(ctx, roomIDs)
	if err != nil {
		return nil, err
	}
	tails := make(map[string]int64, len(last))
	for _, d := range last {
		tails[d.RoomID] = d.Seq
	}
	return tails, nil
}

// fewRooms are asked one by one, some at a time: the cheapest reads there
// are. More are asked for together.
const fewRooms = 16

// last finds the last message of each room that has one.
func (s *mongoStore) last(ctx context.Context, roomIDs []string) ([]lastDoc, error) {
	each := s.lastOfFew
	if len(roomIDs) > fewRooms {
		each = s.lastOfMany
	}
	found, err := each(ctx, roomIDs)
	if err != nil {
		return nil, fmt.Errorf("read last messages: %w", mongodb.AsFault(err))
	}
	return slices.DeleteFunc(found, func(d lastDoc) bool { return d.Seq == 0 }), nil
}

func (s *mongoStore) lastOfFew(ctx context.Context, roomIDs []string) ([]lastDoc, error) {
	newest := options.FindOne().SetSort(bson.D{{Key: "seq", Value: -1}})
	found := make([]lastDoc, len(roomIDs)) // Seq 0: no messages
	group, ctx := errgroup.WithContext(ctx)
	for i, room := range roomIDs {
		// Owned and awaited below, stopped by ctx, at most fewRooms.
		group.Go(func() error {
			err := s.messages.FindOne(ctx, inRoom(room), newest).Decode(&found[i])
			if errors.Is(err, mongo.ErrNoDocuments) {
				return nil
			}
			return err
		})
	}
	return found, group.Wait()
}

// lastPipeline is answered by a DISTINCT_SCAN of indexSeq: one step a room,
// however long the rooms are.
func lastPipeline(roomIDs []string) mongo.Pipeline {
	first := func(field string) bson.E {
		return bson.E{Key: field, Value: bson.D{{Key: "$first", Value: "$" + field}}}
	}
	return mongo.Pipeline{
		{{Key: "$match", Value: bson.D{{Key: "room_id", Value: bson.D{{Key: "$in", Value: roomIDs}}}}}},
		{{Key: "$sort", Value: bson.D{{Key: "room_id", Value: 1}, {Key: "seq", Value: -1}}}},
		{{Key: "$group", Value: bson.D{{Key: "_id", Value: "$room_id"}, first("room_id"), first("seq"), first("sender_id"), first("sent_at")}}},
	}
}

func (s *mongoStore) lastOfMany(ctx context.Context, roomIDs []string) (found []lastDoc, err error) {
	cur, err := s.messages.Aggregate(ctx, lastPipeline(roomIDs))
	if err != nil {
		return nil, err
	}
	err = cur.All(ctx, &found)
	return found, err
}

func (s *mongoStore) ByClientID(ctx context.Context, keys []Key) (map[Key]Record, error) {
	filters := make(bson.A, len(keys))
	for i, k := range keys {
		filters[i] = append(inRoom(k.RoomID), bson.E{Key: "sender_id", Value: k.SenderID}, bson.E{Key: "client_id", Value: k.ClientID})
	}
	found := make(map[Key]Record, len(keys))
	err := s.findAny(ctx, filters, func(r Record) { found[r.Key()] = r })
	return found, err
}

func (s *mongoStore) Page(ctx context.Context, r Range) ([]Record, error) {
	order := 1
	if r.Newest {
		order = -1
	}
	filter := append(inRoom(r.RoomID), bson.E{Key: "seq", Value: bson.D{{Key: "$gte", Value: r.From}, {Key: "$lte", Value: r.To}}})
	p := page{left: r.Bytes}
	err := s.find(ctx, filter, options.Find().SetSort(bson.D{{Key: "seq", Value: order}}).SetLimit(int64(r.Limit)), p.take)
	return p.records, err
}

func (s *mongoStore) Messages(ctx context.Context, at []Place) (map[string]Record, error) {
	filters := make(bson.A, len(at))
	for i, p := range at {
		filters[i] = atPlace(p)
	}
	found := make(map[string]Record, len(at))
	err := s.findAny(ctx, filters, func(r Record) { found[r.RoomID] = r })
	return found, err
}

// Remove writes a message a second time, and only once: it had no events
// before.
func (s *mongoStore) Remove(ctx context.Context, r Removal) (bool, error) {
	filter, update := tombstone(r)
	done, err := s.messages.UpdateOne(ctx, filter, update)
	if err != nil {
		return false, fmt.Errorf("remove message: %w", mongodb.AsFault(err))
	}
	return done.MatchedCount > 0, nil
}

// tombstone is the update of a message that has not been removed yet.
func tombstone(r Removal) (filter, update bson.D) {
	var out mongodb.Outboxed
	out.AddEvents(r.At.Time, r.Events)
	set := bson.D{
		{Key: "rev", Value: int64(2)},
		{Key: "type", Value: string(contract.MessageRemoved)},
		{Key: "text", Value: ""},
		{Key: "hash", Value: []byte{}},
		{Key: "removed_at", Value: r.At.Time},
		{Key: "removed_by", Value: r.By},
	}
	if len(out.Outbox) > 0 {
		set = append(set, bson.E{Key: "outbox", Value: out.Outbox}, bson.E{Key: "outbox_at", Value: out.OutboxAt})
	}
	return append(atPlace(r.Place), bson.E{Key: "rev", Value: int64(1)}), bson.D{{Key: "$set", Value: set}}
}

// clearHashes is the schema step that takes the hashes out of tombstones.
func clearHashes(ctx context.Context, db *mongodb.DB) error {
	removed := bson.D{{Key: "type", Value: string(contract.MessageRemoved)}}
	_, err := db.Collection("messages").UpdateMany(ctx, removed, bson.D{{Key: "$set", Value: bson.D{{Key: "hash", Value: []byte{}}}}})
	return err
}

// findAny hands each message that one of the filters finds to take.
func (s *mongoStore) findAny(ctx context.Context, filters bson.A, take func(Record)) error {
	if len(filters) == 0 {
		return nil
	}
	each := func(r Record) bool { take(r); return true }
	return s.find(ctx, bson.D{{Key: "$or", Value: filters}}, options.Find(), each)
}

// find hands each message to take, until it returns false.
func (s *mongoStore) find(ctx context.Context, filter bson.D, o *options.FindOptions, take func(Record) bool) error {
	cur, err := s.messages.Find(ctx, filter, o)
	if err != nil {
		return fmt.Errorf("find messages: %w", mongodb.AsFault(err))
	}
	defer cur.Close(ctx)
	for cur.Next(ctx) {
		var d messageDoc
		if err := cur.Decode(&d); err != nil {
			return fmt.Errorf("decode message: %w: %w", ErrUnreadable, err)
		}
		if !take(d.record()) {
			return nil
		}
	}
	if err := cur.Err(); err != nil {
		return fmt.Errorf("find messages: %w", mongodb.AsFault(err))
	}
	return nil
}

func inRoom(roomID string) bson.D { return bson.D{{Key: "room_id", Value: roomID}} }

func atPlace(p Place) bson.D { return append(inRoom(p.RoomID), bson.E{Key: "seq", Value: p.Seq}) }
