package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/mongodb"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/pkg/schema"
)

const (
	indexAccount = "account"
	indexEmail   = "email"
)

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
	ending := index("ending", false, "ending")
	ending.Options.SetSparse(true)
	return mongodb.Schema{Steps: []mongodb.Step{{Name: "collections"}}, Indexes: map[string][]mongo.IndexModel{
		"users": {index(indexAccount, true, "account"), index(indexEmail, true, "email"), ending, mongodb.OutboxIndex()},
		"sessions": {
			index("user", false, "user_id", "ended_at"), index("ended", false, "ended_at"), index("used", false, "last_used_at"),
			mongodb.OutboxIndex(),
		},
	}}
}

// userDoc is a user.
type userDoc struct {
	ID               string `bson:"_id"`
	Rev              int64  `bson:"rev"`
	mongodb.Outboxed `bson:",inline"`
	Account          string    `bson:"account"`
	Email            string    `bson:"email"`
	Password         string    `bson:"password"`
	Nickname         string    `bson:"nickname"`
	Sex              int       `bson:"sex"`
	AvatarURL        string    `bson:"avatar_url"`
	CreatedAt        time.Time `bson:"created_at"`
	Epoch            int64     `bson:"epoch"`
	ValidFrom        time.Time `bson:"valid_from"`
	Kept             string    `bson:"kept"`
	Ending           bool      `bson:"ending,omitempty"` // absent for most: its index is sparse
}

// keyDoc is the signing key.
type keyDoc struct {
	Name      string    `bson:"_id"`
	ID        string    `bson:"kid"`
	Sealed    []byte    `bson:"sealed"`
	CreatedAt time.Time `bson:"created_at"`
}

// mongoStore is a Store for many machines.
type mongoStore struct {
	db       *mongodb.DB
	users    *mongo.Collection
	sessions *mongo.Collection
	keys     *mongo.Collection
	*mongodb.Outbox
}

// openMongo connects and makes the indexes that are missing.
func openMongo(ctx context.Context, uri string) (*mongoStore, error) {
	db, err := mongodb.Connect(ctx, uri, "auth")
	if err != nil {
		return nil, fmt.Errorf("open auth store: %w", err)
	}
	if err := db.Migrate(ctx, mongoSchema()); err != nil {
		return nil, errors.Join(fmt.Errorf("open auth store: %w", err), db.Close(ctx))
	}
	return &mongoStore{
		db:       db,
		users:    db.Collection("users"),
		sessions: db.Collection("sessions"),
		keys:     db.Collection("signing_keys"),
		Outbox:   db.Outbox("users", "sessions"),
	}, nil
}

func (s *mongoStore) Schema(ctx context.Context) (schema.State, error) { return s.db.Schema(ctx) }

func (s *mongoStore) Ping(ctx context.Context) error { return s.db.Ping(ctx) }

func (s *mongoStore) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return s.db.Close(ctx)
}

func (s *mongoStore) User(ctx context.Context, id string) (*User, error) {
	return first(s.findUsers(ctx, bson.D{{Key: "_id", Value: id}}))
}

func (s *mongoStore) UserByAccount(ctx context.Context, account string) (*User, error) {
	return first(s.findUsers(ctx, bson.D{{Key: "account", Value: account}}))
}

func (s *mongoStore) UserByEmail(ctx context.Context, email string) (*User, error) {
	return first(s.findUsers(ctx, bson.D{{Key: "email", Value: email}}))
}

func (s *mongoStore) Users(ctx context.Context, ids []string) ([]User, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	return s.findUsers(ctx, bson.D{{Key: "_id", Value: bson.D{{Key: "$in", Value: ids}}}})
}

func (s *mongoStore) EndingUsers(ctx context.Context, limit int) ([]User, error) {
	return s.findUsers(ctx, bson.D{{Key: "ending", Value: true}}, options.Find().SetLimit(int64(limit)))
}

func (s *mongoStore) findUsers(ctx context.Context, filter bson.D, o ...*options.FindOptions) ([]User, error) {
	var docs []userDoc
	if err := mongodb.Find(ctx, s.users, filter, &docs, o...); err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	list := make([]User, len(docs))
	for i, d := range docs {
		list[i] = User{
			ID: d.ID, Account: d.Account, Email: d.Email, Password: d.Password, Nickname: d.Nickname,
			Sex: contract.Sex(d.Sex), AvatarURL: d.AvatarURL, CreatedAt: contract.NewTime(d.CreatedAt),
			Epoch: d.Epoch, ValidFrom: contract.NewTime(d.ValidFrom), Kept: d.Kept, Ending: d.Ending, Rev: d.Rev,
		}
	}
	return list, nil
}

func (s *mongoStore) SaveUser(ctx context.Context, u User, events []contract.Event) error {
	doc := userDoc{
		ID: u.ID, Rev: u.Rev, Account: u.Account, Email: u.Email, Password: u.Password, Nickname: u.Nickname,
		Sex: int(u.Sex), AvatarURL: u.AvatarURL, CreatedAt: u.CreatedAt.Time,
		Epoch: u.Epoch, ValidFrom: u.ValidFrom.Time, Kept: u.Kept, Ending: u.Ending,
	}
	doc.AddEvents(time.Now(), events)
	if err := s.userErr(ctx, u, mongodb.Save(ctx, s.users, u.ID, u.Rev, doc)); err != nil {
		return fmt.Errorf("save user: %w", err)
	}
	return nil
}

// userErr says which index refused a user. FerretDB does not name it, and so
// the others are asked whether they have the account.
func (s *mongoStore) userErr(ctx context.Context, u User, err error) error {
	switch {
	case mongodb.IsDuplicate(err, indexAccount) && mongodb.IsDuplicate(err, indexEmail):
		other, readErr := s.UserByAccount(ctx, u.Account)
		switch {
		case readErr != nil:
			return readErr
		case other == nil:
			return ErrEmailTaken
		case other.ID == u.ID:
			return revision.ErrConflict
		}
		return ErrAccountTaken
	case mongodb.IsDuplicate(err, indexAccount):
		return ErrAccountTaken
	case mongodb.IsDuplicate(err, indexEmail):
		return ErrEmailTaken
	case mongodb.IsDuplicate(err, ""):
		return revision.ErrConflict
	default:
		return err
	}
}

func (s *mongoStore) Key(ctx context.Context) (*SealedKey, error) {
	var docs []keyDoc
	if err := mongodb.Find(ctx, s.keys, bson.D{{Key: "_id", Value: theKey}}, &docs); err != nil {
		return nil, fmt.Errorf("read signing key: %w", err)
	}
	if len(docs) == 0 {
		return nil, nil
	}
	return &SealedKey{ID: docs[0].ID, Sealed: docs[0].Sealed, CreatedAt: contract.NewTime(docs[0].CreatedAt)}, nil
}

func (s *mongoStore) AddKey(ctx context.Context, k SealedKey) error {
	_, err := s.keys.InsertOne(ctx, keyDoc{Name: theKey, ID: k.ID, Sealed: k.Sealed, CreatedAt: k.CreatedAt.Time})
	if mongodb.IsDuplicate(err, "") {
		err = revision.ErrConflict
	}
	if err != nil {
		return fmt.Errorf("add signing key: %w", mongodb.AsFault(err))
	}
	return nil
}

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

func (s *mongoStore) EndedSince(ctx context.Context, t contract.Time) ([]Session, error) {
	return s.findSessions(ctx, bson.D{{Key: "ended_at", Value: bson.D{{Key: "$gte", Value: t.Time}}}})
}

func (s *mongoStore) findSessions(ctx context.Context, filter bson.D) ([]Session, error) {
	var docs []sessionDoc
	if err := mongodb.Find(ctx, s.sessions, filter, &docs); err != nil {
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
