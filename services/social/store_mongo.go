package social

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/pkg/schema"
)

const indexCreation = "creation"

func index(name string, unique bool, fields ...string) mongo.IndexModel {
	keys := bson.D{}
	for _, field := range fields {
		keys = append(keys, bson.E{Key: field, Value: 1})
	}
	o := options.Index().SetName(name)
	if unique {
		o.SetUnique(true)
	}
	return mongo.IndexModel{Keys: keys, Options: o}
}

func mongoSchema() mongodb.Schema {
	return mongodb.Schema{Steps: []mongodb.Step{{Name: "collections"}}, Indexes: map[string][]mongo.IndexModel{
		"friendships":       {index("a", false, "a", "state", "_id"), index("b", false, "b", "state", "_id"), mongodb.OutboxIndex()},
		"rooms":             {index(indexCreation, true, "creation"), index("member", false, "member_ids"), mongodb.OutboxIndex()},
		mongodb.NoticeBoard: {mongodb.OutboxIndex()},
	}}
}

// friendshipDoc is a friendship.
type friendshipDoc struct {
	ID               string `bson:"_id"`
	Rev              int64  `bson:"rev"`
	mongodb.Outboxed `bson:",inline"`
	A                string    `bson:"a"`
	B                string    `bson:"b"`
	State            string    `bson:"state"`
	Since            time.Time `bson:"since"`
	CreatedAt        time.Time `bson:"created_at"`
}

// roomDoc is a group with its members: their ids in order, the longest-serving
// first, for the index, and what each is under their id, so that a read can
// take only one of them. MemberCount is for such reads.
type roomDoc struct {
	ID               string `bson:"_id"`
	Rev              int64  `bson:"rev"`
	mongodb.Outboxed `bson:",inline"`
	Name             string               `bson:"name"`
	History          string               `bson:"history"`
	CreatedBy        string               `bson:"created_by"`
	ClientID         string               `bson:"client_id"`
	Creation         string               `bson:"creation"`
	CreatedAt        time.Time            `bson:"created_at"`
	Disbanded        bool                 `bson:"disbanded"`
	MemberCount      int                  `bson:"member_count"`
	MemberIDs        []string             `bson:"member_ids"`
	Members          map[string]memberDoc `bson:"members"` // ids have no dots
}

type memberDoc struct {
	Role     string    `bson:"role"`
	FirstSeq int64     `bson:"first_seq"`
	JoinedAt time.Time `bson:"joined_at"`
}

// mongoStore is a Store for many machines.
type mongoStore struct {
	db          *mongodb.DB
	friendships *mongo.Collection
	rooms       *mongo.Collection
	*mongodb.Outbox
}

// openMongo connects and makes the indexes that are missing.
func openMongo(ctx context.Context, uri string) (*mongoStore, error) {
	db, err := mongodb.Connect(ctx, uri, "social")
	if err != nil {
		return nil, fmt.Errorf("open social store: %w", err)
	}
	if err := db.Migrate(ctx, mongoSchema()); err != nil {
		return nil, errors.Join(fmt.Errorf("open social store: %w", err), db.Close(ctx))
	}
	return &mongoStore{
		db:          db,
		friendships: db.Collection("friendships"),
		rooms:       db.Collection("rooms"),
		Outbox:      db.Outbox("friendships", "rooms", mongodb.NoticeBoard),
	}, nil
}

func (s *mongoStore) Schema(ctx context.Context) (schema.State, error) { return s.db.Schema(ctx) }

func (s *mongoStore) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

func (s *mongoStore) Post(ctx context.Context, events []contract.Event) error {
	return s.db.Post(ctx, events)
}

func (s *mongoStore) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return s.db.Close(ctx)
}

func (s *mongoStore) Friendship(ctx context.Context, id string) (*Friendship, error) {
	list, err := s.findFriendships(ctx, bson.D{{Key: "_id", Value: id}})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0], nil
}

func (s *mongoStore) SaveFriendship(ctx context.Context, f Friendship, events []contract.Event) error {
	doc := friendshipDoc{
		ID: f.ID, Rev: f.Rev, A: f.A, B: f.B, State: string(f.State), Since: f.Since.Time, CreatedAt: f.CreatedAt.Time,
	}
	doc.AddEvents(f.Since.Time, events)
	if err := save(ctx, s.friendships, f.ID, f.Rev, doc); err != nil {
		return fmt.Errorf("save friendship: %w", err)
	}
	return nil
}

func (s *mongoStore) FriendsOf(ctx context.Context, userID, after string, limit int) ([]Friendship, error) {
	return s.findFriendships(ctx, bson.D{
		{Key: "$or", Value: bson.A{
			bson.D{{Key: "a", Value: userID}, {Key: "state", Value: StateFriends}, {Key: "_id", Value: bson.D{{Key: "$gt", Value: after}}}},
			bson.D{{Key: "b", Value: userID}, {Key: "state", Value: StateFriends}, {Key: "_id", Value: bson.D{{Key: "$gt", Value: after}}}},
		}},
	}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(int64(limit)))
}

func (s *mongoStore) FriendsAmong(ctx context.Context, userID string, others []string) ([]string, error) {
	pairs := make([]string, len(others))
	for i, other := range others {
		pairs[i] = id.Pair(userID, other)
	}
	list, err := s.findFriendships(ctx, bson.D{{Key: "_id", Value: in(pairs)}, {Key: "state", Value: StateFriends}})
	if err != nil {
		return nil, err
	}
	friends := make([]string, len(list))
	for i, f := range list {
		friends[i] = f.other(userID)
	}
	return friends, nil
}

func (s *mongoStore) findFriendships(ctx context.Context, filter bson.D, o ...*options.FindOptions) ([]Friendship, error) {
	var docs []friendshipDoc
	if err := mongodb.Find(ctx, s.friendships, filter, &docs, o...); err != nil {
		return nil, fmt.Errorf("read friendships: %w", err)
	}
	list := make([]Friendship, len(docs))
	for i, d := range docs {
		list[i] = Friendship{
			ID: d.ID, A: d.A, B: d.B, State: FriendState(d.State), Rev: d.Rev,
			Since: contract.NewTime(d.Since), CreatedAt: contract.NewTime(d.CreatedAt),
		}
	}
	return list, nil
}

func (s *mongoStore) Room(ctx context.Context, id string) (*Room, error) {
	return s.room(ctx, bson.D{{Key: "_id", Value: id}})
}

func (s *mongoStore) RoomByClientID(ctx context.Context, userID, clientID string) (*Room, error) {
	return s.room(ctx, bson.D{{Key: "creation", Value: creation(userID, clientID)}})
}

func (s *mongoStore) room(ctx context.Context, filter bson.D) (*Room, error) {
	var docs []roomDoc
	if err := mongodb.Find(ctx, s.rooms, filter, &docs, options.Find().SetLimit(1)); err != nil {
		return nil, fmt.Errorf("read room: %w", err)
	}
	if len(docs) == 0 {
		return nil, nil //nolint:nilnil // there is none, which is no error
	}
	d := docs[0]
	room := &Room{
		ID: d.ID, Name: d.Name, History: contract.History(d.History), CreatedBy: d.CreatedBy, ClientID: d.ClientID,
		CreatedAt: contract.NewTime(d.CreatedAt), Disbanded: d.Disbanded, Rev: d.Rev,
	}
	for _, userID := range d.MemberIDs {
		m := d.Members[userID]
		room.Members = append(room.Members, Member{
			UserID: userID, Role: contract.Role(m.Role), FirstSeq: m.FirstSeq, JoinedAt: contract.NewTime(m.JoinedAt),
		})
	}
	return room, nil
}

func (s *mongoStore) SaveRoom(ctx context.Context, r Room, events []contract.Event) error {
	doc := roomDoc{
		ID: r.ID, Rev: r.Rev, Name: r.Name, History: string(r.History), CreatedBy: r.CreatedBy, ClientID: r.ClientID,
		Creation: r.creation(), CreatedAt: r.CreatedAt.Time, Disbanded: r.Disbanded, MemberCount: len(r.Members),
		MemberIDs: userIDs(r.Members), Members: make(map[string]memberDoc, len(r.Members)),
	}
	for _, m := range r.Members {
		doc.Members[m.UserID] = memberDoc{Role: string(m.Role), FirstSeq: m.FirstSeq, JoinedAt: m.JoinedAt.Time}
	}
	doc.AddEvents(time.Now(), events)
	if err := save(ctx, s.rooms, r.ID, r.Rev, doc); err != nil {
		return fmt.Errorf("save room: %w", err)
	}
	return nil
}

// roomsOf asks for rooms with only the users' own entries among their members.
func (s *mongoStore) roomsOf(ctx context.Context, userIDs []string, filter bson.D) ([]roomDoc, error) {
	filter = append(slices.Clone(filter), bson.E{Key: "member_ids", Value: in(userIDs)})
	fields := bson.D{
		{Key: "rev", Value: 1}, {Key: "name", Value: 1}, {Key: "history", Value: 1}, {Key: "created_at", Value: 1},
		{Key: "member_count", Value: 1},
	}
	for _, userID := range userIDs {
		fields = append(fields, bson.E{Key: "members." + userID, Value: 1})
	}
	var docs []roomDoc
	err := mongodb.Find(ctx, s.rooms, filter, &docs, options.Find().SetProjection(fields))
	if err != nil {
		return nil, fmt.Errorf("read rooms: %w", err)
	}
	return docs, nil
}

func (s *mongoStore) RoomInfos(ctx context.Context, userID string, roomIDs []string) ([]contract.RoomInfo, error) {
	docs, err := s.roomsOf(ctx, []string{userID}, bson.D{{Key: "_id", Value: in(roomIDs)}})
	if err != nil {
		return nil, err
	}
	var infos []contract.RoomInfo
	for _, d := range docs {
		m := d.Members[userID]
		infos = append(infos, contract.RoomInfo{
			ID: d.ID, Type: contract.RoomGroup, Name: d.Name, Role: contract.Role(m.Role), History: contract.History(d.History),
			MemberCount: d.MemberCount, FirstSeq: m.FirstSeq, Rev: d.Rev, CreatedAt: contract.NewTime(d.CreatedAt),
		})
	}
	pairs, err := s.findFriendships(ctx, bson.D{{Key: "_id", Value: in(roomIDs)}})
	for _, f := range pairs {
		if f.has(userID) {
			infos = append(infos, f.info(userID))
		}
	}
	return infos, err
}

func (s *mongoStore) Membership(ctx context.Context, roomID, userID string) (contract.MembershipReply, error) {
	if id.IsPair(roomID) {
		f, err := s.Friendship(ctx, roomID)
		return pairMembership(f, userID), err
	}
	docs, err := s.roomsOf(ctx, []string{userID}, bson.D{{Key: "_id", Value: roomID}})
	if err != nil {
		return contract.MembershipReply{}, err
	}
	if len(docs) == 1 {
		return contract.MembershipReply{Member: true, Membership: docs[0].membership(userID), MemberCount: docs[0].MemberCount}, nil
	}
	var none []roomDoc
	if err := mongodb.Find(ctx, s.rooms, bson.D{{Key: "_id", Value: roomID}}, &none, options.Find().SetProjection(bson.D{{Key: "rev", Value: 1}})); err != nil {
		return contract.MembershipReply{}, fmt.Errorf("read room: %w", err)
	}
	reply := contract.MembershipReply{Membership: contract.Membership{RoomID: roomID, Type: contract.RoomGroup}}
	if len(none) == 1 {
		reply.Membership.Rev = none[0].Rev
	}
	return reply, nil
}

func (s *mongoStore) Memberships(ctx context.Context, userIDs ...string) ([][]contract.Membership, error) {
	once := slices.Compact(slices.Sorted(slices.Values(userIDs))) // a projection names no field twice
	found, err := s.memberships(ctx, once, bson.D{})
	if err != nil {
		return nil, err
	}
	lists := make([][]contract.Membership, len(userIDs))
	for i, userID := range userIDs {
		lists[i] = found[userID]
	}
	return lists, nil
}

func (s *mongoStore) MembershipsAmong(ctx context.Context, userID string, roomIDs []string) ([]contract.Membership, error) {
	found, err := s.memberships(ctx, []string{userID}, bson.D{{Key: "_id", Value: in(roomIDs)}})
	return found[userID], err
}

func (s *mongoStore) memberships(ctx context.Context, userIDs []string, filter bson.D) (map[string][]contract.Membership, error) {
	found := map[string][]contract.Membership{}
	docs, err := s.roomsOf(ctx, userIDs, filter)
	if err != nil {
		return nil, err
	}
	for _, d := range docs {
		for userID := range d.Members { // of those asked for, as the projection says
			found[userID] = append(found[userID], d.membership(userID))
		}
	}
	pairs, err := s.findFriendships(ctx, append(slices.Clone(filter), anyEither(userIDs)...))
	if err != nil {
		return nil, err
	}
	for _, f := range pairs {
		for _, userID := range []string{f.A, f.B} {
			if slices.Contains(userIDs, userID) {
				found[userID] = append(found[userID], f.membership())
			}
		}
	}
	return found, nil
}

// membership is a member's place in the room.
func (d roomDoc) membership(userID string) contract.Membership {
	m := d.Members[userID]
	return contract.Membership{
		RoomID: d.ID, Type: contract.RoomGroup, Role: contract.Role(m.Role), FirstSeq: m.FirstSeq, Rev: d.Rev,
		JoinedAt: contract.NewTime(m.JoinedAt),
	}
}

func (s *mongoStore) CountRooms(ctx context.Context, userIDs []string) (map[string]int, error) {
	counts := make(map[string]int, len(userIDs))
	for _, userID := range userIDs {
		groups, err := s.rooms.CountDocuments(ctx, bson.D{{Key: "member_ids", Value: userID}})
		if err != nil {
			return nil, fmt.Errorf("count groups: %w", mongodb.AsFault(err))
		}
		pairs, err := s.friendships.CountDocuments(ctx, either(userID))
		if err != nil {
			return nil, fmt.Errorf("count friendships: %w", mongodb.AsFault(err))
		}
		counts[userID] = int(groups + pairs)
	}
	return counts, nil
}

// save writes a revision; what stands where a new record was to go is a
// conflict like any other.
func save(ctx context.Context, c *mongo.Collection, id string, rev int64, doc any) error {
	err := mongodb.Save(ctx, c, id, rev, doc)
	if mongodb.IsDuplicate(err, "") {
		return revision.ErrConflict
	}
	return err
}

func in(ids []string) bson.D { return bson.D{{Key: "$in", Value: ids}} }

func either(userID string) bson.D { return anyEither([]string{userID}) }

// anyEither is either for some users.
func anyEither(userIDs []string) bson.D {
	return bson.D{{Key: "$or", Value: bson.A{bson.D{{Key: "a", Value: in(userIDs)}}, bson.D{{Key: "b", Value: in(userIDs)}}}}}
}
