package e2e

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley-im/parley/e2e/person"
	"github.com/parley-im/parley/e2e/system"
	"github.com/parley-im/parley/pkg/contract"
)

func refresh(t *testing.T, p *person.Person, token string) person.Answer {
	t.Helper()
	return p.Post(t, "/api/v1/auth/refresh", map[string]any{"refresh_token": token})
}

func sessions(t *testing.T, s *system.System) {
	t.Run("a refresh token rotates", func(t *testing.T) {
		ann := people(t, s, "ann")[0]
		first := ann.Refresh
		second := person.Decode[contract.Grant](t, refresh(t, ann, first).Is(t, http.StatusOK))
		// The reply was lost: the one before serves once more and kills its successor.
		third := person.Decode[contract.Grant](t, refresh(t, ann, first).Is(t, http.StatusOK))
		fourth := person.Decode[contract.Grant](t, refresh(t, ann, third.RefreshToken).Is(t, http.StatusOK))
		ann.Access = fourth.AccessToken
		ann.Get(t, "/api/v1/users/me").Is(t, http.StatusOK)
		// The killed one is a reuse: the session ends.
		refresh(t, ann, second.RefreshToken).Is(t, http.StatusUnauthorized).Refused(t, "unauthenticated")
		refresh(t, ann, fourth.RefreshToken).Is(t, http.StatusUnauthorized).Refused(t, "unauthenticated")
		eventually(t, "the access token dies", func() bool { return ann.Get(t, "/api/v1/users/me").Status == http.StatusUnauthorized })
	})

	t.Run("a made-up refresh token ends nothing", func(t *testing.T) {
		ann := people(t, s, "ann")[0]
		refresh(t, ann, "nonsense").Is(t, http.StatusUnauthorized).Refused(t, "unauthenticated")
		parts := strings.SplitN(ann.Refresh, ".", 2)
		refresh(t, ann, parts[0]+"."+strings.Repeat("A", len(ann.Refresh)-len(parts[0])-1)).Is(t, http.StatusUnauthorized)
		refresh(t, ann, ann.Refresh).Is(t, http.StatusOK)
	})

	t.Run("devices", func(t *testing.T) {
		ann := people(t, s, "ann")[0]
		laptop := ann.Login(t, s.URLs[1], "laptop")
		page := person.Decode[contract.SessionPage](t, ann.Get(t, "/api/v1/auth/sessions").Is(t, http.StatusOK))
		if len(page.Items) != 2 {
			t.Fatalf("got %+v", page)
		}
		var laptopID string
		for _, item := range page.Items {
			if item.DeviceName == "laptop" && !item.Current {
				laptopID = item.ID
			}
		}
		first := person.Decode[contract.SessionPage](t, ann.Get(t, "/api/v1/auth/sessions?limit=1").Is(t, http.StatusOK))
		second := person.Decode[contract.SessionPage](t, ann.Getf(t, "/api/v1/auth/sessions?limit=1&cursor=%s", first.NextCursor).Is(t, http.StatusOK))
		if len(first.Items) != 1 || len(second.Items) != 1 || first.Items[0].ID == second.Items[0].ID || second.NextCursor != "" {
			t.Fatalf("pages %+v, %+v", first, second)
		}
		bob := people(t, s, "bob")[0]
		bob.Delete(t, "/api/v1/auth/sessions/"+laptopID).Is(t, http.StatusNotFound).Refused(t, "not_found")
		ann.Delete(t, "/api/v1/auth/sessions/"+laptopID).Is(t, http.StatusNoContent)
		eventually(t, "the laptop is out", func() bool { return laptop.Get(t, "/api/v1/users/me").Status == http.StatusUnauthorized })
		refresh(t, laptop, laptop.Refresh).Is(t, http.StatusUnauthorized)
	})

	t.Run("logout", func(t *testing.T) {
		ann := people(t, s, "ann")[0]
		socket := ann.Dial(t)
		ann.Post(t, "/api/v1/auth/logout", nil).Is(t, http.StatusNoContent)
		if code := socket.Closed(t, time.Second); code != contract.CloseSessionRevoked {
			t.Fatalf("closed with %d", code)
		}
	})
}

// revokedSession shows that within a second a session is out everywhere, and
// stays out.
func revokedSession(t *testing.T, s *system.System) {
	ann := people(t, s, "ann")[0]
	phone := ann.Login(t, s.URLs[1], "phone")
	socket, own := phone.Dial(t), ann.Dial(t)
	ann.Delete(t, "/api/v1/auth/sessions/"+socket.Ready.SessionID).Is(t, http.StatusNoContent)
	if code := socket.Closed(t, time.Second); code != contract.CloseSessionRevoked {
		t.Fatalf("closed with %d, want %d", code, contract.CloseSessionRevoked)
	}
	person.Push(t, own, contract.SessionRevoked.Op, func(d contract.SessionRevokedData) bool { return d.SessionID == socket.Ready.SessionID })
	for _, url := range s.URLs {
		phone.Gateway = url
		phone.Get(t, "/api/v1/users/me").Is(t, http.StatusUnauthorized).Refused(t, "unauthenticated")
		if _, err := phone.TryDial(t.Context()); err == nil || !strings.Contains(err.Error(), "401") {
			t.Fatalf("let in at %s: %v", url, err)
		}
		bare := phone.DialBare(t)
		bare.Refused(t, "unauthenticated", contract.OpAuth, map[string]any{"token": phone.Access})
		if code := bare.Closed(t, 5*time.Second); code != contract.CloseUnauthenticated && code != contract.CloseSessionRevoked {
			t.Fatalf("closed with %d", code)
		}
	}
	// A gateway that starts only now knows of it too.
	late := s.Gateways[2]
	late.Stop(t)
	late.Restart(t)
	phone.Gateway = s.URLs[2]
	phone.Get(t, "/api/v1/users/me").Is(t, http.StatusUnauthorized)
	own.Must(t, contract.OpPing, nil)
}

// eventually waits for a condition that another process brings about.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			t.Fatalf("in vain: %s", what)
		case <-tick.C:
		}
	}
}
