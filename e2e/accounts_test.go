package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/id"
)

func accounts(t *testing.T, s *system.System) {
	ann := people(t, s, "ann")[0]
	stranger := &person.Person{API: api(), Gateway: s.URLs[1]}

	t.Run("register refuses", func(t *testing.T) {
		valid := map[string]any{"email": "someone@example.org", "code": "000000", "account": "some.one", "password": person.Password}
		for field, wrong := range map[string][]any{
			"email":    {"", "no address", "Name <a@example.org>", strings.Repeat("a", 250) + "@example.org"},
			"account":  {"", "ab", "1abc", "a b c", "über", strings.Repeat("a", 33)},
			"password": {"", "1234567", strings.Repeat("a", 129)},
			"code":     {"", "12345", "abcdef", "000000"},
		} {
			for _, value := range wrong {
				body := map[string]any{}
				for k, v := range valid {
					body[k] = v
				}
				body[field] = value
				stranger.Post(t, "/api/v1/auth/register", body).Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", field)
			}
		}
		stranger.Post(t, "/api/v1/auth/codes", map[string]any{"email": "x", "purpose": "register"}).Refused(t, "invalid_argument", "email")
		stranger.Post(t, "/api/v1/auth/codes", map[string]any{"email": "a@example.org", "purpose": "fun"}).Refused(t, "invalid_argument", "purpose")
		stranger.Post(t, "/api/v1/auth/codes", `{"email":7}`).Refused(t, "invalid_argument", "email")
		stranger.Post(t, "/api/v1/auth/codes", `not json`).Refused(t, "invalid_argument")
	})

	t.Run("an account is taken in any case", func(t *testing.T) {
		email := id.New() + "@example.org"
		stranger.Post(t, "/api/v1/auth/codes", map[string]any{"email": email, "purpose": "register"}).Is(t, http.StatusAccepted)
		body := map[string]any{"email": email, "code": s.Code(t, email), "account": strings.ToUpper(ann.Account), "password": person.Password}
		stranger.Post(t, "/api/v1/auth/register", body).Is(t, http.StatusConflict).Refused(t, "already_exists", "account")
		// The code was not spent on it.
		body["account"] = "fresh_" + id.New()[18:]
		stranger.Post(t, "/api/v1/auth/register", body).Is(t, http.StatusCreated)
		// Now it is.
		body["account"] = "again_" + id.New()[18:]
		stranger.Post(t, "/api/v1/auth/register", body).Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", "code")
	})

	t.Run("log in by account or e-mail", func(t *testing.T) {
		for _, name := range []string{ann.Account, strings.ToUpper(ann.Account), ann.Email} {
			stranger.Post(t, "/api/v1/auth/login", map[string]any{"account": name, "password": person.Password}).Is(t, http.StatusOK)
		}
		wrong := stranger.Post(t, "/api/v1/auth/login", map[string]any{"account": ann.Account, "password": "wrong password"}).Is(t, http.StatusUnauthorized).Refused(t, "unauthenticated")
		unknown := stranger.Post(t, "/api/v1/auth/login", map[string]any{"account": "nobody_at_all", "password": "wrong password"}).Is(t, http.StatusUnauthorized).Refused(t, "unauthenticated")
		if wrong.Detail != unknown.Detail {
			t.Fatalf("the answer tells who exists: %q, %q", wrong.Detail, unknown.Detail)
		}
	})

	t.Run("profile", func(t *testing.T) {
		me := person.Decode[contract.User](t, ann.Patch(t, "/api/v1/users/me", map[string]any{
			"nickname": "Ann 安", "sex": 2, "avatar_url": "https://example.org/a.png",
		}).Is(t, http.StatusOK))
		if got := person.Decode[contract.User](t, ann.Get(t, "/api/v1/users/me").Is(t, http.StatusOK)); got != me || got.Nickname != "Ann 安" || got.Email != ann.Email {
			t.Fatalf("got %+v, want %+v", got, me)
		}
		for field, value := range map[string]any{"nickname": long(65), "sex": 3, "avatar_url": "javascript:alert(1)"} {
			ann.Patch(t, "/api/v1/users/me", map[string]any{field: value}).Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", field)
		}
		other := people(t, s, "bob")[0]
		seen := other.Getf(t, "/api/v1/users/%s", ann.ID).Is(t, http.StatusOK)
		if strings.Contains(string(seen.Body), "@") {
			t.Fatalf("others see the e-mail: %s", seen.Body)
		}
		other.Getf(t, "/api/v1/users/%s", id.New()).Is(t, http.StatusNotFound).Refused(t, "not_found")
		other.Get(t, "/api/v1/users?account=nobody_at_all").Is(t, http.StatusNotFound).Refused(t, "not_found")
		stranger.Get(t, "/api/v1/users/me").Is(t, http.StatusUnauthorized).Refused(t, "unauthenticated")
	})

	t.Run("password", func(t *testing.T) {
		bob := people(t, s, "bob")[0]
		other := bob.Login(t, s.URLs[1], "laptop")
		bob.Put(t, "/api/v1/users/me/password", map[string]any{"old_password": "wrong password", "new_password": "another password"}).
			Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", "old_password")
		bob.Put(t, "/api/v1/users/me/password", map[string]any{"old_password": person.Password, "new_password": "another password"}).Is(t, http.StatusNoContent)
		bob.Get(t, "/api/v1/users/me").Is(t, http.StatusOK)
		eventually(t, "the other session ends", func() bool { return other.Get(t, "/api/v1/users/me").Status == http.StatusUnauthorized })

		stranger.Post(t, "/api/v1/auth/codes", map[string]any{"email": bob.Email, "purpose": "reset_password"}).Is(t, http.StatusAccepted)
		reset := map[string]any{"email": bob.Email, "code": "111111", "password": person.Password}
		code := s.Code(t, bob.Email)
		if code == "111111" {
			reset["code"] = "222222"
		}
		stranger.Post(t, "/api/v1/auth/password/reset", reset).Is(t, http.StatusBadRequest).Refused(t, "invalid_argument", "code")
		reset["code"] = code
		stranger.Post(t, "/api/v1/auth/password/reset", reset).Is(t, http.StatusNoContent)
		eventually(t, "every session ends", func() bool { return bob.Get(t, "/api/v1/users/me").Status == http.StatusUnauthorized })
		bob.Login(t, s.URLs[2], "phone")
	})
}
