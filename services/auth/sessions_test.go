package auth_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/services/auth"
)

func (w *world) refresh(raw string) (contract.Grant, error) {
	return call(w, contract.Refresh, contract.RefreshRequest{RefreshToken: raw})
}

// refreshed is a refresh that must succeed.
func (w *world) refreshed(raw string) contract.Grant {
	w.t.Helper()
	return must(w, contract.Refresh, contract.RefreshRequest{RefreshToken: raw})
}

// refused is a refresh that must not.
func (w *world) refused(raw string) {
	w.t.Helper()
	fails(w, contract.Refresh, contract.RefreshRequest{RefreshToken: raw}, fault.Unauthenticated, "")
}

// lives reports whether calls with the grant's session are answered.
func (w *world) lives(g contract.Grant) bool {
	w.t.Helper()
	_, err := call(w, contract.GetMe, contract.GetMeRequest{Caller: caller(g)})
	if err != nil && !fault.Is(err, fault.Unauthenticated) {
		w.t.Fatal(err)
	}
	return err == nil
}

// revoked lists the ids that list_revoked answers.
func (w *world) revoked() []string {
	w.t.Helper()
	all, _, _ := w.readRevoked("")
	return slices.Collect(maps.Keys(all))
}

// readRevoked reads all pages from a cursor on, as a gateway does, and returns
// where to read from next.
func (w *world) readRevoked(cursor string) (all map[string]contract.Time, next string, pages int) {
	w.t.Helper()
	all = map[string]contract.Time{}
	for {
		page := must(w, contract.ListRevoked, contract.RevokedRequest{Cursor: cursor})
		for _, r := range page.Sessions {
			all[r.SessionID] = r.Until
		}
		pages, cursor = pages+1, page.Cursor
		if !page.More {
			return all, cursor, pages
		}
	}
}

// pushes collects what is told to the user's sockets.
func (w *world) pushes(userID string) *nats.Subscription {
	w.t.Helper()
	subject, err := contract.UserSubjects(userID)
	if err != nil {
		w.t.Fatal(err)
	}
	sub, err := w.nc.SubscribeSync(subject)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.nc.Flush(); err != nil {
		w.t.Fatal(err)
	}
	return sub
}

// told waits for the push about a session.
func (w *world) told(sub *nats.Subscription, g contract.Grant, reason string) {
	w.t.Helper()
	msg, err := sub.NextMsg(20 * time.Second)
	if err != nil {
		w.t.Fatal(err)
	}
	data, err := contract.SessionRevoked.Decode(msg.Data)
	if err != nil || data.SessionID != caller(g).SessionID || data.Reason != reason || !data.Until.After(time.Now().Add(14*time.Minute)) {
		w.t.Fatalf("told %s, %v; want %s of %s", msg.Data, err, reason, caller(g).SessionID)
	}
}

func TestRefresh(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.start()
	w.register("ann")

	t.Run("each token gives the next", func(t *testing.T) {
		g := w.login("ann", password)
		for range 3 {
			next := w.refreshed(g.RefreshToken)
			if next.RefreshToken == g.RefreshToken || next.User != g.User || caller(next) != caller(g) {
				t.Fatalf("got %+v after %+v", next, g)
			}
			g = next
		}
		if !w.lives(g) {
			t.Fatal("the session has ended")
		}
	})
	t.Run("a lost reply: the token before replaces its unused successor", func(t *testing.T) {
		g := w.login("ann", password)
		lost := w.refreshed(g.RefreshToken)
		again := w.refreshed(g.RefreshToken)
		w.refreshed(again.RefreshToken)
		sub := w.pushes(g.User.ID)
		w.refused(lost.RefreshToken)
		w.told(sub, g, "reuse")
		w.refused(again.RefreshToken)
		if w.lives(g) || !slices.Contains(w.revoked(), caller(g).SessionID) {
			t.Fatal("the session lives on")
		}
	})
	t.Run("a late one changes nothing", func(t *testing.T) {
		g := w.login("ann", password)
		asked := contract.NewTime(w.clock.Now())
		late := func() {
			t.Helper()
			fails(w, contract.Refresh, contract.RefreshRequest{RefreshToken: g.RefreshToken, AskedAt: asked}, fault.Unavailable, "")
		}
		w.pass(5 * time.Second)
		next := w.refreshed(g.RefreshToken) // tried again by its caller, who waited long enough
		late()
		next = w.refreshed(next.RefreshToken)
		late() // not even a reuse: it was asked for before
		if !w.lives(g) {
			t.Fatal("the session has ended")
		}
		w.pass(time.Second)
		must(w, contract.Refresh, contract.RefreshRequest{RefreshToken: next.RefreshToken, AskedAt: contract.NewTime(w.clock.Now())})
	})
	t.Run("a clock that was ahead keeps nobody out", func(t *testing.T) {
		g := w.login("ann", password)
		w.clock.forward(24 * time.Hour)
		g = w.refreshed(g.RefreshToken)
		w.clock.forward(-24 * time.Hour)
		must(w, contract.Refresh, contract.RefreshRequest{RefreshToken: g.RefreshToken, AskedAt: contract.NewTime(w.clock.Now())})
	})
	t.Run("the token before, once its successor is used, is a reuse", func(t *testing.T) {
		g := w.login("ann", password)
		next := w.refreshed(g.RefreshToken)
		last := w.refreshed(next.RefreshToken)
		w.refused(g.RefreshToken)
		w.refused(last.RefreshToken)
	})
	t.Run("the window counts from the rotation and is not prolonged", func(t *testing.T) {
		g := w.login("ann", password)
		w.refreshed(g.RefreshToken)
		w.pass(40 * time.Second)
		again := w.refreshed(g.RefreshToken)
		w.pass(40 * time.Second)
		w.refused(g.RefreshToken)
		w.refused(again.RefreshToken)
	})
	t.Run("a guess ends nothing", func(t *testing.T) {
		g := w.login("ann", password)
		parts := strings.Split(g.RefreshToken, ".")
		other := strings.Split(w.login("ann", password).RefreshToken, ".")
		for _, guess := range []string{
			"", "x", "..", "a.b.c", strings.Join(parts[:2], "."), g.RefreshToken + ".x", strings.Repeat("a", 4096),
			parts[0] + "." + other[1] + "." + parts[2], other[0] + "." + parts[1] + "." + parts[2],
			id.New() + "." + parts[1] + "." + parts[2],
		} {
			w.refused(guess)
		}
		w.refreshed(g.RefreshToken)
	})
	t.Run("a session ends when it is unused for 30 days", func(t *testing.T) {
		g := w.login("ann", password)
		w.pass(29 * 24 * time.Hour)
		g = w.refreshed(g.RefreshToken)
		w.pass(30 * 24 * time.Hour)
		w.refused(g.RefreshToken)
		if w.lives(g) {
			t.Fatal("it lives")
		}
	})
}

// TestRefresh_50_at_once: a client that lost its head leaves one session with
// one token that works.
func TestRefresh_50_at_once(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.start()
	g := w.register("ann")
	const spenders = 50
	grants := make([]contract.Grant, spenders)
	errs := make([]error, spenders)
	var wg sync.WaitGroup
	for i := range spenders {
		wg.Go(func() { grants[i], errs[i] = w.refresh(g.RefreshToken) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	stored, err := w.store().Session(t.Context(), caller(g).SessionID)
	if err != nil || stored == nil {
		t.Fatalf("got %v, %v", stored, err)
	}
	var living []string
	for _, next := range grants {
		rotating := next.RefreshToken[strings.LastIndex(next.RefreshToken, ".")+1:]
		if auth.HashPart(rotating) == stored.Current {
			living = append(living, next.RefreshToken)
		}
	}
	if len(living) != 1 || !stored.EndedAt.IsZero() {
		t.Fatalf("%d tokens live", len(living))
	}
	w.refreshed(living[0])
}

func TestSessions(t *testing.T) {
	w := newWorld(t, func(c *auth.Config) { c.MaxSessions = 5 })
	w.start()
	w.start()
	ann := w.register("ann")
	bob := w.register("bob")
	list := func(g contract.Grant, limit int) (all []contract.Session) {
		t.Helper()
		req := contract.ListSessionsRequest{Caller: caller(g), Limit: limit}
		for {
			page := must(w, contract.ListSessions, req)
			all = append(all, page.Items...)
			if req.Cursor = page.NextCursor; req.Cursor == "" {
				return all
			}
		}
	}

	t.Run("the last used come first, by pages", func(t *testing.T) {
		grants := []contract.Grant{ann}
		for range 3 {
			w.pass(time.Second)
			grants = append(grants, w.login("ann", password))
		}
		w.pass(time.Second)
		w.refreshed(grants[1].RefreshToken)
		for _, limit := range []int{0, 1, 2} {
			var got []string
			for _, s := range list(grants[2], limit) {
				got = append(got, s.ID)
				if s.Current != (s.ID == caller(grants[2]).SessionID) {
					t.Fatalf("%s is current: %v", s.ID, s.Current)
				}
			}
			want := []string{caller(grants[1]).SessionID, caller(grants[3]).SessionID, caller(grants[2]).SessionID, caller(grants[0]).SessionID}
			if !slices.Equal(got, want) {
				t.Fatalf("limit %d: got %v, want %v", limit, got, want)
			}
		}
	})
	t.Run("too many end the longest unused", func(t *testing.T) {
		before := list(ann, 0)
		w.pass(time.Second)
		w.login("ann", password)
		w.pass(time.Second)
		g := w.login("ann", password)
		after := list(g, 0)
		if len(before) != 4 || len(after) != 5 || slices.ContainsFunc(after, func(s contract.Session) bool { return s.ID == before[3].ID }) {
			t.Fatalf("before %+v, after %+v", before, after)
		}
	})
	t.Run("revoke", func(t *testing.T) {
		mine, other := w.login("ann", password), w.login("ann", password)
		sub := w.pushes(ann.User.ID)
		must(w, contract.RevokeSession, contract.RevokeSessionRequest{Caller: caller(mine), SessionID: caller(other).SessionID})
		w.told(sub, other, "revoked")
		w.refused(other.RefreshToken)
		if w.lives(other) || !w.lives(mine) || !slices.Contains(w.revoked(), caller(other).SessionID) {
			t.Fatal("the wrong one ended")
		}
		for _, sessionID := range []string{caller(other).SessionID, caller(bob).SessionID, id.New(), "", "*"} {
			fails(w, contract.RevokeSession, contract.RevokeSessionRequest{Caller: caller(mine), SessionID: sessionID}, fault.NotFound, "")
		}
		if !w.lives(bob) {
			t.Fatal("somebody else's session ended")
		}
	})
	t.Run("logout", func(t *testing.T) {
		g := w.login("ann", password)
		sub := w.pushes(ann.User.ID)
		must(w, contract.Logout, contract.LogoutRequest{Caller: caller(g)})
		w.told(sub, g, "logout")
		fails(w, contract.Logout, contract.LogoutRequest{Caller: caller(g)}, fault.Unauthenticated, "")
	})
	t.Run("a session of another user is none", func(t *testing.T) {
		mixed := contract.Caller{UserID: bob.User.ID, SessionID: caller(w.login("ann", password)).SessionID}
		fails(w, contract.GetMe, contract.GetMeRequest{Caller: mixed}, fault.Unauthenticated, "")
	})
	t.Run("an end is listed while a token may live", func(t *testing.T) {
		if len(w.revoked()) == 0 {
			t.Fatal("nothing is listed")
		}
		w.pass(16 * time.Minute)
		if got := w.revoked(); len(got) != 0 {
			t.Fatalf("still listed: %v", got)
		}
	})
}

func TestChangePassword(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.start()
	w.register("ann")
	mine, other := w.login("ann", password), w.login("ann", password)
	change := func(old string) contract.ChangePasswordRequest {
		return contract.ChangePasswordRequest{Caller: caller(mine), OldPassword: old, NewPassword: "a new password"}
	}
	fails(w, contract.ChangePassword, change("wrong"), fault.InvalidArgument, "old_password")
	must(w, contract.ChangePassword, change(password))
	if !w.lives(mine) || w.lives(other) {
		t.Fatal("the wrong one ended")
	}
	mine = w.refreshed(mine.RefreshToken)
	w.refused(other.RefreshToken)
	if got := w.revoked(); len(got) != 2 || !slices.Contains(got, caller(other).SessionID) { // the first of register too
		t.Fatalf("listed: %v", got)
	}
	fails(w, contract.Login, contract.LoginRequest{Account: "ann", Password: password}, fault.Unauthenticated, "")
	w.login("ann", "a new password")
	// Kept once is not kept for ever.
	third := w.login("ann", "a new password")
	must(w, contract.ChangePassword, contract.ChangePasswordRequest{Caller: caller(third), OldPassword: "a new password", NewPassword: password})
	if w.lives(mine) || !w.lives(third) {
		t.Fatal("the wrong one ended")
	}
}

func TestResetPassword(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.start()
	ann := w.register("ann")
	w.pass(time.Minute)
	code := w.code("ann@example.org", contract.PurposeResetPassword)
	reset := contract.ResetPasswordRequest{Email: "ann@example.org", Code: notThe(code), Password: "a new password"}
	fails(w, contract.ResetPassword, reset, fault.InvalidArgument, "code")
	reset.Code = code
	sub := w.pushes(ann.User.ID)
	must(w, contract.ResetPassword, reset)
	w.told(sub, ann, "reset")
	fails(w, contract.ResetPassword, reset, fault.InvalidArgument, "code")
	w.refused(ann.RefreshToken)
	if w.lives(ann) || !slices.Contains(w.revoked(), caller(ann).SessionID) {
		t.Fatal("the session lives")
	}
	w.login("ann", "a new password")
}

// TestChangePassword_and_death: from the one write that changes the password
// on, the other sessions are dead, even if nobody is left to mark them. The
// next replica marks them, and tells.
func TestChangePassword_and_death(t *testing.T) {
	w := newWorld(t)
	stop := w.start()
	kept := w.register("ann")
	other := w.login("ann", password)
	stop()

	// What Change writes before it marks the first session.
	store := w.store()
	user, err := store.User(t.Context(), kept.User.ID)
	if err != nil || user == nil {
		t.Fatalf("got %v, %v", user, err)
	}
	user.Epoch++
	user.ValidFrom, user.Kept, user.Ending = contract.NewTime(time.Now()), caller(kept).SessionID, true
	user.Rev++
	if err := store.SaveUser(t.Context(), *user, nil); err != nil {
		t.Fatal(err)
	}
	events := w.events()
	sub := w.pushes(kept.User.ID)
	w.start()
	w.told(sub, other, "password")
	if w.lives(other) || !w.lives(kept) || !slices.Contains(w.revoked(), caller(other).SessionID) {
		t.Fatal("the wrong one ended")
	}
	w.refused(other.RefreshToken)
	w.refreshed(kept.RefreshToken)
	events.next(t, "auth.session.ended", kept.User.ID)
	eventually(t, func() bool {
		user, err = store.User(t.Context(), kept.User.ID)
		return err == nil && !user.Ending
	})
	// And in between, before any sweeper came by:
	again := w.login("ann", password)
	user, err = store.User(t.Context(), kept.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	user.Epoch++
	user.ValidFrom, user.Kept, user.Ending = contract.NewTime(time.Now()), "", true
	user.Rev++
	if err := store.SaveUser(t.Context(), *user, nil); err != nil {
		t.Fatal(err)
	}
	if got := w.revoked(); w.lives(again) || !slices.Contains(got, caller(again).SessionID) || !slices.Contains(got, caller(kept).SessionID) {
		t.Fatalf("listed: %v", got)
	}
	w.refused(again.RefreshToken)
}

// notThe returns a code that is wrong.
func notThe(code string) string {
	last := code[5] - '0'
	return fmt.Sprintf("%s%d", code[:5], (last+1)%10)
}

// TestHealth_watches_the_clock, without readiness that depends on it.
func TestHealth_watches_the_clock(t *testing.T) {
	w := newWorld(t)
	w.start()
	if state := check(t, w, "clock"); state.Err != nil || !state.Informs {
		t.Fatalf("clock is %+v", state)
	}
}
