// Package storetest says by tests what an auth.Store must do.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/services/auth"
)

// Open opens an empty store, and closes it when the test ends.
type Open func(t *testing.T) auth.Store

// Run is all that a store must do.
func Run(t *testing.T, open Open) {
	t.Run("Sequential", func(t *testing.T) { Sequential(t, open) })
	t.Run("Concurrent", func(t *testing.T) { Concurrent(t, open) })
}

// within is how long a test may take.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// user is a new one, not saved yet.
func user() auth.User {
	v := id.New()
	now := contract.NewTime(time.Now())
	return auth.User{
		ID: v, Account: "a" + v, Email: v + "@example.org", Password: "$argon2id$", Nickname: "Ann", Sex: 2, AvatarURL: "https://example.org/a.png",
		CreatedAt: now, Epoch: 1, ValidFrom: now, Rev: 1,
	}
}

// session is a new one of a user, not saved yet.
func session(userID string) auth.Session {
	now := contract.NewTime(time.Now())
	return auth.Session{
		ID: id.New(), UserID: userID, DeviceName: "phone", Epoch: 1,
		Family: auth.Hash{1}, Current: auth.Hash{2}, RotatedAt: now, CreatedAt: now, LastUsedAt: now, Rev: 1,
	}
}

// event is one about a user.
func event(t *testing.T, userID string) []contract.Event {
	t.Helper()
	e, err := contract.UserUpdated.New(id.New(), userID, time.Now(), contract.UserEvent{UserID: userID})
	if err != nil {
		t.Fatal(err)
	}
	return []contract.Event{e}
}

func saveUser(t *testing.T, s auth.Store, u auth.User, events ...contract.Event) {
	t.Helper()
	if err := s.SaveUser(within(t), u, events); err != nil {
		t.Fatal(err)
	}
}

func saveSession(t *testing.T, s auth.Store, v auth.Session, events ...contract.Event) {
	t.Helper()
	if err := s.SaveSession(within(t), v, events); err != nil {
		t.Fatal(err)
	}
}

// loadUser returns a user who is there.
func loadUser(t *testing.T, s auth.Store, userID string) auth.User {
	t.Helper()
	u, err := s.User(within(t), userID)
	if err != nil || u == nil {
		t.Fatalf("got user %v, %v", u, err)
	}
	return *u
}

func loadSession(t *testing.T, s auth.Store, sessionID string) auth.Session {
	t.Helper()
	v, err := s.Session(within(t), sessionID)
	if err != nil || v == nil {
		t.Fatalf("got session %v, %v", v, err)
	}
	return *v
}

// drain takes all events out of the outbox.
func drain(t *testing.T, s auth.Store) []contract.Event {
	t.Helper()
	events, err := s.Pending(within(t), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Done(within(t), events); err != nil {
		t.Fatal(err)
	}
	return events
}

// ids of sessions, for messages.
func ids(list []auth.Session) string {
	var s []string
	for _, v := range list {
		s = append(s, v.ID)
	}
	return fmt.Sprint(s)
}
