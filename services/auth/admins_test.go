package auth_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/id"
	"github.com/parley-im/parley/pkg/rpc"
)

// act is what an admin says with each request.
var act = contract.Act{By: "ops@example.org", Reason: "ticket 17"}

// social stands beside auth and keeps what it is to announce.
type social struct {
	mu   sync.Mutex
	told []contract.AnnounceUserRequest
}

func (w *world) social() *social {
	w.t.Helper()
	s := &social{}
	server := rpc.NewServer(w.nc, rpc.ServerOptions{Service: contract.Social, Version: "0.0.0", Workers: 2, Queue: 10})
	rpc.Handle(server, contract.AnnounceUser, func(_ context.Context, req contract.AnnounceUserRequest) (contract.Empty, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told = append(s.told, req)
		return contract.Empty{}, nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }() // ends with ctx, and is waited for
	w.t.Cleanup(func() { cancel(); <-done })
	eventually(w.t, func() bool { return server.Ready(w.t.Context()) == nil })
	return s
}

func (s *social) announced() []contract.AnnounceUserRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.told)
}

// audit waits for the next audit event.
func (s *stream) audit(t *testing.T) contract.AuditEvent {
	t.Helper()
	for {
		msg, err := s.sub.NextMsg(20 * time.Second)
		if err != nil {
			t.Fatalf("wait for an audit event: %v", err)
		}
		if msg.Subject != contract.AuthAudit.Subject() {
			continue
		}
		body, err := contract.AuthAudit.Decode(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		return body.Data
	}
}

func about(userID string) contract.AdminUserRequest {
	return contract.AdminUserRequest{Act: act, UserID: userID}
}

// TestDisable over two replicas: sessions end, sockets are told to close, logins
// are refused, others see nobody, and the stream says who did it, once.
func TestDisable(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.start()
	social := w.social()
	w.register("ann")
	bob := w.register("bob")
	ann := w.login("ann", password)
	pushes, events := w.pushes(ann.User.ID), w.events()

	for range 2 {
		got := must(w, contract.DisableUser, about(ann.User.ID))
		if got.ID != ann.User.ID || got.Email != "ann@example.org" || got.DisabledAt == nil || got.ErasedAt != nil || len(got.Sessions) != 0 {
			t.Fatalf("got %+v", got)
		}
	}
	for range 2 { // sessions
		msg, err := pushes.NextMsg(20 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := contract.SessionRevoked.Decode(msg.Data); err != nil || data.Reason != "disabled" {
			t.Fatalf("told %s, %v", msg.Data, err)
		}
	}
	want := contract.AuditEvent{By: act.By, Reason: act.Reason, Action: "disable_user", UserID: ann.User.ID}
	if got := events.audit(t); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	w.refused(ann.RefreshToken)
	if w.lives(ann) || !slices.Contains(w.revoked(), caller(ann).SessionID) {
		t.Fatal("the session lives")
	}
	f := fails(w, contract.Login, contract.LoginRequest{Account: "ann", Password: password}, fault.PermissionDenied, "")
	if f.Detail != "the account is disabled" {
		t.Fatalf("got %q", f.Detail)
	}
	fails(w, contract.Login, contract.LoginRequest{Account: "ann", Password: "wrong"}, fault.Unauthenticated, "")
	fails(w, contract.IssueToken, contract.IssueTokenRequest{Act: act, UserID: ann.User.ID}, fault.FailedPrecondition, "")
	fails(w, contract.FindUser, contract.FindUserRequest{Account: "ann"}, fault.NotFound, "")
	if got := must(w, contract.GetUsers, contract.GetUsersRequest{UserIDs: []string{ann.User.ID, bob.User.ID}}); len(got.Users) != 1 || got.Users[0].ID != bob.User.ID {
		t.Fatalf("got %+v", got.Users)
	}

	for range 2 {
		if got := must(w, contract.EnableUser, about(ann.User.ID)); got.DisabledAt != nil {
			t.Fatalf("got %+v", got)
		}
	}
	if got := events.audit(t); got.Action != "enable_user" || got.UserID != ann.User.ID { // disabling twice was audited once
		t.Fatalf("got %+v", got)
	}
	w.login("ann", password)
	w.refused(ann.RefreshToken)
	if w.lives(ann) {
		t.Fatal("an ended session is back")
	}
	must(w, contract.FindUser, contract.FindUserRequest{Account: "ann"})
	told := social.announced()
	if len(told) != 4 || told[0] != (contract.AnnounceUserRequest{UserID: ann.User.ID, Disabled: true}) || told[3] != (contract.AnnounceUserRequest{UserID: ann.User.ID}) {
		t.Fatalf("social was told %+v", told)
	}
}

// TestDisable_beside_logins: whichever comes first, no session is left.
func TestDisable_beside_logins(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.start()
	w.social()
	ann := w.register("ann")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				_, err := call(w, contract.Login, contract.LoginRequest{Account: "ann", Password: password})
				if fault.Is(err, fault.PermissionDenied) {
					return
				}
				if err != nil && !fault.Is(err, fault.Unauthenticated) {
					t.Error(err)
					return
				}
			}
		})
	}
	must(w, contract.DisableUser, about(ann.User.ID))
	wg.Wait()
	if got := must(w, contract.ShowUser, contract.ShowUserRequest{Act: act, User: "ann"}); len(got.Sessions) != 0 {
		t.Fatalf("%d sessions live", len(got.Sessions))
	}
	eventually(t, func() bool {
		open, err := w.store().OpenSessions(t.Context(), ann.User.ID)
		return err == nil && len(open) == 0
	})
}

// TestDisable_without_social: what auth does holds, whoever is away.
func TestDisable_without_social(t *testing.T) {
	w := newWorld(t)
	w.start()
	ann := w.register("ann")
	must(w, contract.DisableUser, about(ann.User.ID))
	if w.lives(ann) || !strings.Contains(w.log.String(), "announce that a user is gone") {
		t.Fatal("it was not disabled, or nobody complained")
	}
}

// TestDisable_outlasts_a_reset: a new password opens nothing.
func TestDisable_outlasts_a_reset(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.social()
	ann := w.register("ann")
	must(w, contract.DisableUser, about(ann.User.ID))
	w.pass(time.Minute)
	code := w.code("ann@example.org", contract.PurposeResetPassword)
	must(w, contract.ResetPassword, contract.ResetPasswordRequest{Email: "ann@example.org", Code: code, Password: "a new password"})
	fails(w, contract.Login, contract.LoginRequest{Account: "ann", Password: "a new password"}, fault.PermissionDenied, "")
	must(w, contract.EnableUser, about(ann.User.ID))
	w.login("ann", "a new password")
}

func TestShowUser(t *testing.T) {
	w := newWorld(t)
	w.start()
	ann := w.register("ann")
	w.login("ann", password)
	events := w.events()
	for _, name := range []string{ann.User.ID, "Ann", "ANN@example.org"} {
		got := must(w, contract.ShowUser, contract.ShowUserRequest{Act: act, User: name})
		if got.User != ann.User || len(got.Sessions) != 2 || got.Sessions[1].ID != caller(ann).SessionID || got.Sessions[1].DeviceName != "first" {
			t.Fatalf("%s is %+v", name, got)
		}
		if got := events.audit(t); got.Action != "show_user" || got.UserID != ann.User.ID || got.By != act.By {
			t.Fatalf("got %+v", got)
		}
	}
	for _, none := range []string{"nobody", "nobody@example.org", id.New(), "a b"} {
		fails(w, contract.ShowUser, contract.ShowUserRequest{Act: act, User: none}, fault.NotFound, "")
	}
}

func TestEndSessions(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.start()
	ann, bob := w.register("ann"), w.register("bob")
	second, third := w.login("ann", password), w.login("ann", password)
	pushes, events := w.pushes(ann.User.ID), w.events()

	one := contract.EndSessionsRequest{Act: act, UserID: ann.User.ID, SessionID: caller(second).SessionID}
	for _, want := range []int{1, 0} {
		if got := must(w, contract.EndSessions, one); got.Ended != want {
			t.Fatalf("ended %d, want %d", got.Ended, want)
		}
	}
	w.told(pushes, second, "revoked")
	want := contract.AuditEvent{By: act.By, Reason: act.Reason, Action: "end_sessions", UserID: ann.User.ID, SessionID: caller(second).SessionID}
	if got := events.audit(t); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	one.SessionID = caller(bob).SessionID
	fails(w, contract.EndSessions, one, fault.NotFound, "")
	if w.lives(second) || !w.lives(third) || !w.lives(bob) {
		t.Fatal("the wrong one ended")
	}

	all := contract.EndSessionsRequest{Act: act, UserID: ann.User.ID}
	if got := must(w, contract.EndSessions, all); got.Ended != 2 {
		t.Fatalf("ended %d, want 2", got.Ended)
	}
	if got := events.audit(t); got.Action != "end_sessions" || got.UserID != ann.User.ID || got.SessionID != "" {
		t.Fatalf("got %+v", got)
	}
	if w.lives(ann) || w.lives(third) {
		t.Fatal("a session lives")
	}
	w.login("ann", password)
	fails(w, contract.EndSessions, contract.EndSessionsRequest{Act: act, UserID: id.New()}, fault.NotFound, "")
}

func TestIssueToken(t *testing.T) {
	w := newWorld(t)
	w.start()
	ann := w.register("ann")
	events := w.events()
	g := must(w, contract.IssueToken, contract.IssueTokenRequest{Act: act, UserID: ann.User.ID, DeviceName: "a test"})
	want := contract.AuditEvent{By: act.By, Reason: act.Reason, Action: "issue_token", UserID: ann.User.ID, SessionID: caller(g).SessionID}
	if got := events.audit(t); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	if !w.lives(g) || g.User != ann.User {
		t.Fatalf("got %+v", g)
	}
	w.refreshed(g.RefreshToken)
	fails(w, contract.IssueToken, contract.IssueTokenRequest{Act: act, UserID: id.New()}, fault.NotFound, "")
}

// TestAdmins_say_who_and_why, in every request.
func TestAdmins_say_who_and_why(t *testing.T) {
	w := newWorld(t)
	w.start()
	for field, acts := range map[string][]contract.Act{
		"act.by":     {{}, {By: "two words"}, {By: strings.Repeat("x", 65)}, {By: "änn"}, {By: "a\n"}},
		"act.reason": {{By: "ops", Reason: strings.Repeat("x", 201)}, {By: "ops", Reason: "two\nlines"}},
		// A replica that stood still must not lift what was barred since.
		"act.asked_at": {{By: "ops", AskedAt: contract.NewTime(time.Now().Add(-contract.MaxActAge))}},
	} {
		for _, a := range acts {
			fails(w, contract.ShowUser, contract.ShowUserRequest{Act: a, User: "ann"}, fault.InvalidArgument, field)
			for _, m := range []contract.Method[contract.AdminUserRequest, contract.AdminUser]{contract.DisableUser, contract.EnableUser} {
				fails(w, m, contract.AdminUserRequest{Act: a, UserID: "x"}, fault.InvalidArgument, field)
			}
			fails(w, contract.EndSessions, contract.EndSessionsRequest{Act: a, UserID: "x"}, fault.InvalidArgument, field)
			fails(w, contract.IssueToken, contract.IssueTokenRequest{Act: a, UserID: "x"}, fault.InvalidArgument, field)
			fails(w, contract.ListKeys, contract.KeysRequest{Act: a}, fault.InvalidArgument, field)
			fails(w, contract.RotateKeys, contract.KeysRequest{Act: a}, fault.InvalidArgument, field)
		}
	}
	for _, none := range []string{"", ">", "a.b", strings.Repeat("x", 65)} {
		fails(w, contract.DisableUser, about(none), fault.InvalidArgument, "user_id")
		fails(w, contract.EndSessions, contract.EndSessionsRequest{Act: act, UserID: none}, fault.InvalidArgument, "user_id")
	}
	fails(w, contract.EndSessions, contract.EndSessionsRequest{Act: act, UserID: "x", SessionID: "*"}, fault.InvalidArgument, "session_id")
	fails(w, contract.DisableUser, about(id.New()), fault.NotFound, "")
	fails(w, contract.EnableUser, about(id.New()), fault.NotFound, "")
	if f := fails(w, contract.ShowUser, contract.ShowUserRequest{Act: act}, fault.InvalidArgument, "user"); len(f.Fields) != 1 {
		t.Fatal(fmt.Sprint(f.Fields))
	}
}
