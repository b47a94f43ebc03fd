package auth_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/services/auth"
)

// loginFrom is a login from an address.
func (w *world) loginFrom(account, password, address string) error {
	_, err := call(w, contract.Login, contract.LoginRequest{Account: account, Password: password, Address: address})
	return err
}

// guess guesses at an account, each time from another address, until strangers
// are refused.
func (w *world) guess(account string, network int) (guesses int, refused *fault.Error) {
	w.t.Helper()
	for i := range 100 {
		err := w.loginFrom(account, "wrong", fmt.Sprintf("198.51.%d.%d", network, i))
		if fault.Is(err, fault.ResourceExhausted) {
			return i, fault.From(err)
		}
		if !fault.Is(err, fault.Unauthenticated) {
			w.t.Fatal(err)
		}
	}
	w.t.Fatal("100 strangers may guess")
	return 0, nil
}

// TestLogin_guessed_from_everywhere: all strangers together get a few guesses an
// hour, and whoever has logged in before goes on, from where they did.
func TestLogin_guessed_from_everywhere(t *testing.T) {
	w := newWorld(t, func(c *auth.Config) { c.AccountFailures = 5 })
	w.start()
	w.start()
	w.register("ann") // from loopback
	if err := w.loginFrom("ann", password, "192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	n, refused := w.guess("ann", 0)
	if n != 5 || refused.RetryAfter <= 0 || refused.RetryAfter > time.Hour {
		t.Fatalf("after %d guesses: %v", n, refused)
	}
	for _, known := range []string{"192.0.2.1", ""} {
		if err := w.loginFrom("ann", password, known); err != nil {
			t.Fatalf("the owner is locked out: %v", err)
		}
	}
	if err := w.loginFrom("ann", password, "192.0.2.2"); !fault.Is(err, fault.ResourceExhausted) {
		t.Fatalf("a stranger: %v", err)
	}
	// The owner's own slips count where they are, not for all.
	for range 10 {
		if err := w.loginFrom("ann", "wrong", "192.0.2.1"); !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
	}
	if err := w.loginFrom("ann", password, "192.0.2.1"); !fault.Is(err, fault.ResourceExhausted) {
		t.Fatalf("ten slips, and then: %v", err)
	}

	// From elsewhere a mailed code lets the owner in, and makes the place known.
	w.pass(time.Minute)
	code := w.code("ann@example.org", contract.PurposeResetPassword)
	must(w, contract.ResetPassword, contract.ResetPasswordRequest{Email: "ann@example.org", Code: code, Password: "a new password", Address: "192.0.2.3"})
	if err := w.loginFrom("ann", "a new password", "192.0.2.3"); err != nil {
		t.Fatal(err)
	}

	w.pass(time.Hour)
	if n, _ := w.guess("ann", 1); n != 5 {
		t.Fatalf("%d guesses in the next hour", n)
	}
	w.pass(91 * 24 * time.Hour)
	w.guess("ann", 2)
	if err := w.loginFrom("ann", "a new password", "192.0.2.3"); !fault.Is(err, fault.ResourceExhausted) {
		t.Fatalf("an address is known for ever: %v", err)
	}
}

// TestLogin_guessed_unknown: nobody can tell by the limit whether there is an
// account.
func TestLogin_guessed_unknown(t *testing.T) {
	w := newWorld(t, func(c *auth.Config) { c.AccountFailures = 3 })
	w.start()
	w.register("ann")
	for i, account := range []string{"ann", "ann@example.org", "nobody", "nobody@example.org"} {
		if n, _ := w.guess(account, i); n != 3 {
			t.Errorf("%s: %d guesses", account, n)
		}
	}
}

// failure waits for the next event about a failed login.
func (s *stream) failure(t *testing.T) contract.SessionEvent {
	t.Helper()
	for {
		msg, err := s.sub.NextMsg(20 * time.Second)
		if err != nil {
			t.Fatalf("wait for a failed login: %v", err)
		}
		if msg.Subject != contract.LoginFailed.Subject() {
			continue
		}
		var body contract.EventBody[contract.SessionEvent]
		if err := json.Unmarshal(msg.Data, &body); err != nil {
			t.Fatal(err)
		}
		return body.Data
	}
}

// TestLogin_failures_are_reported, each with its reason, of accounts that there
// are; of an attack only so many.
func TestLogin_failures_are_reported(t *testing.T) {
	w := newWorld(t, func(c *auth.Config) { c.LoginFailures, c.AccountFailures = 2, 1000 })
	w.start()
	w.social()
	ann, bob := w.register("ann"), w.register("bob")
	events := w.events()
	fails(w, contract.Login, contract.LoginRequest{Account: "nobody", Password: password}, fault.Unauthenticated, "")
	want := []string{"wrong_password", "wrong_password", "limited", "limited"}
	for range want {
		if err := w.loginFrom("ann", "wrong", "192.0.2.1"); err == nil {
			t.Fatal("it worked")
		}
	}
	for _, reason := range want {
		if got := events.failure(t); got != (contract.SessionEvent{UserID: ann.User.ID, Reason: reason}) {
			t.Fatalf("got %+v, want %s", got, reason)
		}
	}
	must(w, contract.DisableUser, about(bob.User.ID))
	fails(w, contract.Login, contract.LoginRequest{Account: "bob", Password: password}, fault.PermissionDenied, "")
	if got := events.failure(t); got != (contract.SessionEvent{UserID: bob.User.ID, Reason: "disabled"}) {
		t.Fatalf("got %+v", got)
	}

	for range 40 { // all but the first are refused before anything is hashed
		_ = w.loginFrom("ann", "wrong", "192.0.2.1")
	}
	carl := w.register("carl")
	fails(w, contract.Login, contract.LoginRequest{Account: "carl", Password: "wrong"}, fault.Unauthenticated, "")
	n := 0
	for got := events.failure(t); got.UserID != carl.User.ID; got = events.failure(t) {
		n++
	}
	if n != 16 { // 20 with the first four
		t.Fatalf("%d of 40 are reported, want 16", n)
	}
	w.pass(15 * time.Minute)
	_ = w.loginFrom("ann", "wrong", "192.0.2.1")
	if got := events.failure(t); got.UserID != ann.User.ID {
		t.Fatalf("got %+v", got)
	}
}

// TestPassword_is_not_easy, wherever one is set.
func TestPassword_is_not_easy(t *testing.T) {
	w := newWorld(t)
	w.start()
	ann := w.register("annabella")
	w.pass(time.Minute)
	for _, easy := range []string{"password", "PassWord1", "12345678", "qwertyuiop", "aaaaaaaaaa", "ääääääääää", "Parley2024!", "annabella99", "ANNABELLA"} {
		req := signUp("annabella", "123456")
		req.Password = easy
		fails(w, contract.Register, req, fault.InvalidArgument, "password")
		fails(w, contract.ResetPassword, contract.ResetPasswordRequest{Email: req.Email, Code: "123456", Password: easy}, fault.InvalidArgument, "password")
		fails(w, contract.ChangePassword, contract.ChangePasswordRequest{Caller: caller(ann), OldPassword: password, NewPassword: easy}, fault.InvalidArgument, "new_password")
	}
	for _, good := range []string{"annabella and the whale", "purple-parley-79x", "好的密码不容易被猜到"} {
		must(w, contract.ChangePassword, contract.ChangePasswordRequest{Caller: caller(ann), OldPassword: password, NewPassword: good})
		must(w, contract.ChangePassword, contract.ChangePasswordRequest{Caller: caller(ann), OldPassword: good, NewPassword: password})
	}
}
