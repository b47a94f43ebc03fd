package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/parley-im/parley/pkg/client"
	"github.com/parley-im/parley/pkg/contract"
	"github.com/parley-im/parley/pkg/fault"
)

// desk is the HTTP side of a gateway for one user: it logs in, refreshes, and
// answers GET /users/me.
type desk struct {
	*httptest.Server

	mu       sync.Mutex
	sessions int
	rotated  int
	refresh  string // the one that is taken; empty: the session is over
	access   string
	lose     int // answers to refreshes that get lost
	before   string
	used     []string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/auth/login", func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if read(r)["password"] != "right" {
			problem(w, fault.Unauthenticated)
			return
		}
		d.sessions++
		d.grant(w)
	})
	mux.HandleFunc("POST /api/v1/auth/refresh", func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		given := read(r)["refresh_token"]
		d.used = append(d.used, given)
		if d.refresh == "" || given != d.refresh && given != d.before {
			problem(w, fault.Unauthenticated)
			return
		}
		if d.lose > 0 {
			d.lose--
			d.grant(httptest.NewRecorder())
			panic(http.ErrAbortHandler)
		}
		d.grant(w)
	})
	mux.HandleFunc("GET /api/v1/users/me", func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer "+d.access {
			problem(w, fault.Unauthenticated)
			return
		}
		_ = json.NewEncoder(w).Encode(contract.User{ID: "me"})
	})
	d.Server = httptest.NewServer(mux)
	t.Cleanup(d.Close)
	return d
}

func (d *desk) grant(w http.ResponseWriter) {
	d.rotated++
	d.before, d.refresh, d.access = d.refresh, fmt.Sprintf("refresh-%d", d.rotated), fmt.Sprintf("access-%d", d.rotated)
	_ = json.NewEncoder(w).Encode(contract.Grant{AccessToken: d.access, RefreshToken: d.refresh, ExpiresIn: 900})
}

func (d *desk) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refresh, d.access = "", ""
}

func read(r *http.Request) map[string]string {
	var body map[string]string
	_ = json.NewDecoder(r.Body).Decode(&body)
	return body
}

func problem(w http.ResponseWriter, code fault.Code) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code.HTTPStatus())
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "detail": code.Title(), "status": code.HTTPStatus()})
}

func TestSession(t *testing.T) {
	dead := "http://127.0.0.1:1" // nobody listens there
	t.Run("gives its token until another is wanted", func(t *testing.T) {
		d := newDesk(t)
		s, err := client.Login(t.Context(), []string{dead, d.URL}, "ann", "right", "")
		if err != nil {
			t.Fatal(err)
		}
		var kept []string
		s.Rotated = func(refresh string) error { kept = append(kept, refresh); return nil }
		for _, c := range []struct{ old, want string }{{"", "access-1"}, {"", "access-1"}, {"access-1", "access-2"}, {"access-1", "access-2"}, {"access-2", "access-3"}} {
			if token, err := s.Token(t.Context(), c.old); err != nil || token.Access != c.want || token.ExpiresAt.IsZero() {
				t.Fatalf("after %q got %+v, %v", c.old, token, err)
			}
		}
		if !slices.Equal(kept, []string{"refresh-2", "refresh-3"}) {
			t.Fatalf("kept %v", kept)
		}
	})
	t.Run("repeats a refresh whose answer got lost", func(t *testing.T) {
		d := newDesk(t)
		d.refresh, d.lose = "kept", 1
		s, err := client.Resume([]string{d.URL}, "kept")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Token(t.Context(), ""); err == nil {
			t.Fatal("the answer was lost, and there is a token")
		}
		if token, err := s.Token(t.Context(), ""); err != nil || token.Access != "access-2" {
			t.Fatalf("got %+v, %v", token, err)
		}
		if !slices.Equal(d.used, []string{"kept", "kept"}) {
			t.Fatalf("used %v", d.used)
		}
	})
	t.Run("does not count a token that could not be kept", func(t *testing.T) {
		d := newDesk(t)
		d.refresh = "kept"
		s, err := client.Resume([]string{d.URL}, "kept")
		if err != nil {
			t.Fatal(err)
		}
		full := errors.New("no space left")
		s.Rotated = func(string) error { return full }
		if _, err := s.Token(t.Context(), ""); !errors.Is(err, full) {
			t.Fatalf("got %v", err)
		}
		s.Rotated = nil
		if _, err := s.Token(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	})
	t.Run("calls, and again with a fresh token", func(t *testing.T) {
		d := newDesk(t)
		s, err := client.Login(t.Context(), []string{dead, d.URL}, "ann", "right", "")
		if err != nil {
			t.Fatal(err)
		}
		d.mu.Lock()
		d.access = "another" // what we have is refused
		d.mu.Unlock()
		var me contract.User
		if err := s.Do(t.Context(), http.MethodGet, "/users/me", nil, &me); err != nil || me.ID != "me" {
			t.Fatalf("got %+v, %v", me, err)
		}
		if err := s.Do(t.Context(), http.MethodGet, "/nothing", nil, nil); !fault.Is(err, fault.Unavailable) {
			t.Fatalf("something that is no problem: %v", err)
		}
	})
	t.Run("is over", func(t *testing.T) {
		d := newDesk(t)
		if _, err := client.Login(t.Context(), []string{d.URL}, "ann", "wrong", ""); !fault.Is(err, fault.Unauthenticated) {
			t.Fatalf("got %v", err)
		}
		s, err := client.Login(t.Context(), []string{d.URL}, "ann", "right", "")
		if err != nil {
			t.Fatal(err)
		}
		d.end()
		if _, err := s.Token(t.Context(), "access-1"); !fault.Is(err, fault.Unauthenticated) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestCredentials_log_in_again(t *testing.T) {
	d := newDesk(t)
	c := &client.Credentials{Gateways: []string{d.URL}, Account: "ann", Password: "right"}
	token, err := c.Token(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if token, err = c.Token(t.Context(), token.Access); err != nil || d.sessions != 1 {
		t.Fatalf("got %+v, %v, %d sessions", token, err, d.sessions)
	}
	d.end()
	if token, err = c.Token(t.Context(), token.Access); err != nil || d.sessions != 2 {
		t.Fatalf("got %+v, %v, %d sessions", token, err, d.sessions)
	}
	c.Password = "wrong"
	d.end()
	if _, err = c.Token(t.Context(), token.Access); !fault.Is(err, fault.Unauthenticated) {
		t.Fatalf("got %v", err)
	}
}
