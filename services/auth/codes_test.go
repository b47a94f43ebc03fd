package auth_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/pkg/telemetry"
	"github.com/parley-im/parley/services/auth"
)

// send asks for a code from an address.
func send(email, address string) contract.SendCodeRequest {
	return contract.SendCodeRequest{Email: email, Purpose: contract.PurposeRegister, Address: address}
}

// signUp is a registration for an e-mail of the account's name.
func signUp(account, code string) contract.RegisterRequest {
	return contract.RegisterRequest{Email: account + "@example.org", Code: code, Account: account, Password: password}
}

func TestSendCode_limits(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.start()
	t.Run("one a minute and five an hour for an e-mail, in any case", func(t *testing.T) {
		for i := range 5 {
			must(w, contract.SendCode, send("ann@example.org", ""))
			f := fails(w, contract.SendCode, send(" ANN@example.org", ""), fault.ResourceExhausted, "")
			if f.RetryAfter <= 0 || i < 4 && f.RetryAfter > time.Minute {
				t.Fatalf("retry after %v", f.RetryAfter)
			}
			w.pass(time.Minute)
		}
		if f := fails(w, contract.SendCode, send("ann@example.org", ""), fault.ResourceExhausted, ""); f.RetryAfter < 50*time.Minute {
			t.Fatalf("retry after %v", f.RetryAfter)
		}
		must(w, contract.SendCode, send("bob@example.org", ""))
		w.pass(time.Hour)
		must(w, contract.SendCode, send("ann@example.org", ""))
	})
	t.Run("twenty an hour from an address", func(t *testing.T) {
		w.pass(time.Hour)
		for i := range 20 {
			must(w, contract.SendCode, send(fmt.Sprintf("c%d@example.org", i), "192.0.2.1"))
		}
		fails(w, contract.SendCode, send("d@example.org", "192.0.2.1"), fault.ResourceExhausted, "")
		must(w, contract.SendCode, send("d@example.org", "192.0.2.2")) // what was refused has not counted
	})
	t.Run("no address has no limit", func(t *testing.T) {
		for i := range 25 {
			must(w, contract.SendCode, send(fmt.Sprintf("e%d@example.org", i), ""))
		}
	})
}

func TestCode(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.start()
	t.Run("is good once", func(t *testing.T) {
		code := w.code("once@example.org", contract.PurposeRegister)
		must(w, contract.Register, signUp("once", code))
		again := signUp("once", code)
		again.Account = "other"
		fails(w, contract.Register, again, fault.InvalidArgument, "code")
	})
	t.Run("is good for ten minutes", func(t *testing.T) {
		code := w.code("late@example.org", contract.PurposeRegister)
		w.pass(10 * time.Minute)
		fails(w, contract.Register, signUp("late", code), fault.InvalidArgument, "code")
	})
	t.Run("is good for its purpose", func(t *testing.T) {
		w.pass(time.Minute)
		code := w.code("once@example.org", contract.PurposeResetPassword)
		req := signUp("once", code)
		req.Account = "purpose"
		fails(w, contract.Register, req, fault.InvalidArgument, "code")
		must(w, contract.ResetPassword, contract.ResetPasswordRequest{Email: "once@example.org", Code: code, Password: password})
	})
	t.Run("is good for its e-mail", func(t *testing.T) {
		code := w.code("mine@example.org", contract.PurposeRegister)
		fails(w, contract.Register, signUp("yours", code), fault.InvalidArgument, "code")
		must(w, contract.Register, signUp("mine", code))
	})
	t.Run("a new one replaces it", func(t *testing.T) {
		first := w.code("two@example.org", contract.PurposeRegister)
		w.pass(time.Minute)
		second := w.code("two@example.org", contract.PurposeRegister)
		if first != second {
			fails(w, contract.Register, signUp("two", first), fault.InvalidArgument, "code")
		}
		must(w, contract.Register, signUp("two", second))
	})
	t.Run("bears four wrong tries", func(t *testing.T) {
		code := w.code("four@example.org", contract.PurposeRegister)
		for range 4 {
			fails(w, contract.Register, signUp("four", notThe(code)), fault.InvalidArgument, "code")
		}
		must(w, contract.Register, signUp("four", code))
	})
	t.Run("and not five", func(t *testing.T) {
		code := w.code("five@example.org", contract.PurposeRegister)
		for range 5 {
			fails(w, contract.Register, signUp("five", notThe(code)), fault.InvalidArgument, "code")
		}
		fails(w, contract.Register, signUp("five", code), fault.InvalidArgument, "code")
	})
	t.Run("of 20 at once one wins", func(t *testing.T) {
		code := w.code("race@example.org", contract.PurposeRegister)
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				req := signUp("race", code)
				req.Account = fmt.Sprintf("race%d", i)
				switch _, err := call(w, contract.Register, req); {
				case err == nil:
					won.Add(1)
				case !fault.Is(err, fault.InvalidArgument):
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d have registered", won.Load())
		}
	})
}

func TestLogin_throttle(t *testing.T) {
	w := newWorld(t, func(c *auth.Config) { c.AddressFailures = 15 })
	w.start()
	w.start()
	w.register("ann")
	try := func(account, address, password string) error {
		_, err := call(w, contract.Login, contract.LoginRequest{Account: account, Password: password, Address: address})
		return err
	}
	for range 30 {
		if err := try("ann", "192.0.2.9", password); err != nil {
			t.Fatalf("what succeeds has counted: %v", err)
		}
	}
	for range 10 {
		if err := try("ann", "192.0.2.1", "wrong"); !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
	}
	f := fault.From(try("ANN", "192.0.2.1", password))
	if f == nil || f.Code != fault.ResourceExhausted || f.RetryAfter <= 0 || f.RetryAfter > 15*time.Minute {
		t.Fatalf("got %v", f)
	}
	if err := try("ann", "192.0.2.2", password); err != nil {
		t.Fatalf("another address is locked out: %v", err)
	}
	if err := try("ann", "", password); err != nil {
		t.Fatalf("no address is locked out: %v", err)
	}
	for i := range 5 {
		if err := try(fmt.Sprintf("x%d", i), "192.0.2.1", "wrong"); !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
	}
	if err := try("y", "192.0.2.1", "wrong"); !fault.Is(err, fault.ResourceExhausted) {
		t.Fatalf("an address may go on: %v", err)
	}
	for range 10 {
		if err := try("nobody", "", "wrong"); !fault.Is(err, fault.Unauthenticated) {
			t.Fatal(err)
		}
	}
	if err := try("nobody", "", "wrong"); !fault.Is(err, fault.ResourceExhausted) {
		t.Fatalf("an account may be guessed at for ever: %v", err)
	}
	w.pass(15 * time.Minute)
	if err := try("ann", "192.0.2.1", password); err != nil {
		t.Fatal(err)
	}
}

// TestRedis_away: nothing that guards is skipped, and what needs no guard
// goes on; auth stays ready for it, and tells.
func TestRedis_away(t *testing.T) {
	w := newWorld(t)
	w.start()
	ann := w.register("ann")
	w.redis.Close()
	fails(w, contract.SendCode, send("bob@example.org", ""), fault.Unavailable, "")
	fails(w, contract.Register, signUp("bob", "123456"), fault.Unavailable, "")
	fails(w, contract.Login, contract.LoginRequest{Account: "ann", Password: password}, fault.Unavailable, "")
	w.refreshed(ann.RefreshToken)
	if state := check(t, w, "redis"); state.Err == nil || !state.Informs {
		t.Fatalf("redis is %s", state)
	}
	if err := w.health.Ready(t.Context()); err != nil {
		t.Fatalf("not ready: %v", err)
	}
	if err := w.redis.Restart(); err != nil {
		t.Fatal(err)
	}
	w.login("ann", password)
	if state := check(t, w, "redis"); state.Err != nil {
		t.Fatalf("redis is %s", state)
	}
}

// check asks for one of auth's checks.
func check(t *testing.T, w *world, name string) telemetry.CheckState {
	t.Helper()
	for _, state := range w.health.States(t.Context()) {
		if state.Name == name {
			return state
		}
	}
	t.Fatalf("there is no check %s", name)
	return telemetry.CheckState{}
}

// TestPrivacy: neither the log nor the names and values in Redis say who it
// was, or hold a secret. The lines that stand in for mail during development
// name the address and the code.
func TestPrivacy(t *testing.T) {
	w := newWorld(t)
	w.start()
	ann := w.register("annabella")
	w.pass(time.Minute)
	code := w.code("annabella@example.org", contract.PurposeResetPassword)
	must(w, contract.SendCode, send("Roberta@example.org", "192.0.2.77"))
	fails(w, contract.Login, contract.LoginRequest{Account: "annabella", Password: "wrong secret", Address: "192.0.2.77"}, fault.Unauthenticated, "")
	must(w, contract.ChangePassword, contract.ChangePasswordRequest{Caller: caller(ann), OldPassword: password, NewPassword: "another secret"})
	next := w.refreshed(ann.RefreshToken)
	w.refused("x" + next.RefreshToken)
	inRedis := w.redis.Dump()
	var logged strings.Builder
	mailed := 0
	for line := range strings.Lines(strings.ToLower(w.log.String())) {
		if !strings.Contains(line, "verification code") {
			logged.WriteString(line)
		} else if strings.Contains(line, "annabella@example.org") || strings.Contains(line, "roberta@example.org") {
			mailed++
		}
	}
	if mailed < 3 { // two codes of Annabella's, one of Roberta's
		t.Errorf("%d lines in place of mails say for whom", mailed)
	}
	for _, secret := range []string{"annabella", "roberta", "192.0.2.77", password, "wrong secret", "another secret", next.AccessToken, next.RefreshToken, ann.RefreshToken} {
		if strings.Contains(logged.String(), strings.ToLower(secret)) {
			t.Errorf("the log has %q", secret)
		}
		if strings.Contains(strings.ToLower(inRedis), strings.ToLower(secret)) {
			t.Errorf("Redis has %q", secret)
		}
	}
	if strings.Contains(inRedis, code) {
		t.Error("Redis has the code")
	}
}
