package storetest

import (
	"testing"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/filled"
	"github.com/parley-im/parley/services/auth"
)

// filledUser is a user whom each verb finds. Of a user that is saved again all
// fields may be others, but ID and CreatedAt.
func filledUser(seed int, rev int64) auth.User {
	u := filled.Of[auth.User](seed)
	u.Email = "\u00e5" + u.Email // InternationalUsers finds no other
	u.Rev = rev
	return u
}

func wholeUsers(t *testing.T, s auth.Store) {
	filled.Readers[auth.Store, auth.User](t, "EndingUsers", "InternationalUsers", "User", "UserByAccount", "UserByEmail", "Users")
	inserted := filledUser(1, 1)
	saveUser(t, s, inserted)
	readsUser(t, s, inserted)

	empty := auth.User{ID: inserted.ID, CreatedAt: inserted.CreatedAt, Account: "a", Email: "e", ValidFrom: inserted.CreatedAt, Rev: 2}
	saveUser(t, s, empty)
	filled.Same(t, "a user whose fields were taken away", loadUser(t, s, empty.ID), empty)

	updated := filledUser(2, 3)
	updated.ID, updated.CreatedAt = inserted.ID, inserted.CreatedAt
	saveUser(t, s, updated)
	readsUser(t, s, updated)
}

// readsUser reads a user by all verbs.
func readsUser(t *testing.T, s auth.Store, want auth.User) {
	t.Helper()
	ctx := within(t)
	list := func(u *auth.User, err error) ([]auth.User, error) {
		if u == nil {
			return nil, err
		}
		return []auth.User{*u}, err
	}
	for verb, read := range map[string]func() ([]auth.User, error){
		"User":               func() ([]auth.User, error) { return list(s.User(ctx, want.ID)) },
		"UserByAccount":      func() ([]auth.User, error) { return list(s.UserByAccount(ctx, want.Account)) },
		"UserByEmail":        func() ([]auth.User, error) { return list(s.UserByEmail(ctx, want.Email)) },
		"Users":              func() ([]auth.User, error) { return s.Users(ctx, []string{want.ID}) },
		"InternationalUsers": func() ([]auth.User, error) { return s.InternationalUsers(ctx, "", 10) },
		"EndingUsers":        func() ([]auth.User, error) { return s.EndingUsers(ctx, "", 10) },
	} {
		got, err := read()
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %d users, %v", verb, len(got), err)
		}
		filled.Same(t, verb, got[0], want)
	}
}

// filledSession is a session of which nothing is zero.
func filledSession(seed int, rev int64) auth.Session {
	v := filled.Of[auth.Session](seed)
	v.Rev = rev
	return v
}

// wholeSessions changes all fields of a session, but those that are given to it
// when it begins: ID, UserID, Epoch, Family and CreatedAt.
func wholeSessions(t *testing.T, s auth.Store) {
	filled.Readers[auth.Store, auth.Session](t, "Ended", "OpenSessions", "Session", "Sessions")
	inserted := filledSession(1, 1)
	saveSession(t, s, inserted)
	readsSession(t, s, inserted)

	begun := auth.Session{
		ID: inserted.ID, UserID: inserted.UserID, Epoch: inserted.Epoch, Family: inserted.Family, CreatedAt: inserted.CreatedAt,
		RotatedAt: inserted.CreatedAt, LastUsedAt: inserted.CreatedAt, Rev: 2,
	}
	saveSession(t, s, begun)
	filled.Same(t, "a session whose fields were taken away", loadSession(t, s, begun.ID), begun)

	updated := filledSession(2, 3)
	updated.ID, updated.UserID, updated.Epoch, updated.Family, updated.CreatedAt = begun.ID, begun.UserID, begun.Epoch, begun.Family, begun.CreatedAt
	saveSession(t, s, updated)
	readsSession(t, s, updated)

	open := filledSession(3, 1)
	open.EndedAt = contract.Time{} // OpenSessions finds no other
	saveSession(t, s, open)
	got, err := s.OpenSessions(within(t), open.UserID)
	if err != nil || len(got) != 1 {
		t.Fatalf("OpenSessions: %d sessions, %v", len(got), err)
	}
	filled.Same(t, "OpenSessions", got[0], open)
}

// readsSession reads a session that has ended by all verbs for such.
func readsSession(t *testing.T, s auth.Store, want auth.Session) {
	t.Helper()
	ctx := within(t)
	for verb, read := range map[string]func() ([]auth.Session, error){
		"Session":  func() ([]auth.Session, error) { return []auth.Session{loadSession(t, s, want.ID)}, nil },
		"Sessions": func() ([]auth.Session, error) { return s.Sessions(ctx, want.UserID, "", 10) },
		"Ended":    func() ([]auth.Session, error) { return s.Ended(ctx, auth.EndedPlace{}, 10) },
	} {
		got, err := read()
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %d sessions, %v", verb, len(got), err)
		}
		filled.Same(t, verb, got[0], want)
	}
}

func wholeKeys(t *testing.T, s auth.Store) {
	filled.Readers[auth.Store, auth.SealedKey](t, "Keys")
	want := filled.Of[auth.SealedKey](1)
	if err := s.AddKey(within(t), want, nil); err != nil {
		t.Fatal(err)
	}
	got, err := s.Keys(within(t))
	if err != nil || len(got) != 1 {
		t.Fatalf("%d keys, %v", len(got), err)
	}
	filled.Same(t, "Keys", got[0], want)
}

// wholeEvents sends an event through the outbox by each verb that writes one.
func wholeEvents(t *testing.T, s auth.Store) {
	filled.Readers[auth.Store, contract.Event](t, "Pending")
	for verb, write := range map[string]func(events []contract.Event) error{
		"SaveUser":    func(e []contract.Event) error { return s.SaveUser(within(t), user(), e) },
		"SaveSession": func(e []contract.Event) error { return s.SaveSession(within(t), session("ann"), e) },
		"AddKey":      func(e []contract.Event) error { return s.AddKey(within(t), key(1), e) },
		"Post":        func(e []contract.Event) error { return s.Post(within(t), e) },
	} {
		want := filled.Of[contract.Event](1)
		if err := write([]contract.Event{want}); err != nil {
			t.Fatalf("%s: %v", verb, err)
		}
		got := drain(t, s)
		if len(got) != 1 {
			t.Fatalf("%s: %d events", verb, len(got))
		}
		filled.Same(t, "the event of "+verb, got[0], want)
	}
}
