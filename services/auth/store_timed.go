package auth

import (
	"context"
	"time"

	"github.com/parley-im/parley/pkg/bus"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/revision"
	"github.com/parley-im/parley/pkg/telemetry"
)

// timed is a store whose calls are measured, by verb.
type timed struct {
	bus.TimedOutbox
	verbs
	timer *telemetry.StoreTimer
}

// verbs are the store's own, one embedding deeper than those of its outbox,
// which therefore stand before the store's.
type verbs struct{ Store }

func newTimed(store Store, url string, tel *telemetry.Telemetry) Store {
	timer := tel.NewStoreTimer(url, revision.ErrConflict, ErrAccountTaken, ErrEmailTaken)
	return timed{TimedOutbox: bus.TimeOutbox(store, timer), verbs: verbs{store}, timer: timer}
}

func (t timed) User(ctx context.Context, id string) (got *User, err error) {
	defer t.timer.Took(ctx, "user", time.Now(), &err)
	return t.Store.User(ctx, id)
}

func (t timed) UserByAccount(ctx context.Context, account string) (got *User, err error) {
	defer t.timer.Took(ctx, "user_by_account", time.Now(), &err)
	return t.Store.UserByAccount(ctx, account)
}

func (t timed) UserByEmail(ctx context.Context, email string) (got *User, err error) {
	defer t.timer.Took(ctx, "user_by_email", time.Now(), &err)
	return t.Store.UserByEmail(ctx, email)
}

func (t timed) Users(ctx context.Context, ids []string) (got []User, err error) {
	defer t.timer.Took(ctx, "users", time.Now(), &err)
	return t.Store.Users(ctx, ids)
}

func (t timed) SaveUser(ctx context.Context, u User, events []contract.Event) (err error) {
	defer t.timer.Took(ctx, "save_user", time.Now(), &err)
	return t.Store.SaveUser(ctx, u, events)
}

func (t timed) InternationalUsers(ctx context.Context, after string, limit int) (got []User, err error) {
	defer t.timer.Took(ctx, "international_users", time.Now(), &err)
	return t.Store.InternationalUsers(ctx, after, limit)
}

func (t timed) EndingUsers(ctx context.Context, after string, limit int) (got []User, err error) {
	defer t.timer.Took(ctx, "ending_users", time.Now(), &err)
	return t.Store.EndingUsers(ctx, after, limit)
}

func (t timed) Session(ctx context.Context, id string) (got *Session, err error) {
	defer t.timer.Took(ctx, "session", time.Now(), &err)
	return t.Store.Session(ctx, id)
}

func (t timed) SaveSession(ctx context.Context, s Session, events []contract.Event) (err error) {
	defer t.timer.Took(ctx, "save_session", time.Now(), &err)
	return t.Store.SaveSession(ctx, s, events)
}

func (t timed) OpenSessions(ctx context.Context, userID string) (got []Session, err error) {
	defer t.timer.Took(ctx, "open_sessions", time.Now(), &err)
	return t.Store.OpenSessions(ctx, userID)
}

func (t timed) Ended(ctx context.Context, after EndedPlace, limit int) (got []Session, err error) {
	defer t.timer.Took(ctx, "ended", time.Now(), &err)
	return t.Store.Ended(ctx, after, limit)
}

func (t timed) RemoveSessions(ctx context.Context, ended, used contract.Time, limit int) (removed int, err error) {
	defer t.timer.Took(ctx, "remove_sessions", time.Now(), &err)
	return t.Store.RemoveSessions(ctx, ended, used, limit)
}

func (t timed) Sessions(ctx context.Context, userID, after string, limit int) (got []Session, err error) {
	defer t.timer.Took(ctx, "sessions", time.Now(), &err)
	return t.Store.Sessions(ctx, userID, after, limit)
}

func (t timed) Keys(ctx context.Context) (got []SealedKey, err error) {
	defer t.timer.Took(ctx, "keys", time.Now(), &err)
	return t.Store.Keys(ctx)
}

func (t timed) AddKey(ctx context.Context, k SealedKey, events []contract.Event) (err error) {
	defer t.timer.Took(ctx, "add_key", time.Now(), &err)
	return t.Store.AddKey(ctx, k, events)
}

func (t timed) ForgetKey(ctx context.Context, generation int64) (err error) {
	defer t.timer.Took(ctx, "forget_key", time.Now(), &err)
	return t.Store.ForgetKey(ctx, generation)
}

func (t timed) Post(ctx context.Context, events []contract.Event) (err error) {
	defer t.timer.Took(ctx, "post", time.Now(), &err)
	return t.Store.Post(ctx, events)
}

func (t timed) Now(ctx context.Context) (now time.Time, err error) {
	defer t.timer.Took(ctx, "now", time.Now(), &err)
	return t.Store.Now(ctx)
}
