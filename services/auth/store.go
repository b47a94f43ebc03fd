package auth

import (
	"context"
	"errors"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/schema"
)

// What a store answers when a record cannot be saved, besides
// revision.ErrConflict.
var (
	// ErrAccountTaken means that another user has the account.
	ErrAccountTaken = errors.New("account is taken")
	// ErrEmailTaken means that another user has the e-mail.
	ErrEmailTaken = errors.New("e-mail is taken")
)

// Store keeps users, their sessions and the signing keys. Every verb is
// atomic, and safe for any number of goroutines, replicas and, with SQLite,
// processes. A record that is not there is nil, and no error.
//
// Saving a record of revision 1 inserts it, saving a later one replaces the
// revision before it; else revision.ErrConflict. The events go into the outbox in the
// same write.
type Store interface {
	User(ctx context.Context, id string) (*User, error)
	UserByAccount(ctx context.Context, account string) (*User, error)
	UserByEmail(ctx context.Context, email string) (*User, error)
	// Users are those of the ids that exist, in any order.
	Users(ctx context.Context, ids []string) ([]User, error)
	// SaveUser may also answer ErrAccountTaken or ErrEmailTaken.
	SaveUser(ctx context.Context, u User, events []contract.Event) error
	// InternationalUsers are those whose e-mail is not ASCII, by id, after an id
	// and at most limit.
	InternationalUsers(ctx context.Context, after string, limit int) ([]User, error)
	// EndingUsers are those with Ending set, by id, after an id and at most
	// limit.
	EndingUsers(ctx context.Context, after string, limit int) ([]User, error)

	Session(ctx context.Context, id string) (*Session, error)
	SaveSession(ctx context.Context, s Session, events []contract.Event) error
	// OpenSessions are a user's sessions that no record says are ended.
	OpenSessions(ctx context.Context, userID string) ([]Session, error)
	// Sessions are all sessions of a user that are kept, by id, after a place
	// and at most limit.
	Sessions(ctx context.Context, userID, after string, limit int) ([]Session, error)
	// Ended are the sessions that are marked as ended, by when they ended and
	// by id, after a place and at most limit.
	Ended(ctx context.Context, after EndedPlace, limit int) ([]Session, error)
	// RemoveSessions forgets sessions that ended, or were last used, before
	// the times, at most limit, and none whose events wait to be relayed.
	RemoveSessions(ctx context.Context, ended, used contract.Time, limit int) (removed int, err error)

	// Keys are the signing keys that are not forgotten, the oldest first.
	Keys(ctx context.Context) ([]SealedKey, error)
	// AddKey keeps the key of a generation unless there is one: then
	// revision.ErrConflict.
	AddKey(ctx context.Context, k SealedKey, events []contract.Event) error
	// ForgetKey keeps of a generation's key only that it was.
	ForgetKey(ctx context.Context, generation int64) error

	// Post writes events that report no change, such as what an admin looked at.
	Post(ctx context.Context, events []contract.Event) error

	// Pending, Done and Lease are bus.Outbox.
	Pending(ctx context.Context, limit int) ([]contract.Event, error)
	Done(ctx context.Context, events []contract.Event) error
	Lease(ctx context.Context, holder string, ttl time.Duration) (bool, error)

	// Now is the store's time; zero: it has no clock but the machine's.
	Now(ctx context.Context) (time.Time, error)
	// Schema is what the database has of its layout now, for a diagnosis.
	Schema(ctx context.Context) (schema.State, error)
	Ping(ctx context.Context) error
	Close() error
}

// User is an account as it is stored.
type User struct {
	ID        string
	Account   string // folded to lower case, unique
	Email     string // canonicalEmail, unique; noEmail: none
	Password  string // argon2id in PHC form
	Nickname  string
	Sex       contract.Sex
	AvatarURL string
	CreatedAt contract.Time

	// Epoch counts from 1, with each password and each end of all sessions. A
	// session of an earlier epoch is dead, whatever its own record says, unless
	// it is Kept. An epoch, since times of two replicas do not compare.
	Epoch     int64
	ValidFrom contract.Time // when the epoch began
	Kept      string        // the session that changed the password; empty for all other reasons
	// EpochReason is why the epoch began, such as password. Empty in the first,
	// and in those that began before reasons were kept.
	EpochReason string
	// Ending is set with a new epoch, until all records of sessions that it
	// killed say so.
	Ending bool

	DisabledAt contract.Time // zero: may log in
	// ErasedAt is when who they were was forgotten: see
	// User.forget. Zero: it was not.
	ErasedAt contract.Time

	Rev int64
}

// Session is one device of a user, as it is stored.
type Session struct {
	ID         string
	UserID     string
	DeviceName string
	Epoch      int64 // the user's, when the password was checked

	// The hashes of what makes up its refresh tokens.
	Family    Hash          // the part that stays
	Current   Hash          // the rotating part of the newest token
	Previous  Hash          // and of the one before it; zero at first
	RotatedAt contract.Time // zero: at a time that was not sure

	CreatedAt  contract.Time
	LastUsedAt contract.Time // opened or refreshed
	EndedAt    contract.Time // zero: not marked as ended
	Reason     string        // why it ended
	Rev        int64
}

// EndedPlace is a place in the order of ended sessions. Without an id it is
// before all that ended at the time.
type EndedPlace struct {
	At contract.Time
	ID string
}

// SealedKey is a signing key whose private part only the holder of
// AUTH_KEY_SECRET can read.
type SealedKey struct {
	Generation int64  // from 1
	ID         string // the kid
	Sealed     []byte
	CreatedAt  contract.Time
	// SignsFrom is when it takes over from the generation before. In databases
	// of before there were generations it is when they were upgraded.
	SignsFrom contract.Time
}

// profile is the user as others see them.
func (u User) profile() contract.Profile {
	return contract.Profile{ID: u.ID, Account: u.Account, Nickname: u.Nickname, Sex: u.Sex, AvatarURL: u.AvatarURL}
}

// wire is the user as they see themselves; of one who was erased, what is
// left.
func (u User) wire() contract.User {
	if !u.ErasedAt.IsZero() {
		u.Account = ""
	}
	return contract.User{
		ID: u.ID, Account: u.Account, Email: shownEmail(u.Email), Nickname: u.Nickname, Sex: u.Sex, AvatarURL: u.AvatarURL, CreatedAt: u.CreatedAt,
	}
}

// killed reports whether the session is of an epoch that has ended.
func (u User) killed(s Session) bool { return s.Epoch < u.Epoch && s.ID != u.Kept }

// begin begins an epoch: in the write that saves it all sessions die, but the
// kept one.
func (u *User) begin(now contract.Time, reason, kept string) {
	u.Epoch++
	u.ValidFrom, u.EpochReason, u.Kept, u.Ending = now, reason, kept, true
}

// gone reports whether others are to see nothing of the user.
func (u User) gone() bool { return !u.DisabledAt.IsZero() || !u.ErasedAt.IsZero() }
