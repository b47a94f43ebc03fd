package auth_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
	"github.com/parley-im/parley/services/auth"
)

// oneMailbox is one address as people and programs write it.
var oneMailbox = []string{
	"Ann@b\u00fccher.example.org", "ann@xn--bcher-kva.example.org", "ann@bu\u0308cher.example.org", "ann@b\u00fccher\uff0eexample\u3002org",
	"\uff21nn@b\u00fc\u200bcher.example.org", "ann\uff20B\u00dcCHER.example.org ",
}

func TestEmail_one_mailbox_is_one_account(t *testing.T) {
	w := newWorld(t)
	w.start()
	code := w.code(oneMailbox[0], contract.PurposeRegister)
	ann := must(w, contract.Register, contract.RegisterRequest{Email: oneMailbox[1], Code: code, Account: "ann", Password: password})
	if ann.User.Email != "ann@b\u00fccher.example.org" {
		t.Fatalf("its user sees %q", ann.User.Email)
	}
	if stored := loaded(t, w.store(), ann.User.ID).Email; stored != "ann@xn--bcher-kva.example.org" {
		t.Fatalf("it is stored as %q", stored)
	}
	for _, email := range oneMailbox {
		if g := w.login(email, password); g.User.ID != ann.User.ID {
			t.Fatalf("%q is another account", email)
		}
		w.pass(time.Hour)
		code := w.code(email, contract.PurposeResetPassword)
		must(w, contract.ResetPassword, contract.ResetPasswordRequest{Email: oneMailbox[2], Code: code, Password: password})
	}
}

func TestEmail_refuses_what_gets_no_mail(t *testing.T) {
	w := newWorld(t)
	w.start()
	for _, email := range []string{
		"ann", "@example.org", "ann@", "ann@localhost", "ann@example", "ann@example..org", "ann@.org", "ann@example.org.", "ann@192.0.2.1",
		"ann@[192.0.2.1]", "ann@exa_mple.org", "ann@-example.org", "ann@example.invalid", "ann@xn--a.org", "a..b@example.org", ".a@example.org",
		"ann\u200b@example.org", "a b@example.org", "Ann <ann@example.org>", "ann@example.org, bob@example.org",
		strings.Repeat("a", 65) + "@example.org", "ann@" + strings.Repeat("a", 64) + ".org", "ann@" + strings.Repeat("a.", 125) + "org",
	} {
		_, err := call(w, contract.SendCode, contract.SendCodeRequest{Email: email, Purpose: contract.PurposeRegister})
		if f := fault.From(err); f == nil || f.Code != fault.InvalidArgument || len(f.Fields) == 0 || f.Fields[0].Field != "email" {
			t.Errorf("%q: got %v", email, err)
		}
	}
}

// TestMail_SMTPUTF8 is asked for only by an address that needs it.
func TestMail_SMTPUTF8(t *testing.T) {
	for name, able := range map[string]bool{"the server has it": true, "the server lacks it": false} {
		t.Run(name, func(t *testing.T) {
			s := newSink(t, nil, false)
			s.server.EnableSMTPUTF8 = able
			w := newWorld(t, mailing(s, ""), func(c *auth.Config) { c.CodesPerMinute = 100 })
			w.start()
			send := contract.SendCodeRequest{Email: "ann@b\u00fccher.example.org", Purpose: contract.PurposeRegister}
			must(w, contract.SendCode, send)
			if got := s.next(t, 1); got.to != "ann@xn--bcher-kva.example.org" || s.utf8Of(got.to) {
				t.Fatalf("got %+v, SMTPUTF8 %v", got, s.utf8Of(got.to))
			}
			send.Email = "\u00e5sa@b\u00fccher.example.org"
			must(w, contract.SendCode, send)
			if able {
				if got := s.next(t, 2); got.to != "\u00e5sa@xn--bcher-kva.example.org" || !s.utf8Of(got.to) {
					t.Fatalf("got %+v, SMTPUTF8 %v", got, s.utf8Of(got.to))
				}
				must(w, contract.SendCode, send)
				return
			}
			eventually(t, func() bool { return strings.Contains(w.log.String(), "mail not sent") })
			if strings.Contains(w.log.String(), "mail not sent yet") || len(s.received()) != 1 {
				t.Fatalf("%d mails; logged %s", len(s.received()), w.log.String())
			}
			fails(w, contract.SendCode, send, fault.InvalidArgument, "email")
		})
	}
}

func (s *sink) utf8Of(to string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.utf8[to]
}

func TestPassword_in_any_Unicode_form(t *testing.T) {
	w := newWorld(t)
	w.start()
	const composed, decomposed = "p\u00e4ssw\u00f6rter im wald", "pa\u0308sswo\u0308rter\u00a0im wald"
	email := "ann@example.org"
	ann := must(w, contract.Register, contract.RegisterRequest{
		Email: email, Code: w.code(email, contract.PurposeRegister), Account: "ann", Password: decomposed,
	})
	w.login("ann", composed)
	w.login("ann", decomposed)
	must(w, contract.ChangePassword, contract.ChangePasswordRequest{Caller: caller(ann), OldPassword: composed, NewPassword: composed + "!"})
	w.login("ann", decomposed+"!")

	// A hash of before: of the bytes that were typed.
	salt := []byte("0123456789abcdef")
	sum := argon2.IDKey([]byte(decomposed), salt, 2, 19456, 1, 32)
	user := loaded(t, w.store(), ann.User.ID)
	user.Password = fmt.Sprintf("$argon2id$v=19$m=19456,t=2,p=1$%s$%s", base64.RawStdEncoding.EncodeToString(salt), base64.RawStdEncoding.EncodeToString(sum))
	user.Rev++
	if err := w.store().SaveUser(t.Context(), user, nil); err != nil {
		t.Fatal(err)
	}
	w.login("ann", decomposed)
	fails(w, contract.Login, contract.LoginRequest{Account: "ann", Password: decomposed + "!"}, fault.Unauthenticated, "")
}

// TestEmail_carried_over at the start: of accounts with one mailbox the oldest
// keeps it.
func TestEmail_carried_over(t *testing.T) {
	w := newWorld(t)
	stop := w.start()
	code := w.code(oneMailbox[1], contract.PurposeRegister)
	young := must(w, contract.Register, contract.RegisterRequest{Email: oneMailbox[1], Code: code, Account: "young", Password: password})
	hash := loaded(t, w.store(), young.User.ID).Password
	stop()
	for i, email := range []string{oneMailbox[2], "ann@b\u00fccher.example.org", "bob@b\u00fccher.example.org"} {
		at := contract.NewTime(time.Now().Add(-time.Duration(i+1) * time.Hour))
		u := auth.User{ID: fmt.Sprintf("u%d", i), Account: fmt.Sprintf("user%d", i), Email: email, Password: hash, CreatedAt: at, Epoch: 1, ValidFrom: at, Rev: 1}
		if err := w.store().SaveUser(t.Context(), u, nil); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		stop = w.start()
		if g := w.login(oneMailbox[3], password); g.User.ID != "u1" {
			t.Fatalf("the mailbox is %s's", g.User.ID)
		}
		if g := w.login("bob@xn--bcher-kva.example.org", password); g.User.ID != "u2" {
			t.Fatalf("bob's mailbox is %s's", g.User.ID)
		}
		for _, account := range []string{"young", "user0"} {
			w.login(account, password)
		}
		stop()
	}
	for _, userID := range []string{young.User.ID, "u0"} {
		if !strings.Contains(w.log.String(), `"user":"`+userID+`"`) {
			t.Errorf("%s is not logged", userID)
		}
	}
}
