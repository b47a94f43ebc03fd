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
	return mongodb.Schema{
		Steps: []mongodb.Step{{Name: "collections"}, {Name: "many signing keys", Run: dateKeys}, {Name: "pages of ended sessions", Run: dropEndedIndex}},
		Indexes: map[string][]mongo.IndexModel{
			"users": {index(indexAccount, true, "account"), index(indexEmail, true, "email"), ending, mongodb.OutboxIndex()},
			"sessions": {
				index("user", false, "user_id", "ended_at"), index("ended_id", false, "ended_at", "_id"), index("used", false, "last_used_at"),
				mongodb.OutboxIndex(),
			},
			"signing_keys":      {mongodb.OutboxIndex()},
			mongodb.NoticeBoard: {mongodb.OutboxIndex()},
		},
	}
}

// dropEndedIndex makes way for the index by which ended sessions are paged.
func dropEndedIndex(ctx context.Context, db *mongodb.DB) error {
	_, err := db.Collection("sessions").Indexes().DropOne(ctx, "ended")
	var refused mongo.CommandError
	if errors.As(err, &refused) && (refused.Code == namespaceNotFound || refused.Code == indexNotFound) {
		return nil // a new database
	}
	return err
}

// Codes of MongoDB's errors.
const (
	namespaceNotFound = 26
	indexNotFound     = 27
)

func (s *mongoStore) Now(ctx context.Context) (time.Time, error) { return s.db.Now(ctx) }

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
	EpochReason      string    `bson:"epoch_reason,omitempty"`
	Ending           bool      `bson:"ending,omitempty"` // absent for most: its index is sparse
	DisabledAt       time.Time `bson:"disabled_at,omitempty"`
	ErasedAt         time.Time `bson:"erased_at,omitempty"`
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
		Outbox:   db.Outbox("users", "sessions", "signing_keys", mongodb.NoticeBoard),
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

// InternationalUsers reads all keys of the index by e-mail: it is asked for once,
// at the start.
func (s *mongoStore) InternationalUsers(ctx context.Context, after string, limit int) ([]User, error) {
	return s.findUsers(ctx, bson.D{{Key: "email", Value: bson.D{{Key: "$regex", Value: "[^ -~]"}}}, {Key: "_id", Value: bson.D{{Key: "$gt", Value: after}}}},
		options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}).SetLimit(int64(limit)))
}

// EndingUsers sorts by both fields, so that no walk along all ids looks cheap.
func (s *mongoStore) EndingUsers(ctx context.Context, after string, limit int) ([]User, error) {
	return s.findUsers(ctx, bson.D{{Key: "ending", Value: true}, {Key: "_id", Value: bson.D{{Key: "$gt", Value: after}}}},
		options.Find().SetSort(bson.D{{Key: "ending", Value: 1}, {Key: "_id", Value: 1}}).SetLimit(int64(limit)))
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
			Epoch: d.Epoch, ValidFrom: contract.NewTime(d.ValidFrom), Kept: d.Kept, EpochReason: d.EpochReason, Ending: d.Ending,
			DisabledAt: fromDate(d.DisabledAt), ErasedAt: fromDate(d.ErasedAt), Rev: d.Rev,
		}
	}
	return list, nil
}

func (s *mongoStore) SaveUser(ctx context.Context, u User, events []contract.Event) error {
	doc := userDoc{
		ID: u.ID, Rev: u.Rev, Account: u.Account, Email: u.Email, Password: u.Password, Nickname: u.Nickname,
		Sex: int(u.Sex), AvatarURL: u.AvatarURL, CreatedAt: u.CreatedAt.Time,
		Epoch: u.Epoch, ValidFrom: u.ValidFrom.Time, Kept: u.Kept, EpochReason: u.EpochReason, Ending: u.Ending,
		DisabledAt: u.DisabledAt.Time, ErasedAt: u.ErasedAt.Time,
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

// fromDate is a time that may be absent.
func fromDate(t time.Time) contract.Time {
	if t.IsZero() {
		return contract.Time{}
	}
	return contract.NewTime(t)
}
